"""Signs of fonts that have signs where other fonts have letters: ``3`` in ZapfDingbats is a check mark.

Tables: Adobe's encodings of Symbol and ZapfDingbats (PDF 32000-1:2008, annexes D.5 and D.6) and, for
Wingdings, Microsoft's chart of that font; only signs that documents use are listed.
"""

import unicodedata

_LAST_CODE = 0xFF
_PRIVATE = 0xF000  # where TrueType fonts with a symbol encoding put their 8-bit codes

_GREEK = "ΑΒΧ\N{INCREMENT}ΕΦΓΗΙ\N{GREEK THETA SYMBOL}ΚΛΜΝΟΠΘΡΣΤΥς\N{OHM SIGN}ΞΨΖ"  # noqa: RUF001
_GREEK_SMALL = "αβχδεφγηι\N{GREEK PHI SYMBOL}κλμνοπθρστυ\N{GREEK PI SYMBOL}ωξψζ"
_SYMBOL_SIGNS = {
    **{0x41 + number: letter for number, letter in enumerate(unicodedata.normalize("NFC", _GREEK))},
    **{0x61 + number: letter for number, letter in enumerate(_GREEK_SMALL)},
    **dict(zip((0x22, 0x24, 0x27, 0x2A, 0x2D, 0x40, 0x5C, 0x5E, 0x7E), "∀∃∋∗−≅∴⊥∼", strict=True)),  # noqa: RUF001
    **dict(enumerate("ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…", 0xA1)),  # noqa: RUF001
    **dict(enumerate("ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊", 0xC0)),  # noqa: RUF001
    0xE5: "∑",
    0xF2: "∫",
}
_ZAPF_EXCEPTIONS = {
    **dict(zip((0x25, 0x2A, 0x2B, 0x48, 0x6C, 0x6E, 0x73, 0x74, 0x75, 0x77), "☎☛☞★●■▲▼◆◗", strict=True)),
    **dict(enumerate("❡❢❣❤❥❦❧♣♦♥♠", 0xA1)),
    **dict(enumerate("①②③④⑤⑥⑦⑧⑨⑩", 0xAC)),
    **dict(zip((0xD5, 0xD6, 0xD7), "→↔↕", strict=True)),
}
_WINGDINGS = dict(
    zip(
        b"\x22\x28\x2a\x46\x4a\x4c\x6c\x6e\x6f\x71\x72\x75\x76\x77\x9f\xa1\xa7\xa8\xd8\xdf\xe0\xe1\xe2\xe8\xf0\xfb\xfc\xfd\xfe",
        "✂☎✉☞☺☹●■□❑❒◆❖◆•○▪◻➢←→↑↓➔⇨✘✔☒☑",
        strict=True,
    )
)


def sign_of(character: str, font: str) -> str:
    """What a character of a font with signs looks like; the character itself where the font has letters.

    Args:
        character: As the text layer has it.
        font: Name of its font.
    """
    table = _table_of(font)
    code = ord(character)
    if table is None or len(character) != 1:
        return character
    private = code & 0xFF00 == _PRIVATE
    if not private and (table is _SYMBOL_SIGNS or code > _LAST_CODE):
        return character
    code &= _LAST_CODE
    if code in table:
        return table[code]
    if table is _ZAPF_EXCEPTIONS:
        return chr(0x2700 + code - 0x20) if 0x20 < code < 0xFF else character  # noqa: PLR2004
    return chr(code) if private and table is _SYMBOL_SIGNS and 0x20 <= code < 0x7F else character  # noqa: PLR2004


def _table_of(font: str) -> dict[int, str] | None:
    name = font.replace(" ", "").lower()
    if "dingbats" in name:
        return _ZAPF_EXCEPTIONS
    if "wingdings" in name and "wingdings2" not in name and "wingdings3" not in name:
        return _WINGDINGS
    if "symbol" in name and "segoe" not in name:
        return _SYMBOL_SIGNS
    return None
