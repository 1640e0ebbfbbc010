"""Make the folder: fonts, texts, tokenizer, licences, and where everything comes from."""

import shutil
import tarfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ocrstudio.domain.errors import InputError
from ocrstudio.student.pretraining.material.faces import ChosenFace, FontFile, choose_faces
from ocrstudio.student.pretraining.material.figures import write_figures
from ocrstudio.student.pretraining.material.licences import read_licences
from ocrstudio.student.pretraining.material.packages import Package
from ocrstudio.student.pretraining.material.subsetting import find_fault, subset_font
from ocrstudio.student.pretraining.material.table import FontEntry, Table, TextEntry
from ocrstudio.student.pretraining.material.texts import read_text
from ocrstudio.student.pretraining.material.vocabulary import train_reader_tokenizer
from ocrstudio.student.tokenizer import TOKENIZER_FILE
from ocrstudio.synthesis.vocabulary import read_vocabulary

FONTS, HELD_OUT_FONTS, NEW_FACES = "fonts", "held_out_fonts", "new_faces"
TEXTS, HELD_OUT_TEXTS = "texts", "held_out_texts"
TOKENIZER, LICENCES, ORIGINS = "tokenizer", "licences", "ORIGINS.md"
_FIGURES = "figures"
_USES: Mapping[str, str] = {
    FONTS: "training",
    TEXTS: "training",
    HELD_OUT_FONTS: "held out",
    HELD_OUT_TEXTS: "held out",
    NEW_FACES: "new face",
}

Say = Callable[[str], None]


@dataclass
class Report:
    """What was made.

    Attributes:
        faces: Faces of each folder.
        without_bold: Faces that have no bold font.
        left_out: Fonts that were not taken, and why.
        rows: Of the table of origins: use, what, package, version, licence.
    """

    faces: dict[str, int] = field(default_factory=dict)
    without_bold: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    rows: list[tuple[str, str, Package]] = field(default_factory=list)


def build(table: Table, packages: Mapping[str, Package], output: Path, say: Say) -> Report:
    """Write the folder; what an earlier call wrote there is replaced when all is done.

    Args:
        table: What is taken.
        packages: Every package of the table.
        output: The folder.
        say: Takes a line for whoever watches.

    Raises:
        InputError: A package lacks what the table names, no font of a folder is usable, the texts are too
            few, or the folder holds something else.
    """
    if output.exists() and any(output.iterdir()) and not (output / ORIGINS).exists():
        raise InputError(f"{output} holds files that are no material.", "Name another folder.")
    partial = output.with_name(f"{output.name}.part")
    report = _fill(table, packages, _emptied(partial), say)
    if output.exists():
        shutil.rmtree(output)
    partial.rename(output)
    return report


def _fill(table: Table, packages: Mapping[str, Package], output: Path, say: Say) -> Report:
    report = Report()
    for name, entries in (
        (FONTS, table.fonts),
        (HELD_OUT_FONTS, table.held_out_fonts),
        (NEW_FACES, table.new_faces),
    ):
        if entries:
            _write_fonts(_emptied(output / name), entries, packages, report)
            say(f"{name}: {report.faces[name]} faces")
    for name, text_entries in ((TEXTS, table.texts), (HELD_OUT_TEXTS, table.held_out_texts)):
        _write_texts(_emptied(output / name), text_entries, packages, report)
        say(f"{name}: {sum(file.stat().st_size for file in (output / name).iterdir()) / 1e6:.1f} MB")
    tokenizer = train_reader_tokenizer(
        read_vocabulary(sorted((output / TEXTS).glob("*.txt"))), table.tokens, table.tokenizer_pages
    )
    tokenizer.save(str(_emptied(output / TOKENIZER) / TOKENIZER_FILE))
    say(f"{TOKENIZER}: {tokenizer.get_vocab_size()} tokens")
    licences = _emptied(output / LICENCES)
    for package in packages.values():
        (licences / f"{package.name}.txt").write_text(package.copyright(), encoding="utf-8")
    (output / ORIGINS).write_text(write_origins(report), encoding="utf-8")
    return report


def pack(folder: Path, target: Path) -> int:
    """Pack the folder as ``tar.xz``, the same bytes for the same files; returns the size in bytes."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = member.mtime = 0
        member.uname = member.gname = ""
        member.mode = 0o644
        return member

    partial = target.with_name(target.name + ".part")
    # A dictionary of the archive's size: bold faces that several faces share are stored once.
    with tarfile.open(partial, "w:xz", preset=9, format=tarfile.PAX_FORMAT) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.add(file, Path(folder.name) / file.relative_to(folder), filter=plain)
    partial.replace(target)
    return target.stat().st_size


def write_origins(report: Report) -> str:
    """The page that says where everything comes from."""
    lines = [
        "# Where this material comes from",
        "",
        "Made by `python -m ocrstudio.student.pretraining.material` from packages of Debian. The copyright",
        "file of each package stands in `licences/`. Fonts are cut down to the characters that are written",
        "and carry no font name; texts are cleaned and shortened. `texts/figures.txt` is written by the",
        "program from the names of the text `names`.",
        "",
        "| use | font family or text | package | version | licence |",
        "|---|---|---|---|---|",
    ]
    for use, what, package in report.rows:
        licence = "; ".join(read_licences(package.copyright())) or "see the copyright file"
        lines.append(f"| {use} | {what} | {package.name} | {package.version} | {licence} |")
    counts = ", ".join(f"{count} in `{name}/`" for name, count in report.faces.items())
    lines += ["", f"Faces: {counts}."]
    for title, items in (("Without a bold face", report.without_bold), ("Left out", report.left_out)):
        lines += ["", f"{title}: {len(items)}.", *(f"- {item}" for item in items)]
    return "\n".join(lines) + "\n"


def _emptied(folder: Path) -> Path:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


def _write_fonts(
    folder: Path, entries: Sequence[FontEntry], packages: Mapping[str, Package], report: Report
) -> None:
    cut = _Cutter()
    taken: list[FontFile] = []
    for face in choose_faces(entries, packages):
        data, fault = cut(face.regular, face.alike)
        if fault:
            report.left_out.append(f"{folder.name}: {_said(face.regular)} {fault}")
            continue
        (folder / f"{face.name}.r{_ending(data)}").write_bytes(data)
        taken.append(face.regular)
        if not _write_bold(folder, face, cut, report):
            report.without_bold.append(f"{folder.name}: {face.name}")
    if not taken:
        raise InputError(f"No font for {folder} is usable: {'; '.join(report.left_out)}.")
    report.faces[folder.name] = len(taken)
    families = {(font.package.name, font.family): font.package for font in taken}
    report.rows += [
        (_USES[folder.name], family, package) for (_, family), package in sorted(families.items(), key=_key)
    ]


def _key(item: tuple[tuple[str, str], Package]) -> tuple[str, str]:
    return item[0][1].lower(), item[0][0]


def _write_bold(folder: Path, face: ChosenFace, cut: "_Cutter", report: Report) -> bool:
    if face.bold is None:
        return False
    data, fault = cut(face.bold, face.alike)
    if fault:
        line = f"{folder.name}: {_said(face.bold)} {fault}"
        if line not in report.left_out:
            report.left_out.append(line)
        return False
    (folder / f"{face.name}.b{_ending(data)}").write_bytes(data)
    return True


class _Cutter:
    """Cuts fonts down, each once."""

    def __init__(self) -> None:
        self._done: dict[tuple[str, str], tuple[bytes, str | None]] = {}

    def __call__(self, font: FontFile, alike: str) -> tuple[bytes, str | None]:
        key = (font.package.name, font.path)
        if key not in self._done:
            try:
                data = subset_font(font.data)
                self._done[key] = (data, find_fault(data, alike))
            except InputError as error:
                self._done[key] = (b"", str(error))
        return self._done[key]


def _said(font: FontFile) -> str:
    return f"{font.path.rsplit('/', 1)[-1]} ({font.package.name})"


def _ending(data: bytes) -> str:
    return ".otf" if data.startswith(b"OTTO") else ".ttf"


def _write_texts(
    folder: Path, entries: Iterable[TextEntry], packages: Mapping[str, Package], report: Report
) -> None:
    for entry in entries:
        package = packages[entry.package]
        lines = read_text(entry, package)
        _write_lines(folder / f"{entry.name}.txt", lines)
        if entry.kind == "names":
            _write_lines(folder / f"{_FIGURES}.txt", write_figures(lines))
        report.rows.append((_USES[folder.name], f"text `{entry.name}`", package))


def _write_lines(file: Path, lines: Sequence[str]) -> None:
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
