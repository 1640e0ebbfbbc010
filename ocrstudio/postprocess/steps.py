"""The small steps beside grounding: special tokens, markup, blank lines; each is pure and linear in time."""

import re
from collections.abc import Sequence

from ocrstudio.postprocess.processed import Edit, Processed, apply_edits

# DeepSeek spells the tokens around a sequence with full-width bars, and those within it as <|name|>.
_SEQUENCE_TOKEN = re.compile(r"<\uff5c[\w\u2581]{1,40}\uff5c>")
_SPECIAL_TOKEN = re.compile(r"<[|\uff5c]/?[\w\u2581]{1,40}[|\uff5c]>")
_DOCUMENT_MARKUP = re.compile(r"</?center>|<--- ?Page Split ?--->", re.IGNORECASE)
_LONGEST_TAG = 48
_SHORTEST_TAG = 5
_BEFORE_CLOSING = "|\uff5crR-t "  # the last character but one of a tag
_MACROS = re.compile(r"\\(coloneqq|eqqcolon)(?![A-Za-z])")
_MACRO_TEXTS = {"coloneqq": ":=", "eqqcolon": "=:"}
_LINE_END = re.compile(r"\r\n?")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")


def normalise_line_ends(processed: Processed) -> Processed:
    r"""Write every line end as ``\n``."""
    return _substitute(processed, _LINE_END, "\n")


def remove_sequence_tokens(processed: Processed) -> Processed:
    """Remove begin- and end-of-sentence and padding tokens, so that the end of the text is the true end."""
    return _remove_tags(processed, (_SEQUENCE_TOKEN,))


def remove_special_tokens(processed: Processed) -> Processed:
    """Remove what is left of ``<|…|>`` tags: those without a partner, roles, the grounding switch."""
    return _remove_tags(processed, (_SPECIAL_TOKEN,))


def remove_document_tags(processed: Processed) -> Processed:
    """Remove special tokens, ``<center>`` around captions (its text stays) and page split lines."""
    return _remove_tags(processed, (_SPECIAL_TOKEN, _DOCUMENT_MARKUP))


def spell_out_macros(processed: Processed) -> Processed:
    r"""Write ``\coloneqq`` and ``\eqqcolon``, which renderers lack, as ``:=`` and ``=:``."""
    edits = [
        Edit(match.start(), match.end(), _MACRO_TEXTS[match.group(1)])
        for match in _MACROS.finditer(processed.text)
    ]
    return apply_edits(processed, edits)


def collapse_blank_lines(processed: Processed) -> Processed:
    """Leave at most one blank line between paragraphs."""
    return _substitute(processed, _BLANK_LINES, "\n\n")


def strip_ends(processed: Processed) -> Processed:
    """Remove blank lines at the start and white space at the end."""
    text = processed.text
    start = len(text) - len(text.lstrip())
    end = len(text.rstrip())
    if end <= start:
        return apply_edits(processed, [Edit(0, len(text))] if text else [])
    start = text.rfind("\n", 0, start) + 1  # the first line keeps its indentation
    edits = [Edit(0, start)] if start else []
    return apply_edits(processed, edits + ([Edit(end, len(text))] if end < len(text) else []))


def _substitute(processed: Processed, pattern: re.Pattern[str], replacement: str) -> Processed:
    return apply_edits(
        processed,
        [Edit(match.start(), match.end(), replacement) for match in pattern.finditer(processed.text)],
    )


def _remove_tags(processed: Processed, patterns: tuple[re.Pattern[str], ...]) -> Processed:
    """Remove tags until none is left, tags that appear by joining the text around a removed one included.

    A stack of kept characters makes this one pass: a tag always ends with ``>``, so only then is the end of
    what is kept looked at.
    """
    text = processed.text
    if not any(pattern.search(text) for pattern in patterns):
        return processed
    kept: list[int] = []
    position = 0
    while position < len(text):
        closing = text.find(">", position)
        end = closing + 1 if closing >= 0 else len(text)
        kept.extend(range(position, end))
        position = end
        if len(kept) < _SHORTEST_TAG or text[kept[-2]] not in _BEFORE_CLOSING:
            continue
        tail = "".join([text[index] for index in kept[-_LONGEST_TAG:]])
        opening = tail.rfind("<")
        if opening >= 0 and any(pattern.fullmatch(tail, opening) for pattern in patterns):
            del kept[opening - len(tail) :]
    return apply_edits(processed, _gaps(kept, len(text)))


def _gaps(kept: Sequence[int], length: int) -> list[Edit]:
    """The runs of positions that are missing from a rising list."""
    edits: list[Edit] = []
    expected = 0
    for index in kept:
        if index > expected:
            edits.append(Edit(expected, index))
        expected = index + 1
    return [*edits, Edit(expected, length)] if expected < length else edits
