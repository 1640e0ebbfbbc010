"""False alarms and misses of the check that every draft goes through.

    python -m benchmarks.draft_check FOLDER [FOLDER ...]

A folder holds pictures of pages (``page.png``) or PDFs, each with its true text beside it (``page.md``;
``name.3.md`` for the third page of a PDF). The true text is the good draft. From it are made, and should be
found: an empty draft, the first half, the second half, and the text of another page that is at least 2.5
times or at most 0.4 times as long. A line for each good draft that was judged wrongly, then the table.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ocrstudio.domain.text import storable
from ocrstudio.teachers.base import Draft, PageSource
from ocrstudio.teachers.draft_check import Verdict, check_draft, visible_characters
from ocrstudio.teachers.ink_worker import measure_page
from ocrstudio.teachers.page_ink import PageInk

LEAST_CHARACTERS = 100
"""Half of a shorter page is not looked for: the check lets forty characters pass."""


@dataclass(frozen=True)
class Page:
    """A page with its true text."""

    name: str
    source: PageSource
    text: str
    measured: PageInk


def pages_of(folder: Path) -> Iterator[tuple[str, PageSource, Path]]:
    """Pictures and pages of PDFs that have a text."""
    for text in sorted(folder.glob("*.md")):
        picture = text.with_suffix(".png")
        name, _, number = text.stem.rpartition(".")
        document = folder / f"{name}.pdf"
        if picture.is_file():
            yield text.stem, PageSource(text.stem, document=picture), text
        elif document.is_file():
            yield text.stem, PageSource(text.stem, document=document, page_index=int(number) - 1), text


def spoilt(page: Page, pages: list[Page]) -> dict[str, str]:
    """Bad drafts of a page by kind."""
    bad = {"empty": ""}
    length = visible_characters(page.text)[0]
    if length >= LEAST_CHARACTERS:
        middle = len(page.text) // 2
        bad |= {"first half": page.text[:middle], "second half": page.text[middle:]}
    for other in pages:
        ratio = visible_characters(other.text)[0] / max(length, 1)
        if ratio >= 2.5 and "longer page" not in bad:
            bad["longer page"] = other.text
        if ratio <= 0.4 and length >= LEAST_CHARACTERS and "shorter page" not in bad:
            bad["shorter page"] = other.text
    return bad


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path)
    pages: list[Page] = []
    seconds: list[float] = []
    for folder in parser.parse_args().folders:
        for name, source, text in pages_of(folder):
            started = time.process_time()
            measured = measure_page(source)
            seconds.append(time.process_time() - started)
            pages.append(Page(name, source, storable(text.read_text(encoding="utf-8")), measured))
    alarms = 0
    tried: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for page in pages:
        check = check_draft(Draft(page.text), page.measured)
        if check.verdict is not Verdict.EXPLAINED:
            alarms += 1
            print(f"false alarm  {page.name}: {check}")
        for kind, text in spoilt(page, pages).items():
            tried[kind] += 1
            found[kind] += check_draft(Draft(text), page.measured).verdict is not Verdict.EXPLAINED
    print(f"good drafts  {len(pages)}, false alarms {alarms} ({alarms / len(pages):.1%})")
    for kind, count in tried.items():
        print(f"{kind:12} {found[kind]} of {count} found ({found[kind] / count:.0%})")
    print(f"time         {sum(seconds) / len(seconds):.3f} s of a core a page, {max(seconds):.3f} at most")
    return 0


if __name__ == "__main__":
    sys.exit(main())
