"""What the processes of a conversion do: look into a document, and write some of its pages. Nothing raises.

Everything that goes in and out is plain data, because it travels between processes. Both are tasks of
`ocrstudio.jobs.limited_pool`: each value they yield is a step that has a limit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ocrstudio.domain.errors import DocumentError, EncryptedDocumentError, OcrStudioError
from ocrstudio.pdf.document import PdfDocument, open_document
from ocrstudio.pdf.render import write_page_image


@dataclass(frozen=True)
class Inspection:
    """What was found in a document: its pages, or a problem.

    Attributes:
        page_count: Number of pages; 0 with a problem.
        problem: Why it cannot be converted, or empty.
        encrypted: Whether a (right) password would help.
        warnings: What MuPDF complained about.
    """

    page_count: int = 0
    problem: str = ""
    encrypted: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class PageTarget:
    """One page to convert: its zero-based index and the file to write."""

    index: int
    target: Path


@dataclass(frozen=True)
class Chunk:
    """Neighbouring pages of one document, the unit that a process works on."""

    source: Path
    password: str | None = field(repr=False)
    pages: tuple[PageTarget, ...]
    dpi: float
    max_pixels: int
    format: str


@dataclass(frozen=True)
class PageOutcome:
    """What became of a page.

    Attributes:
        index: Zero-based page.
        target: The file that was written, or None.
        problem: Why it was not written, or empty.
        warnings: Sentences about the page.
        fatal: Whether the next page would fail as well (the output folder cannot be written).
    """

    index: int
    target: Path | None = None
    problem: str = ""
    warnings: tuple[str, ...] = ()
    fatal: bool = False


def inspect(source: Path, password: str | None) -> Iterator[Inspection]:
    """Open a document and count its pages: one step."""
    try:
        with open_document(source, password) as document:
            yield Inspection(document.page_count, warnings=document.warnings)
    except EncryptedDocumentError as error:
        yield Inspection(problem=str(error), encrypted=True)
    except OcrStudioError as error:
        yield Inspection(problem=str(error))


def convert_chunk(chunk: Chunk) -> Iterator[PageOutcome]:
    """Write the pages of a chunk, each a step; a page that fails stops no other."""
    try:
        document = open_document(chunk.source, chunk.password)
    except OcrStudioError as error:
        yield from (PageOutcome(page.index, problem=str(error)) for page in chunk.pages)
        return
    with document:
        for page in chunk.pages:
            outcome = _convert_page(document, page, chunk)
            yield outcome
            if outcome.fatal:
                return


def _convert_page(document: PdfDocument, page: PageTarget, chunk: Chunk) -> PageOutcome:
    try:
        image = document.render(page.index, chunk.dpi, chunk.max_pixels)
        write_page_image(image, page.target, chunk.format)
    except DocumentError as error:
        return PageOutcome(page.index, problem=str(error))
    except OcrStudioError as error:
        return PageOutcome(page.index, problem=str(error), fatal=True)
    return PageOutcome(page.index, page.target, warnings=image.warnings)


def chunks_of(pages: Sequence[PageTarget], size: int) -> list[tuple[PageTarget, ...]]:
    """Cut pages into runs of at most `size`."""
    return [tuple(pages[start : start + size]) for start in range(0, len(pages), size)]
