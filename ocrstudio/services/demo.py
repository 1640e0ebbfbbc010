"""The whole loop on the bundled document: import, draft, accept, export, evaluate, train, evaluate again.

Nothing here is special to the demo: each stage calls the same services as the window and the other commands.
The student is the micro one, so that every machine can do it; what it measures says that the loop works, not
how well a document is read.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from ocrstudio.domain.document import PageStatus
from ocrstudio.domain.embedded import MICRO_MODEL
from ocrstudio.domain.errors import InputError, OcrStudioError, RunError
from ocrstudio.domain.run import RunState, TrainMode
from ocrstudio.jobs.endings import describe_interruption, last_failure
from ocrstudio.jobs.events import Event, EventType
from ocrstudio.jobs.launch import start_worker
from ocrstudio.jobs.relay import Relay
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.stop import request_stop
from ocrstudio.paths import resources_dir
from ocrstudio.services import labelling, workspaces
from ocrstudio.services.dataset_export import ExportReport, export_workspace
from ocrstudio.services.drafting import DraftingProgress, draft_pages, select_pages
from ocrstudio.services.evaluation import EvaluationRequest, create_evaluation_run
from ocrstudio.services.training import TrainingRequest, create_training_run
from ocrstudio.settings.app import load_app_settings
from ocrstudio.settings.teacher import load_teacher_config
from ocrstudio.settings.train import TrainConfig, load_train_config, micro_train_file
from ocrstudio.store import Workspace
from ocrstudio.tasks import Task, get_task, load_tasks
from ocrstudio.teachers.registry import create_teacher

T = TypeVar("T")

DEFAULT_FOLDER = "ocrstudio-demo"
_DOCUMENT = Path("demo") / "labelling-handbook.pdf"
_HELD_OUT = 0.25
_SPLIT_SEED = 3  # holds out two of the seven pages, the second and the fifth
_CHECKPOINTS = 3
_WARMUP_STEPS = 3


class DemoObserver(Protocol):
    """Who watches: each call is one thing to show."""

    def stage(self, title: str) -> None:
        """A stage begins."""

    def progress(self, done: int, total: int) -> None:
        """Pages of the current stage."""

    def event(self, event: Event) -> None:
        """Something happened in the run of the current stage."""


@dataclass(frozen=True)
class Measured:
    """Error rates of one evaluation on the held-out pages, as fractions."""

    cer: float
    wer: float
    ned: float
    text_edit: float
    order_edit: float
    teds: float | None


@dataclass(frozen=True)
class DemoResult:
    """What the demo did.

    Attributes:
        workspace: The folder, ready to be opened in the window.
        pages: Pages of the document.
        drafted_by: Number of drafts of each teacher.
        failures: Sentences about pages that could not be drafted.
        train_samples: Pages that were trained on.
        held_out_samples: Pages that were evaluated.
        losses: Training loss by step.
        before: Evaluation of the student before training.
        after: Evaluation with the adapter.
        dataset: The training part of the exported dataset.
        evaluation_dataset: The part held out, or None.
        adapter: Folder of the adapter.
        seconds: Duration of each stage by its title.
    """

    workspace: Path
    pages: int
    drafted_by: dict[str, int]
    failures: tuple[str, ...]
    train_samples: int
    held_out_samples: int
    losses: dict[int, float]
    before: Measured
    after: Measured
    dataset: Path
    evaluation_dataset: Path | None
    adapter: Path
    seconds: dict[str, float]


def free_folder(parent: Path) -> Path:
    """The first of ``ocrstudio-demo``, ``ocrstudio-demo-2``, … that does not exist yet."""
    candidate, number = parent / DEFAULT_FOLDER, 1
    while candidate.exists():
        number += 1
        candidate = parent / f"{DEFAULT_FOLDER}-{number}"
    return candidate


def run_demo(root: Path, steps: int, observer: DemoObserver) -> DemoResult:
    """Go through the whole loop once.

    Args:
        root: Folder of the new workspace; missing or empty.
        steps: Training steps.
        observer: Told what happens.

    Raises:
        OcrStudioError: A stage failed; the workspace keeps what was done so far.
    """
    document = resources_dir() / _DOCUMENT
    if not document.is_file():
        raise InputError(f"The demo document {document} is missing.", "Install OCR Studio again.")
    config = load_train_config(micro_train_file(), _lengths(steps))
    settings = load_app_settings()
    task = get_task(load_tasks(settings.prompts_file), settings.default_task)
    with workspaces.create_workspace(root) as ws:
        return _Demo(ws, task, config, observer).run(document)


def _lengths(steps: int) -> dict[str, int]:
    """Keys of the configuration that depend on the length: three checkpoints, and a short warm-up."""
    interval = max(1, steps // _CHECKPOINTS)
    return {
        "training.max_steps": steps,
        "training.save_steps": interval,
        "training.eval_steps": interval,
        "training.warmup_steps": min(_WARMUP_STEPS, steps - 1),
    }


@dataclass
class _Demo:
    """One pass; each method is a stage."""

    ws: Workspace
    task: Task
    config: TrainConfig
    observer: DemoObserver
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self, document: Path) -> DemoResult:
        self._stage("Import the document", lambda: self._import(document))
        page_ids = select_pages(self.ws)
        failures = self._stage("Draft labels with the offline teachers", lambda: self._draft(page_ids))
        drafted_by = self._teachers(page_ids)
        self._stage("Accept the drafts", lambda: self._accept(page_ids))
        dataset = self._stage("Export the dataset", self._export)
        held_out = dataset.evaluation or dataset.train
        before = self._stage("Evaluate before training", lambda: self._evaluate(held_out, None, "before"))
        folder, losses = self._stage("Train the micro student", lambda: self._train(dataset))
        after = self._stage(
            "Evaluate after training", lambda: self._evaluate(held_out, folder.adapter, "after")
        )
        return DemoResult(
            workspace=self.ws.root,
            pages=len(page_ids),
            drafted_by=drafted_by,
            failures=failures,
            train_samples=dataset.train_samples,
            held_out_samples=dataset.evaluation_samples or dataset.train_samples,
            losses=losses,
            before=before,
            after=after,
            dataset=dataset.train,
            evaluation_dataset=dataset.evaluation,
            adapter=folder.adapter,
            seconds=self.seconds,
        )

    def _stage(self, title: str, work: Callable[[], T]) -> T:
        self.observer.stage(title)
        started = time.monotonic()
        result = work()
        self.seconds[title] = time.monotonic() - started
        return result

    def _import(self, document: Path) -> None:
        report = workspaces.import_sources(self.ws, [document])
        if report.problems:
            raise report.problems[0].error

    def _draft(self, page_ids: list[int]) -> tuple[str, ...]:
        failures: list[str] = []

        def show(progress: DraftingProgress) -> None:
            if progress.error is not None:
                failures.append(str(progress.error))
            self.observer.progress(progress.done + progress.failed, progress.total)

        teacher = create_teacher(load_teacher_config(None))
        summary = asyncio.run(draft_pages(self.ws, page_ids, teacher, self.task, on_progress=show))
        if summary.stopped_by is not None:
            raise summary.stopped_by
        return tuple(failures)

    def _teachers(self, page_ids: list[int]) -> dict[str, int]:
        """Drafts by the method that read the page, or by the teacher where it does not say."""
        counts: Counter[str] = Counter()
        for page_id in page_ids:
            revision = self.ws.labels.current(page_id)
            if revision is not None:
                counts[str(revision.parameters.get("method", revision.source))] += 1
        return dict(counts)

    def _accept(self, page_ids: list[int]) -> None:
        labelling.accept_many(self.ws, page_ids)
        if self.ws.pages.counts().get(PageStatus.ACCEPTED, 0) == 0:
            raise OcrStudioError("No page of the demo document could be drafted.", "See the failures above.")

    def _export(self) -> ExportReport:
        return export_workspace(
            self.ws,
            self.ws.exports_folder / "demo",
            self.task,
            _HELD_OUT,
            seed=_SPLIT_SEED,
            progress=self.observer.progress,
        )

    def _evaluate(self, dataset: Path, adapter: Path | None, name: str) -> Measured:
        request = EvaluationRequest(
            dataset=dataset,
            output=self.ws.exports_folder / f"evaluation-{name}.json",
            model=MICRO_MODEL,
            adapter=adapter,
            title=f"Demo: {name} training",
        )
        folder = create_evaluation_run(self.ws.runs_folder, request, self.config, load_tasks())
        self._follow(folder)
        summary = folder.summary() or {}
        return Measured(
            summary["cer"],
            summary["wer"],
            summary["ned"],
            summary["text_edit"],
            summary["order_edit"],
            summary.get("teds"),
        )

    def _train(self, dataset: ExportReport) -> tuple[RunFolder, dict[int, float]]:
        request = TrainingRequest(
            dataset=dataset.train,
            eval_dataset=dataset.evaluation,
            mode=TrainMode.BOTH,
            model=MICRO_MODEL,
            title="Demo: micro student",
        )
        folder = create_training_run(self.ws.runs_folder, request, self.config)
        losses: dict[int, float] = {}
        for event in self._follow(folder):
            loss = event.data.get("values", {}).get("loss") if event.type == EventType.METRIC else None
            if loss is not None:
                losses[int(event.data["step"])] = float(loss)
        return folder, losses

    def _follow(self, folder: RunFolder) -> list[Event]:
        """Start a run and watch it to its end; all its events.

        Raises:
            RunError: It did not finish.
        """
        events = []
        try:
            launched = start_worker(folder)
            relay = Relay(folder)
            for followed in relay:
                events.append(followed.event)
                self.observer.event(followed.event)
        except KeyboardInterrupt:
            with suppress(RunError):  # it may have ended by itself meanwhile
                request_stop(folder)
            raise
        launched.process.wait()
        if relay.final_state is RunState.FINISHED:
            return events
        if relay.final_state is RunState.FAILED:
            raise last_failure(folder)
        raise RunError(**describe_interruption(folder))
