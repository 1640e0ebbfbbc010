"""File names of converted pages: ``{document}_p{page}.{format}``, never the same for two documents."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

_PAGE_STEM = re.compile(r"(?P<name>.+)_p(?P<page>\d+)", re.DOTALL)


def document_names(sources: Sequence[Path], output: Path | None = None) -> list[str]:
    """A name for each source, unique without regard to case.

    It is the file's stem; where two agree, or where the pages would take the place of a source in `output`,
    the later one carries its type, then a number (``report``, ``report_pdf``, ``report_pdf_2``).
    """
    taken: set[str] = set()
    inside = [source.stem for source in sources if output is not None and _same_folder(source, output)]
    names: list[str] = []
    for source in sources:
        name = next(name for name in _candidates(source) if _is_free(name, taken, inside))
        taken.add(name.casefold())
        names.append(name)
    return names


def page_file(output: Path, name: str, index: int, format: str) -> Path:  # noqa: A002
    """The file of a zero-based page; its number counts from one."""
    return output / f"{name}_p{index + 1}.{format}"


def page_of_file(stem: str) -> tuple[str, int] | None:
    """The document and the page, counted from one, that a file name (without ending) stands for."""
    match = _PAGE_STEM.fullmatch(stem)
    return (match["name"], int(match["page"])) if match else None


def _candidates(source: Path) -> Iterable[str]:
    yield source.stem
    typed = f"{source.stem}_{source.suffix.lstrip('.').lower()}"
    yield typed
    number = 2
    while True:
        yield f"{typed}_{number}"
        number += 1


def _is_free(name: str, taken: set[str], inside: Iterable[str]) -> bool:
    pages = re.compile(rf"{re.escape(name)}_p\d+", re.IGNORECASE)
    return name.casefold() not in taken and not any(pages.fullmatch(stem) for stem in inside)


def _same_folder(source: Path, folder: Path) -> bool:
    return source.resolve().parent == folder.resolve()
