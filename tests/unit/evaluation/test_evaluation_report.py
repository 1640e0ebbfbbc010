import json

import pytest

from ocrstudio.domain.errors import InputError
from ocrstudio.evaluation.profiles import PROFILES, profile_named
from ocrstudio.evaluation.report import Pair, build_report, from_json, read, rescored, to_json, write

PROSE = "The harbour office keeps a ledger of every vessel. "


def test_the_figures_by_hand():
    report = build_report(
        [
            Pair("1", "abcde fghij", "abcde fghij", document="a.pdf", page=1),
            Pair("2", "abcd", "abcx", document="a.pdf", page=2),
            Pair("3", "ab", "ab" * 35, truncated=True),
        ]
    )
    overall = report.overall
    assert overall.pages == 3
    assert overall.cer.corpus == pytest.approx((0 + 1 + 68) / (11 + 4 + 2))
    assert overall.cer.median == pytest.approx(0.25)
    assert overall.cer.capped_mean == pytest.approx((0 + 0.25 + 1) / 3)
    assert overall.exact_rate == pytest.approx(1 / 3)
    assert overall.truncated_rate == pytest.approx(1 / 3)
    assert overall.teds is None
    assert report.pages[1].document == "a.pdf"
    assert report.pages[2].cer == pytest.approx(34)
    assert report.pages[2].flags == ("truncated",)


def test_a_missing_prediction_counts_as_an_empty_one_and_is_listed():
    report = build_report([Pair("1", "abcd", "abcd"), Pair("2", "efgh", None, error="out of memory")])
    assert report.overall.missing == 1
    assert report.overall.cer.corpus == pytest.approx(0.5)
    assert report.pages[1].flags == ("missing",)
    assert report.pages[1].error == "out of memory"


def test_empty_texts_are_defined():
    report = build_report([Pair("1", "", ""), Pair("2", "", "noise"), Pair("3", "text", "")])
    assert [page.cer for page in report.pages] == [0, 1, 1]
    assert report.pages[0].flags == ("empty_reference", "empty_prediction")
    with pytest.raises(ValueError, match="at least one page"):
        build_report([])


def test_endless_repetition_is_flagged():
    report = build_report([Pair("1", PROSE, PROSE + "and so on and on " * 200), Pair("2", PROSE, PROSE)])
    assert report.pages[0].flags == ("runaway",)
    assert report.overall.runaway_rate == 0.5


def test_the_interval_holds_the_figure_and_is_the_same_for_the_same_seed():
    pairs = [Pair(str(n), "a" * 50, "a" * (50 - n % 7) + "b" * (n % 7)) for n in range(60)]
    first, again, other = build_report(pairs), build_report(pairs), build_report(pairs, seed=1)
    interval = first.overall.cer.interval
    assert interval == again.overall.cer.interval != other.overall.cer.interval
    assert interval.low < first.overall.cer.corpus < interval.high
    assert interval.high - interval.low < 0.03
    assert build_report(pairs[:1]).overall.cer.interval is None


def test_markup_can_be_left_out_of_the_comparison():
    pair = Pair("1", "# Title\n\n**bold**", "Title\n\nbold")
    assert build_report([pair]).overall.cer.corpus > 0
    assert build_report([pair], profile_named("source", {"strip_markup": True})).overall.cer.corpus == 0


def test_a_report_survives_its_file(tmp_path):
    report = build_report(
        [Pair("1", "|a|\n|---|\n|b|", "|a|\n|---|\n|c|"), Pair("2", "文字", None)],
        profile_named("source", {"unify_tables": True}),
        title="run 3",
    )
    path = tmp_path / "deep" / "results.json"
    write(report, path)
    assert read(path) == report
    data = json.loads(path.read_text(encoding="utf-8"))
    assert data["version"] == 2
    assert data["profile"]["name"] == "source"
    assert data["profile"]["in_words"] == (
        "source, changed (NFC, tables unified, markup kept, white space collapsed)"
    )
    assert (data["overall"]["teds"], data["overall"]["missing_blocks"]) == (pytest.approx(0.8), 1)
    assert [entry.name for entry in path.parent.iterdir()] == ["results.json"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda data: data.update(version=3), "layout version 3"),
        (lambda data: data.update(format="other"), "not an evaluation report"),
        (lambda data: data.pop("overall"), "incomplete"),
        (lambda data: data["pages"][0].update(surprise=1), "incomplete"),
    ],
)
def test_other_files_are_refused_in_a_sentence(change, sentence):
    data = json.loads(to_json(build_report([Pair("1", "a", "a")])))
    change(data)
    with pytest.raises(InputError, match=sentence):
        from_json(json.dumps(data), "results.json")


def test_unreadable_files_are_refused_in_a_sentence(tmp_path):
    with pytest.raises(InputError, match=r"is not JSON: .* line 1"):
        from_json("{", "results.json")
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "gone.json")
    with pytest.raises(InputError, match="cannot be written"):
        write(build_report([Pair("1", "a", "a")]), tmp_path)


@pytest.mark.timeout(60)
def test_hundreds_of_pages_are_measured():
    text = "".join(PROSE.replace("vessel", f"vessel{n}") + ("\n\n" if n % 9 == 0 else "") for n in range(58))
    pairs = [Pair(str(n), text, text.replace("office", "offlce")) for n in range(300)]
    assert len(build_report(pairs).pages) == 300


def test_a_report_of_the_first_layout_is_measured_again(tmp_path):
    report = build_report([Pair("1", "one two", "one twx"), Pair("2", "text", None, error="gone")])
    data = json.loads(to_json(report))
    rules = data.pop("profile")["rules"]
    old = {"unicode_form", "unify_tables", "strip_markup", "fold_case", "white_space"}
    data |= {"version": 1, "normalisation": {key: rules[key] for key in old}}
    for figures in (data["overall"], *data["pages"]):
        for name in ("text_edit", "order_edit", "teds_s", "formula_edit", "blocks"):
            del figures[name]
        del figures["missing_blocks"], figures["invented_blocks"]
        figures["reading_order"] = 1.0
    assert from_json(json.dumps(data)) == report


def test_a_report_can_be_measured_under_another_profile_and_on_some_pages():
    pairs = [Pair("1", "**one**\ntwo", "one two"), Pair("2", "abcd", "abcx", truncated=True)]
    report = build_report(pairs)
    assert report.overall.cer.corpus > 0
    text = rescored(report, PROFILES["text"], lambda page: page.key == "1")
    assert (text.overall.pages, text.overall.cer.corpus, text.profile.name) == (1, 0, "text")
    assert rescored(text, PROFILES["source"]).pages == report.pages[:1]
    assert rescored(report, PROFILES["source"]) is report
