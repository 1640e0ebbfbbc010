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
_SYMBOLS_IN_ITALICS = re.compile(r"(?<![\w_])_([^\w\s_][^\w\n_]*)_(?![\w_])")
# Not before ; : ! ? since French has a space there.
_SPACE_BEFORE_PUNCTUATION = re.compile(r"(</su[bp]>|(?<=[^\s_*])(?:\*\*|_)) (?=[,.)\]])")
_SPACE_AFTER_BRACKET = re.compile(r"(?<=[(\[]) (?=(?:\*\*|_)\w)")
_HEADING = re.compile(r"^(?P<marks>#{1,6}) (?P<text>.*)$", re.MULTILINE)
_BOLD = re.compile(r"\*\*(?P<text>[^*\n]+)\*\*")
_TABLE_SEPARATOR = re.compile(r"^\|(?::?-+:?\|)+$")
_BLANK_LINES = re.compile(r"\n{3,}")
_LATIN_LIGATURES = {
    ligature: unicodedata.normalize("NFKC", chr(ligature)) for ligature in range(0xFB00, 0xFB07)
}
_INVISIBLE = {0x200B: None, 0x2060: None, 0xFEFF: None, 0x00A0: " ", 0x202F: " "}
_BIDI_MARKS = dict.fromkeys((0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
# Arabic letters in the shape that they have beside others; a label has the letters.
_PRESENTATION_FORMS = re.compile("[\ufb1d-\ufdff\ufe70-\ufefc]+")
# A soft hyphen is seen at the end of a line only; the next line goes on with the same word.
_SOFT_HYPHEN = re.compile(r"\u00ad(?:(\*\*|_)[ \t]*\n?[ \t]*\1|[ \t]*\n?[ \t]*)")
_KEPT_CONTROLS = "\n\t"
# TeX's older fonts print an accent and its letter one after the other; the text layer has them that way.
_ACUTE = "\N{ACUTE ACCENT}"
_DOTLESS_I = "\N{LATIN SMALL LETTER DOTLESS I}"
_COMBINING = {
    _ACUTE: "\N{COMBINING ACUTE ACCENT}",
    "\N{DIAERESIS}": "\N{COMBINING DIAERESIS}",
    "\N{BREVE}": "\N{COMBINING BREVE}",
    "\N{CARON}": "\N{COMBINING CARON}",
    "\N{RING ABOVE}": "\N{COMBINING RING ABOVE}",
    "\N{MODIFIER LETTER CIRCUMFLEX ACCENT}": "\N{COMBINING CIRCUMFLEX ACCENT}",
    "\N{SMALL TILDE}": "\N{COMBINING TILDE}",
    "\N{DOUBLE ACUTE ACCENT}": "\N{COMBINING DOUBLE ACUTE ACCENT}",
}
_ACCENT_FIRST = re.compile(rf"([{''.join(_COMBINING)}])([A-Za-z{_DOTLESS_I}])")
_CEDILLA_LAST = re.compile("([CcSsTt])\N{CEDILLA}")
_WHOLE_ACCENTED = re.compile(r"[À-ÖØ-öø-ÿ]")


def clean_markdown(text: str) -> str:
    """Apply every step in order."""
    for step in STEPS:
        text = step(text)
    return text


def normalise_characters(text: str) -> str:
    """NFC; ligatures and presentation forms as letters; no soft hyphens, zero-width or control characters."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n"))
    text = text.translate(_LATIN_LIGATURES | _INVISIBLE | _BIDI_MARKS)
    text = _SOFT_HYPHEN.sub("", _PRESENTATION_FORMS.sub(_plain_letters, text))
    return "".join(
        character
        for character in text
        if character in _KEPT_CONTROLS or (unicodedata.category(character) != "Cc" and character != "\ufffd")
    )


def _plain_letters(match: re.Match[str]) -> str:
    """The letters of presentation forms; a mark that stands alone has no space of its own."""
    return unicodedata.normalize("NFKC", match[0]).replace(" ", "")


def compose_accents(text: str) -> str:
    """An accent that stands beside its letter is joined to it where that makes a letter: ``f¨ur``, ``O˘guz``.

    Where there are whole accented letters, an acute accent stays: such a text has it for an apostrophe.
    """
    has_whole = _WHOLE_ACCENTED.search(text) is not None

    def joined(match: re.Match[str]) -> str:
        accent, letter = match.groups()
        if accent == _ACUTE and has_whole:
            return match[0]
        letter = "i" if letter == _DOTLESS_I else letter
        composed = unicodedata.normalize("NFC", letter + _COMBINING[accent])
        return composed if len(composed) == 1 else match[0]

    def with_cedilla(match: re.Match[str]) -> str:
        return unicodedata.normalize("NFC", f"{match[1]}\N{COMBINING CEDILLA}")

    return _ACCENT_FIRST.sub(joined, _CEDILLA_LAST.sub(with_cedilla, text))


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


def plain_symbols(text: str) -> str:
    """Brackets and signs of formulas are not emphasised by being italic: ``_{_ x _,_ y _}_``."""
    return _SYMBOLS_IN_ITALICS.sub(r"\1", text)


def close_up_punctuation(text: str) -> str:
    """The layout puts spaces around signs of another style; beside punctuation there are none on the page."""
    return _SPACE_AFTER_BRACKET.sub("", _SPACE_BEFORE_PUNCTUATION.sub(r"\1", text))


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
    compose_accents,
    unwrap_picture_text,
    drop_picture_notes,
    unwrap_decoration,
    plain_symbols,
    unbold_headings,
    close_up_punctuation,
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
