"""Make a font small, and see that it draws everything."""

import io
import logging
from typing import Any

from ocrstudio.domain.errors import InputError
from ocrstudio.pdf import engine
from ocrstudio.student.pretraining.material.alphabet import ALPHABET, LIGATURES

_LEGAL_NAMES = (0, 7, 13, 14)
_CELL = 48
_COLUMNS = 16
_SIZE = 26
_EMPTY = 255


def subset_font(data: bytes) -> bytes:
    """The font with the alphabet, its kerning and its ligatures of f; without hints.

    Names are left out except those of copyright and licence, so that no reserved font name is used for what
    is no longer that font.

    Raises:
        InputError: fontTools cannot read it.
    """
    from fontTools import subset
    from fontTools.ttLib import TTFont, TTLibError

    logging.getLogger("fontTools").setLevel(logging.ERROR)
    options = subset.Options(
        hinting=False,
        layout_features=["kern", "liga"],
        # Only ligatures whose glyph is asked for: others (Th, ->) stand for characters that nobody can name.
        layout_closure=False,
        name_IDs=list(_LEGAL_NAMES),
        name_languages=["*"],
        notdef_outline=True,
        glyph_names=False,
        legacy_kern=True,
    )
    options.drop_tables += [
        "FFTM",
        "MATH",
        "BASE",
        "PfEd",
        "TeX ",
        "Silf",
        "Silt",
        "Glat",
        "Gloc",
        "Feat",
        "Sill",
    ]
    try:
        font = TTFont(io.BytesIO(data), recalcTimestamp=False)
        subsetter = subset.Subsetter(options)
        subsetter.populate(text=ALPHABET + LIGATURES + " \u00a0")
        subsetter.subset(font)
        target = io.BytesIO()
        font.save(target)
    except (TTLibError, KeyError, AssertionError, ValueError, TypeError, AttributeError) as error:
        raise InputError(f"fontTools cannot cut the font down: {error!r}.") from error
    return target.getvalue()


def find_fault(data: bytes, alike: str = "") -> str | None:
    """What is wrong with a font when MuPDF draws it; None when every character has a glyph of its own.

    Args:
        data: The font.
        alike: Characters that may share one.
    """
    pymupdf = engine.load()
    with engine.collected_warnings():
        try:
            font = pymupdf.Font(fontbuffer=data)
            missing = [character for character in ALPHABET if not font.has_glyph(ord(character))]
            if missing:
                return f"lacks {''.join(missing)}"
            cells = _draw(pymupdf, font)
        except engine.failures() as error:
            return f"cannot be drawn: {error}"
    seen: dict[bytes, str] = {}
    for character, cell in zip(ALPHABET, cells, strict=True):
        if cell.count(_EMPTY) == len(cell):
            return f"draws nothing for {character}"
        if cell in seen and not {character, seen[cell]} <= set(alike):
            return f"draws {seen[cell]} and {character} alike"
        seen.setdefault(cell, character)
    return None


def _draw(pymupdf: Any, font: Any) -> list[bytes]:  # noqa: ANN401 (PyMuPDF is not typed)
    """The grey cell of each character."""
    import numpy as np

    rows = -(-len(ALPHABET) // _COLUMNS)
    with pymupdf.open() as document:
        page = document.new_page(width=_COLUMNS * _CELL, height=rows * _CELL)
        writer = pymupdf.TextWriter(page.rect)
        for number, character in enumerate(ALPHABET):
            row, column = divmod(number, _COLUMNS)
            place = (column * _CELL + 8, row * _CELL + 32)
            writer.append(place, character, font=font, fontsize=_SIZE)
        writer.write_text(page)
        pixmap = page.get_pixmap(colorspace=pymupdf.csGRAY)
        pixels = np.frombuffer(pixmap.samples, np.uint8).reshape(rows, _CELL, _COLUMNS, _CELL)
    cells = pixels.swapaxes(1, 2).reshape(-1, _CELL, _CELL)
    return [cell.tobytes() for cell in cells[: len(ALPHABET)]]
