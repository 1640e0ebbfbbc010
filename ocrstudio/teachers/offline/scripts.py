"""Which Tesseract languages fit a text or a script."""

import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

_SHARE = 0.1  # of the letters, for a script to count
LANGUAGES: Mapping[str, tuple[str, ...]] = {
    "HIRAGANA": ("jpn",),
    "KATAKANA": ("jpn",),
    "CJK": ("chi_sim", "chi_tra"),
    "HANGUL": ("kor",),
    "GREEK": ("ell",),
    "CYRILLIC": ("rus", "ukr", "bul"),
    "ARABIC": ("ara", "fas"),
    "HEBREW": ("heb",),
    "DEVANAGARI": ("hin",),
    "THAI": ("tha",),
}
"""Languages by script, as the names of Unicode characters begin. Latin is what is not here."""

_NOT_LATIN = frozenset(language for languages in LANGUAGES.values() for language in languages)


def fitting_languages(text: str, preferred: Sequence[str], installed: Collection[str]) -> tuple[str, ...]:
    """Installed languages for the scripts of a text, its main script first; none where one is not installed.

    Args:
        text: What has been read of a page.
        preferred: Languages of the configuration, which win where their script is there.
        installed: Languages that Tesseract has.
    """
    names = (unicodedata.name(sign, "").split(" ")[0] for sign in text if sign.isalpha())
    counts = Counter(name if name in LANGUAGES else "LATIN" for name in names)
    chosen: list[str] = []
    for script, count in counts.most_common():
        if count < _SHARE * counts.total():
            continue
        if script == "CJK" and counts["HIRAGANA"] + counts["KATAKANA"] >= _SHARE * counts.total():
            continue  # Japanese, which has the signs of Chinese
        known = _languages_of(script, preferred)
        found = [language for language in known if language in installed]
        if not found:
            return ()
        wanted = [language for language in found if language in preferred]
        chosen += wanted or found[:1]
    return tuple(dict.fromkeys(chosen))


def seen_languages(script: str, preferred: Sequence[str], installed: Collection[str]) -> tuple[str, ...]:
    """Installed languages for a script that is not Latin, and English, which stands beside most of them.

    Args:
        script: As Tesseract's script detection names it, such as ``Korean`` or ``Arabic``.
        preferred: Languages of the configuration, which win where their script is there.
        installed: Languages that Tesseract has.
    """
    known = LANGUAGES.get({"KOREAN": "HANGUL", "HAN": "CJK"}.get(script.upper(), script.upper()), ())
    found = [language for language in known if language in installed]
    if not found:
        return ()
    wanted = [language for language in found if language in preferred] or found[:1]
    return (*wanted, *(language for language in ("eng",) if language in installed))


def _languages_of(script: str, preferred: Sequence[str]) -> tuple[str, ...]:
    if script in LANGUAGES:
        return LANGUAGES[script]
    return (*(language for language in preferred if language not in _NOT_LATIN), "eng")
