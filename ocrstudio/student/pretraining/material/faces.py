"""Which font files of the packages become faces: families, styles, and the bold face of each."""

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

from ocrstudio.domain.errors import InputError
from ocrstudio.student.pretraining.material.packages import Package
from ocrstudio.student.pretraining.material.table import FontEntry

_PATTERNS = ("*.ttf", "*.otf", "*.TTF", "*.OTF")
# In this order: "extra bold" is not bold, nor is "demi bold", and "Courier Prime Bold" is bold although
# its name table says "Light".
_WEIGHTS = (
    (r"thin|hairline|(extra|ultra).?light", "thin"),
    (r"heavy|black|ultra|(extra|ex).?bold", "heavy"),
    (r"demi|semi", "semibold"),
    (r"bold", "bold"),
    (r"light", "light"),
    (r"medium", "medium"),
)
_BOLD = ("bold", "semibold", "heavy")
_WIDTHS = ((r"cond|narrow", "condensed"), (r"\bext\b|extended|expanded|wide", "wide"))
_ITALIC = r"ital|obli|slanted"


@dataclass(frozen=True)
class FontFile:
    """A font file of a package.

    Attributes:
        package: Where it is.
        path: In the package.
        data: Its bytes.
        family: Name of the family.
        weight: ``thin``, ``light``, ``regular``, ``medium``, ``semibold``, ``bold`` or ``heavy``.
        width: ``condensed``, ``normal`` or ``wide``.
        italic: Whether it is slanted.
    """

    package: Package = field(repr=False)
    path: str
    data: bytes = field(repr=False)
    family: str
    weight: str
    width: str
    italic: bool


@dataclass(frozen=True)
class ChosenFace:
    """A face to make.

    Attributes:
        name: Of its files, unique in its folder.
        regular: Its font.
        bold: The bold font of its family, or None.
        alike: Characters that its fonts may draw as each other.
    """

    name: str
    regular: FontFile
    bold: FontFile | None
    alike: str = ""


def choose_faces(entries: Sequence[FontEntry], packages: Mapping[str, Package]) -> list[ChosenFace]:
    """The faces that a part of the table names, in alphabetical order.

    Raises:
        InputError: A package lacks a family or a style that the table names.
    """
    known: dict[str, list[FontFile]] = {}
    for entry in entries:
        if entry.package not in known:
            known[entry.package] = _read_fonts(packages[entry.package])
    families: dict[str, list[FontFile]] = {}
    for font in (font for fonts in known.values() for font in fonts):
        families.setdefault(font.family, []).append(font)
    faces: dict[str, ChosenFace] = {}
    for entry in entries:
        for family in entry.families:
            chosen = [font for font in known[entry.package] if _is_named(font, family, entry)]
            if not chosen:
                raise InputError(
                    f"The package {entry.package} {packages[entry.package].version} holds no font "
                    f"{family} ({', '.join(entry.weights)}; {', '.join(entry.widths)}).",
                    f"It holds {_listing(known[entry.package])}. Correct the table of packages.",
                )
            for font in chosen:
                name = _face_name(font)
                twin = _bold_twin(font, families[family])
                faces.setdefault(name, ChosenFace(name, font, twin, entry.alike))
    return [faces[name] for name in sorted(faces)]


def _is_named(font: FontFile, family: str, entry: FontEntry) -> bool:
    name = PurePosixPath(font.path).name
    return (
        font.family == family
        and font.weight in entry.weights
        and font.width in entry.widths
        and (not font.italic or (entry.italics and font.weight == entry.weights[0]))
        and any(fnmatchcase(name, pattern) for pattern in entry.files)
    )


def _bold_twin(font: FontFile, family: Iterable[FontFile]) -> FontFile | None:
    """The bold face; upright where the family has no bold italic."""
    fitting = [
        other
        for other in family
        if other.width == font.width and other.weight in _BOLD and (font.italic or not other.italic)
    ]
    return min(
        fitting,
        # Its own package first: one of Debian's names a font of another family by mistake.
        key=lambda other: (
            other.italic != font.italic,
            _BOLD.index(other.weight),
            other.package.name != font.package.name,
            other.path,
        ),
        default=None,
    )


def _face_name(font: FontFile) -> str:
    style = [
        word
        for word, is_said in (
            (font.width, font.width != "normal"),
            (font.weight, font.weight != "regular"),
            ("italic", font.italic),
        )
        if is_said
    ]
    return "-".join([*re.findall(r"[a-z0-9]+", font.family.lower()), *style])


def _listing(fonts: Sequence[FontFile]) -> str:
    most = 12
    names = sorted({f"{font.family} ({font.weight}, {font.width})" for font in fonts})
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "no fonts") + more


def _read_fonts(package: Package) -> list[FontFile]:
    from fontTools.ttLib import TTFont, TTLibError

    fonts = []
    for path, data in package.files(_PATTERNS):
        try:
            font = TTFont(io.BytesIO(data), lazy=True)
            if "fvar" in font or "name" not in font:  # its styles also stand in files of their own
                continue
            family, style = _names(font)
        except (TTLibError, AssertionError, KeyError) as error:
            raise InputError(
                f"The font {path} of {package.file} cannot be read: {error}.", "Download the package again."
            ) from error
        said = f"{style} {PurePosixPath(path).stem}".lower()
        fonts.append(
            FontFile(
                package,
                path,
                data,
                family,
                _first(_WEIGHTS, said, "regular"),
                _first(_WIDTHS, said, "normal"),
                re.search(_ITALIC, said) is not None,
            )
        )
    return fonts


def _names(font: Any) -> tuple[str, str]:  # noqa: ANN401 (fontTools is not typed)
    """Family and style: the typographic ones where they are given."""
    table = font["name"]
    family = table.getDebugName(16) or table.getDebugName(1) or ""
    style = table.getDebugName(17) or table.getDebugName(2) or ""
    return family.strip(), style.strip()


def _first(patterns: Iterable[tuple[str, str]], text: str, otherwise: str) -> str:
    return next((name for pattern, name in patterns if re.search(pattern, text)), otherwise)
