"""Shows what degraded training pages look like: finds a page, has it degraded, opens the dialog."""

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from ocrstudio.ui.background import Background
from ocrstudio.ui.session import Session
from ocrstudio.ui.training.augment_dialog import LOOKS, AugmentDialog
from ocrstudio.ui.training.plan import TrainingPlan, example_page

if TYPE_CHECKING:
    from ocrstudio.ui.training.augment_views import DegradedPage


class AugmentExample(QObject):
    """Joins the dialog to the data of a plan.

    Args:
        session: What is open.
        panel: Over whose window the dialog stands.
        background: Draws and degrades the page; failures are said where it says them.
    """

    def __init__(self, session: Session, panel: QWidget, background: Background) -> None:
        super().__init__(panel)
        self._session = session
        self._panel = panel
        self._background = background
        self._dialog: AugmentDialog | None = None
        self._page: Path | None = None
        self._name = ""
        self._seed = 0
        self._epoch = 0

    def show(self, plan: TrainingPlan, seed: int) -> None:
        """Shows the page in view, or the first one that would be trained on.

        Args:
            plan: What was chosen.
            seed: Of the training.
        """
        root, page_id = self._session.root, self._session.page_id
        self._seed, self._epoch = seed, 0

        def found(place: tuple[str, Path]) -> None:
            if self._session.is_at(root):
                self._name, self._page = place
                self._degrade()

        self._background.run(lambda _: example_page(plan, root, page_id), found)

    def close(self) -> None:
        """The workspace is being closed."""
        self._page = None
        if self._dialog is not None:
            self._dialog.close()

    def _another(self) -> None:
        if self._dialog is not None:
            self._dialog.wait()
        self._epoch += 1
        self._degrade()

    def _degrade(self) -> None:
        page, seed, epoch = self._page, self._seed, self._epoch
        if page is None:
            return

        def done(shown: "list[DegradedPage]") -> None:
            if page == self._page:
                self._open().show_pages(self._name, epoch, shown)

        self._background.run(lambda _: _load(page, seed, epoch), done)

    def _open(self) -> AugmentDialog:
        if self._dialog is None:
            self._dialog = AugmentDialog(self._panel.window())
            self._dialog.another_requested.connect(self._another)
        self._dialog.show()
        self._dialog.activateWindow()
        return self._dialog


def _load(page: Path, seed: int, epoch: int) -> "list[DegradedPage]":
    from ocrstudio.ui.training.augment_views import load_degraded

    return load_degraded(page, tuple(LOOKS), seed, epoch)
