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
    # A page of A4 with 10 or 11 points comes out of the tiles with 14 or 15 pixels, x-height 7.
    Level(900, (*_CARDS, (2, 2)), _mix(0.15, 0.07, 0.10, 0.38, 0.30), font_size=(14.0, 30.0)),
)


class Curriculum:
    """The level that is trained now.

    It rises when enough of the next tokens are right, and also when their share no longer grows: degraded
    pages and random letters may keep a level from its target for good. While the student is still guessing
    the share does not grow either; harder pages would not help there.

    Args:
        level: Where to begin.
        target: Share of right next tokens (teacher forcing) at which the next level begins.
    """

    _MEMORY = 0.95
    _WINDOW = 200
    _LEAST_GAIN = 0.01
    _GUESSING = 0.5

    def __init__(self, level: int = 0, target: float = 0.85) -> None:
        self._target = target
        self._begin(level)

    def _begin(self, level: int) -> None:
        self.level = level
        self.accuracy = 0.0
        self._best = 0.0
        self._sum = 0.0
        self._count = 0

    def saw(self, level: int, accuracy: float) -> bool:
        """Take the accuracy of one batch; whether the level rose."""
        if level != self.level:
            return False
        self.accuracy = self._MEMORY * self.accuracy + (1 - self._MEMORY) * accuracy
        stands_still = self._stands_still(accuracy)
        if self.level == len(LEVELS) - 1 or not (self.accuracy >= self._target or stands_still):
            return False
        self._begin(self.level + 1)
        return True

    def _stands_still(self, accuracy: float) -> bool:
        """Whether a window of batches has just ended that was hardly better than the best one before."""
        self._sum += accuracy
        self._count += 1
        if self._count < self._WINDOW:
            return False
        mean = self._sum / self._count
        still = self._GUESSING < mean < self._best + self._LEAST_GAIN
        self._best = max(self._best, mean)
        self._sum, self._count = 0.0, 0
        return still

    def state(self) -> dict[str, float]:
        """What a checkpoint keeps."""
        return {
            "level": self.level,
            "accuracy": self.accuracy,
            "best": self._best,
            "sum": self._sum,
            "count": self._count,
        }

    def restore(self, state: Mapping[str, float]) -> None:
        """Go on where a checkpoint was written, or at the level that was asked for where that is higher."""
        if state["level"] < self.level:
            return
        self.level, self._count = int(state["level"]), int(state["count"])
        self.accuracy, self._best, self._sum = state["accuracy"], state["best"], state["sum"]
