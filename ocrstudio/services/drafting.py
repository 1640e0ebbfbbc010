"""Draft pages of a workspace through a teacher; every result is committed the moment it arrives."""

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from ocrstudio.domain.document import PageStatus
from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.domain.label import NewRevision, teacher_source
from ocrstudio.services import labelling
from ocrstudio.services.picture_pages import page_place
from ocrstudio.settings.app import AppSettings, load_app_settings
from ocrstudio.store import Workspace
from ocrstudio.tasks import Task
from ocrstudio.teachers.base import Draft, PageSource, Teacher
from ocrstudio.teachers.batch import BatchSummary, PageResult, run_batch
from ocrstudio.teachers.errors import EmptyAnswerError
from ocrstudio.teachers.flags import describe_flags

BLANK_PAGE = "The page is blank, and so is its label."

UNFINISHED: tuple[PageStatus, ...] = (PageStatus.UNLABELLED, PageStatus.FAILED)
"""Statuses that a batch takes by default: running it again goes on where it stopped."""


@dataclass(frozen=True)
class DraftingProgress:
    """How far a batch is.

    Attributes:
        page_id: The page that was just finished.
        done: Pages with a new draft, blank ones included.
        failed: Pages that failed.
        total: Pages of the batch.
        seconds_left: Estimate from the pages so far.
        error: Why this page failed, or None.
        remarks: Sentences about how the page was read, such as a reduced resolution.
    """

    page_id: int
    done: int
    failed: int
    total: int
    seconds_left: float
    error: OcrStudioError | None
    remarks: tuple[str, ...] = ()


def select_pages(
    ws: Workspace, statuses: Collection[PageStatus] = UNFINISHED, document_id: int | None = None
) -> list[int]:
    """Ids of the pages in these statuses, in the order of the documents."""
    return [row.page.id for row in ws.pages.list(document_id=document_id, statuses=tuple(statuses))]


async def draft_pages(
    ws: Workspace,
    page_ids: Collection[int],
    teacher: Teacher,
    task: Task,
    *,
    on_progress: Callable[[DraftingProgress], None] | None = None,
    cancel: asyncio.Event | None = None,
) -> BatchSummary:
    """Draft pages. An accepted page keeps its label and gets the draft beside it.

    Runs in the event loop of the thread that opened the workspace. The teacher is opened and closed here.

    Args:
        ws: The workspace.
        page_ids: What to draft; see `select_pages`.
        teacher: Who drafts.
        task: The prompt.
        on_progress: Called after each page was committed.
        cancel: Set it to stop; finished pages are kept, the others stay as they are.

    Returns:
        What happened. When the teacher cannot work at all, ``stopped_by`` says why and no page was marked
        failed for it.

    Raises:
        OcrStudioError: The teacher cannot be opened, or the workspace cannot be written.
    """
    settings = load_app_settings()
    sources = {_source(ws, page_id, settings): page_id for page_id in page_ids}
    recorder = _Recorder(ws, sources, teacher, task, on_progress)
    try:
        await teacher.open()
        return await run_batch(teacher, list(sources), task, on_result=recorder.take, cancel=cancel)
    finally:
        await teacher.close()


class _Recorder:
    """Writes each result to the workspace and reports it."""

    def __init__(
        self,
        ws: Workspace,
        page_ids: dict[PageSource, int],
        teacher: Teacher,
        task: Task,
        on_progress: Callable[[DraftingProgress], None] | None,
    ) -> None:
        self._ws = ws
        self._page_ids = page_ids
        self._teacher = teacher
        self._task = task
        self._on_progress = on_progress
        self._started = time.monotonic()
        self._done = 0
        self._failed = 0

    def take(self, result: PageResult) -> None:
        page_id = self._page_ids[result.page]
        if result.draft is not None:
            draft = result.draft
            revision = _revision(draft, self._teacher, self._task)
            doubt = describe_flags(draft.flags, draft.parameters)
            remark = "" if draft.text.strip() else BLANK_PAGE
            labelling.add_draft(self._ws, page_id, revision, note=doubt, remark=remark)
            self._done += 1
        else:
            empty = result.error.draft if isinstance(result.error, EmptyAnswerError) else None
            kept = None if empty is None else _revision(empty, self._teacher, self._task)
            labelling.mark_failed(self._ws, page_id, str(result.error), draft=kept)
            self._failed += 1
        if self._on_progress is not None:
            self._on_progress(self._progress(page_id, result))

    def _progress(self, page_id: int, result: PageResult) -> DraftingProgress:
        finished, total = self._done + self._failed, len(self._page_ids)
        per_page = (time.monotonic() - self._started) / finished
        return DraftingProgress(
            page_id,
            self._done,
            self._failed,
            total,
            per_page * (total - finished),
            result.error,
            result.draft.remarks if result.draft is not None else (),
        )


def _source(ws: Workspace, page_id: int, settings: AppSettings) -> PageSource:
    page = ws.pages.get(page_id)
    document = ws.documents.get(page.document_id)
    path, index = page_place(ws.root, document, page.index)
    return PageSource(
        key=f"{document.name}, page {page.index + 1}",
        document=path,
        page_index=index,
        dpi=settings.default_dpi,
        max_pixels=settings.max_image_pixels,
        max_seconds=settings.max_page_seconds,
    )


def _revision(draft: Draft, teacher: Teacher, task: Task) -> NewRevision:
    parameters = dict(draft.parameters)
    if draft.flags:
        parameters["flags"] = list(draft.flags)
    if draft.remarks:
        parameters["remarks"] = list(draft.remarks)
    return NewRevision(
        text=draft.text,
        source=teacher_source(teacher.id),
        task=task.id,
        prompt=draft.prompt,
        parameters=parameters,
        raw=draft.raw,
        regions=draft.regions,
    )
