"""Drawn pages with known text for `benchmarks/offline_teacher.py`: scanned tables, and turned pages."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pymupdf
from PIL import Image

Pixels = npt.NDArray[np.uint8]
WIDTH, HEIGHT, DPI = 595, 842, 200
LEFT, TOP, LINE = 60, 70, 15


@dataclass(frozen=True)
class Cell:
    """Text of a cell, its lines, and how many columns and rows it covers."""

    lines: tuple[str, ...]
    columns: int = 1
    rows: int = 1


@dataclass(frozen=True)
class TableSpec:
    """A table on a page.

    Attributes:
        rows: Cells by row, spans as HTML has them.
        widths: Column widths in points.
        rules: Which rules are drawn: ``all``, ``rows`` (below every row), ``head`` (above and below the
            head and at the end), ``none``, ``open`` (all but the outer verticals).
        before: Lines of text above the table.
        after: Lines of text below it.
        font: Name of a built-in font.
        shaded: Whether the first row has a grey ground.
    """

    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[float, ...]
    rules: str = "all"
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    font: str = "helv"
    shaded: bool = False


def _cells(text: str) -> tuple[tuple[Cell, ...], ...]:
    """Rows from lines of ``a | b``; ``a / b`` has two lines; ``=3 a`` covers 3 columns, ``^2 a`` two rows."""
    rows = []
    for line in text.strip().splitlines():
        row = []
        for part in line.split("|"):
            words, columns, rows_covered = part.strip(), 1, 1
            if words.startswith("="):
                columns, words = int(words[1]), words[2:].strip()
            if words.startswith("^"):
                rows_covered, words = int(words[1]), words[2:].strip()
            row.append(Cell(tuple(piece.strip() for piece in words.split(" / ")), columns, rows_covered))
        rows.append(tuple(row))
    return tuple(rows)


_PROSE = (
    "The harbour board met on the first Monday of the month and heard the report of",
    "the keeper. The figures below were taken from the ledger and checked twice; where a",
    "number is missing the ship had left before the tide was measured.",
)
_CLOSING = (
    "All amounts are in thousands unless a note says otherwise. The board thanked the",
    "keeper for the report and set the next meeting for the second week of May.",
)

TABLES: Mapping[str, TableSpec] = {
    "ruled": TableSpec(
        _cells("""Ship | Cargo | Tons | Fee
            Aurora | Timber | 412 | 1,236
            Bellona | Coal and coke | 1,180 | 3,540
            Corvus | Grain | 655 | 1,965
            Dorothea | Salted fish | 98 | 294
            Elbe | Machine parts | 237 | 711"""),
        (110, 140, 90, 90), "all", _PROSE, _CLOSING,
    ),
    "booktabs": TableSpec(
        _cells("""Method | Precision | Recall | F1
            Baseline | 71.2 | 64.8 | 67.9
            With lexicon | 74.5 | 66.1 | 70.1
            With context | 78.9 | 70.3 | 74.4
            Both | 81.4 | 73.0 | 77.0"""),
        (150, 90, 90, 90), "head", _PROSE, _CLOSING, "tiro",
    ),
    "unruled": TableSpec(
        _cells("""Station | January | April | July | October
            North pier | 4.1 | 8.7 | 17.3 | 11.0
            South pier | 4.4 | 9.0 | 17.9 | 11.4
            Lighthouse | 3.8 | 7.9 | 16.2 | 10.8
            River mouth | 3.1 | 8.8 | 19.0 | 10.1
            Inner dock | 4.9 | 9.6 | 18.4 | 11.9"""),
        (120, 85, 85, 85, 85), "none", _PROSE, _CLOSING,
    ),
    "wrapped": TableSpec(
        _cells("""Task | What is done | Who
            Lamps | All lamps are cleaned and / filled before dusk | Keeper
            Ropes | Worn ropes are replaced; the / old ones go to the store / in the north cellar | Mate
            Log | Wind, tide and passing ships / are written down each hour | Watch
            Boats | Two boats stay ready at / the east steps | Crew"""),
        (90, 240, 90), "all", _PROSE, _CLOSING,
    ),
    "spans": TableSpec(
        _cells("""^2 Quay | =2 Ships | =2 Passengers
            in | out | in | out
            North | 41 | 39 | 1,204 | 1,188
            East | 17 | 18 | 300 | 322
            West | 8 | 9 | 96 | 101
            =3 Total of all quays | 1,600 | 1,611"""),
        (110, 80, 80, 80, 80), "all", _PROSE, _CLOSING,
    ),
    "rows": TableSpec(
        _cells("""Item | 2024 | 2025 | Change
            Revenue from dues | 12,480 | 13,105 | 5.0 %
            Revenue from storage | 3,204 | 3,377 | 5.4 %
            Other revenue | 611 | 590 | -3.4 %
            Wages | 8,310 | 8,702 | 4.7 %
            Repairs | 2,950 | 3,808 | 29.1 %
            Interest | 404 | 388 | -4.0 %
            Result | 4,631 | 4,174 | -9.9 %"""),
        (180, 80, 80, 80), "rows", _PROSE, _CLOSING,
    ),
    "open": TableSpec(
        _cells("""Code | Meaning | Limit
            A1 | Deep water berth | 12.5 m
            A2 | Berth for ferries | 8.0 m
            B1 | Fuel berth | 6.5 m
            C7 | Small craft | 2.1 m"""),
        (80, 200, 100), "open", _PROSE, _CLOSING, "tiro",
    ),
    "shaded": TableSpec(
        _cells("""No. | Name | Built | Length | Draught | Crew
            1 | Aurora | 1998 | 92.4 | 5.1 | 14
            2 | Bellona | 2004 | 110.0 | 6.3 | 17
            3 | Corvus | 1987 | 74.8 | 4.4 | 11
            4 | Dorothea | 2015 | 31.2 | 2.9 | 5
            5 | Elbe | 2011 | 88.0 | 4.8 | 13
            6 | Fortuna | 1979 | 60.5 | 3.7 | 9"""),
        (40, 110, 70, 70, 70, 60), "all", _PROSE, _CLOSING, "helv", True,
    ),
    "wide": TableSpec(
        _cells("""Month | Ships | Tons | Fees | Fuel | Water | Crew
            January | 31 | 14,204 | 42,612 | 880 | 410 | 96
            February | 28 | 12,950 | 38,850 | 790 | 385 | 91
            March | 40 | 19,318 | 57,954 | 1,102 | 520 | 120
            April | 44 | 20,007 | 60,021 | 1,190 | 544 | 131
            May | 52 | 23,870 | 71,610 | 1,370 | 601 | 150
            June | 55 | 25,111 | 75,333 | 1,422 | 640 | 158
            July | 58 | 26,004 | 78,012 | 1,475 | 655 | 162
            August | 57 | 25,870 | 77,610 | 1,460 | 650 | 161"""),
        (90, 60, 70, 70, 65, 65, 55), "none", _PROSE, _CLOSING,
    ),
    "chinese": TableSpec(
        _cells("""船名 | 货物 | 吨位 | 费用
            曙光 | 木材 | 412 | 1236
            海王 | 煤炭 | 1180 | 3540
            白鹭 | 粮食 | 655 | 1965
            东风 | 咸鱼 | 98 | 294"""),
        (110, 140, 90, 90), "all",
        ("港口委员会在每月的第一个星期一开会", "下表中的数字来自账本并经过两次核对"), (), "china-s",
    ),
}  # fmt: skip


def draw_tables(folder: Path) -> None:
    """Write NAME.png and NAME.md of every table."""
    for number, (name, spec) in enumerate(TABLES.items()):
        picture = _scanned(_table_page(spec), number)
        Image.fromarray(picture).save(folder / f"table-{name}.png", dpi=(DPI, DPI))
        (folder / f"table-{name}.md").write_text(_truth(spec), "utf-8")
        language = "chi_sim" if spec.font == "china-s" else "eng"
        (folder / f"table-{name}.lang").write_text(language, "utf-8")


def _table_page(spec: TableSpec) -> Pixels:
    with pymupdf.open() as document:
        page = document.new_page(width=WIDTH, height=HEIGHT)
        y = _paragraph(page, spec.before, TOP, spec.font) + 16
        grid = list(_placed(spec.rows))
        heights = _row_heights(spec, grid)
        xs = [LEFT + sum(spec.widths[:column]) for column in range(len(spec.widths) + 1)]
        ys = [y + sum(heights[:row]) for row in range(len(heights) + 1)]
        if spec.shaded:
            page.draw_rect((xs[0], ys[0], xs[-1], ys[1]), color=None, fill=(0.85, 0.85, 0.85))
        for row, column, cell in grid:
            box = xs[column], ys[row], xs[column + cell.columns], ys[row + cell.rows]
            top = (box[1] + box[3] - LINE * len(cell.lines)) / 2
            for number, line in enumerate(cell.lines):
                place = (box[0] + 6, top + LINE * number + 11)
                page.insert_text(place, line, fontsize=10.5, fontname=spec.font)
            _rules(page, spec, (row, column), cell, box)
        _paragraph(page, spec.after, ys[-1] + 30, spec.font)
        pixmap = page.get_pixmap(dpi=DPI)
        return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3).copy()


def _rules(
    page: pymupdf.Page, spec: TableSpec, place: tuple[int, int], cell: Cell,
    box: tuple[float, float, float, float],
) -> None:  # fmt: skip
    x0, y0, x1, y1 = box
    row, column = place
    last = row + cell.rows == len(spec.rows)
    horizontal = {"all": True, "open": True, "rows": True, "none": False, "head": row == 0 or last}[
        spec.rules
    ]
    if horizontal:
        page.draw_line((x0, y1), (x1, y1), width=0.8)
    if row == 0 and spec.rules != "none":
        page.draw_line((x0, y0), (x1, y0), width=0.8)
    if spec.rules == "all":
        page.draw_line((x0, y0), (x0, y1), width=0.8)
        page.draw_line((x1, y0), (x1, y1), width=0.8)
    if spec.rules == "open" and column > 0:
        page.draw_line((x0, y0), (x0, y1), width=0.8)


def _paragraph(page: pymupdf.Page, lines: Sequence[str], y: float, font: str) -> float:
    for number, line in enumerate(lines):
        page.insert_text((LEFT, y + LINE * number), line, fontsize=11, fontname=font)
    return y + LINE * len(lines)


def _placed(rows: Sequence[Sequence[Cell]]) -> Iterator[tuple[int, int, Cell]]:
    """Row, column and cell, with the places that spans cover left out."""
    taken: set[tuple[int, int]] = set()
    for row, cells in enumerate(rows):
        column = 0
        for cell in cells:
            while (row, column) in taken:
                column += 1
            yield row, column, cell
            taken |= {(row + r, column + c) for r in range(cell.rows) for c in range(cell.columns)}


def _row_heights(spec: TableSpec, grid: Sequence[tuple[int, int, Cell]]) -> list[float]:
    heights = [0.0] * len(spec.rows)
    for row, _, cell in grid:
        heights[row] = max(heights[row], (LINE * len(cell.lines)) / cell.rows + 8)
    return heights


def _truth(spec: TableSpec) -> str:
    rows = ""
    for cells in spec.rows:
        rows += "<tr>"
        for cell in cells:
            spans = f' colspan="{cell.columns}"' if cell.columns > 1 else ""
            spans += f' rowspan="{cell.rows}"' if cell.rows > 1 else ""
            rows += f"<td{spans}>{escape(' '.join(cell.lines))}</td>"
        rows += "</tr>"
    parts = ["\n".join(spec.before), f"<table>{rows}</table>", "\n".join(spec.after)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _scanned(pixels: Pixels, seed: int) -> Pixels:
    """Grey paper, a soft lens, noise and a small tilt, as a scanner gives them."""
    noise = np.random.default_rng(seed)
    grey = cv2.GaussianBlur(pixels.mean(axis=2).astype(np.float32), (0, 0), 0.9)
    grey = 30 + grey * (215 / 255) + noise.normal(0, 5, grey.shape)
    tilted = tilt(np.clip(grey, 0, 255).astype(np.uint8), 0.2 * (seed % 5 - 2), 245)
    return np.repeat(tilted[:, :, None], 3, axis=2)


def tilt(pixels: Pixels, degrees: float, ground: int = 255) -> Pixels:
    """The picture turned counter-clockwise, with room for its corners."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    cosine, sine = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = round(height * sine + width * cosine), round(height * cosine + width * sine)
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    border = (ground,) * 3 if pixels.ndim == 3 else ground
    turned = cv2.warpAffine(pixels, matrix, size, flags=cv2.INTER_CUBIC, borderValue=border)
    return np.asarray(turned, np.uint8)


TURNS: Mapping[str, Callable[[Pixels], Pixels]] = {
    "12": lambda pixels: tilt(pixels, 12),
    "-4": lambda pixels: tilt(pixels, -4),
    "90": lambda pixels: np.ascontiguousarray(np.rot90(pixels, 1)),
    "180": lambda pixels: np.ascontiguousarray(np.rot90(pixels, 2)),
    "270": lambda pixels: np.ascontiguousarray(np.rot90(pixels, 3)),
}


def draw_turned(folder: Path, source: Path, truth: str, language: str) -> None:
    """Write the picture `source` in every turn, each with the same truth."""
    pixels = np.asarray(Image.open(source).convert("RGB"))
    for name, turn in TURNS.items():
        target = folder / f"{source.stem}-turned{name}"
        Image.fromarray(turn(pixels)).save(f"{target}.png", dpi=(DPI, DPI))
        Path(f"{target}.md").write_text(truth, "utf-8")
        Path(f"{target}.lang").write_text(language, "utf-8")


VERTICAL = (
    "港の事務所はすべての船の名前と船長と積荷を帳簿に記録している",
    "灯台の番人は毎月一日に灯火の数をかぞえて報告書を書くことになっている",
    "北の倉庫には四十本の綱と九つの錨があり二つは錆びている",
    "来月の会議では新しい桟橋の工事について話し合う予定である",
    "漁師たちは朝早く海へ出て夕方に魚を市場へ運ぶ",
)


def draw_vertical(folder: Path) -> None:
    """Japanese from top to bottom, its lines from right to left."""
    with pymupdf.open() as document:
        page = document.new_page(width=WIDTH, height=HEIGHT)
        for number, line in enumerate(VERTICAL):
            for place, sign in enumerate(line):
                corner = (WIDTH - 90 - 34 * number, 90 + 18 * place)
                page.insert_text(corner, sign, fontsize=16, fontname="japan")
        page.get_pixmap(dpi=DPI).save(folder / "vertical-japanese.png")
    (folder / "vertical-japanese.md").write_text("\n".join(VERTICAL) + "\n", "utf-8")
    (folder / "vertical-japanese.lang").write_text("jpn", "utf-8")
