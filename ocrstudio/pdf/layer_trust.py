"""Whether a text layer is the true text of its page. The label is held against the same reading."""

import re
from collections.abc import Callable
from dataclasses import dataclass

# Measured on real documents: born-digital pages have hardly any unreadable and no hidden characters, and none
# of their words is broken by a symbol; a paper with wrong ligatures ("di!culties") breaks 13 words in 1,000.
_MAX_UNREADABLE = 0.01
_MOST_UNREADABLE = 30
_MAX_BROKEN_WORDS = 0.002
_MIN_BROKEN_WORDS = 3
_MAX_HIDDEN = 0.5
_SCAN_COVERAGE = 0.5
_MIN_LETTERS_ON_SCAN = 50

_WORD = re.compile(r"\S*\w\S*")
_LATIN = "A-Za-zÀ-ÖØ-öø-ɏ"
# Quotes and signs stand inside Latin words only where a font maps its ligatures wrongly; in other scripts
# particles follow quotes. Arrows, dingbats and boxes stand inside no word at all.
_BROKEN_WORD = re.compile(
    rf'[{_LATIN}]\ufffd[{_LATIN}]|[{_LATIN}]{{2}}(?:[!"#$][{_LATIN}]{{2}}|[\u2190-\u21ff\u2300-\u23ff\u2500-\u27bf][{_LATIN}])'
)


@dataclass(frozen=True)
class LayerFacts:
    """What is counted on a page before its text is trusted.

    Attributes:
        text: The text that can be seen.
        letters: Letters and digits of it.
        unreadable: Glyphs that can be seen and have no Unicode.
        hidden: Letters and digits of the layer that cannot be seen.
        picture_coverage: Share of the page that its largest picture covers.
        printed_picture: Whether that picture looks like a page with print beside the text of the layer.
    """

    text: str
    letters: int
    unreadable: int = 0
    hidden: int = 0
    picture_coverage: float = 0.0
    printed_picture: bool = False


def reason_for_distrust(facts: LayerFacts) -> str | None:
    """Why a text layer is not the true text of its page, or None when nothing speaks against it.

    Hidden text over a picture was written by some OCR program: a guess of unknown quality, with its own
    reading order. Taking it for the truth would spoil a dataset silently, so the page is read afresh.
    """
    checks: tuple[Callable[[LayerFacts], str | None], ...] = (_hidden_text, _emptiness, _picture, _garbage)
    return next((reason for check in checks if (reason := check(facts))), None)


def _hidden_text(facts: LayerFacts) -> str | None:
    if facts.hidden <= _MAX_HIDDEN * (facts.hidden + facts.letters):
        return None
    if facts.picture_coverage > _SCAN_COVERAGE:
        return "The page is a scan; its hidden text is the guess of another OCR program."
    total = facts.hidden + facts.letters
    return f"Most of the text layer cannot be seen ({facts.hidden:,} of {total:,} letters)."


def _emptiness(facts: LayerFacts) -> str | None:
    return "The page has no text layer." if facts.letters + facts.unreadable == 0 else None


def _picture(facts: LayerFacts) -> str | None:
    if facts.picture_coverage <= _SCAN_COVERAGE:
        return None
    if facts.letters < _MIN_LETTERS_ON_SCAN:
        return f"The page is a picture with only {facts.letters} letters of text."
    if facts.printed_picture:
        return (
            f"The page is a picture that has print of its own beside the {facts.letters:,} letters of text."
        )
    return None


def _garbage(facts: LayerFacts) -> str | None:
    if facts.unreadable > min(_MOST_UNREADABLE, _MAX_UNREADABLE * (facts.letters + facts.unreadable)):
        return f"The fonts do not say what their letters mean ({facts.unreadable:,} unreadable characters)."
    broken = _BROKEN_WORD.findall(facts.text)
    allowed = max(_MIN_BROKEN_WORDS, _MAX_BROKEN_WORDS * len(_WORD.findall(facts.text)))
    if len(broken) > allowed:
        return f"Some letters are encoded wrongly (for instance {broken[0]!r})."
    return None
