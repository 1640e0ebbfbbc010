"""What `evaluate` says of predictions that are wrong in a known way, before and after, beside public scorers.

    python -m benchmarks.scoring [--omnidocbench FOLDER --python PYTHON]

The first table has predictions that must score worst, and right ones in other forms that must score 0 under
the profile `text`. Its rows "before" were measured once with the version of 26 November 2026 (e295b1e), whose
reading order was the share of paragraph pairs in the right order: 1.000 also where no pair was found.

With table-recognition-metric installed, tables are measured with it, too. With a checkout of OmniDocBench and
a Python that has what it requires, its end-to-end scorer measures the pages of tests/data/scoring and the
pages of its own demonstration, one at a time; nothing of it is imported here.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ocrstudio.cli.output import table
from ocrstudio.evaluation.omnidocbench import score_published, split_items
from ocrstudio.evaluation.profiles import PROFILES
from ocrstudio.evaluation.report import Pair, build_report
from ocrstudio.evaluation.tables import parse_table
from ocrstudio.evaluation.teds import structure_of, teds

PUBLISHED = Path(__file__).parents[1] / "tests/data/scoring/published.json"
PIPES = "| Length | Day |\n|---|---|\n| up to 10 m | 12.50 |\n| up to 20 m | 24.00 |"
HTML = (
    "<table><tr><td>Length</td><td>Day</td></tr><tr><td>up to 10 m</td><td>12.50</td></tr>"
    "<tr><td>up to 20 m</td><td>24.00</td></tr></table>"
)
CRANES = "| Crane |\n|---|\n| small, per hour |\n| large, per hour |\n| out of service |"
PAGES = (
    "# Harbour regulations\n\nEvery vessel that enters the harbour reports to the office within two hours."
    "\n\nThe master names the cargo and the port of departure.\n\nFees are due in advance.",
    "# Apple trees\n\nPlant them in autumn, before the first frost, and water the roots.\n\n"
    "A young tree wants no manure.\n\nCut it back in March, to the third eye.",
    "# The clock\n\nWind it on Sundays, with twelve turns of the key.\n\n"
    "It loses a minute a week when the weather is cold.\n\nOil is needed once in three years.",
)
CASES: dict[str, list[tuple[str, str]]] = {
    '"zzz" on every page': [(page, "zzz") for page in PAGES],
    "every page empty": [(page, "") for page in PAGES],
    "pages shuffled": [(page, PAGES[number - 1]) for number, page in enumerate(PAGES)],
    "paragraphs reversed": [(page, "\n\n".join(reversed(page.split("\n\n")))) for page in PAGES],
    "one table, as HTML": [(PIPES, HTML)],
    "soft line breaks": [(page, page.replace(", ", ",\n").replace(" the ", "\nthe ")) for page in PAGES],
    "two tables in the other order": [(f"{PIPES}\n\nand\n\n{CRANES}", f"{CRANES}\n\nand\n\n{PIPES}")],
    "text on a blank page": [(PAGES[0], PAGES[0]), ("", "A sentence that stands nowhere.")],
}
BEFORE: dict[str, tuple[str, ...]] = {
    '"zzz" on every page': ("1.000", "1.000", "1.000", "1.000", "-"),
    "every page empty": ("1.000", "1.000", "1.000", "1.000", "-"),
    "pages shuffled": ("0.793", "0.967", "0.747", "1.000", "-"),
    "paragraphs reversed": ("0.724", "0.891", "0.721", "0.000", "-"),
    "one table, as HTML": ("1.333", "0.818", "0.711", "1.000", "1.000"),
    "soft line breaks": ("0.027", "0.000", "0.028", "1.000", "-"),
    "two tables in the other order": ("0.755", "0.738", "0.755", "0.000", "0.255"),
    "text on a blank page": ("0.175", "0.161", "0.500", "1.000", "-"),
}
"""CER, WER, NED, order (higher was better) and TEDS of e295b1e; a dataset could not have the blank page."""

_DRIVER = """
import contextlib, io, json, os, sys, tempfile
sys.path.insert(0, sys.argv[1])
pages = json.load(sys.stdin)
os.chdir(tempfile.mkdtemp())
os.makedirs("result")
os.makedirs("pred")
figures = []
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    import dataset, metrics
    from metrics.cal_metric import call_Edit_dist, call_TEDS
    from registry.registry import DATASET_REGISTRY
    for page in pages:
        with open("truth.json", "w") as stream:
            json.dump([page["truth"]], stream)
        with open("pred/page.md", "w", encoding="utf-8") as stream:
            stream.write(page["prediction"])
        samples = DATASET_REGISTRY.get("end2end_dataset")({"dataset": {
            "ground_truth": {"data_path": "truth.json"}, "prediction": {"data_path": "pred"},
            "match_method": "quick_match"}}).samples
        found = {}
        for name, part in (("text_edit", "text_block"), ("formula_edit", "display_formula")):
            if samples[part].samples:
                result = call_Edit_dist(samples[part]).evaluate([], "x")[1]
                found[name] = float(result["Edit_dist"]["ALL_page_avg"])
        if samples["reading_order"].samples:
            found["order_edit"] = samples["reading_order"].samples[0]["edit"]
        if samples["table"].samples:
            result = call_TEDS(samples["table"].samples).evaluate([], "x")[1]
            found["teds"], found["teds_s"] = result["TEDS"]["all"], result["TEDS_structure_only"]["all"]
        figures.append(found)
print(json.dumps(figures))
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--omnidocbench", type=Path, help="a checkout of the benchmark's repository")
    parser.add_argument("--python", default=sys.executable, help="a Python that has what it requires")
    options = parser.parse_args()
    print(
        table(
            list(_cases()), ("CASE", "", "CER", "WER", "NED", "TEXT", "ORDER", "TEDS", "MISSING", "INVENTED")
        )
    )
    print()
    print(table(list(_tables()), ("TABLES", "TEDS", "TEDS-S", "TABLE-RECOGNITION-METRIC", "STRUCTURE")))
    if options.omnidocbench is not None:
        pages = [
            *json.loads(PUBLISHED.read_text(encoding="utf-8"))["pages"],
            *_demonstration(options.omnidocbench),
        ]
        print()
        print(_beside(pages, _run_scorer(pages, options.omnidocbench, options.python)))


def _cases() -> Iterator[tuple[str, ...]]:
    for name, pages in CASES.items():
        if name in BEFORE:
            cer, wer, ned, order, similarity = BEFORE[name]
            yield name, "before", cer, wer, ned, "", f"({order})", similarity, "", ""
        for profile in ("source", "text", "omnidocbench"):
            pairs = [Pair(str(number), truth, guess) for number, (truth, guess) in enumerate(pages)]
            overall = build_report(pairs, PROFILES[profile]).overall
            yield (
                "",
                profile,
                f"{overall.cer.corpus:.3f}",
                f"{overall.wer.corpus:.3f}",
                f"{overall.ned:.3f}",
                *(_number(value) for value in (overall.text_edit, overall.order_edit, overall.teds)),
                str(overall.missing_blocks),
                str(overall.invented_blocks),
            )


def _tables() -> Iterator[tuple[str, ...]]:
    peer = _table_recognition_metric()
    for pair in json.loads(PUBLISHED.read_text(encoding="utf-8"))["tables"]:
        left, right = parse_table(pair["reference"]), parse_table(pair["prediction"])
        yield (
            pair["key"],
            f"{teds(left, right):.4f}",
            f"{teds(structure_of(left), structure_of(right)):.4f}",
            *(peer(pair) if peer else (f"{pair['teds']:.4f} (kept)", f"{pair['teds_s']:.4f} (kept)")),
        )


def _table_recognition_metric() -> Any:  # noqa: ANN401 - a function, or None where it is not installed
    if importlib.util.find_spec("table_recognition_metric") is None:
        return None
    from table_recognition_metric import TEDS

    def measure(pair: dict[str, str]) -> tuple[str, ...]:
        sides = [f"<html><body>{pair[side]}</body></html>" for side in ("prediction", "reference")]
        return tuple(f"{TEDS(structure_only=only)(*sides):.4f}" for only in (False, True))

    return measure


def _demonstration(checkout: Path) -> list[dict[str, Any]]:
    """The Markdown pages that come with the benchmark, and the predictions beside them."""
    data = checkout.resolve() / "demo_data"
    return [
        {
            "key": path.stem[:40],
            "reference": path.read_text(encoding="utf-8"),
            "prediction": (data / "end2end" / path.name).read_text(encoding="utf-8"),
        }
        for path in sorted((data / "omnidocbench_demo/mds").glob("*.md"))
        if (data / "end2end" / path.name).is_file()
    ]


def _run_scorer(pages: Sequence[dict[str, Any]], checkout: Path, python: str) -> list[dict[str, float]]:
    asked = [{"truth": _annotated(page["reference"]), "prediction": page["prediction"]} for page in pages]
    with tempfile.NamedTemporaryFile("w", suffix=".py", encoding="utf-8") as driver:
        driver.write(_DRIVER)
        driver.flush()
        command = [python, driver.name, str(checkout.resolve())]
        done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=True)
    figures: list[dict[str, float]] = json.loads(done.stdout)
    return figures


def _annotated(text: str) -> dict[str, Any]:
    """A true page as the benchmark's annotation has it: a list of blocks in their order."""
    kinds = {
        "text": ("text_block", "text"),
        "formula": ("equation_isolated", "latex"),
        "table": ("table", "html"),
    }
    blocks = [
        {
            "anno_id": number,
            "order": number,
            "attribute": {},
            "category_type": kinds[item.kind][0],
            kinds[item.kind][1]: item.content,
        }
        for number, item in enumerate((item for item in split_items(text) if item.kind in kinds), start=1)
    ]
    page = {"image_path": "page.jpg", "page_attribute": {}}
    return {"page_info": page, "layout_dets": blocks, "extra": {"relation": []}}


def _beside(pages: Sequence[dict[str, Any]], theirs: Sequence[dict[str, float]]) -> str:
    names = ("text_edit", "order_edit", "formula_edit", "teds", "teds_s")
    rows: list[tuple[str, ...]] = []
    ours = [score_published(page["reference"], page["prediction"]) for page in pages]
    neds = [build_report([Pair("1", page["reference"], page["prediction"])]).overall.ned for page in pages]
    for page, ned, mine, other in zip(pages, neds, ours, theirs, strict=True):
        cells = [f"{_number(other.get(name))} / {_number(getattr(mine, name))}" for name in names]
        rows.append((page["key"], f"{ned:.3f}", *cells))
    means = [
        f"{_mean([other.get(name) for other in theirs])} / {_mean([getattr(mine, name) for mine in ours])}"
        for name in names
    ]
    rows.append(("mean", _mean(neds), *means))
    return table(rows, ("SCORER / PROFILE OMNIDOCBENCH", "NED AS SOURCE", *(name.upper() for name in names)))


def _mean(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{sum(known) / len(known):.3f}" if known else "-"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    main()
