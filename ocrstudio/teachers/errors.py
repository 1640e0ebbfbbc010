"""Failures that concern the teacher itself rather than one page."""

from ocrstudio.domain.errors import TeacherError


class TeacherUnavailableError(TeacherError):
    """No page can be drafted now: the server is not there, the key is wrong, the model is unknown.

    A batch stops at the first one instead of collecting the same sentence for every page.
    """
