"""Names of page pictures, ``{document}_p{number}.png``, pages counted from one; written and read here."""

import re
import unicodedata
from pathlib import PurePath

from ocrstudio.domain.names import nfc

_PAGE = re.compile(r"(?P<document>.+)_p(?P<number>\d+)", re.DOTALL)
_ORIGIN = re.compile(r"(?P<document>.+?)(?:_p\d+)+", re.DOTALL)


def page_file_name(document: str, number: int, ending: str = "png") -> str:
    """The file name of a page."""
    return f"{document}_p{number}.{ending}"


def page_of_file(name: str) -> tuple[str, int] | None:
    """The document and the page number that the name or path of a picture stands for, or None.

    Of ``report_p1_p2.png`` it is page 2 of ``report_p1``; `document_of_file` looks further back.
    """
    found = _PAGE.fullmatch(stem_of(name))
    return (found["document"], int(found["number"])) if found else None


def document_of_file(name: str) -> str | None:
    """The document that the name or path of a page picture belongs to, or None for another name.

    A page picture that was imported and exported again is called ``{document}_p{number}_p1.png``; it still
    belongs to ``{document}``.
    """
    found = _ORIGIN.fullmatch(stem_of(name))
    return found["document"] if found else None


def origin_of(document: str) -> str:
    """Where the pages of a document come from: another document, if it is one imported page of that."""
    return document_of_file(page_file_name(document, 1)) or document


def natural_key(name: str) -> tuple[tuple[str | int, ...], str]:
    """Sorts names as people number them, ``page_p2`` before ``page_p10``, whatever their case."""
    parts = re.split(r"(\d+)", unicodedata.normalize("NFC", name).casefold())
    return tuple(int(part) if place % 2 else part for place, part in enumerate(parts)), name


def stem_of(name: str) -> str:
    """The name of a picture without folders and ending, in NFC; a dataset of Windows may have backslashes."""
    return nfc(PurePath(name.replace("\\", "/")).stem)
