"""Joins the training panel to the services and to the monitor of runs."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer

from ocrstudio.domain.embedded import EMBEDDED, READER_MODEL
from ocrstudio.domain.errors import InputError, OcrStudioError
from ocrstudio.domain.run import RunKind, RunState
from ocrstudio.jobs import training_environment
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.services.curve_pace import Pace, measured_pace
from ocrstudio.services.dataset_statistics import DatasetCheck, check_dataset_file
from ocrstudio.services.environment import ModelCheck, Verdict, check_model, find_gpus
from ocrstudio.services.page_counts import count_pages
from ocrstudio.services.runs import RunOverview
from ocrstudio.settings.app import AppSettings
from ocrstudio.settings.files import write_text
from ocrstudio.settings.loader import dump_yaml
from ocrstudio.settings.train import TrainConfig, load_train_config
from ocrstudio.tasks import get_task, load_tasks, usable
from ocrstudio.ui.background import Background, Progress, Task
from ocrstudio.ui.environment.installation import TrainingInstallation
from ocrstudio.ui.jobs.chosen_run import ChosenRun
from ocrstudio.ui.jobs.monitor import RunMonitor
from ocrstudio.ui.jobs.outcome import RunOutcome
from ocrstudio.ui.messages import Messages
from ocrstudio.ui.session import Session
from ocrstudio.ui.training.augment_example import AugmentExample
from ocrstudio.ui.training.config_dialog import ConfigDialog
from ocrstudio.ui.training.learning_curve import sentence_of
from ocrstudio.ui.training.panel import TrainingPanel
from ocrstudio.ui.training.plan import (
    DataFacts,
    DataSource,
    Preview,
    model_of,
    prepare_run,
    preview,
    resolve_config,
)

_COUNT_MS = 300
_KINDS = frozenset({RunKind.TRAIN, RunKind.CURVE})


class TrainingController(QObject):
    """Carries out what the training panel asks for.

    Args:
        session: What is open.
        panel: The panel.
        monitor: Starts and watches the runs.
        background: Exports datasets, looks at the machine.
        messages: Where outcomes are said.
        settings: The user's settings.
        installation: Offered where what trains is missing.
    """

    def __init__(
        self,
        session: Session,
        panel: TrainingPanel,
        monitor: RunMonitor,
        background: Background,
        messages: Messages,
        settings: AppSettings,
        installation: TrainingInstallation,
    ) -> None:
        super().__init__(panel)
        self._session = session
        self._panel = panel
        self._monitor = monitor
        self._background = background
        self._messages = messages
        self._settings = settings
        self._installation = installation
        self._config: TrainConfig | None = None
        self._dialog: ConfigDialog | None = None
        self._example = AugmentExample(session, panel, background)
        self._workspace_facts = DataFacts()
        self._file_facts: tuple[Path | None, DataFacts] = (None, DataFacts())
        self._pace = Pace()
        self._preparing = False
        self._run = ChosenRun(_KINDS, panel.runs, panel.run.status, monitor, session, messages)
        self._count = QTimer(self)
        self._count.setSingleShot(True)
        self._count.setInterval(_COUNT_MS)
        self._count.timeout.connect(self._count_pages)
        self._join()

    def _join(self) -> None:
        session, setup = self._session, self._panel.setup
        session.opened.connect(self._open)
        session.closed.connect(self._close)
        session.documents_changed.connect(self._count.start)
        session.pages_changed.connect(lambda _: self._count.start())
        setup.changed.connect(self._replan)
        setup.start_requested.connect(self.start)
        setup.all_values_requested.connect(self.show_all_values)
        setup.example_requested.connect(self.show_example)
        self._installation.changed.connect(self._show_preview)
        self._run.chosen.connect(self._show_history)
        self._monitor.listed.connect(self._show_runs)
        self._monitor.changed.connect(self._show_history)
        self._monitor.ended.connect(self._tell_outcome)
        if session.workspace is not None:
            self._open()

    # What is chosen

    def apply_settings(self, settings: AppSettings) -> None:
        """Takes over changed settings."""
        self._settings = settings

    def _open(self) -> None:
        settings = self._settings
        try:
            tasks = load_tasks(settings.prompts_file)
        except OcrStudioError as problem:
            self._messages.failure(problem)
            tasks = load_tasks()
        self._panel.setup.show_tasks(usable(tasks), settings.default_task)
        self._panel.setup.show_defaults(
            student=READER_MODEL, eval_fraction=settings.eval_fraction, config_file=settings.train_config
        )
        self._count_pages()
        self._look_at_machine()

    def _close(self) -> None:
        self._count.stop()
        self._panel.runs.clear()
        self._panel.run.show_nothing()
        if self._dialog is not None:
            self._dialog.close()
        self._example.close()

    def _look_at_machine(self) -> None:
        """DeepSeek-OCR comes first where there is a CUDA GPU or its weights, elsewhere the reader."""
        settings = self._settings

        def work(_task: Task) -> bool:
            gpus, _ = find_gpus()
            folder = load_train_config(settings.train_file).model.base_model_path
            return bool(gpus) or check_model(folder).verdict is Verdict.OK

        def done(real: bool) -> None:
            if real and self._session.workspace is not None:
                self._panel.setup.show_defaults(
                    student="", eval_fraction=settings.eval_fraction, config_file=settings.train_config
                )

        self._background.run(work, done)

    def _count_pages(self) -> None:
        if self._session.workspace is None:
            return
        try:
            self._workspace_facts = DataFacts(pages=count_pages(self._session.workspace))
        except OcrStudioError as problem:
            self._messages.failure(problem)
        self._show_preview()

    def _replan(self) -> None:
        """A choice changed: the configuration, the state of the weights and the sentence follow."""
        plan = self._panel.setup.plan
        try:
            self._config = resolve_config(plan)
        except OcrStudioError as problem:
            self._config = None
            self._panel.setup.show_preview(Preview(str(problem), ready=False))
            if self._dialog is not None:
                self._dialog.show_problem(str(problem))
            return
        self._panel.setup.show_config(self._config)
        if self._dialog is not None:
            self._dialog.show_config(self._config)
        self._check_model(plan.embedded or self._config.model.base_model_path)
        if plan.source is DataSource.FILE and plan.dataset != self._file_facts[0]:
            self._read_file(plan.dataset)
        self._pace = Pace()  # of what was chosen before
        self._look_for_pace()
        self._show_preview()

    def _check_model(self, model: str) -> None:
        def done(check: ModelCheck) -> None:
            plan, config = self._panel.setup.plan, self._config
            if config is None or model != (plan.embedded or config.model.base_model_path):
                return  # another one was chosen meanwhile
            if check.verdict is Verdict.OK and plan.embedded:
                self._panel.setup.show_model_state(EMBEDDED[plan.embedded].note)
                return
            unusable = "unusable, " if check.verdict is Verdict.PROBLEM else ""
            self._panel.setup.show_model_state(f"Weights: {unusable}{check.detail}.")

        self._background.run(lambda _: check_model(model), done)

    def _read_file(self, path: Path | None) -> None:
        self._file_facts = (path, DataFacts())
        if path is None:
            return

        def done(check: DatasetCheck) -> None:
            remark = (
                "" if check.samples else f"{path.name} has no usable line. {' '.join(check.problems[:2])}"
            )
            self._file_facts = (path, DataFacts(samples=check.samples, remark=remark))
            self._show_preview()

        def failed(problem: OcrStudioError) -> None:
            self._file_facts = (path, DataFacts(samples=0, remark=str(problem)))
            self._show_preview()

        self._background.run(lambda _: check_dataset_file(path), done, failed)

    def _look_for_pace(self) -> None:
        """How long runs of the chosen kind took here: what a learning curve's length is told from."""
        plan, config, workspace = self._panel.setup.plan, self._config, self._session.workspace
        if not plan.curve or config is None or workspace is None:
            return
        runs, model, mode = workspace.runs_folder, model_of(plan, config), plan.mode.value

        def done(pace: Pace) -> None:
            if self._panel.setup.plan == plan:
                self._pace = pace
                self._show_preview()

        self._background.run(lambda _: measured_pace([runs], model, mode, config), done)

    def _show_preview(self) -> None:
        plan = self._panel.setup.plan
        if self._config is None or self._preparing:
            return
        facts = self._file_facts[1] if plan.source is DataSource.FILE else self._workspace_facts
        shown = preview(plan, self._config, replace(facts, pace=self._pace))
        missing = training_environment.problem()
        if missing is not None and shown.ready:
            shown = replace(shown, text=f"{shown.text} {missing.message} Start offers to install it.")
        self._panel.setup.show_preview(shown)

    # All values

    def show_all_values(self) -> None:
        """Opens the form with every value."""
        if self._dialog is None:
            self._dialog = ConfigDialog(self._panel.window())
            self._dialog.edited.connect(self._panel.setup.set_value)
            self._dialog.save_requested.connect(self._save_values)
        if self._config is not None:
            self._dialog.show_config(self._config)
        self._dialog.show()
        self._dialog.activateWindow()

    def _save_values(self, path: Path) -> None:
        if self._config is None:
            return
        try:
            write_text(path, dump_yaml(self._config))
        except OSError as error:
            self._messages.failure(InputError(f"{path} cannot be written: {error.strerror or error}."))
            return
        self._messages.info(f"The values are saved in {path}.")

    def show_example(self) -> None:
        """Shows what degraded training pages look like."""
        if self._session.workspace is not None:
            seed = self._config.training.seed if self._config is not None else 0
            self._example.show(self._panel.setup.plan, seed)

    # Starting

    def start(self) -> None:
        """Prepares the run in the background and starts it."""
        setup, config = self._panel.setup, self._config
        if config is None or self._preparing or not self._installation.ready(self.start):
            return
        plan, root = setup.plan, self._session.root
        try:
            tasks = load_tasks(self._settings.prompts_file)
            task = get_task(tasks, plan.task or self._settings.default_task)
        except OcrStudioError as problem:
            self._messages.failure(problem)
            return
        self._preparing = True
        setup.show_preparation(0, 0, "exporting accepted pages")
        job = self._background.run(
            lambda running: prepare_run(plan, config, root, task, running.report),
            self._launch,
            self._not_prepared,
            title="Preparing the training",
        )
        job.progressed.connect(self._show_preparation)

    def _show_preparation(self, progress: Progress) -> None:
        self._panel.setup.show_preparation(progress.done, progress.total, progress.text)

    def _launch(self, folder: RunFolder) -> None:
        self._preparing = False
        self._panel.setup.end_preparation()
        self._run.launch(folder)

    def _not_prepared(self, problem: OcrStudioError) -> None:
        self._preparing = False
        self._panel.setup.end_preparation()
        self._messages.failure(problem)

    # Runs

    def _show_runs(self, runs: tuple[RunOverview, ...]) -> None:
        self._look_for_pace()
        if not self._run.show_runs(runs):
            self._panel.run.show_nothing()

    def _show_history(self, run_id: str) -> None:
        history, folder, spec = (
            self._monitor.history(run_id), self._monitor.folder(run_id), self._monitor.spec(run_id)
        )  # fmt: skip
        if history is None or folder is None or spec is None or spec.kind not in _KINDS:
            return
        self._panel.runs.show_history(run_id, history)
        if run_id == self._run.id:
            self._panel.run.show_run(spec.title, history, folder.log_path, spec.config.get("image") or {})

    def _tell_outcome(self, run_id: str, outcome: RunOutcome) -> None:
        history = self._monitor.history(run_id)
        if history is None or history.kind not in _KINDS or self._monitor.curve_of(run_id):
            return
        title = self._panel.runs.title_of(run_id)
        if outcome.is_bad:
            self._messages.error(f"{title}: {outcome.message}", outcome.hint)
        elif history.state is RunState.STOPPED:
            self._messages.info(f"{title}: stopped.", outcome.hint)
        elif history.kind is RunKind.CURVE:
            self._messages.info(f"{title}: finished.", sentence_of(history))
        else:
            self._messages.info(
                f"{title}: the training has finished.", "Evaluate it in the Evaluation panel."
            )
