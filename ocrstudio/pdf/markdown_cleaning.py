"""Turns the Markdown of PyMuPDF's layout into a label: a list of small pure steps, text in, text out."""

import re
import unicodedata
from collections.abc import Callable

_PICTURE_TEXT = re.compile(
    r"<!-- Start of picture text -->(?P<text>.*?)<!-- End of picture text -->", re.DOTALL
)
_PICTURE_NOTE = re.compile(r"^[^\S\n]*(?:\*\*)?==>.*?<==(?:\*\*)?[^\S\n]*$", re.MULTILINE)
_BREAK = re.compile(r"<br\s*/?>")
_BOLD_BREAK = re.compile(r"\*\*<br\s*/?>\*\*")  # inside a bold cell the marks end and begin at each line
_UNWRAPPED_TAGS = re.compile(r"</?(?:mark|u)>")
_HEADING = re.compile(r"^(?P<marks>#{1,6}) (?P<text>.*)$", re.MULTILINE)
_BOLD = re.compile(r"\*\*(?P<text>[^*\n]+)\*\*")
_TABLE_SEPARATOR = re.compile(r"^\|(?::?-+:?\|)+$")
_BLANK_LINES = re.compile(r"\n{3,}")
_LATIN_LIGATURES = {
    ligature: unicodedata.normalize("NFKC", chr(ligature)) for ligature in range(0xFB00, 0xFB07)
}
_INVISIBLE = {0x00AD: None, 0x200B: None, 0x2060: None, 0xFEFF: None, 0x00A0: " ", 0x202F: " "}
_KEPT_CONTROLS = "\n\t"


def clean_markdown(text: str) -> str:
    """Apply every step in order."""
    for step in STEPS:
        text = step(text)
    return text


def normalise_characters(text: str) -> str:
    """NFC; Latin ligatures as letters; no soft hyphens, zero-width, control or replacement characters."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    text = text.translate(_LATIN_LIGATURES).translate(_INVISIBLE)
    return "".join(
        character
        for character in text
        if character in _KEPT_CONTROLS or (unicodedata.category(character) != "Cc" and character != "\ufffd")
    )


def unwrap_picture_text(text: str) -> str:
    """Text found inside a picture becomes plain lines; a line that stands elsewhere too is dropped."""
    elsewhere = {_words(line) for line in _PICTURE_TEXT.sub("", text).splitlines()}

    def lines(match: re.Match[str]) -> str:
        found = [line.strip() for line in _BREAK.split(match["text"])]
        return "\n".join(line for line in found if line and _words(line) not in elsewhere)

    return _PICTURE_TEXT.sub(lines, text)


def drop_picture_notes(text: str) -> str:
    """Remove the remark that a picture was left out; it is not on the page."""
    return _PICTURE_NOTE.sub("", text)


def unwrap_decoration(text: str) -> str:
    """Remove ``<mark>`` and ``<u>`` around text: looks, not structure."""
    return _UNWRAPPED_TAGS.sub("", text)


def unbold_headings(text: str) -> str:
    """A heading is bold already."""

    def plain(match: re.Match[str]) -> str:
        return f"{match['marks']} {_BOLD.sub(lambda bold: bold['text'], match['text']).strip()}"

    return _HEADING.sub(plain, text)


def join_wrapped_cells(text: str) -> str:
    """Lines that a narrow column broke become one line again, in the cells of tables."""
    return "\n".join(
        _BREAK.sub(" ", _BOLD_BREAK.sub(" ", line)) if line.startswith("|") else line
        for line in text.split("\n")
    )


def drop_empty_tables(text: str) -> str:
    """Remove tables whose cells are all empty: the layout saw rules or a form, not a table."""
    blocks = text.split("\n\n")
    return "\n\n".join(block for block in blocks if not _is_empty_table(block))


def tidy_lines(text: str) -> str:
    """No white space at line ends, one blank line between blocks, one newline at the end."""
    stripped = "\n".join(line.rstrip() for line in text.splitlines())
    tidy = _BLANK_LINES.sub("\n\n", stripped).strip("\n")
    return f"{tidy}\n" if tidy else ""


STEPS: tuple[Callable[[str], str], ...] = (
    normalise_characters,
    unwrap_picture_text,
    drop_picture_notes,
    unwrap_decoration,
    unbold_headings,
    join_wrapped_cells,
    drop_empty_tables,
    tidy_lines,
)


def _words(line: str) -> str:
    return " ".join(re.findall(r"\w+", line)).casefold()


def _is_empty_table(block: str) -> bool:
    lines = [line.strip() for line in block.strip().splitlines()]
    if not any(_TABLE_SEPARATOR.match(line) for line in lines):
        return False
    return all(_TABLE_SEPARATOR.match(line) or not line.replace("|", "").strip() for line in lines)
