"""Figures of public scorers for pages of our own, measured once; see tests/data/scoring."""

import json
from pathlib import Path

import pytest

from ocrstudio.evaluation.omnidocbench import score_published
from ocrstudio.evaluation.tables import parse_table
from ocrstudio.evaluation.teds import structure_of, teds

DATA = json.loads((Path(__file__).parents[2] / "data/scoring/published.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", DATA["pages"], ids=lambda page: page["key"])
def test_the_profile_gives_the_figures_of_omnidocbench(page):
    scores = score_published(page["reference"], page["prediction"])
    ours = {name: getattr(scores, name) for name in page["published"]}
    assert ours == {
        name: value if value is None else pytest.approx(value, abs=5e-4)
        for name, value in page["published"].items()
    }


@pytest.mark.parametrize("pair", DATA["tables"], ids=lambda pair: pair["key"])
def test_tables_are_as_similar_as_for_table_recognition_metric(pair):
    left, right = parse_table(pair["reference"]), parse_table(pair["prediction"])
    assert teds(left, right) == pytest.approx(pair["teds"], abs=5e-4)
    assert teds(structure_of(left), structure_of(right)) == pytest.approx(pair["teds_s"], abs=5e-4)
