"""Joins the evaluation panel to the services, the monitor of runs and the workspace."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QImage

from ocrstudio.domain.document import Page
from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.domain.label import NewRevision, student_source
from ocrstudio.domain.run import RunKind, RunState
from ocrstudio.domain.wording import moment_in_words
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.spec import RunSpec
from ocrstudio.services import labelling
from ocrstudio.services.runs import RunOverview
from ocrstudio.settings.app import AppSettings
from ocrstudio.store import Workspace
from ocrstudio.tasks import get_task, load_tasks
from ocrstudio.ui.background import Background, Progress
from ocrstudio.ui.environment.installation import TrainingInstallation
from ocrstudio.ui.evaluation.panel import EvaluationPanel
from ocrstudio.ui.evaluation.reports import Reports
from ocrstudio.ui.evaluation.results import PageLine, lines_of, lines_of_samples, rows_of
from ocrstudio.ui.evaluation.sources import data_options, find_page, prepare_evaluation
from ocrstudio.ui.jobs.chosen_run import ChosenRun
from ocrstudio.ui.jobs.monitor import RunMonitor
from ocrstudio.ui.jobs.outcome import RunOutcome
from ocrstudio.ui.jobs.students import student_options
from ocrstudio.ui.messages import Messages, Offer
from ocrstudio.ui.review import take_back
from ocrstudio.ui.session import Session

_PREVIEW_DPI = 80


class EvaluationController(QObject):
    """Carries out what the evaluation panel asks for.

    Args:
        session: What is open.
        panel: The panel.
        monitor: Starts and watches the runs.
        background: Exports datasets, reads reports and pictures.
        messages: Where outcomes are said.
        settings: The user's settings.
        show_editor: Brings the editor to the front.
        installation: Offered where what runs students is missing.
    """

    def __init__(
        self,
        session: Session,
        panel: EvaluationPanel,
        monitor: RunMonitor,
        background: Background,
        messages: Messages,
        settings: AppSettings,
        show_editor: Callable[[], None],
        installation: TrainingInstallation,
    ) -> None:
        super().__init__(panel)
        self._session, self._panel, self._monitor = session, panel, monitor
        self._background, self._messages, self._settings = background, messages, settings
        self._show_editor, self._installation = show_editor, installation
        self._reports = Reports(background, self._show_report, messages.failure)
        self._runs: dict[str, RunOverview] = {}
        self._compared: dict[str, str] = {}
        kinds = frozenset({RunKind.EVALUATE})
        self._run = ChosenRun(kinds, panel.setup.runs, panel.status, monitor, session, messages)
        self._other_data: frozenset[str] = frozenset()
        self._preparing = False
        session.opened.connect(self._open)
        session.closed.connect(self._close)
        session.datasets_changed.connect(self._show_data)
        panel.setup.start_requested.connect(self.start)
        panel.setup.profile_chosen.connect(self._show_report)
        self._run.chosen.connect(self._show_chosen)
        self._run.resuming.connect(self._reports.forget)
        panel.compare_chosen.connect(self._compare)
        panel.flag_requested.connect(self.flag_worst)
        panel.pages.line_chosen.connect(self._show_line)
        panel.page.open_requested.connect(self.open_page)
        panel.page.draft_requested.connect(self.use_prediction)
        monitor.listed.connect(self._show_runs)
        monitor.changed.connect(self._show_history)
        monitor.ended.connect(self._tell_outcome)
        if session.workspace is not None:
            self._open()

    def apply_settings(self, settings: AppSettings) -> None:
        """Takes over changed settings."""
        self._settings = settings

    def _open(self) -> None:
        self._show_data()
        self._panel.setup.show_students(student_options(()))
        self._panel.show_run(shown=False)

    def _show_data(self) -> None:
        if self._session.workspace is not None:
            self._panel.setup.show_data(data_options(self._session.workspace.exports_folder))

    def _close(self) -> None:
        self._runs.clear()
        self._compared.clear()
        self._reports.forget()
        self._panel.setup.runs.clear()
        self._panel.show_run(shown=False)

    # Starting

    def start(self) -> None:
        """Prepares the evaluation in the background and starts it."""
        data, student = self._panel.setup.chosen_data, self._panel.setup.chosen_student
        if data is None or student is None or self._preparing or not self._installation.ready(self.start):
            return
        settings, root, profile = self._settings, self._session.root, self._panel.setup.chosen_profile
        try:
            tasks = load_tasks(settings.prompts_file)
            task = get_task(tasks, settings.default_task)
        except OcrStudioError as problem:
            self._messages.failure(problem)
            return
        self._preparing = True
        self._panel.setup.show_preparation("Preparing…")
        job = self._background.run(
            lambda running: prepare_evaluation(
                root, data, student, settings.train_file, tasks, task, running.report, profile
            ),
            self._launch,
            self._not_prepared,
        )
        job.progressed.connect(self._show_preparation)

    def _show_preparation(self, progress: Progress) -> None:
        count = f" ({progress.done} of {progress.total})" if progress.total else ""
        self._panel.setup.show_preparation(f"Preparing: {progress.text}{count}…")

    def _launch(self, folder: RunFolder) -> None:
        self._preparing = False
        self._panel.setup.show_preparation("")
        self._run.launch(folder)

    def _not_prepared(self, problem: OcrStudioError) -> None:
        self._preparing = False
        self._panel.setup.show_preparation("")
        self._messages.failure(problem)

    # Runs

    def _show_runs(self, runs: tuple[RunOverview, ...]) -> None:
        self._show_data()
        self._panel.setup.show_students(student_options(runs))
        self._runs = {run.id: run for run in runs if run.kind is RunKind.EVALUATE}
        self._panel.show_run(bool(self._run.show_runs(runs)))

    def _show_chosen(self, run_id: str) -> None:
        if self._reports.get(run_id) is None:
            self._panel.page.show_line(
                None, in_workspace=False
            )  # it belongs to the run that was shown before
        self._show_history(run_id)
        self._show_report()

    def _show_history(self, run_id: str) -> None:
        history, spec = self._monitor.history(run_id), self._monitor.spec(run_id)
        if history is None or spec is None or spec.kind is not RunKind.EVALUATE:
            return
        self._panel.setup.runs.show_history(run_id, history)
        if run_id != self._run.id:
            return
        self._panel.status.show_run(spec.title, history)
        if history.state is RunState.FINISHED:
            self._reports.ask(run_id, _report_path(spec))
        elif self._reports.get(run_id) is None:
            self._panel.figures.show_rows([])
            self._panel.state("")
            self._panel.pages.show_lines(lines_of_samples(history.samples), compared=False)

    def _tell_outcome(self, run_id: str, outcome: RunOutcome) -> None:
        history = self._monitor.history(run_id)
        if history is None or history.kind is not RunKind.EVALUATE or self._monitor.curve_of(run_id):
            return
        title = self._panel.setup.runs.title_of(run_id)
        if outcome.is_bad:
            self._messages.error(f"{title}: {outcome.message}", outcome.hint)
        elif history.state is RunState.STOPPED:
            self._messages.info(f"{title}: stopped; the predictions so far are kept.", outcome.hint)
        else:
            self._messages.info(f"{title}: the evaluation has finished.")

    # Reports

    def _compare(self, other: str) -> None:
        run_id = self._run.id
        if run_id is not None:
            self._compared[run_id] = other
            self._show_report()

    def _show_report(self) -> None:
        """The figures and pages of the chosen run, beside another one on the pages that both have."""
        run_id = self._run.id
        spec = self._monitor.spec(run_id) if run_id is not None else None
        if run_id is None or spec is None:
            return
        others = self._others(run_id, spec)
        first_same = next((other for other in others if other not in self._other_data), "")
        chosen = self._compared.get(run_id, first_same)
        self._panel.show_compared([(other, self._label(other)) for other in others], chosen)
        if self._reports.get(run_id) is None:
            return
        compared = self._reports.compared(run_id, chosen, others, self._panel.setup.chosen_profile)
        if compared is None:
            self._panel.state("Measuring…")
            return
        self._panel.figures.show_rows(rows_of(compared))
        self._panel.state(compared.words)
        first = self._panel.pages.current is None
        self._panel.pages.show_lines(
            lines_of(compared.whole, compared.before), compared=compared.other is not None
        )
        if first or self._panel.pages.current is None:
            self._panel.pages.choose_first()

    def _others(self, run_id: str, spec: RunSpec) -> dict[str, Path]:
        """Reports of other finished evaluations, those of the same data first, the newest first."""
        same: dict[str, Path] = {}
        rest: dict[str, Path] = {}
        for run in self._runs.values():
            if run.id == run_id or run.state is not RunState.FINISHED:
                continue
            try:
                other = RunFolder(run.path).spec
            except OcrStudioError:
                continue  # the list of runs has said it
            found = same if other.dataset_sha256 == spec.dataset_sha256 else rest
            found[run.id] = _report_path(other)
        self._other_data = frozenset(rest)
        return {**same, **rest}

    def _label(self, run_id: str) -> str:
        run = self._runs[run_id]
        other = ", other data" if run_id in self._other_data else ""
        return f"{run.title} ({moment_in_words(run.created)}{other})"

    # Pages

    def _show_line(self, line: PageLine) -> None:
        page = self._page_of(line)
        self._panel.page.show_line(line, in_workspace=page is not None)
        if page is None or line.result is None:
            return
        root = self._session.root
        self._background.run(
            lambda _: _picture(root, page), lambda image: self._panel.page.show_picture(line.key, image)
        )

    def open_page(self) -> None:
        """Goes to the chosen page in the editor."""
        page = self._chosen_page()
        if page is not None:
            self._session.choose_page(page.id)
            self._show_editor()

    def use_prediction(self) -> None:
        """Keeps the prediction of the chosen page as a draft of the student."""
        line, page, run_id = self._panel.pages.current, self._chosen_page(), self._run.id
        spec = self._monitor.spec(run_id) if run_id is not None else None
        if line is None or line.result is None or page is None or run_id is None or spec is None:
            return
        adapter = spec.request.get("adapter")
        source = student_source(Path(adapter).parent.name if adapter else Path(spec.base_model).name)
        revision = NewRevision(
            text=line.result.prediction or "",
            source=source,
            task=str(spec.request.get("task") or ""),
            prompt=str(spec.request.get("prompt") or ""),
            parameters={"evaluation": run_id, "model": spec.base_model, "adapter": adapter},
        )
        try:
            added = labelling.add_draft(self._session.require(), page.id, revision)
            current = self._session.require().labels.current(page.id)
        except OcrStudioError as problem:
            self._messages.failure(problem)
            return
        self._session.tell_pages_changed((page.id,))
        if current is not None and current.id == added.id:
            self._messages.info(f"The prediction is the draft of {line.name} now.")
        else:
            self._messages.info(
                f"The prediction is kept beside the label of {line.name}.", "The Compare tab shows both."
            )

    def flag_worst(self, number: int) -> None:
        """Flags the pages with the highest error rates."""
        worst = sorted(self._panel.pages.lines.lines, key=lambda line: line.cer, reverse=True)[:number]
        pages = [(line, page) for line in worst if (page := self._page_of(line)) is not None]
        notes = {page.id: f"CER {line.cer:.0%} in an evaluation" for line, page in pages}
        try:
            decision = labelling.flag_many(self._session.require(), tuple(notes.items()))
        except OcrStudioError as problem:
            self._messages.failure(problem)
            return
        self._session.tell_pages_changed(notes)
        missing = len(worst) - len(pages)
        where = "Ctrl+Shift+G goes to the next one."
        hint = f"{missing:,} more are not in this workspace. {where}" if missing else where
        words = f"{len(notes):,} {'page is' if len(notes) == 1 else 'pages are'} flagged."
        undo = Offer("Undo", partial(take_back, self._session, self._messages, decision))
        self._messages.info(
            words, hint if notes else hint.removesuffix(where).strip(), undo if notes else None
        )

    def _page_of(self, line: PageLine) -> Page | None:
        try:
            return find_page(self._session.require(), line.document, line.page)
        except OcrStudioError as problem:
            self._messages.failure(problem)
            return None

    def _chosen_page(self) -> Page | None:
        line = self._panel.pages.current
        return self._page_of(line) if line is not None else None


def _report_path(spec: RunSpec) -> Path:
    return Path(str(spec.request.get("output", "")))


def _picture(root: Path, page: Page) -> QImage:
    """The picture of a page (called in a pool thread)."""
    from ocrstudio.services.page_drawing import PageDrawer
    from ocrstudio.services.workspaces import page_image
    from ocrstudio.settings.app import load_app_settings

    with Workspace.open(root) as workspace, PageDrawer(load_app_settings().max_page_seconds) as drawer:
        return QImage(str(page_image(workspace, page, _PREVIEW_DPI, draw=drawer.draw)))
