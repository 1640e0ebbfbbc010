"""Takes off an answer what is not the page: thoughts, a code fence around everything, talk around the text.

What was sent stays in the raw output. Only the beginning and the end of an answer are looked at: a page about
reasoning models may hold ``<think>``, a page about Markdown code fences.
"""

import re
from dataclasses import dataclass, replace

_THOUGHTS: tuple[tuple[str, str], ...] = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
)
_LEFTOVER = re.compile(r"<\|(?:end|return|im_end|eot_id)\|>\s*\Z")
_OPENING = re.compile(r"^(?P<fence>`{3,}|~{3,})[ \t]*(?P<language>[\w.+-]*)[ \t]*$", re.MULTILINE)
_MARKDOWN = frozenset({"markdown", "md", "mdx", "gfm"})
_NO_LANGUAGE = frozenset({"", "text", "txt", "plaintext", "plain"})
_STRUCTURE = re.compile(r"^(?:#{1,6} \S|\|.*\||[-*+] \S|\d+\. \S|>)|\*\*\S|\$\$|<table", re.MULTILINE)
_TALK = re.compile(
    r"^\W*(?:sure|certainly|of course|okay|ok|absolutely|here(?:.s| is| are)|below is|the following is)\b"
    r"|\b(?:let me know|feel free|hope this helps|would you like)\b"
    r"|\bi(?:.ve| have) (?:transcribed|converted|extracted)\b",
    re.IGNORECASE,
)
_ABOUT_THE_WORK = re.compile(
    r"\b(?:transcri\w+|markdown|ocr|extracted|converted|conversion)\b"
    r"|\b(?:text|contents?)\b.{0,30}\b(?:image|picture|page|document|scan)\b",
    re.IGNORECASE,
)
_MAX_TALK = 400
_MAX_SHARE = 1 / 3


@dataclass(frozen=True)
class Cleaned:
    """What is left of an answer.

    Attributes:
        text: The page.
        thoughts: Whether thoughts were taken off.
        unopened: Whether they had no beginning: the server opens them in the prompt.
        unfinished: Whether the answer ends within its thoughts, so that nothing of the page was written.
        unsure: Whether what was taken off (or left) may belong to the page (or not).
    """

    text: str
    thoughts: bool = False
    unopened: bool = False
    unfinished: bool = False
    unsure: bool = False


def clean(answer: str) -> Cleaned:
    """The page in an answer."""
    without = _without_thoughts(answer)
    if without.unfinished or not without.text.strip():
        return without
    text = _LEFTOVER.sub("", without.text) if without.thoughts else without.text
    fenced = _without_fence(text)
    if fenced is None:
        fenced = _without_talk(text)
    unsure = without.unsure or fenced.unsure
    return replace(without, text=fenced.text, unsure=unsure)


def _without_thoughts(answer: str) -> Cleaned:
    start = answer.lstrip()
    for opening, closing in _THOUGHTS:
        if start.startswith(opening):
            thoughts, closed, rest = start.removeprefix(opening).partition(closing)
            return Cleaned(rest.lstrip(), thoughts=bool(thoughts.strip()), unfinished=not closed)
    for opening, closing in _THOUGHTS:
        before, closed, rest = answer.partition(closing)
        if closed and opening not in before:
            # An answer that ends with the mark has only the mark too much.
            text = rest.lstrip() if rest.strip() else before
            return Cleaned(text, thoughts=True, unopened=True, unsure=not rest.strip())
    return Cleaned(answer)


def _without_fence(text: str) -> Cleaned | None:
    """The inside of a code fence that holds the whole page; None where there is no such fence."""
    opening = _OPENING.search(text)
    if opening is None:
        return None
    language = opening["language"].lower()
    inside, after, closed = _inside(text[opening.end() :].removeprefix("\n"), opening["fence"])
    before, after = text[: opening.start()].strip(), after.strip()
    if language not in _MARKDOWN:
        bare = language in _NO_LANGUAGE and not before and not after and closed
        # A page of program text is written like this, too: it has no headings or tables.
        return Cleaned(inside, unsure=True) if bare and _STRUCTURE.search(inside) else None
    around = len(before) + len(after)
    is_prose = _may_be_talk(before) and _may_be_talk(after)
    sure = is_prose and closed and _is_talk(before) and _is_talk(after)
    if sure or (is_prose and around <= _MAX_SHARE * len(inside)) or not around:
        return Cleaned(inside, unsure=not sure)
    return Cleaned(text, unsure=around < len(inside))


def _inside(rest: str, fence: str) -> tuple[str, str, bool]:
    """The inside of a fence, what comes after it, and whether it was closed.

    Fences within the page are whole: the last one closes. Several blocks after one another are one page.
    """
    close = re.compile(rf"^{re.escape(fence[0])}{{{len(fence)},}}[ \t]*$", re.MULTILINE)
    ends = list(close.finditer(rest))
    if not ends:
        return rest, "", False
    inside = rest[: ends[-1].start()]
    mark = re.escape(fence)
    seam = re.compile(rf"^{mark}[ \t]*\n\s*{mark}[ \t]*(?:markdown|md)[ \t]*$", re.MULTILINE)
    inside = seam.sub("", inside)
    return inside.rstrip("\n"), rest[ends[-1].end() :], True


def _without_talk(text: str) -> Cleaned:
    """An answer without fence whose first line announces the page.

    A page may begin with "Here is the agenda:", so a line that does not speak of the work stays, flagged.
    """
    first, gap, rest = text.strip().partition("\n\n")
    announces = (
        "\n" not in first and _may_be_talk(first) and first.rstrip().endswith(":") and _TALK.search(first)
    )
    if not gap or not announces:
        return Cleaned(text)
    rest, ended = _without_farewell(rest.strip())
    return Cleaned(rest) if ended or _ABOUT_THE_WORK.search(first) else Cleaned(text, unsure=True)


def _without_farewell(text: str) -> tuple[str, bool]:
    """Takes off a last line of talk. Only after an announcement: letters end like this as well."""
    rest, gap, last = text.rpartition("\n\n")
    if gap and "\n" not in last and _may_be_talk(last) and _TALK.search(last):
        return rest.rstrip().removesuffix("---").rstrip(), True
    return text, False


def _may_be_talk(paragraph: str) -> bool:
    """Whether a text is short prose without the marks of a page."""
    return len(paragraph) <= _MAX_TALK and "\n\n" not in paragraph and not _STRUCTURE.search(paragraph)


def _is_talk(paragraph: str) -> bool:
    """Whether the text around a fence speaks about the work, or there is none."""
    return not paragraph or any(words.search(paragraph) for words in (_TALK, _ABOUT_THE_WORK))
