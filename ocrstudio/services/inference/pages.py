"""From files and folders to pages, grouped into documents."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ocrstudio.domain.document import DocumentKind
from ocrstudio.domain.errors import InputError, OcrStudioError
from ocrstudio.domain.names import nfc
from ocrstudio.domain.page_files import page_of_file
from ocrstudio.domain.wording import count_of
from ocrstudio.pdf import DEFAULT_MAX_PIXELS, DEFAULT_PAGE_SECONDS, open_document
from ocrstudio.pdf.sources import left_out_in_words, list_sources
from ocrstudio.services.document_names import document_names
from ocrstudio.teachers.base import PageSource


@dataclass(frozen=True)
class InputPage:
    """A page to label.

    Attributes:
        id: The same for the same page in a later run: absolute path, page, size and time of the file.
        document: Name of its document, and of its Markdown file.
        number: Page number in the document, from 1.
        path: The file it comes from.
        source: What a teacher is given.
        is_picture: Whether the file is the picture of this page and nothing else.
    """

    id: str
    document: str
    number: int
    path: Path
    source: PageSource
    is_picture: bool


@dataclass(frozen=True)
class FoundPages:
    """All pages in order, the files that could not be opened, and sentences on what folders held besides."""

    pages: tuple[InputPage, ...]
    problems: tuple[OcrStudioError, ...]
    remarks: tuple[str, ...] = ()


def find_pages(
    images: Path | None,
    documents: Path | None,
    *,
    password: str | None,
    dpi: float,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    max_seconds: float = DEFAULT_PAGE_SECONDS,
    skip: Collection[Path] = (),
) -> FoundPages:
    """List the pages of an image file or folder and of a PDF file or folder, sub-folders included.

    Pictures of a folder named ``{name}_p{page}`` are pages of the document ``{name}``, in numeric order.

    Args:
        images: Picture or folder, or None.
        documents: PDF or folder, or None.
        password: Tried on encrypted PDFs.
        dpi: Resolution for pages that are rendered.
        max_pixels: Most pixels of a page that is rendered.
        max_seconds: Longest time for drawing or reading a page.
        skip: Folders that are not looked into: the one for the output may lie in the one with the pictures.

    Raises:
        InputError: Nothing is given, a path does not exist, or a folder holds nothing of that kind.
    """
    remarks: list[str] = []
    pictures = _sources(images, DocumentKind.IMAGE, skip, remarks) if images is not None else []
    pdfs = _sources(documents, DocumentKind.PDF, skip, remarks) if documents is not None else []
    if not pictures and not pdfs:
        raise InputError("There is nothing to label.", "Give --images or --pdf, each a file or a folder.")
    counts, problems = _count_pages([*pdfs, *pictures], password)
    sheet = PageSource("", password=password, dpi=dpi, max_pixels=max_pixels, max_seconds=max_seconds)
    pages = _document_pages([path for path in pdfs if path in counts], counts, sheet)
    taken = {nfc(page.document).casefold() for page in pages}
    pages += _picture_pages([path for path in pictures if path in counts], counts, taken, sheet)
    return FoundPages(tuple(pages), tuple(problems), tuple(remarks))


def _sources(path: Path, kind: DocumentKind, skip: Collection[Path], remarks: list[str]) -> list[Path]:
    """The file, whatever it is, or the files of that kind in a folder; says what the folder held besides."""
    listing = list_sources(path, skip)
    found = list(listing.files)
    if path.is_file():
        return found
    is_pdf = kind is DocumentKind.PDF
    wanted = [file for file in found if (file.suffix.lower() == ".pdf") == is_pdf]
    if not wanted:
        other = "--images" if is_pdf else "--pdf"
        what = "PDF" if is_pdf else "image"
        raise InputError(f"The folder {path} holds no {what} file.", f"For its other files use {other}.")
    others = len(found) - len(wanted)
    option = "--images" if is_pdf else "--pdf"
    said = f"{count_of(others, 'file')} {'is' if others == 1 else 'are'} for {option}." if others else ""
    left_out = [*filter(None, [said, left_out_in_words(listing.left_out)])]
    if left_out:
        remarks.append(f"{path}: {count_of(len(wanted), 'file')} taken. {' '.join(left_out)}")
    return wanted


def _count_pages(paths: Iterable[Path], password: str | None) -> tuple[dict[Path, int], list[OcrStudioError]]:
    counts: dict[Path, int] = {}
    problems: list[OcrStudioError] = []
    for path in paths:
        try:
            with open_document(path, password) as document:
                counts[path] = document.page_count
        except OcrStudioError as error:
            problems.append(error)
    return counts, problems


def _document_pages(paths: Sequence[Path], counts: Mapping[Path, int], sheet: PageSource) -> list[InputPage]:
    return [
        _page(path, name, index, index + 1, is_picture=False, sheet=sheet)
        for path, name in zip(paths, document_names(paths), strict=True)
        for index in range(counts[path])
    ]


def _picture_pages(
    paths: Sequence[Path], counts: Mapping[Path, int], taken: set[str], sheet: PageSource
) -> list[InputPage]:
    """Pictures that belong together by their names first, then the rest, each a document of its own."""
    grouped: dict[tuple[Path, str], dict[int, Path]] = {}
    single: list[Path] = []
    for path in paths:
        named = page_of_file(path.name) if counts[path] == 1 else None
        siblings = grouped.setdefault((path.parent, named[0]), {}) if named else {}
        if named is None or named[1] in siblings:
            single.append(path)
        else:
            siblings[named[1]] = path
    pages: list[InputPage] = []
    for (_, name), by_number in grouped.items():
        free = _free_name(name, taken)
        pages += [
            _page(path, free, 0, number, is_picture=True, sheet=sheet)
            for number, path in sorted(by_number.items())
        ]
    for path in single:
        free = _free_name(path.stem, taken)
        frames = counts[path]
        pages += [
            _page(path, free, index, index + 1, is_picture=frames == 1, sheet=sheet)
            for index in range(frames)
        ]
    return pages


def _free_name(name: str, taken: set[str]) -> str:
    free, number = name, 2
    while nfc(free).casefold() in taken:
        free, number = f"{name}_{number}", number + 1
    taken.add(nfc(free).casefold())
    return free


def _page(
    path: Path,
    document: str,
    index: int,
    number: int,
    *,
    is_picture: bool,
    sheet: PageSource,
) -> InputPage:
    """A page; `sheet` has what all pages share."""
    state = path.stat()
    key = path.name if is_picture else f"{path.name}, page {number}"
    source = replace(sheet, key=key, image=path if is_picture else None, document=path, page_index=index)
    identity = f"{path.resolve().as_posix()}#{index}@{state.st_size}.{state.st_mtime_ns}"
    return InputPage(identity, document, number, path, source, is_picture)
