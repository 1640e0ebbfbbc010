"""Make what the reader is trained from; see docs/reader.md."""

import argparse
import importlib.util
import sys
from pathlib import Path

from ocrstudio.domain.errors import InputError, OcrStudioError
from ocrstudio.student.pretraining.material.build import ORIGINS, build, pack
from ocrstudio.student.pretraining.material.packages import find_packages
from ocrstudio.student.pretraining.material.table import read_table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ocrstudio.student.pretraining.material", description=__doc__
    )
    parser.add_argument("--output", type=Path, required=True, help="folder to make")
    parser.add_argument(
        "--packages",
        type=Path,
        help="folder of .deb files; missing ones are downloaded to it (default: OUTPUT.packages)",
    )
    parser.add_argument("--offline", action="store_true", help="download nothing")
    parser.add_argument("--table", type=Path, help="another table of packages")
    parser.add_argument("--pack", type=Path, metavar="FILE", help="also pack the folder as FILE (tar.xz)")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Make the folder; returns the exit status."""
    chosen = _parser().parse_args(arguments)
    try:
        _make(chosen)
    except OcrStudioError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _make(chosen: argparse.Namespace) -> None:
    if importlib.util.find_spec("fontTools") is None:
        raise InputError(
            "fontTools is not installed.", "Install it: pip install 'ocrstudio[train,material]'."
        )
    table = read_table(chosen.table)
    folder = chosen.packages or chosen.output.with_name(f"{chosen.output.name}.packages")
    packages = find_packages(table.packages(), folder, download=not chosen.offline)
    _say(f"{len(packages)} packages in {folder}")
    report = build(table, packages, chosen.output, _say)
    for line in report.left_out:
        _say(f"left out: {line}")
    _say(
        f"{sum(report.faces.values())} faces, {len(report.without_bold)} of them without a bold face, "
        f"{len(report.left_out)} fonts left out; see {chosen.output / ORIGINS}"
    )
    if chosen.pack:
        _say(f"{chosen.pack}: {pack(chosen.output, chosen.pack) / 1e6:.2f} MB")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
