"""Convert documents to page images: the use case behind ``pdf2img``.

Pages are rendered in processes of their own, a few neighbouring pages at a time, so that one large document
uses every core and a page that crashes MuPDF, or that it never finishes, takes nothing else with it. The
parent never loads MuPDF.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from ocrstudio.domain.errors import InputError
from ocrstudio.domain.page_files import page_file_name
from ocrstudio.domain.wording import count_of
from ocrstudio.jobs.limited_pool import LimitedPool
from ocrstudio.pdf.render import DEFAULT_DPI, DEFAULT_MAX_PIXELS, DEFAULT_PAGE_SECONDS, IMAGE_FORMATS
from ocrstudio.pdf.sources import left_out_in_words, list_sources
from ocrstudio.services.conversion_pool import PRELOADED, convert_in, inspect_in
from ocrstudio.services.conversion_worker import Chunk, Inspection, PageOutcome, PageTarget, chunks_of
from ocrstudio.services.document_names import document_names

_CHUNKS_PER_JOB = 4
_LARGEST_CHUNK = 16
_POLL_SECONDS = 0.2
_PASSWORD_ATTEMPTS = 3
_LISTED_PAGES = 10


def available_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class ConversionRequest:
    """What to convert.

    Attributes:
        sources: Files and folders.
        output: Folder for the images; made when missing.
        dpi: Resolution; a page that would be too large gets less, and says so.
        format: ``png`` or ``jpg``.
        start_page: First page, counted from one.
        end_page: Last page, or None for all.
        password: Tried on every encrypted document.
        jobs: Number of processes.
        max_pixels: Most pixels of an image; a larger page is drawn at a lower resolution.
        page_seconds: Seconds for each page; one that takes longer is given up.
    """

    sources: tuple[Path, ...]
    output: Path
    dpi: float = DEFAULT_DPI
    format: str = "png"
    start_page: int = 1
    end_page: int | None = None
    password: str | None = field(default=None, repr=False)
    jobs: int = field(default_factory=available_cores)
    max_pixels: int = DEFAULT_MAX_PIXELS
    page_seconds: float = DEFAULT_PAGE_SECONDS

    def __post_init__(self) -> None:
        if self.format not in IMAGE_FORMATS:
            raise InputError(f"Unknown image format {self.format!r}.", f"Use {' or '.join(IMAGE_FORMATS)}.")
        if self.start_page < 1:
            raise InputError(f"The first page is 1, not {self.start_page}.")
        if self.end_page is not None and self.end_page < self.start_page:
            raise InputError(f"The end page {self.end_page} lies before the start page {self.start_page}.")
        if self.dpi <= 0 or self.jobs < 1 or self.page_seconds <= 0:
            raise InputError("The resolution, the number of processes and the limit must be positive.")


@dataclass(frozen=True)
class ConversionProgress:
    """How far a conversion is, in pages; `total` grows while documents are still being opened."""

    done: int
    total: int
    document: str


@dataclass(frozen=True)
class Problem:
    """A source that could not be converted, or not completely: one sentence."""

    source: Path
    message: str


@dataclass(frozen=True)
class ConversionResult:
    """What a conversion did.

    Attributes:
        written: The image files, in the order of documents and pages.
        replaced: How many of them took the place of an existing file.
        problems: One entry for each source that failed wholly or partly.
        warnings: Sentences about documents and pages that were converted nevertheless.
        cancelled: Whether it was stopped before the end.
    """

    written: tuple[Path, ...]
    replaced: int
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]
    cancelled: bool


ProgressCallback = Callable[[ConversionProgress], None]
PasswordPrompt = Callable[[Path, str], str | None]
"""Given an encrypted document and the reason, returns a password, or None to give up."""


def convert(
    request: ConversionRequest,
    *,
    on_progress: ProgressCallback | None = None,
    ask_password: PasswordPrompt | None = None,
    cancel: threading.Event | None = None,
) -> ConversionResult:
    """Convert documents to page images named ``{document}_p{page}.{format}``.

    A document that fails is reported and the others go on. The callbacks are called in the caller's thread.

    Raises:
        InputError: The output folder cannot be made or written.
    """
    sources, problems, left_out = _expand(request.sources, request.output)
    try:
        request.output.mkdir(parents=True, exist_ok=True)
        existing = {entry.name for entry in request.output.iterdir()}
    except OSError as error:
        sentence = f"The output folder {request.output} cannot be made or read: {error.strerror}."
        raise InputError(sentence, "Choose another.") from error
    with LimitedPool(request.jobs, PRELOADED) as pool:
        conversion = _Conversion(request, pool, on_progress, ask_password)
        cancelled = conversion.run(sources, cancel)
    works = conversion.works
    written = tuple(
        outcome.target
        for work in works
        for outcome in sorted(work.outcomes, key=lambda outcome: outcome.index)
        if outcome.target is not None
    )
    return ConversionResult(
        written=written,
        replaced=sum(target.name in existing for target in written),
        problems=(*problems, *(problem for work in works if (problem := _problem_of(work)) is not None)),
        warnings=(*left_out, *(warning for work in works for warning in _warnings_of(work))),
        cancelled=cancelled,
    )


@dataclass
class _Work:
    """One document on its way through the pool."""

    source: Path
    name: str
    password: str | None = field(repr=False)
    attempts: int = 0
    problem: str = ""
    warnings: tuple[str, ...] = ()
    outcomes: list[PageOutcome] = field(default_factory=list)


class _Conversion:
    """Feeds the pool and gathers what comes back."""

    def __init__(
        self,
        request: ConversionRequest,
        pool: LimitedPool,
        on_progress: ProgressCallback | None,
        ask_password: PasswordPrompt | None,
    ) -> None:
        self._request = request
        self._pool = pool
        self._on_progress = on_progress
        self._ask_password = ask_password
        self._pending: dict[Future[Any], Callable[[], None]] = {}
        self._total = 0
        self._done = 0
        self.works: list[_Work] = []

    def run(self, sources: list[Path], cancel: threading.Event | None) -> bool:
        """Convert everything; returns whether it was cancelled."""
        names = document_names(sources, self._request.output)
        for source, name in zip(sources, names, strict=True):
            work = _Work(source, name, self._request.password)
            self.works.append(work)
            self._inspect(work)
        while self._pending:
            if cancel is not None and cancel.is_set():
                return True
            finished, _ = wait(self._pending, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
            for future in finished:
                self._pending.pop(future)()
        return False

    def _inspect(self, work: _Work) -> None:
        limit = self._request.page_seconds
        future = self._pool.submit(
            partial(inspect_in, limit=limit, source=work.source, password=work.password)
        )
        self._pending[future] = partial(self._take_inspection, work, future)

    def _take_inspection(self, work: _Work, future: Future[Inspection]) -> None:
        inspection = future.result()
        if inspection.encrypted and self._ask_again(work, inspection.problem):
            self._inspect(work)
            return
        work.problem = inspection.problem
        work.warnings = inspection.warnings
        if not inspection.problem:
            self._queue_pages(work, inspection.page_count)

    def _ask_again(self, work: _Work, reason: str) -> bool:
        """Ask for a password; whether there is one to try."""
        if self._ask_password is None or work.attempts >= _PASSWORD_ATTEMPTS:
            return False
        work.attempts += 1
        password = self._ask_password(work.source, reason)
        work.password = password if password is not None else work.password
        return password is not None

    def _queue_pages(self, work: _Work, page_count: int) -> None:
        request = self._request
        last = min(page_count, request.end_page or page_count)
        pages = [
            PageTarget(index, request.output / page_file_name(work.name, index + 1, request.format))
            for index in range(request.start_page - 1, last)
        ]
        if not pages:
            count = count_of(page_count, "page")
            work.problem = f"{work.source} has {count}: there is no page {request.start_page}."
            return
        self._total += len(pages)
        size = -(-len(pages) // (self._pool.count * _CHUNKS_PER_JOB))
        for part in chunks_of(pages, min(size, _LARGEST_CHUNK)):
            chunk = Chunk(work.source, work.password, part, request.dpi, request.max_pixels, request.format)
            future = self._pool.submit(partial(convert_in, limit=request.page_seconds, chunk=chunk))
            self._pending[future] = partial(self._take_chunk, work, future)
        self._report(work)

    def _take_chunk(self, work: _Work, future: Future[list[PageOutcome]]) -> None:
        outcomes = future.result()
        for outcome in outcomes:
            if outcome.fatal:
                raise InputError(outcome.problem)
        work.outcomes.extend(outcomes)
        self._done += len(outcomes)
        self._report(work)

    def _report(self, work: _Work) -> None:
        if self._on_progress is not None:
            self._on_progress(ConversionProgress(self._done, self._total, work.source.name))


def _expand(sources: tuple[Path, ...], output: Path) -> tuple[list[Path], list[Problem], list[str]]:
    """The documents that the sources stand for, problems, and sentences on what was left out of folders.

    Each document is there once; a source that holds none is a problem.
    """
    documents: dict[Path, Path] = {}
    problems: list[Problem] = []
    said: list[str] = []
    for source in sources:
        try:
            listing = list_sources(source, skip=[output])
        except InputError as error:
            problems.append(Problem(source, str(error)))
            continue
        for found in listing.files:
            documents.setdefault(found.resolve(), found)
        if listing.left_out:
            taken = count_of(len(listing.files), "file")
            said.append(f"{source}: {taken} taken. {left_out_in_words(listing.left_out)}")
    return list(documents.values()), problems, said


def _problem_of(work: _Work) -> Problem | None:
    """One sentence for a document, however many of its pages failed."""
    if work.problem:
        return Problem(work.source, work.problem)
    failed = sorted((outcome.index + 1, outcome.problem) for outcome in work.outcomes if outcome.problem)
    if not failed:
        return None
    if len(failed) == 1:
        return Problem(work.source, failed[0][1])
    numbers = ", ".join(str(number) for number, _ in failed[:_LISTED_PAGES])
    more = ", …" if len(failed) > _LISTED_PAGES else ""
    return Problem(work.source, f"{len(failed)} pages failed ({numbers}{more}). The first: {failed[0][1]}")


def _warnings_of(work: _Work) -> list[str]:
    pages = sorted(work.outcomes, key=lambda outcome: outcome.index)
    renamed = f"{work.source}: the name {work.source.stem} is taken; its pages are {work.name}_p…."
    return [
        *([renamed] if pages and work.name != work.source.stem else []),
        *work.warnings,
        *(warning for page in pages for warning in page.warnings),
    ]
