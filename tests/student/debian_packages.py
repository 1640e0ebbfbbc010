"""Small packages of Debian, made from fonts that the environment has."""

import io
import random
import tarfile
from functools import cache
from pathlib import Path

import ziafont
from fontTools import subset
from fontTools.ttLib import TTFont

from ocrstudio.student.pretraining.material.alphabet import ALPHABET

LICENCE = (
    "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
    "Files: *\nCopyright: somebody\nLicense: OFL-1.1\n The text.\n\nFiles: debian/*\nLicense: GPL-2+\n"
)


def write_package(folder: Path, name: str, files: dict[str, bytes], version: str = "1.0-1") -> Path:
    """A package with a copyright file, by hand: an ``ar`` archive of three members."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:xz") as archive:
        for path, content in {f"usr/share/doc/{name}/copyright": LICENCE.encode(), **files}.items():
            member = tarfile.TarInfo(f"./{path}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    members = {"debian-binary": b"2.0\n", "control.tar.xz": b"odd", "data.tar.xz": target.getvalue()}
    data = b"!<arch>\n"
    for member_name, content in members.items():
        data += f"{member_name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
        data += content + b"\n" * (len(content) % 2)
    file = folder / f"{name}_{version}_all.deb"
    file.write_bytes(data)
    return file


def make_font(family: str, style: str, *, alike: str = "", without: str = "", heavier: bool = False) -> bytes:
    """A font of the alphabet.

    Args:
        family: Its name.
        style: Its name, such as ``Bold``.
        alike: Two characters; the second gets the glyph of the first.
        without: Characters that it lacks.
        heavier: Whether its letters differ from those of the others.
    """
    font = TTFont(io.BytesIO(_small_font()))
    for number, value in ((1, family), (2, style)):
        font["name"].setName(value, number, 3, 1, 0x409)
    if heavier:
        font["head"].unitsPerEm = round(font["head"].unitsPerEm * 0.8)
    for table in font["cmap"].tables:
        if alike:
            table.cmap[ord(alike[1])] = table.cmap[ord(alike[0])]
        for character in without:
            table.cmap.pop(ord(character), None)
    target = io.BytesIO()
    font.save(target)
    return target.getvalue()


@cache
def _small_font() -> bytes:
    """DejaVu Sans with the alphabet, a ligature and its hints, without a name."""
    font = TTFont(Path(ziafont.__file__).parent / "fonts" / "DejaVuSans.ttf")
    subsetter = subset.Subsetter(subset.Options(layout_features=["kern", "liga"], hinting=True))
    subsetter.populate(text=f"{ALPHABET} \ufb01")
    subsetter.subset(font)
    for number in (1, 2, 16, 17):
        font["name"].removeNames(nameID=number)
    target = io.BytesIO()
    font.save(target)
    return target.getvalue()


def make_html(paragraphs: int, seed: int) -> bytes:
    """A page with prose, a listing of code and words that no font of ours has."""
    source = random.Random(seed)
    words = ["".join(source.choices("etaoinshrdlu", k=source.randint(2, 8))) for _ in range(400)]
    prose = "".join(
        f'<p>The "first" {" ".join(source.choices(words, k=12))}&nbsp;was <b>caf\u00e9</b>.</p>'
        for _ in range(paragraphs)
    )
    return (
        f"<html><head><title>No prose at all in here, it is a title.</title></head><body>{prose}"
        "<pre>for (int i = 0; i &lt; 9; i++) this is code of a listing.</pre>"
        "<p>This paragraph has a word in \u65e5\u672c\u8a9e and is left out.</p></body></html>"
    ).encode()
