"""Everything that may be shown to a user as an error.

An `OcrStudioError` is one clear sentence (what, which file, which place) and a hint (what to do). Only the
doors of the program (command line, window, worker) turn it into text; everything else raises or passes it on.
"""


class OcrStudioError(Exception):
    """Base of all expected failures.

    Args:
        message: One sentence that names the file and the place.
        hint: What the user can do about it; empty when there is nothing to add.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InputError(OcrStudioError):
    """A file or an argument given by the user cannot be used."""


class DocumentError(InputError):
    """A document cannot be opened or a page cannot be rendered."""


class EncryptedDocumentError(DocumentError):
    """A document needs a password, or the one given is wrong."""


class SlowPageError(DocumentError):
    """A page was not drawn or read within its limit; what worked on it was ended.

    Args:
        place: The page, at the beginning of a sentence.
        done: What was not done to it: ``drawn`` or ``read``.
        limit: Seconds that it was given.
        setting: Where that is set.
    """

    def __init__(
        self, place: str, done: str, limit: float, setting: str = "max_page_seconds in the settings"
    ) -> None:
        super().__init__(
            f"{place} was not {done} within {limit:g} s ({setting}).",
            "It may never finish: leave this page out, or allow more time.",
        )


class ConfigError(InputError):
    """A configuration file has an unknown key, a wrong type or an impossible value."""


class DatasetError(InputError):
    """A dataset file is malformed; the message names the line."""


class WorkspaceError(OcrStudioError):
    """A workspace cannot be created, opened or written."""


class TeacherError(OcrStudioError):
    """A teacher could not draft a page.

    Args:
        message: One sentence that names the page or the server.
        hint: What the user can do about it.
        retryable: Whether the same request may succeed later (time-out, busy server).
    """

    def __init__(self, message: str, hint: str = "", *, retryable: bool = False) -> None:
        super().__init__(message, hint)
        self.retryable = retryable


class ModelError(OcrStudioError):
    """Student weights are missing, incomplete or do not fit."""


class RunError(OcrStudioError):
    """A run cannot be started, stopped, attached to or resumed."""


class ProtocolError(OcrStudioError):
    """A line between two processes does not follow the protocol."""
