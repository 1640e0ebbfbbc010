"""The use case: pages in, labels out, each kept the moment it arrives."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.services.inference.journal import Earlier, Journal, LabelledPage, open_journal
from ocrstudio.services.inference.output import (
    WRITERS,
    OutputTarget,
    PageOutcome,
    append_line,
    dataset_line,
    is_unfit,
    refuse_foreign_files,
    write_document,
)
from ocrstudio.services.inference.pages import FoundPages, InputPage
from ocrstudio.settings.teacher import TeacherConfig
from ocrstudio.tasks import Task
from ocrstudio.teachers.base import Draft, PageSource, Teacher
from ocrstudio.teachers.batch import PageResult, run_batch
from ocrstudio.teachers.pictures import Pictures


@dataclass(frozen=True)
class InferenceProgress:
    """What happened last.

    Attributes:
        key: The page.
        done: Labelled pages of this run.
        failed: Failed pages of this run.
        total: Pages of this run.
        seconds_left: Estimate from the pages so far.
        error: Why the page failed, or None.
        flags: Why its label should be looked at.
        parameters: Of its label; they tell a flag in numbers.
        remarks: Sentences about how the page was read.
        written: The Markdown file of a document that is complete with this page, or None.
    """

    key: str
    done: int
    failed: int
    total: int
    seconds_left: float
    error: OcrStudioError | None
    flags: tuple[str, ...]
    parameters: Mapping[str, Any]
    remarks: tuple[str, ...]
    written: Path | None


@dataclass(frozen=True)
class InferenceReport:
    """The end of a run.

    Attributes:
        pages: Pages found.
        labelled: Pages labelled in this run; their labels have text.
        blank: Pages of this run that are blank.
        resumed: Pages that an earlier run had labelled.
        failed: Pages that failed.
        problems: Files that could not be opened.
        unfit: Labels left out of a dataset, because they were cut off, repeat themselves, are refusals or
            not the text of their page.
        written: Files written.
        cancelled: Whether the user stopped it.
        stopped_by: Why the teacher could not go on, or None.
        seconds: Wall time.
    """

    pages: int
    labelled: int
    blank: int
    resumed: int
    failed: int
    problems: tuple[OcrStudioError, ...]
    unfit: int
    written: tuple[Path, ...]
    cancelled: bool
    stopped_by: OcrStudioError | None
    seconds: float

    @property
    def is_complete(self) -> bool:
        """Whether every page of every file has a label."""
        return not self.problems and self.labelled + self.blank + self.resumed == self.pages


async def infer(
    found: FoundPages,
    teacher: Teacher,
    task: Task,
    target: OutputTarget,
    *,
    config: TeacherConfig,
    earlier: Earlier = Earlier.REFUSE,
    on_progress: Callable[[InferenceProgress], None] | None = None,
    cancel: asyncio.Event | None = None,
) -> InferenceReport:
    """Label all pages and write the results.

    Args:
        found: The pages; see `pages.find_pages`.
        teacher: Who drafts; opened and closed here.
        task: The prompt.
        target: Where and how results are written.
        config: The teacher's configuration; what decides whether an earlier run can be gone on with.
        earlier: What to do with results of an earlier run. To resume leaves out the pages it labelled; failed
            ones are tried again.
        on_progress: Called after each page.
        cancel: Set it to stop; everything labelled so far is written.

    Raises:
        OcrStudioError: The output cannot be written, the earlier run was made otherwise, or the teacher
            cannot be opened.
    """
    started = time.monotonic()
    documents = list(dict.fromkeys(page.document for page in found.pages))
    made_with = _made_with(config, teacher, task)
    with open_journal(target.journal, made_with, earlier, target.results) as journal:
        refuse_foreign_files(target, documents, ours=earlier is Earlier.OVERWRITE or bool(journal.done))
        run = _Run(found, target, journal, on_progress)
        resumed = run.take_over()
        drawing = _DrawingTeacher(teacher, {page.source: page for page in run.open_pages}, target)
        try:
            await drawing.open()
            sources = [page.source for page in run.open_pages]
            summary = await run_batch(
                drawing, sources, task, on_result=run.take, on_answer=run.keep, cancel=cancel
            )
        finally:
            await drawing.close()
            written = run.finish()
    return InferenceReport(
        pages=len(found.pages),
        labelled=summary.done,
        blank=summary.blank,
        resumed=resumed,
        failed=summary.failed,
        problems=found.problems,
        unfit=run.unfit,
        written=written,
        cancelled=summary.cancelled,
        stopped_by=summary.stopped_by,
        seconds=time.monotonic() - started,
    )


class _Run:
    """What is known of each page, and the files that follow from it."""

    def __init__(
        self,
        found: FoundPages,
        target: OutputTarget,
        journal: Journal,
        on_progress: Callable[[InferenceProgress], None] | None,
    ) -> None:
        self._target = target
        self._journal = journal
        self._on_progress = on_progress
        self._outcomes = {page.source: PageOutcome(page) for page in found.pages}
        self._documents: dict[str, list[PageSource]] = defaultdict(list)
        for page in found.pages:
            self._documents[page.document].append(page.source)
        self._written: dict[Path, None] = {}
        self._started = time.monotonic()
        self._done = self._failed = self._total = 0

    @property
    def open_pages(self) -> list[InputPage]:
        """Pages without a label."""
        return [outcome.page for outcome in self._outcomes.values() if not outcome.is_over]

    @property
    def unfit(self) -> int:
        """Labels that a dataset leaves out."""
        if self._target.format != "jsonl":
            return 0
        return sum(item.label is not None and is_unfit(item.label) for item in self._outcomes.values())

    def take_over(self) -> int:
        """Take the labels of the earlier run; returns their number."""
        for source, outcome in self._outcomes.items():
            label = self._journal.done.get(outcome.page.id)
            if label is not None:
                self._outcomes[source] = replace(outcome, label=label)
        self._total = len(self.open_pages)
        if self._target.format == "jsonl":
            self._write_list()
        return len(self._outcomes) - self._total

    def keep(self, page: PageSource, draft: Draft) -> None:
        """Note an answer before its check is made; the line of the checked one follows and counts."""
        self._journal.add(_label(self._outcomes[page].page, draft))

    def take(self, result: PageResult) -> None:
        outcome = self._outcomes[result.page]
        remarks: tuple[str, ...] = ()
        if result.draft is not None:
            label = _label(outcome.page, result.draft)
            remarks = result.draft.remarks
            self._journal.add(label)
            outcome = replace(outcome, label=label)
            self._done += 1
        else:
            outcome = replace(outcome, error=result.error)
            self._failed += 1
        self._outcomes[result.page] = outcome
        written = self._write_one(outcome)
        if self._on_progress is not None:
            self._on_progress(self._progress(outcome, remarks, written))

    def finish(self) -> tuple[Path, ...]:
        """Write what is not written yet; returns all files."""
        if self._target.format == "md":
            for sources in self._documents.values():
                outcomes = [self._outcomes[source] for source in sources]
                if any(outcome.is_over for outcome in outcomes):
                    self._written[write_document(self._target, outcomes)] = None
        else:
            self._write_list()
        return tuple(self._written)

    def _write_one(self, outcome: PageOutcome) -> Path | None:
        """Let a result be seen at once: a dataset line, or the Markdown of a document that is complete."""
        if self._target.format == "jsonl":
            line = dataset_line(self._target, outcome)
            if line is not None:
                append_line(self._target, line)
            return None
        if self._target.format != "md":
            return None
        outcomes = [self._outcomes[source] for source in self._documents[outcome.page.document]]
        if not all(item.is_over for item in outcomes):
            return None
        path = write_document(self._target, outcomes)
        self._written[path] = None
        return path

    def _write_list(self) -> None:
        """All pages in order, in place of the lines that came in order of completion."""
        WRITERS[self._target.format](self._target, list(self._outcomes.values()))
        self._written[self._target.file] = None

    def _progress(
        self, outcome: PageOutcome, remarks: tuple[str, ...], written: Path | None
    ) -> InferenceProgress:
        finished = self._done + self._failed
        per_page = (time.monotonic() - self._started) / finished
        return InferenceProgress(
            key=outcome.page.source.key,
            done=self._done,
            failed=self._failed,
            total=self._total,
            seconds_left=per_page * (self._total - finished),
            error=outcome.error,
            flags=outcome.label.flags if outcome.label is not None else (),
            parameters=outcome.label.parameters if outcome.label is not None else {},
            remarks=remarks,
            written=written,
        )


class _DrawingTeacher:
    """A teacher that first writes the picture of a page, where the output keeps one."""

    def __init__(self, teacher: Teacher, pages: dict[PageSource, InputPage], target: OutputTarget) -> None:
        self._teacher = teacher
        self._pages = pages
        self._target = target
        self.id, self.concurrency, self.network = teacher.id, teacher.concurrency, teacher.network
        self._pictures = Pictures(teacher.concurrency)

    async def open(self) -> None:
        self._pictures.open()
        await self._teacher.open()

    async def draft(self, page: PageSource, task: Task) -> Draft:
        image = self._target.image_file(self._pages[page])
        if image is None:
            return await self._teacher.draft(page, task)
        remarks = await self._pictures.save(page, image)
        draft = await self._teacher.draft(replace(page, image=image), task)
        return replace(draft, remarks=tuple(dict.fromkeys((*remarks, *draft.remarks))))

    async def close(self) -> None:
        try:
            await self._teacher.close()
        finally:
            await self._pictures.close()


def _label(page: InputPage, draft: Draft) -> LabelledPage:
    parameters = {**draft.parameters, **({"remarks": list(draft.remarks)} if draft.remarks else {})}
    return LabelledPage(page.id, draft.text, draft.raw, draft.prompt, draft.flags, parameters)


def _made_with(config: TeacherConfig, teacher: Teacher, task: Task) -> dict[str, object]:
    """What two runs must have in common for their labels to belong together; never a key."""
    generation = config.generation.model_dump(mode="json") if config.generation is not None else None
    offline = config.offline.model_dump(mode="json") if config.offline is not None else None
    return {
        "teacher": teacher.id,
        "task": task.id,
        "prompt": [task.system, task.user],
        "model_type": config.model_type,
        "generation": generation,
        "offline settings": offline,
        "image": config.image.model_dump(mode="json") if config.image is not None else None,
    }
