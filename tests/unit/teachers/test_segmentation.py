"""The order of lines from the installed Tesseract: by its library and, without it, by its program."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from ocrstudio.pdf import open_document
from ocrstudio.teachers.offline import tesseract
from ocrstudio.teachers.offline.lines import OcrLine
from ocrstudio.teachers.offline.segmentation import find_library
from ocrstudio.teachers.offline.tesseract import installed_languages, read_in_order
from tests.fakes.pdfs import column_pdf

PROGRAM = shutil.which("tesseract") or ""
needs_tesseract = pytest.mark.skipif(not PROGRAM, reason="Tesseract is not installed")
needs_library = pytest.mark.skipif(
    not PROGRAM or find_library(PROGRAM) is None, reason="Tesseract has no library here"
)
DPI = 150


@pytest.fixture(scope="module")
def columns(tmp_path_factory: pytest.TempPathFactory) -> npt.NDArray[np.uint8]:
    """A page of two columns."""
    with open_document(column_pdf(tmp_path_factory.mktemp("columns") / "columns.pdf")) as document:
        return document.render(0, DPI).pixels


def sides(lines: Sequence[OcrLine], pixels: npt.NDArray[np.uint8]) -> list[str]:
    middle = pixels.shape[1] / 2
    return ["left" if (line.x0 + line.x1) / 2 < middle else "right" for line in lines]


@needs_library
def test_the_library_orders_the_lines_of_columns_and_needs_no_language(
    columns: npt.NDArray[np.uint8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))  # no data at all
    assert installed_languages() == frozenset()
    lines = read_in_order(columns, DPI, "港の事務所", ["eng"])
    found = sides(lines, columns)
    assert found == sorted(found)
    assert len(found) > 10
    assert set(found) == {"left", "right"}
    for column in ("left", "right"):
        tops = [line.y0 for line, side in zip(lines, found, strict=True) if side == column]
        assert tops == sorted(tops)
    assert {line.text for line in lines} == {""}  # ordered, not read


@needs_library
def test_library_and_program_see_the_same_lines_in_the_same_order(
    columns: npt.NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    if "eng" not in installed_languages():
        pytest.skip("Tesseract has no English")
    by_library = read_in_order(columns, DPI, "The left column", ["eng"])
    monkeypatch.setattr(tesseract, "find_library", lambda program: None)
    by_program = read_in_order(columns, DPI, "The left column", ["eng"])
    assert all(line.text for line in by_program)
    assert len(by_library) == len(by_program)
    for one, other in zip(by_library, by_program, strict=True):
        assert abs(one.y0 - other.y0) < 10
        assert abs(one.x0 - other.x0) < 10


@needs_tesseract
def test_a_library_that_cannot_be_used_leaves_it_to_the_program(
    columns: npt.NDArray[np.uint8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    if "eng" not in installed_languages():
        pytest.skip("Tesseract has no English")
    broken = tmp_path / "libtesseract.so.5"
    broken.write_bytes(b"no library")
    monkeypatch.setattr(tesseract, "find_library", lambda program: str(broken))
    lines = read_in_order(columns, DPI, "The left column", ["eng"])
    assert sides(lines, columns) == sorted(sides(lines, columns))
    assert lines
    assert all(line.text for line in lines)
    assert f"library {broken} cannot be used; its program is asked" in caplog.text


def test_without_tesseract_there_is_no_third_opinion(
    columns: npt.NDArray[np.uint8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert read_in_order(columns, DPI, "The left column", ["eng"]) == ()


def test_the_library_beside_the_program_wins(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "tesseract"
    library = tmp_path / "lib" / "libtesseract.so.5"
    for file in (program, library):
        file.parent.mkdir()
        file.touch()
    assert find_library(str(program)) == str(library)
    beside = program.with_name("libtesseract-5.dll")
    beside.touch()
    assert find_library(str(program)) == str(beside)
