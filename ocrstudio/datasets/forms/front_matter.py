"""olmOCR's pages: Markdown under a few lines of YAML that say what kind of page it is.

https://github.com/allenai/olmocr
"""

import re

from ocrstudio.datasets.record import ProblemKind, RecordError

KEYS = ("primary_language", "is_rotation_valid", "rotation_correction", "is_table", "is_diagram")

_MATTER = re.compile(r"\A---[ \t]*\r?\n(?P<matter>.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)


def has_front_matter(text: str) -> bool:
    """Whether a text begins with olmOCR's front matter; other front matter is part of the text."""
    return _fields(text) is not None


def text_of_page(text: str) -> str:
    """The text without olmOCR's front matter, if it has one.

    Raises:
        RecordError: The page lies on its side: olmOCR reads such a page again, turned, so that its picture
            and this text do not belong together.
    """
    fields = _fields(text)
    if fields is None:
        return text
    if fields.get("is_rotation_valid", "").lower() == "false":
        turn = fields.get("rotation_correction", "?")
        raise RecordError(
            ProblemKind.TURNED_PAGE, f"its front matter says that the page has to be turned by {turn} degrees"
        )
    found = _MATTER.match(text)
    return text[found.end() :].strip() if found else text


def _fields(text: str) -> dict[str, str] | None:
    found = _MATTER.match(text)
    if found is None:
        return None
    pairs = (line.partition(":") for line in found["matter"].splitlines())
    fields = {key.strip(): value.strip() for key, _, value in pairs}
    return fields if any(key in fields for key in KEYS) else None
