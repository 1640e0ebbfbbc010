"""Finds out, in the background, what the environment panel shows."""

from pathlib import Path

from PySide6.QtCore import QObject

from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.services.dataset_statistics import check_dataset_file
from ocrstudio.services.environment import check_model, look_around
from ocrstudio.settings.app import AppSettings
from ocrstudio.settings.train import load_train_config
from ocrstudio.ui.background import Background
from ocrstudio.ui.environment.facts import Section, describe
from ocrstudio.ui.environment.panel import EnvironmentPanel
from ocrstudio.ui.session import Session

_TRAINING_FILE = "train.jsonl"
_EVALUATION_FILE = "eval.jsonl"


class EnvironmentController(QObject):
    """Fills the panel when it is first shown, when the user asks, and when another workspace is opened.

    Args:
        session: Whose exports are looked at.
        panel: The panel.
        background: Runs the search.
    """

    def __init__(self, session: Session, panel: EnvironmentPanel, background: Background) -> None:
        super().__init__(panel)
        self._session = session
        self._panel = panel
        self._background = background
        panel.wanted.connect(self.look)
        session.opened.connect(lambda _: self._look_if_shown())

    def apply_settings(self, settings: AppSettings) -> None:
        """Nothing here depends on them."""
        del settings

    def look(self) -> None:
        """Looks around and shows what was found."""
        workspace = self._session.workspace
        exports = workspace.exports_folder if workspace is not None else None
        self._panel.show_busy()
        self._background.run(lambda _: _find(exports), self._panel.show_sections, self._show_failure)

    def _look_if_shown(self) -> None:
        if self._panel.isVisible():
            self.look()

    def _show_failure(self, problem: OcrStudioError) -> None:
        self._panel.show_failure(problem.message)


def _find(exports: Path | None) -> tuple[Section, ...]:
    """Look at machine, model and last export; runs in a thread."""
    config = load_train_config()
    name = config.model.base_model_path
    found = newest_export(exports) if exports is not None else None
    check = None
    if found is not None:
        evaluation = found.with_name(_EVALUATION_FILE)
        check = check_dataset_file(
            found,
            model=name,
            image=config.image,
            max_length=config.training.max_length,
            evaluation=evaluation if evaluation.is_file() else None,
        )
    return describe(look_around(exports or Path()), check_model(name), check)


def newest_export(exports: Path) -> Path | None:
    """The training part of the dataset that was exported last, or None."""
    found = [(path.stat().st_mtime, path) for path in exports.glob(f"*/{_TRAINING_FILE}")]
    return max(found)[1] if found else None
