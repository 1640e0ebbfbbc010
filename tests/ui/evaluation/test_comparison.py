"""Which pages two reports have in common; no window is needed."""

import unicodedata

from ocrstudio.evaluation.profiles import PROFILES
from ocrstudio.evaluation.report import Pair, build_report
from ocrstudio.ui.evaluation.comparison import compare

ACCENTED = "r\u00e9sum\u00e9"


def report(*pages, profile="source", name=ACCENTED):
    pairs = [
        Pair(f"{name}_p{number}.png", truth, guess, document=name, page=number)
        for number, truth, guess in pages
    ]
    return build_report(pairs, PROFILES[profile])


def test_pages_are_the_same_by_document_page_and_label():
    mine = report((1, "one", "one"), (2, "two", "twx"), (3, "three", "three"))
    theirs = report(
        (2, "two", "two"), (3, "three, corrected", "three"), (9, "nine", "nine"),
        name=unicodedata.normalize("NFD", ACCENTED),
    )  # fmt: skip
    compared = compare(mine, theirs, None)
    assert compared.words.startswith(
        "Compared on the 1 page that both have (this one 3, the other 3). Profile source"
    )
    assert [page.page for page in compared.this.pages] == [page.page for page in compared.other.pages] == [2]
    assert compared.before == {f"{ACCENTED}_p2.png": 0}
    assert len(compared.whole.pages) == 3


def test_no_page_in_common_is_said_and_nothing_compared():
    compared = compare(report((1, "one", "one")), report((2, "two", "two")), None)
    assert compared.other is None
    assert compared.words.startswith("No page with the same label in both evaluations.")


def test_two_profiles_become_one():
    mine, theirs = report((1, "**one**", "one"), profile="text"), report((1, "**one**", "one"))
    assert theirs.overall.cer.corpus > 0
    same = compare(mine, theirs, None)
    assert (same.other.profile.name, same.other.overall.cer.corpus) == ("text", 0)
    chosen = compare(mine, theirs, "source")
    assert chosen.this.overall.cer.corpus == chosen.other.overall.cer.corpus > 0
