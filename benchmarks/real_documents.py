"""What real documents, servers and predictions do: every table of it, one after the other.

    python -m benchmarks.real_documents [--pages FOLDER] [--before CHECKOUT]

The tables are those of `offline_teacher` (error rates beside RapidOCR, Tesseract and PyMuPDF, turned pages,
tables), `draft_check` (false alarms and misses), `servers` (requests and what became of pages) and `scoring`
(predictions that must score worst; its rows before were measured once). With another checkout the offline
teacher of that version is measured first. `text_layer` compares two versions on PDFs of one's own and stands
alone.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pages", type=Path, help="folder of NAME.png or NAME.pdf with NAME.md as truth")
    parser.add_argument("--before", type=Path, help="another checkout, for a row before")
    options = parser.parse_args()
    pages = ["--pages", str(options.pages)] if options.pages else []
    statuses = []
    if options.before is not None:
        statuses.append(run("offline_teacher", pages, options.before))
    statuses.append(run("offline_teacher", pages))
    if options.pages:
        statuses.append(run("draft_check", [str(options.pages)]))
    statuses += [run("servers", []), run("scoring", [])]
    return max(statuses)


def run(name: str, arguments: list[str], checkout: Path = ROOT) -> int:
    """Run one benchmark with the program of a checkout; returns its exit status."""
    print(f"\n== {name} ({checkout.resolve().name}) ==", flush=True)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(checkout.resolve()), str(ROOT)))}
    script = ROOT / "benchmarks" / f"{name}.py"
    return subprocess.run([sys.executable, str(script), *arguments], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
