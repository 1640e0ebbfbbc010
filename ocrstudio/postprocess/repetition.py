"""Runaway repetition: a model that writes the same again and again until its token budget ends.

About one page in ten of hard material ends this way. Three signs are looked for, each in linear time: the end
of the text is one unit repeated; lines come back in the same order; the same phrases return with small
changes. Long tables repeat too, so rows of tables and units without a word need far more repetitions.
"""

import re

from ocrstudio.domain.wording import shortened

_TAIL = 20_000  # characters looked at for a repeated end
_MIN_TAIL = 200
_MIN_REPEATS = 4
_MIN_WORDLESS = 4_000  # dotted leaders, rules, empty table cells

_MAX_LINE_PERIOD = 12
_MIN_LINE_CHARACTERS = 400
_MIN_LINE_REPEATS = 8
_MIN_ROW_REPEATS = 60

_WINDOW = 400  # words
_PHRASE = 3  # words
_MIN_DISTINCT = 0.12

_QUOTED = 40
_MARKUP = re.compile(r"<[^<>]{0,200}>|&[a-z]{1,8};")
_LETTERS_OR_DIGITS = re.compile(r"[^\W_]")
_WORDS = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\\W\\d_]{2,}")


def find_runaway(text: str) -> str | None:
    """Say how a text repeats itself, or None when it does not.

    Args:
        text: Model output, post-processed or raw.

    Returns:
        A clause for a message, such as ``the last 40 lines repeat``.
    """
    return _repeated_end(text.rstrip()) or _repeated_lines(text) or _returning_phrases(text)


def _repeated_end(text: str) -> str | None:
    """Find the shortest unit whose repetition is the end of the text (a cut last unit included)."""
    tail = text[-_TAIL:][::-1]
    matches = _prefix_matches(tail)
    for period in range(1, len(tail) // _MIN_REPEATS + 1):
        length = period + (matches[period] if period < len(tail) else 0)
        if length < _MIN_TAIL or length // period < _MIN_REPEATS:
            continue
        unit = tail[:period][::-1]
        if not _LETTERS_OR_DIGITS.search(_MARKUP.sub("", unit)) and length < _MIN_WORDLESS:
            return None  # longer periods would only repeat this one
        if _is_rows(unit) and length // period < _MIN_ROW_REPEATS:
            return None
        repeats = (length + period // 2) // period
        return f'the text ends with {repeats} repetitions of "{_short(unit)}"'
    return None


def _prefix_matches(text: str) -> list[int]:
    """The Z function: for each position, how many characters from there equal the start of the text."""
    matches = [0] * len(text)
    left = right = 0
    for position in range(1, len(text)):
        length = min(right - position, matches[position - left]) if position < right else 0
        while position + length < len(text) and text[length] == text[position + length]:
            length += 1
        matches[position] = length
        if position + length > right:
            left, right = position, position + length
    return matches


def _repeated_lines(text: str) -> str | None:
    """Find a block of up to twelve lines that comes again and again, anywhere in the text."""
    lines = [" ".join(line.split()) for line in text.splitlines()]
    lines = [line for line in lines if line]
    for period in range(1, min(_MAX_LINE_PERIOD, len(lines) // 2) + 1):
        run = characters = 0
        longest, at = 0, 0
        for index in range(period, len(lines)):
            same = lines[index] == lines[index - period]
            run = run + 1 if same else 0
            characters = characters + len(lines[index]) if same else 0
            if characters >= _MIN_LINE_CHARACTERS and run > longest:
                longest, at = run, index
        block = lines[at - period + 1 : at + 1]
        if longest and longest // period + 1 >= _needed_repeats(block):
            where = "the last" if at == len(lines) - 1 else "in the middle of the text,"
            return f"{where} {longest + period} lines repeat"
    return None


def _needed_repeats(block: list[str]) -> int:
    if not any(_LETTERS_OR_DIGITS.search(_MARKUP.sub("", line)) for line in block):
        return _MIN_WORDLESS
    return _MIN_ROW_REPEATS if any(_is_rows(line) for line in block) else _MIN_LINE_REPEATS


def _returning_phrases(text: str) -> str | None:
    """Find a stretch of 400 words outside tables that consists of few different phrases."""
    words = _WORDS.findall(_without_tables(text).casefold())
    phrases = list(zip(*(words[offset:] for offset in range(_PHRASE)), strict=False))
    for start in range(0, len(phrases) - _WINDOW + 1, _WINDOW // 2):
        window = phrases[start : start + _WINDOW]
        if len(set(window)) < _MIN_DISTINCT * len(window):
            return f'the same phrases return again and again, such as "{_short(" ".join(window[-1]))}"'
    return None


def _without_tables(text: str) -> str:
    prose: list[str] = []
    for index, part in enumerate(text.split("<table")):
        _, closing, behind = part.partition("</table>")
        prose.append(behind if index and closing else "" if index else part)
    lines = "\n".join(prose).splitlines()
    return _MARKUP.sub(" ", "\n".join(line for line in lines if not line.lstrip().startswith("|")))


def _is_rows(text: str) -> bool:
    text = text.strip()
    return text.count("|") > 1 or "<td" in text or "<tr" in text


def _short(text: str) -> str:
    return shortened(" ".join(text.split()), _QUOTED)
