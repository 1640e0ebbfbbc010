"""Offers what the installer does not hold where it is missed, and installs it."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.jobs import training_environment
from ocrstudio.services.training_environment import CancelledError, Installation, install, plan
from ocrstudio.ui.background import Background, Task
from ocrstudio.ui.environment.install_dialog import InstallDialog
from ocrstudio.ui.messages import Messages

_DONE = "The training environment is complete: students can be trained and run."


class TrainingInstallation(QObject):
    """The installation of what trains, asked first; one at a time.

    Args:
        owner: The window.
        background: Runs the installation.
        messages: Where its outcome is said.

    Signals:
        changed: The environment is another one than before.
    """

    changed = Signal()

    def __init__(self, owner: QWidget, background: Background, messages: Messages) -> None:
        super().__init__(owner)
        self._owner = owner
        self._background = background
        self._messages = messages
        self._task: Task | None = None
        self._then: Callable[[], object] | None = None
        self.dialog: InstallDialog | None = None

    def ready(self, then: Callable[[], object]) -> bool:
        """Whether students can be trained and run; if not, the installation is offered.

        Args:
            then: Called after the installation: what the user wanted to do.
        """
        if training_environment.problem() is None:
            return True
        self.offer(then)
        return False

    def offer(self, then: Callable[[], object] | None = None) -> None:
        """Asks whether to install; a dialog that is open comes to the front."""
        self._then = then
        if self.dialog is not None:
            self.dialog.show()
            self.dialog.raise_()
            return
        try:
            what = plan()
        except OcrStudioError as problem:
            self._messages.failure(problem)
            return
        missing = training_environment.problem()
        dialog = InstallDialog(self._owner, missing.message if missing else _DONE, what.in_words())
        self.dialog = dialog
        dialog.wanted.connect(lambda: self._install(what))
        dialog.stop_requested.connect(self._stop)
        dialog.finished.connect(self._forget)
        dialog.show()

    def _install(self, what: Installation) -> None:
        def work(task: Task) -> None:
            install(what, lambda text, written: task.report(written, 0, text), lambda: task.cancelled)

        self._task = self._background.run(work, self._installed, self._failed, title="Installing what trains")
        if self.dialog is not None:
            self._task.progressed.connect(self.dialog.show_progress)

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _installed(self, _result: None) -> None:
        self._end()
        self._messages.info(_DONE)
        self.changed.emit()
        then, self._then = self._then, None
        if then is not None:
            then()

    def _failed(self, problem: OcrStudioError) -> None:
        self._end()
        if isinstance(problem, CancelledError):
            self._messages.info(problem.message, problem.hint)
        else:
            self._messages.failure(problem)
        self.changed.emit()

    def _end(self) -> None:
        self._task = None
        if self.dialog is not None:
            self.dialog.close_for_good()

    def _forget(self) -> None:
        self.dialog = None
