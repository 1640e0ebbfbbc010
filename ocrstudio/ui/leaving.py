"""Asks before something that still works is ended by leaving a workspace or the window."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMessageBox, QWidget

from ocrstudio.ui.widgets.question import ask

Action = Callable[[], object]


class Leaving(QObject):
    """Carries out what ends the work in a workspace, at once or when the user agrees.

    Runs in workers are none of its business: they go on without the window.

    Args:
        window: Where the question belongs.
        unfinished: A sentence for each piece of work that would end.
    """

    def __init__(self, window: QWidget, unfinished: Callable[[], Sequence[str]]) -> None:
        super().__init__(window)
        self._window = window
        self._unfinished = unfinished
        self._question: QMessageBox | None = None
        self._agreed = False

    def may(self, action: Action) -> bool:
        """Whether something may be done now; otherwise the user is asked, and agreeing does it.

        Args:
            action: Does it, through `may` again.
        """
        work = self._unfinished()
        if self._agreed or not work:
            self.withdraw()
            return True
        self.withdraw()
        self._question = ask(
            self._window,
            "Work is not finished",
            "\n".join(work),
            "Stopping keeps what is done; the rest is left as it was and can be started again. "
            "Trainings and evaluations are not affected.",
            ("Stop and close", "Keep working"),
            lambda: self.agree(action),
        )
        self._question.finished.connect(self._forget)
        return False

    def agree(self, action: Action) -> None:
        """Does it without a question."""
        self._agreed = True
        try:
            action()
        finally:
            self._agreed = False

    def withdraw(self) -> None:
        """The question is no longer of interest."""
        if self._question is not None:
            self._question.close()

    def _forget(self) -> None:
        self._question = None
