"""How a status looks: a word, an icon and a colour, always together."""

from dataclasses import dataclass

from ocrstudio.domain.document import PageStatus
from ocrstudio.ui.theme import theme


@dataclass(frozen=True)
class StatusLook:
    """Word, icon file and name of the theme's colour."""

    word: str
    icon: str
    colour_name: str

    @property
    def colour(self) -> str:
        """The colour in the current theme."""
        return str(getattr(theme(), self.colour_name))


STATUS_LOOKS: dict[PageStatus, StatusLook] = {
    PageStatus.UNLABELLED: StatusLook("Unlabelled", "unlabelled", "grey"),
    PageStatus.DRAFT: StatusLook("Draft", "draft", "blue"),
    PageStatus.IN_REVIEW: StatusLook("In review", "in_review", "orange"),
    PageStatus.ACCEPTED: StatusLook("Accepted", "accepted", "green"),
    PageStatus.FLAGGED: StatusLook("Flagged", "flagged", "violet"),
    PageStatus.FAILED: StatusLook("Failed", "failed", "red"),
    PageStatus.EXCLUDED: StatusLook("Excluded", "excluded", "grey"),
}
