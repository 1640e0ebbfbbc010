"""Finds out, in the background, what the environment panel shows."""

from pathlib import Path

from PySide6.QtCore import QObject

from ocrstudio.datasets.writer import EVALUATION, TRAIN
from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.services.dataset_statistics import check_dataset_file
from ocrstudio.services.environment import check_model, look_around
from ocrstudio.settings.app import AppSettings
from ocrstudio.settings.train import load_train_config
from ocrstudio.ui.background import Background
from ocrstudio.ui.environment.facts import Section, describe
from ocrstudio.ui.environment.installation import TrainingInstallation
from ocrstudio.ui.environment.panel import EnvironmentPanel
from ocrstudio.ui.session import Session


class EnvironmentController(QObject):
    """Fills the panel when it is first shown, when the user asks, and when another workspace is opened.

    Args:
        session: Whose exports are looked at.
        panel: The panel.
        background: Runs the search.
        settings: Whose training values name the model.
        installation: Of what trains, for the installed program.
    """

    def __init__(
        self,
        session: Session,
        panel: EnvironmentPanel,
        background: Background,
        settings: AppSettings,
        installation: TrainingInstallation,
    ) -> None:
        super().__init__(panel)
        self._session = session
        self._panel = panel
        self._background = background
        self._settings = settings
        panel.wanted.connect(self.look)
        panel.install_requested.connect(installation.offer)
        installation.changed.connect(self._look_if_shown)
        session.opened.connect(lambda _: self._look_if_shown())

    def apply_settings(self, settings: AppSettings) -> None:
        """Takes over changed settings."""
        before, self._settings = self._settings, settings
        if settings.train_file != before.train_file:
            self._look_if_shown()

    def look(self) -> None:
        """Looks around and shows what was found."""
        workspace = self._session.workspace
        exports = workspace.exports_folder if workspace is not None else None
        self._panel.show_busy()
        train_file = self._settings.train_file
        self._background.run(
            lambda _: _find(exports, train_file), self._panel.show_sections, self._show_failure
        )

    def _look_if_shown(self) -> None:
        if self._panel.isVisible():
            self.look()

    def _show_failure(self, problem: OcrStudioError) -> None:
        self._panel.show_failure(problem.message)


def _find(exports: Path | None, train_file: Path | None) -> tuple[Section, ...]:
    """Look at machine, model and last export; runs in a thread."""
    config = load_train_config(train_file)
    name = config.model.base_model_path
    found = newest_export(exports) if exports is not None else None
    check = None
    if found is not None:
        evaluation = found.with_name(EVALUATION)
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
    found = [(path.stat().st_mtime, path) for path in exports.glob(f"*/{TRAIN}")]
    return max(found)[1] if found else None
