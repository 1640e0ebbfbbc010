"""How hard the pages are: raised when the student reads them, never by the clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Grid = tuple[int, int]
"""(columns, rows) of tiles."""


@dataclass(frozen=True)
class Level:
    """One step of the curriculum.

    Attributes:
        characters: Most characters of a page; at least a third of them are written.
        grids: Shapes of pages, by how often they are drawn.
        weights: Kinds of blocks (`ocrstudio.synthesis.writing.WRITERS`).
        headings: Chance of headings.
        font_size: Least and largest size of running text in pixels.
        clean: Share of pages that are not degraded.
    """

    characters: int
    grids: tuple[Grid, ...]
    weights: Mapping[str, float] = field(repr=False)
    headings: float = 0.3
    font_size: tuple[float, float] = (15.0, 30.0)
    clean: float = 0.5


def _mix(random: float, words: float, numbers: float, prose: float, other: float) -> dict[str, float]:
    """Weights; `other` is shared by lists, tables and formulas."""
    return {
        "random": random,
        "words": words,
        "numbers": numbers,
        "prose": prose,
        "list": 0.46 * other,
        "table": 0.44 * other,
        "formula": 0.10 * other,
    }


_CARDS = ((2, 3), (2, 3), (2, 3), (3, 2))
# Text that cannot be guessed comes first: a student that can guess does not look.
LEVELS = (
    Level(240, ((2, 3), (2, 2)), _mix(0.30, 0.15, 0.10, 0.25, 0.20), font_size=(20.0, 36.0), clean=0.8),
    Level(360, ((2, 3),), _mix(0.25, 0.10, 0.10, 0.30, 0.25), font_size=(18.0, 34.0), clean=0.6),
    Level(520, _CARDS, _mix(0.20, 0.10, 0.10, 0.32, 0.28)),
    Level(720, _CARDS, _mix(0.18, 0.08, 0.10, 0.36, 0.28)),
    Level(900, (*_CARDS, (2, 2)), _mix(0.15, 0.07, 0.10, 0.38, 0.30)),
)


class Curriculum:
    """The level that is trained now.

    Args:
        level: Where to begin.
        target: Share of right next tokens (teacher forcing) at which the next level begins.
    """

    _MEMORY = 0.9

    def __init__(self, level: int = 0, target: float = 0.92) -> None:
        self.level = level
        self.accuracy = 0.0
        self._target = target

    def saw(self, level: int, accuracy: float) -> bool:
        """Take the accuracy of one batch; whether the level rose."""
        if level != self.level:
            return False
        self.accuracy = self._MEMORY * self.accuracy + (1 - self._MEMORY) * accuracy
        if self.accuracy < self._target or self.level == len(LEVELS) - 1:
            return False
        self.level += 1
        self.accuracy = 0.0
        return True
