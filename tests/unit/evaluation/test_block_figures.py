"""Predictions that must score worst, right ones in other forms that must score 0, and what lies between."""

import itertools
from dataclasses import fields
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrstudio.domain.errors import InputError
from ocrstudio.domain.profile_names import PROFILE_HELP
from ocrstudio.evaluation.assignment import assign
from ocrstudio.evaluation.block_scores import score_blocks
from ocrstudio.evaluation.blocks import split_blocks
from ocrstudio.evaluation.normalise import Normalisation
from ocrstudio.evaluation.profiles import DEFAULT_PROFILE, PROFILES, profile_named, profile_of
from ocrstudio.evaluation.quick_match import quick_match
from ocrstudio.evaluation.report import Pair, build_report
from ocrstudio.settings.scoring import ScoringConfig
from ocrstudio.settings.train import load_train_config

TABLE = "| Length | Day |\n|---|---|\n| up to **10 m** | 12.50 |\n| up to 20 m | 24.00 |"
HTML = (
    "<table><tr><th>Length</th><th>Day</th></tr><tr><td>up to <b>10 m</b></td><td>12.50</td></tr>"
    "<tr><td>up to 20 m</td><td>24.00</td></tr></table>"
)
PAGE = f"""# Harbour regulations

Every vessel that enters the harbour reports to the office
within two hours of its arrival.

- cargo and port of departure
- number of persons on board

{TABLE}

$$ T = 2 \\pi \\sqrt{{l/g}} $$

```text
berth 4, quay 2
```

Complaints are addressed to the harbour master in writing.
"""
OTHER = """# Apple trees

Plant them in autumn, before the first frost, and water the roots.

1. dig a hole
2. put the tree in

A young tree wants no manure."""
LINES = """The master of every vessel that enters
the harbour names the cargo, the port
of departure and the persons on board.

Fees are due in advance and follow
the length of the vessel and the days
at the quay, as the table has them.

A vessel that stays for longer than
thirty days pays half from then on."""
PARTS = PAGE.strip().split("\n\n")


def figures(prediction, profile="text", reference=PAGE):
    return PROFILES[profile].score(reference, prediction)


def test_a_page_is_split_into_its_kinds_of_blocks():
    kinds = [block.kind.value for block in split_blocks(PAGE)]
    assert kinds == ["heading", "paragraph", "list", "table", "formula", "code", "paragraph"]
    assert [block.text for block in split_blocks("one\ntwo")] == ["one", "two"], "no blank line on the page"
    assert split_blocks("<!-- Page 3: not done yet -->\n") == []
    assert [block.text for block in split_blocks("```markdown\n# A\n\nb\n```")] == ["# A", "b"]


@given(st.text(alphabet="a#-|$`\\[]<table>/\n ", max_size=80))
def test_no_text_breaks_the_blocks_or_their_figures(text):
    for block in split_blocks(text):
        assert block.text.strip()
    same = score_blocks(text, text, Normalisation())
    assert same.text_edit in (None, 0.0)
    assert same.order_edit in (None, 0.0)
    assert (same.missing_blocks, same.invented_blocks) == (0, 0)


@pytest.mark.parametrize("prediction", ["zzz", "", "zzz\n\nzzz\n\nzzz", OTHER])
@pytest.mark.parametrize("profile", ["source", "text", "olmocr"])
def test_what_has_nothing_of_the_page_scores_worst(prediction, profile):
    scores = figures(prediction, profile)
    assert scores.text_edit == pytest.approx(1, abs=0.3 if prediction == OTHER else 0)
    assert (scores.order_edit, scores.teds, scores.teds_s, scores.formula_edit) == (1, 0, 0, 1)
    assert (scores.missing_blocks, scores.blocks) == (7, 7)


@pytest.mark.parametrize("profile", PROFILES)
def test_zzz_everywhere_and_pages_shuffled_score_worst_in_a_report(profile):
    truths = [
        PAGE,
        OTHER,
        "Only one paragraph stands on this page.",
        "Another page, of two.\n\nHere is its second.",
    ]
    zzz = build_report(
        [Pair(str(n), text, "zzz") for n, text in enumerate(truths)], PROFILES[profile]
    ).overall
    assert zzz.cer.corpus > 0.95
    assert zzz.text_edit > 0.95
    assert (zzz.teds, zzz.formula_edit) == (0, 1)
    assert zzz.order_edit > (0.5 if profile == "omnidocbench" else 0.99)
    moved = [Pair(str(n), text, truths[n - 1]) for n, text in enumerate(truths)]
    shuffled = build_report(moved, PROFILES[profile]).overall
    assert shuffled.cer.corpus > 0.7
    assert shuffled.text_edit > 0.6
    assert shuffled.order_edit > (0.2 if profile == "omnidocbench" else 0.99)


RIGHT = {
    "as it is": PAGE,
    "table as HTML": PAGE.replace(TABLE, HTML),
    "soft break as a blank": PAGE.replace("office\nwithin", "office within"),
    "other marks": PAGE.replace("# Harbour regulations", "**Harbour regulations**").replace("- ", "* "),
    "formula in brackets": PAGE.replace("$$ T", "\\[ T").replace("g} $$", "g} \\]"),
    "a fence around all": f"```markdown\n{PAGE.replace('```text', '').replace('```', '')}```",
}


@pytest.mark.parametrize("form", RIGHT)
def test_a_right_prediction_in_another_form_is_right_as_text(form):
    report = build_report([Pair("1", PAGE, RIGHT[form])], PROFILES["text"]).overall
    assert (report.text_edit, report.order_edit, report.teds, report.teds_s) == (0, 0, 1, 1)
    assert (report.formula_edit, report.missing_blocks, report.invented_blocks) == (0, 0, 0)
    assert (report.cer.corpus, report.wer.corpus, report.ned) == (0, 0, 0)


def test_the_form_of_a_table_and_soft_breaks_count_as_source_and_not_as_text():
    table = Pair("1", TABLE, HTML)
    assert build_report([table]).overall.cer.corpus > 0.9
    assert build_report([table], PROFILES["text"]).overall.cer.corpus == 0
    soft = Pair("1", "a line\nthat breaks", "a line that breaks")
    assert build_report([soft]).overall.cer.corpus > 0
    assert build_report([soft], PROFILES["text"]).overall.cer.corpus == 0


def test_paragraphs_that_were_split_or_merged_are_still_found():
    split = PAGE.replace("office\nwithin", "office\n\nwithin")
    merged = PAGE.replace("regulations\n\nEvery", "regulations: every")
    for prediction in (split, merged):
        scores = figures(prediction)
        assert scores.text_edit < 0.03
        assert (scores.missing_blocks, scores.invented_blocks, scores.order_edit) == (0, 0, 0)


def test_lines_that_stand_as_paragraphs_of_their_own_are_joined_again():
    lines = "\n\n".join(line for line in LINES.split("\n") if line)
    scores = figures(lines, reference=LINES)
    assert (scores.text_edit, scores.order_edit) == (0, 0)
    assert (scores.missing_blocks, scores.invented_blocks) == (0, 0)


def test_missing_invented_and_moved_blocks_are_told_apart():
    missing = figures("\n\n".join(part for part in PARTS if not part.startswith("Complaints")))
    assert (missing.missing_blocks, missing.invented_blocks) == (1, 0)
    assert missing.order_edit == pytest.approx(1 / 7)
    invented = figures(f"{PAGE}\n\nThe moon is made of old green cheese, said the mate.")
    assert (invented.missing_blocks, invented.invented_blocks, invented.order_edit) == (0, 1, 0)
    assert 0.1 < invented.text_edit < 0.3
    moved = figures("\n\n".join([*PARTS[1:], PARTS[0]]))
    assert (moved.text_edit, moved.missing_blocks) == (0, 0)
    assert moved.order_edit == pytest.approx(2 / 7)


def test_tables_are_paired_by_likeness():
    first = "|a|b|c|\n|---|---|---|\n|apple|pear|plum|"
    second = "|x|\n|---|\n|ship|\n|boat|"
    scores = figures(f"{second}\n\ntext\n\n{first}", reference=f"{first}\n\ntext\n\n{second}")
    assert scores.teds == 1
    assert scores.order_edit == pytest.approx(2 / 3)
    assert figures(first, reference=f"{first}\n\n{second}").teds == 0.5
    assert figures(f"{first}\n\n{second}", reference=first).teds == 0.5


def test_a_blank_page_is_right_when_nothing_is_invented():
    blank, noise = (PROFILES["text"].score("", text) for text in ("", "noise"))
    assert (blank.text_edit, blank.order_edit) == (0, None)
    assert (noise.text_edit, noise.order_edit, noise.invented_blocks) == (1, None, 1)
    report = build_report([Pair("1", "abcd", "abcd"), Pair("2", "", "noise")])
    assert report.overall.cer.corpus == pytest.approx(5 / 4), "what was invented there counts"


def test_a_short_block_is_not_found_by_chance_within_a_long_one():
    expected = ["a long paragraph about the sum of all parts of it", "Sum"]
    matches = quick_match(expected, expected[:1])
    assert [match.expected for match in matches if not match.found] == [(1,)]


def test_switches_change_a_profile_and_its_name_says_so():
    profile = profile_named("text", {"fold_case": True, "white_space": None})
    assert profile.describe() == (
        "text, changed (NFC, tables unified, markup stripped, case folded, line breaks as blanks)"
    )
    assert build_report([Pair("1", "**A**", "a")], profile).overall.cer.corpus == 0
    with pytest.raises(InputError, match="no profile 'txt'"):
        profile_named("txt")
    with pytest.raises(InputError, match="no switch 'loud'"):
        profile_named("text", {"loud": True})


def test_the_configuration_offers_the_profiles_and_switches_that_there_are():
    offered = ScoringConfig.model_fields
    assert get_args(offered["profile"].annotation) == tuple(PROFILES) == tuple(PROFILE_HELP)
    assert offered.keys() - {"profile"} == {field.name for field in fields(Normalisation)}
    assert profile_of(load_train_config().scoring) == PROFILES[DEFAULT_PROFILE]


@given(st.integers(1, 5), st.integers(1, 5), st.randoms(use_true_random=False))
def test_the_assignment_is_the_cheapest(rows, columns, chance):
    costs = np.array([[chance.randint(0, 9) for _ in range(columns)] for _ in range(rows)], dtype=float)
    pairs = assign(costs)
    small, large = sorted((rows, columns))
    wide = costs if rows <= columns else costs.T
    best = min(
        sum(wide[i, j] for i, j in enumerate(way)) for way in itertools.permutations(range(large), small)
    )
    assert sum(costs[pair] for pair in pairs) == best
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == small


@pytest.mark.timeout(60)
def test_a_runaway_page_of_thousands_of_lines_is_measured():
    assert figures("\n\n".join(f"line {n} of many" for n in range(3000))).text_edit > 0.9
    assert figures("and so on " * 20_000).text_edit > 0.9
