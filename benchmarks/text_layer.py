"""How good is the text of born-digital pages, and what do others make of the same pages?

    python benchmarks/text_layer.py FOLDER_OR_PDF... --rows after.jsonl [--pages 3] [--package CHECKOUT]
    python benchmarks/text_layer.py --compare before.jsonl after.jsonl

A page's truth is ``<name>.p<number>.txt`` or ``.md`` beside ``<name>.pdf`` (``<name>.md`` for a document of
one page). Where there is none, the label is held against PDFium's reading (``pip install pypdfium2``) and
MuPDF's, the letters and digits only: the share that was kept, and the edit distance, which tells about the
order. Both take hidden text for text, and running heads, which labels leave out. Each document is read in a
child with a limit, because some of them never end.
"""

import argparse
import json
import subprocess
import sys
import threading
import time
import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SECONDS_A_DOCUMENT = 180
NOTICEABLE = 0.02


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("inputs", nargs="*", type=Path)
    parser.add_argument("--rows", type=Path, help="where the figures of each page go")
    parser.add_argument("--pages", type=int, default=3, help="at most this many pages of a document")
    parser.add_argument(
        "--package", type=Path, default=ROOT, help="the checkout whose text layer is measured"
    )
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("BEFORE", "AFTER"))
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        sys.path.insert(0, str(options.package))
        measure_documents(options.pages)
        return 0
    if options.compare:
        compare(*map(rows_of, options.compare))
        return 0
    child = Child(options.package, options.pages)
    with options.rows.open("w", encoding="utf-8") as out:
        for path in documents(options.inputs):
            for row in child.rows(path):
                out.write(json.dumps(row, ensure_ascii=True) + "\n")
                out.flush()
    summarise(rows_of(options.rows))
    return 0


def documents(inputs: list[Path]) -> list[Path]:
    found: list[Path] = []
    for given in inputs:
        if given.suffix == ".txt":
            found += [Path(line) for line in given.read_text().splitlines() if line.strip()]
        else:
            found += sorted(given.rglob("*.pdf")) if given.is_dir() else [given]
    return found


class Child:
    """A process that reads documents; a new one takes over where one hangs or crashes."""

    def __init__(self, package: Path, pages: int) -> None:
        self._command = [
            sys.executable,
            __file__,
            "--child",
            "--pages",
            str(pages),
            "--package",
            str(package),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def rows(self, path: Path) -> list[dict[str, Any]]:
        """The rows of one document."""
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process = self._process
        timer = threading.Timer(SECONDS_A_DOCUMENT, process.kill)
        timer.start()
        rows = []
        try:
            process.stdin.write(f"{path}\n".encode())
            process.stdin.flush()
            for line in process.stdout:
                if line.startswith(b"END"):
                    return rows
                if line.startswith(b"ROW "):
                    rows.append(json.loads(line[4:]))
        except BrokenPipeError:
            pass
        finally:
            timer.cancel()
        return rows or [{"document": str(path), "page": 0, "error": "never ended or crashed"}]


def measure_documents(limit: int) -> None:
    for line in sys.stdin:
        try:
            measure_document(Path(line.strip()), limit)
        except Exception as error:  # noqa: BLE001 - the next document is read all the same
            print("ROW " + json.dumps({"document": line.strip(), "page": 0, "error": repr(error)}))
        print("END", flush=True)


def measure_document(path: Path, limit: int) -> None:
    from ocrstudio.domain.errors import OcrStudioError
    from ocrstudio.pdf.text_layer import read_text_layer

    count, references = peers(path, limit)
    for page in chosen(count, limit):
        start = time.perf_counter()
        row: dict[str, Any] = {"document": str(path), "page": page}
        try:
            layer = read_text_layer(path, page)
            row |= {"usable": layer.usable, "reason": layer.reason, "markdown": layer.markdown}
            row |= {
                name: getattr(layer, name, None) for name in ("letters_found", "letters_kept", "doubtful")
            }
            row["remarks"] = list(getattr(layer, "remarks", ()))
        except OcrStudioError as error:
            row["error"] = str(error)
        row["seconds"] = round(time.perf_counter() - start, 3)
        row["peers"] = references[page]
        row["truth"] = truth(path, page, count)
        print("ROW " + json.dumps(row, ensure_ascii=True), flush=True)


def chosen(count: int, limit: int) -> list[int]:
    """The first pages and some from the middle."""
    return sorted({count * number // limit for number in range(limit)} | ({0} if count else set()))


def peers(path: Path, limit: int) -> tuple[int, dict[int, dict[str, str]]]:
    import pymupdf

    texts: dict[int, dict[str, str]] = {}
    with pymupdf.open(path) as document:
        count = document.page_count if not document.needs_pass else 0
        for page in chosen(count, limit):
            texts[page] = {"mupdf": document[page].get_text()}
    try:
        import pypdfium2
    except ImportError:
        return count, texts
    try:
        pdf = pypdfium2.PdfDocument(path)
        for page, found in texts.items():
            found["pdfium"] = pdf[page].get_textpage().get_text_bounded()
    except pypdfium2.PdfiumError:
        pass
    return count, texts


def truth(path: Path, page: int, count: int) -> str | None:
    names = [f"{path.stem}.p{page + 1}.txt", f"{path.stem}.p{page + 1}.md"]
    names += [f"{path.stem}.md"] if count == 1 else []
    beside = [path.with_name(name) for name in names]
    return next((file.read_text(encoding="utf-8") for file in beside if file.is_file()), None)


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [scored(json.loads(line)) for line in path.read_text(encoding="utf-8").split("\n") if line]


def scored(row: dict[str, Any]) -> dict[str, Any]:
    """Adds the share of letters kept, those invented, and the edit distance to each reading."""
    from rapidfuzz.distance import Levenshtein

    if "error" in row:
        return row
    label = letters(row["markdown"])
    readings = {name: letters(text) for name, text in row["peers"].items()}
    if row["truth"] is not None:
        readings["truth"] = letters(row["truth"])
    for name, reading in readings.items():
        common = (Counter(label) & Counter(reading)).total()
        row[f"kept_{name}"] = common / len(reading) if reading else 1.0
        row[f"extra_{name}"] = (len(label) - common) / max(1, len(label))
        row[f"cer_{name}"] = Levenshtein.distance(label, reading) / max(1, len(reading))
    if row["truth"] is not None:
        for name in row["peers"]:
            row[f"peer_{name}"] = Levenshtein.distance(readings[name], readings["truth"]) / max(
                1, len(readings["truth"])
            )
    return row


def letters(text: str) -> str:
    """Letters and digits in NFKC, without case: what survives every markup."""
    text = text.replace("<br>", " ").replace("<sup>", "").replace("</sup>", "")
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def summarise(rows: list[dict[str, Any]]) -> None:
    good = [row for row in rows if row.get("usable")]
    failed = [row for row in rows if "error" in row]
    print(
        f"pages      {len(rows)}: {len(good)} usable, {len(rows) - len(good) - len(failed)} left to OCR,",
        end=" ",
    )
    print(f"{len(failed)} failed; {sum(bool(row.get('doubtful')) for row in good)} flagged")
    seconds = sorted(row["seconds"] for row in good)
    print(f"seconds    median {seconds[len(seconds) // 2]:.2f}, 95 % {seconds[len(seconds) * 95 // 100]:.2f}")
    for name in ("mupdf", "pdfium", "truth"):
        of = [row for row in good if f"cer_{name}" in row]
        if of:
            kept = sum(row[f"kept_{name}"] for row in of) / len(of)
            cer = sum(min(1.0, row[f"cer_{name}"]) for row in of) / len(of)
            lossy = sum(row[f"kept_{name}"] < 0.97 and not row.get("doubtful") for row in of)
            print(f"{name:10} {len(of)} pages: kept {kept:.3f}, CER {cer:.3f}; {lossy} unflagged below .97")
    for name in ("mupdf", "pdfium"):
        of = [row for row in good if f"peer_{name}" in row]
        if of:
            cer = sum(row[f"peer_{name}"] for row in of) / len(of)
            print(f"{name:10} itself against the truth: CER {cer:.3f}")


def compare(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
    """Both summaries, and each page that changed for the worse or was decided differently."""
    old = {(row["document"], row["page"]): row for row in before}
    for rows in (before, after):
        summarise(rows)
    for row in after:
        was = old.get((row["document"], row["page"]))
        if was is not None and (change := changed(was, row)):
            print(f"{Path(row['document']).name} page {row['page'] + 1}: {change}")


def changed(was: dict[str, Any], row: dict[str, Any]) -> str:
    """What became different on a page, in words; empty for a page as good as before."""
    if was.get("error") != row.get("error"):
        return f"{was.get('error', 'read')} -> {row.get('error', 'read')}"
    if was.get("usable") != row.get("usable"):
        return f"usable {was.get('usable')} -> {row.get('usable')} ({row.get('reason')})"
    measured = [name for name in ("truth", "pdfium", "mupdf") if f"cer_{name}" in row and row["usable"]]
    if not measured:
        return ""
    key = f"cer_{measured[0]}"
    if abs(row[key] - was[key]) <= NOTICEABLE:
        return ""
    verdict = "better" if row[key] < was[key] else "worse"
    kept = f"kept {was[f'kept_{measured[0]}']:.3f} -> {row[f'kept_{measured[0]}']:.3f}"
    return f"{verdict}, CER to {measured[0]} {was[key]:.3f} -> {row[key]:.3f}, {kept} {row['remarks'] or ''}"


if __name__ == "__main__":
    sys.exit(main())
