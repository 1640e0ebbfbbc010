"""The whole loop on the sample documents: import, draft, correct, export, evaluate, train, evaluate again.

Nothing here is special to the demo: each stage calls the same services as the window and the other commands.
The student is the built-in reader, so that every machine can do it. It knows usual print, fails on the old
recipes, and reads their unseen pages once it has learnt from the corrected ones.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from ocrstudio.domain.embedded import READER_MODEL
from ocrstudio.domain.errors import OcrStudioError, RunError
from ocrstudio.domain.run import RunState, TrainMode
from ocrstudio.evaluation.metrics import count_character_edits, pooled
from ocrstudio.evaluation.report import read
from ocrstudio.jobs.endings import describe_interruption, last_failure
from ocrstudio.jobs.events import Event, EventType
from ocrstudio.jobs.launch import start_worker
from ocrstudio.jobs.relay import Relay
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.stop import request_stop
from ocrstudio.services import workspaces
from ocrstudio.services.dataset_export import ExportReport, export_workspace
from ocrstudio.services.drafting import DraftingProgress, draft_pages
from ocrstudio.services.evaluation import EvaluationRequest, create_evaluation_run
from ocrstudio.services.sample import SampleDocuments, correct_recipes, import_sample, recipe_texts
from ocrstudio.services.training import TrainingRequest, create_training_run
from ocrstudio.settings.app import load_app_settings
from ocrstudio.settings.teacher import load_teacher_config
from ocrstudio.settings.train import TrainConfig, load_train_config
from ocrstudio.store import Workspace
from ocrstudio.tasks import Task, get_task, load_tasks
from ocrstudio.teachers.registry import create_teacher

T = TypeVar("T")

DEFAULT_FOLDER = "ocrstudio-demo"
_HELD_OUT = 1 / 3
_SPLIT_SEED = 3
_DRAFTED_PAGES = 6
_LINES = 2
_LINE_LENGTH = 72  # characters


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
    """What one evaluation found on the unseen pages.

    Attributes:
        cer: Character error rate, as a fraction.
        wer: Word error rate, as a fraction.
        pages: What stands on each page and what was read of it, by the page's name.
    """

    cer: float
    wer: float
    pages: dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Line:
    """A line of an unseen page: what stands there, and what was read before and after the training."""

    truth: str
    before: str
    after: str


@dataclass(frozen=True)
class DemoResult:
    """What the demo did.

    Attributes:
        workspace: The folder, ready to be opened in the window.
        failures: Sentences about pages that could not be drafted.
        drafted: Pages of the old recipes that the reader drafted.
        draft_cer: Character error rate of these drafts, as a fraction.
        train_samples: Pages that were trained on.
        held_out_samples: Pages that were evaluated.
        losses: Training loss by step.
        before: Evaluation of the student before training.
        after: Evaluation with the adapter.
        lines: Examples.
        dataset: The training part of the exported dataset.
        evaluation_dataset: The part held out, or None.
        adapter: Folder of the adapter.
        seconds: Duration of each stage by its title.
    """

    workspace: Path
    failures: tuple[str, ...]
    drafted: int
    draft_cer: float
    train_samples: int
    held_out_samples: int
    losses: dict[int, float]
    before: Measured
    after: Measured
    lines: tuple[Line, ...]
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
    config = load_train_config(None, _lengths(steps), READER_MODEL, TrainMode.VISION)
    settings = load_app_settings()
    task = get_task(load_tasks(settings.prompts_file), settings.default_task)
    with workspaces.create_workspace(root) as ws:
        return _Demo(ws, task, config, observer).run()


def _lengths(steps: int) -> dict[str, int | None]:
    """Keys of the configuration that depend on the length; evaluations of their own stand around it."""
    return {
        "training.max_steps": steps,
        "training.save_steps": max(1, steps // 2),
        "training.eval_steps": None,
        "training.warmup_steps": min(2, steps - 1),
    }


@dataclass
class _Demo:
    """One pass; each method is a stage."""

    ws: Workspace
    task: Task
    config: TrainConfig
    observer: DemoObserver
    seconds: dict[str, float] = field(default_factory=dict)

    def run(self) -> DemoResult:
        documents = self._stage("Import two documents", lambda: import_sample(self.ws))
        pages = [row.page.id for row in self.ws.pages.list(document_id=documents.recipes.id)][:_DRAFTED_PAGES]
        failures = self._stage("The reader drafts some of the old recipes", lambda: self._draft(pages))
        drafted, draft_cer = self._compare(pages)
        self._stage("Correct all of them", lambda: self._correct(documents))
        dataset = self._stage("Export the dataset", self._export)
        held_out = dataset.evaluation or dataset.train
        before = self._stage(
            "Read unseen pages before training", lambda: self._evaluate(held_out, None, "before")
        )
        folder, losses = self._stage("Train the reader", lambda: self._train(dataset))
        after = self._stage(
            "Read unseen pages after training", lambda: self._evaluate(held_out, folder.adapter, "after")
        )
        return DemoResult(
            workspace=self.ws.root,
            failures=failures,
            drafted=drafted,
            draft_cer=draft_cer,
            train_samples=dataset.train_samples,
            held_out_samples=dataset.evaluation_samples or dataset.train_samples,
            losses=losses,
            before=before,
            after=after,
            lines=_examples(before, after),
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

    def _draft(self, page_ids: list[int]) -> tuple[str, ...]:
        failures: list[str] = []

        def show(progress: DraftingProgress) -> None:
            if progress.error is not None:
                failures.append(str(progress.error))
            self.observer.progress(progress.done + progress.failed, progress.total)

        teacher = create_teacher(
            load_teacher_config(None, {"type": "local", "local.model_path": READER_MODEL})
        )
        summary = asyncio.run(draft_pages(self.ws, page_ids, teacher, self.task, on_progress=show))
        if summary.stopped_by is not None:
            raise summary.stopped_by
        return tuple(failures)

    def _compare(self, page_ids: list[int]) -> tuple[int, float]:
        """How many drafts there are, and their error rate beside the shipped text."""
        drafts = [self.ws.labels.current(page_id) for page_id in page_ids]
        edits = [
            count_character_edits(truth, draft.text)
            for truth, draft in zip(recipe_texts(), drafts, strict=False)
            if draft is not None
        ]
        if not edits:
            raise OcrStudioError("No page of the old recipes could be drafted.", "See the failures above.")
        return len(edits), pooled(edits).error_rate

    def _correct(self, documents: SampleDocuments) -> None:
        pages = correct_recipes(self.ws, documents.recipes)
        self.observer.progress(len(pages), len(pages))

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
            model=READER_MODEL,
            adapter=adapter,
            title=f"Demo: {name} training",
        )
        folder = create_evaluation_run(self.ws.runs_folder, request, self.config, load_tasks())
        self._follow(folder)
        report = read(request.output)
        pages = {page.key: (page.reference, page.prediction or "") for page in report.pages}
        return Measured(report.overall.cer.corpus, report.overall.wer.corpus, pages)

    def _train(self, dataset: ExportReport) -> tuple[RunFolder, dict[int, float]]:
        request = TrainingRequest(
            dataset=dataset.train,
            eval_dataset=dataset.evaluation,
            mode=TrainMode.VISION,
            model=READER_MODEL,
            title="Demo: old recipes",
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


def _examples(before: Measured, after: Measured) -> tuple[Line, ...]:
    """The first sentences of some unseen pages; pages on which both readings have a line to show."""
    lines = []
    for page, (truth, reading) in before.pages.items():
        first = [_first_line(words) for words in (truth, reading, after.pages[page][1])]
        if all(first):
            lines.append(Line(*first))
    return tuple(lines[:_LINES])


def _first_line(text: str) -> str:
    """The beginning of the running text, below the heading."""
    paragraphs = [part for part in text.split("\n\n") if not part.startswith("#")]
    line = " ".join(paragraphs[0].split()) if paragraphs else ""
    return line if len(line) <= _LINE_LENGTH else line[:_LINE_LENGTH].rsplit(" ", 1)[0]
