"""Is a draft the text of its page? Every draft of every teacher is held against the picture.

Nothing is read here. The picture says about how many characters the page has (`imaging.ink`), a born-digital
page draws a known number of letters (`pdf.glyphs`), and a teacher may say how many it found and how many of
them are in its draft. A draft that explains far less, or that has far more, is not a label to be trusted.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from ocrstudio.domain.region import Box, Region
from ocrstudio.teachers.base import INCOMPLETE, UNFOUNDED, Draft
from ocrstudio.teachers.page_ink import PageInk

if TYPE_CHECKING:  # numpy is loaded in the child alone
    from ocrstudio.imaging.ink import Ink, InkLine

CHECK: Final = "check"
"""Key of a draft's parameters under which the check is kept."""

_IDEOGRAPHS = 0.68
"""Chinese, Japanese or Korean characters for each Latin one of the same ink."""

# Calibrated by benchmarks/draft_check.py.
_LEAST_OF_INK = 0.62
_LEAST_OF_GLYPHS = 0.72
_LEAST_KEPT = 0.9
_MOST_OF_INK = 2.0
_MOST_OF_GLYPHS = 1.7
_MOST_OUTSIDE = 0.4
_LEAST_IN_REGIONS = 0.8
_SPARE = 40
"""Characters that may be too many on any page (a description of a picture); half as many may be missing."""
_AGREE = (0.5, 1.8)
_MOST_SHAPES = 0.5
_MARGIN = 0.01

_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)|\]\([^)]*\)")
_TAG = re.compile(r"<[^<>]{1,400}>")
_LAYOUT_COMMAND = re.compile(
    r"\\(?:begin|end)\s*\{[^}]*\}(?:\{[^}]*\})?|"
    r"\\(?:d?frac|sqrt|math\w+|text\w*|left|right|operatorname|hat|bar|tilde|vec|q?quad|overline|underline|"
    r"displaystyle|limits|boldsymbol|label|tag|hline|hspace|vspace)\b\*?"
)
_SYMBOL_COMMAND = re.compile(r"\\[a-zA-Z]+")
_MARKUP = re.compile(r"[\\|#*_`~$^{}>\s&\-=]|\.{4,}")
_IDEOGRAPH = re.compile(r"[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")


class Verdict(StrEnum):
    """What a draft is to its page."""

    EXPLAINED = "explained"
    INCOMPLETE = "incomplete"  # text of the page is missing
    UNFOUNDED = "unfounded"  # there is more text than the page can have
    EMPTY = "empty"
    BLANK = "blank"  # so is the page
    UNCHECKED = "unchecked"  # the picture could not be measured, or only a part of the text was wanted


FLAGS: Final[Mapping[Verdict, str]] = {Verdict.INCOMPLETE: INCOMPLETE, Verdict.UNFOUNDED: UNFOUNDED}
"""The flag of a draft for each verdict that asks for a person's eyes."""


@dataclass(frozen=True)
class DraftCheck:
    """What came of holding a draft against its page.

    Attributes:
        verdict: The outcome.
        text: Characters of the draft, markup not counted.
        page: About how many the page has, or None when it could not be measured.
        share: Text by page, or None.
        outside: Share of the page's text that stands outside of all regions of the draft; None without any.
        sentence: Why the draft should be looked at, or empty.
    """

    verdict: Verdict
    text: int
    page: int | None = None
    share: float | None = None
    outside: float | None = None
    sentence: str = ""

    def record(self) -> dict[str, Any]:
        """As JSON values, for the parameters of a revision."""
        return {**asdict(self), "verdict": self.verdict.value}


def check_draft(draft: Draft, measured: PageInk | str, *, whole_page: bool = True) -> DraftCheck:
    """Hold a draft against what its page shows.

    Args:
        draft: The draft.
        measured: The page, or the reason why it could not be measured.
        whole_page: Whether the draft is to be all text of the page; of a part, only emptiness is judged.
    """
    text, ideographs = visible_characters(draft.text)
    if isinstance(measured, str):
        verdict = Verdict.UNCHECKED if text else Verdict.EMPTY
        sentence = "" if text else "The answer has no text."
        return DraftCheck(verdict, text, sentence=sentence)
    ink = measured.ink
    by_ink = ink.characters * (1 - (1 - _IDEOGRAPHS) * ideographs)
    exact = measured.glyphs > 0 and _AGREE[0] <= measured.glyphs / max(by_ink, 1.0) <= _AGREE[1]
    page = round(measured.glyphs if exact else by_ink)
    outside = _outside(ink.lines, draft.regions)
    found = DraftCheck(
        Verdict.EXPLAINED,
        text,
        page,
        round(text / page, 3) if page else None,
        None if outside is None else round(outside, 3),
    )
    if not text:
        return _of_empty(found, ink)
    if not whole_page:
        return _with(found, Verdict.UNCHECKED, "")
    return _missing(found, draft, exact=exact) or _too_much(found, ink, exact=exact) or found


def visible_characters(markdown: str) -> tuple[int, float]:
    """The characters of a text that would be seen on a page, blanks not counted, and the share of ideographs.

    Markup, tags, addresses and the names of LaTeX commands are no characters of the page; a command that
    stands for a symbol counts as one.
    """
    text = _TAG.sub("", _IMAGE.sub("", markdown))
    text = _MARKUP.sub("", _SYMBOL_COMMAND.sub("x", _LAYOUT_COMMAND.sub("", text)))
    return len(text), len(_IDEOGRAPH.findall(text)) / len(text) if text else 0.0


def _of_empty(found: DraftCheck, ink: "Ink") -> DraftCheck:
    if ink.is_blank:
        return _with(found, Verdict.BLANK, "")
    if found.page:
        return _with(
            found,
            Verdict.EMPTY,
            f"The answer has no text although the page has about {found.page:,} characters.",
        )
    return _with(found, Verdict.EMPTY, "The answer has no text although the page is not blank.")


def _missing(found: DraftCheck, draft: Draft, *, exact: bool) -> DraftCheck | None:
    page = found.page or 0
    least = min(_LEAST_OF_GLYPHS * page, page - _SPARE / 2) if exact else _LEAST_OF_INK * page - _SPARE / 2
    if found.text < least:
        about = "" if exact else "about "
        return _with(
            found,
            Verdict.INCOMPLETE,
            f"The answer has {found.text:,} characters and the page {about}{page:,}: text may be missing.",
        )
    kept, all_found = draft.parameters.get("letters_kept"), draft.parameters.get("letters_found")
    if isinstance(kept, int) and isinstance(all_found, int) and kept < _LEAST_KEPT * all_found:
        return _with(
            found,
            Verdict.INCOMPLETE,
            f"Only {kept:,} of {all_found:,} letters that were found on the page are in the answer.",
        )
    outside, share = found.outside or 0.0, found.share or 0.0
    if outside > _MOST_OUTSIDE and outside * page > 2 * _SPARE and share < _LEAST_IN_REGIONS:
        return _with(
            found,
            Verdict.INCOMPLETE,
            f"{outside:.0%} of what looks like text stands outside of all parts that were read.",
        )
    return None


def _too_much(found: DraftCheck, ink: "Ink", *, exact: bool) -> DraftCheck | None:
    page = found.page or 0
    most = _MOST_OF_GLYPHS * page if exact else _MOST_OF_INK * max(ink.at_most, page)
    if ink.shapes > _MOST_SHAPES or found.text <= most + _SPARE:
        return None
    return _with(
        found,
        Verdict.UNFOUNDED,
        f"The answer has {found.text:,} characters although the page has only about {page:,}: "
        "some may be invented, or belong to another page.",
    )


def _outside(lines: "Sequence[InkLine]", regions: Sequence[Region]) -> float | None:
    """The share of a page's text whose lines lie in no region with text."""
    boxes = [box for region in regions for box in region.boxes]
    total = sum(line.characters for line in lines)
    if not boxes or not total:
        return None
    lost = sum(line.characters for line in lines if not any(_holds(box, line.box) for box in boxes))
    return lost / total


def check_in_words(parameters: Mapping[str, Any]) -> str:
    """What the parameters of a revision say of its check, in a few words; empty when it was never checked."""
    check = parameters.get(CHECK)
    if not isinstance(check, Mapping):
        return ""
    kept, found = parameters.get("letters_kept"), parameters.get("letters_found")
    letters = (
        f"{kept:,} of {found:,} letters kept" if isinstance(kept, int) and isinstance(found, int) else ""
    )
    known: Mapping[str, str] = {
        Verdict.EMPTY: "no text",
        Verdict.BLANK: "the page is blank",
        Verdict.UNCHECKED: "not held against the picture",
    }
    said = known.get(check["verdict"])
    if said is None:
        said = f"{check.get('text', 0):,} characters, the page about {check.get('page') or 0:,}"
    return ", ".join(filter(None, [said, letters]))


def _holds(region: Box, line: Box) -> bool:
    x, y = (line.x0 + line.x1) / 2, (line.y0 + line.y1) / 2
    return region.x0 - _MARGIN <= x <= region.x1 + _MARGIN and region.y0 - _MARGIN <= y <= region.y1 + _MARGIN


def _with(found: DraftCheck, verdict: Verdict, sentence: str) -> DraftCheck:
    return DraftCheck(verdict, found.text, found.page, found.share, found.outside, sentence)
