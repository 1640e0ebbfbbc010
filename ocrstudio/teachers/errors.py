"""Failures that concern the teacher itself rather than one page."""

from typing import TYPE_CHECKING, Final

from ocrstudio.domain.errors import TeacherError

if TYPE_CHECKING:
    from ocrstudio.teachers.base import Draft


NO_TEXT: Final = "No text was found on this page."
"""What a child says that found none; its parent knows an `EmptyAnswerError` by it."""


class TeacherUnavailableError(TeacherError):
    """No page can be drafted now: the server is not there, the key is wrong, the model is unknown.

    A batch stops at the first one instead of collecting the same sentence for every page.
    """


class EmptyAnswerError(TeacherError):
    """The answer has no text. On a blank page that is right; a batch finds out.

    Args:
        message: One sentence that names the page.
        hint: What the user can do about it.
        draft: The answer, when there was one.
    """

    def __init__(self, message: str, hint: str = "", draft: "Draft | None" = None) -> None:
        super().__init__(message, hint)
        self.draft = draft
