"""Names of documents whose pages are written to one folder, so that no two pages get the same file."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from ocrstudio.domain.names import nfc
from ocrstudio.domain.page_files import page_of_file


def document_names(sources: Sequence[Path], output: Path | None = None) -> list[str]:
    """A name for each source, unique without regard to case and Unicode form.

    It is the file's stem; where two agree, or where the pages would take the place of a source in `output`,
    the later one carries its folder if that is another one, else its type, then a number (``report``,
    ``letters_report``, ``report_pdf``, ``report_pdf_2``).
    """
    taken: set[str] = set()
    inside = [source.name for source in sources if output is not None and _same_folder(source, output)]
    names: list[str] = []
    homes: dict[str, Path] = {}
    for source in sources:
        home = homes.setdefault(nfc(source.stem).casefold(), source.parent)
        candidates = _candidates(source, elsewhere=home != source.parent)
        name = next(name for name in candidates if _is_free(name, taken, inside))
        taken.add(nfc(name).casefold())
        names.append(name)
    return names


def _candidates(source: Path, *, elsewhere: bool) -> Iterable[str]:
    yield source.stem
    if elsewhere and source.parent.name:
        yield f"{source.parent.name}_{source.stem}"
    typed = f"{source.stem}_{source.suffix.lstrip('.').lower()}"
    yield typed
    number = 2
    while True:
        yield f"{typed}_{number}"
        number += 1


def _is_free(name: str, taken: set[str], inside: Iterable[str]) -> bool:
    pages = (page_of_file(file) for file in inside)
    return nfc(name).casefold() not in {*taken, *(page[0].casefold() for page in pages if page)}


def _same_folder(source: Path, folder: Path) -> bool:
    return source.resolve().parent == folder.resolve()
