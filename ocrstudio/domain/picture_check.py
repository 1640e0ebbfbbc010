"""Did the student look? What a training finds out about itself at its end, and how it is said.

Two things are measured. How much likelier the right text is with the page's own picture than with the
picture of another page: a student that makes every page the same writes fluent text, its training loss falls,
and only this number shows it. And how far each trained part has moved from where it started.

A run's summary holds both (``picture_check``, ``movement``); summaries of older versions hold neither.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self

from ocrstudio.domain.wording import count_of

CHECK_KEY: Final = "picture_check"
MOVEMENT_KEY: Final = "movement"
"""Where a run's summary holds the two."""

LEAST_DEPENDENCE: Final = 0.3
"""Nats a token below which a student counts as one that does not look.

Text that nobody can see costs a language model 1 to 4 nats a token, so the wrong picture costs a student that
reads several: its own text becomes as hard to guess as any other. The size of the picture, its number of
tiles and the fill of the page say a little about length and layout without a letter being read; that is worth
0.1 or so. What two evaluations differ by for no reason is smaller still. 0.3 lies between, far from both.
"""

_WHOLE_NATS = 1.0  # from here on one decimal is enough
_SMALLEST_SHARE = 1e-5


@dataclass(frozen=True)
class PictureCheck:
    """The loss of the same answers with the right and with the wrong pictures.

    Attributes:
        own_loss: Nats a token of the answers, each with the picture of its own page.
        swapped_loss: The same with pictures swapped between the pages.
        pages: Pages that were measured.
        candidates: Pages that could have been.
        held_out: Whether they were held out; otherwise they were trained on.
        borrowed: Whether the other picture is a training page's, because only one page was held out.
        left_out: Pages that were chosen, but are too long with the other picture.
        stand_in: Whether the student has random weights, and was never able to read.
        seconds: How long the check took.
    """

    own_loss: float
    swapped_loss: float
    pages: int
    candidates: int
    held_out: bool = True
    borrowed: bool = False
    left_out: int = 0
    stand_in: bool = False
    seconds: float = 0.0

    @property
    def dependence(self) -> float:
        """Nats a token that the right picture is worth."""
        return self.swapped_loss - self.own_loss

    @property
    def looks(self) -> bool:
        """Whether that is enough for a student that looks."""
        return self.dependence >= LEAST_DEPENDENCE

    def sentence(self) -> str:
        """The result in one line."""
        return f"The answer {'' if self.looks else 'hardly '}depends on the picture: {self._nats()}."

    def _nats(self) -> str:
        decimals = 1 if abs(self.dependence) >= _WHOLE_NATS else 2
        return f"{round(self.dependence, decimals) + 0.0:.{decimals}f} nats a token"  # + 0.0: never "-0.00"

    def details(self) -> str:
        """The two losses, and which pages they are of."""
        kind = "held-out page" if self.held_out else "training page"
        some = f"{self.pages:,} of " if self.pages < self.candidates else ""
        sentences = [
            f"Loss of the answers of {some}{count_of(self.candidates, kind)}: {self.own_loss:.2f} with their "
            f"own pictures, {self.swapped_loss:.2f} with pictures of other pages."
        ]
        if not self.held_out:
            sentences.append("No page was held out, so these were trained on.")
        if self.borrowed:
            sentences.append("The other picture is that of a training page.")
        if self.left_out:
            sentences.append(
                f"{count_of(self.left_out, 'page')} left out: longer than allowed with the other picture."
            )
        return " ".join(sentences)

    def meaning(self) -> str:
        """What a result below the least means, and what to do; empty where there is nothing to do."""
        if self.looks:
            return ""
        return (
            "The right text is about as likely beside the wrong page, so the student writes what it knows by "
            "heart. "
        ) + (
            "The weights of this one are random, and it does not read: nothing is wrong with the run."
            if self.stand_in
            else "Check that the labels belong to their pictures, and measure the base model with "
            "`ocrstudio evaluate`: if it reads better, train again with a lower training.learning_rate or "
            "fewer steps."
        )

    def to_json(self) -> dict[str, Any]:
        """For the summary of a run; `read_check` is the way back."""
        return {**asdict(self), "dependence": self.dependence, "looks": self.looks}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; unknown fields are ignored.

        Raises:
            TypeError: A field is missing, or has another type than it should.
        """
        known = {entry.name: entry.type for entry in fields(cls)}
        values = {name: value for name, value in data.items() if name in known}
        if not all(isinstance(value, int | float) for value in values.values()):
            raise TypeError("a field of a picture check is no number")
        return cls(**values)


def read_check(summary: Mapping[str, Any] | None) -> PictureCheck | None:
    """The picture check of a run's summary; None where there is none that can be read."""
    data = (summary or {}).get(CHECK_KEY)
    if not isinstance(data, Mapping):
        return None
    try:
        return PictureCheck.from_json(data)
    except TypeError:
        return None


def read_movement(summary: Mapping[str, Any] | None) -> dict[str, float | None]:
    """How far each part has moved, from a run's summary: its relative change; empty where nothing is known.

    The change of a part is ``|W - W0| / |W0|`` with Frobenius norms over all of its trained layers; None for
    a part that started at zero.
    """
    data = (summary or {}).get(MOVEMENT_KEY)
    if not isinstance(data, Mapping):
        return {}
    return {str(part): change for part, change in data.items() if isinstance(change, int | float | None)}


def movement_in_words(movement: Mapping[str, float | None]) -> str:
    """``Moved from its start: vision encoder 1.2 %, projector 0.31 %.``; empty when nothing is known."""
    if not movement:
        return ""
    parts = ", ".join(f"{part} {_share(change)}" for part, change in movement.items())
    return f"Moved from the start: {parts}."


def _share(change: float | None) -> str:
    if change is None:
        return "(it started at zero)"
    if change == 0:
        return "not at all"
    if change < _SMALLEST_SHARE:
        return "less than 0.001 %"
    return f"{100 * change:.0f} %" if change >= 1 else f"{100 * change:.2g} %"


def look_in_words(summary: Mapping[str, Any] | None) -> dict[str, str]:
    """What a run's summary says of both, by a short title; empty for a run of an older version."""
    check = read_check(summary)
    lines = {
        "pictures": "" if check is None else f"{check.sentence()} {check.details()}",
        "weights": movement_in_words(read_movement(summary)),
    }
    return {title: words for title, words in lines.items() if words}
