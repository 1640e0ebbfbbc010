"""A draft against its page: what is passed, flagged and refused."""

from pathlib import Path

import pymupdf
import pytest

from ocrstudio.domain.region import Box, Region
from ocrstudio.imaging.ink import Ink, InkLine
from ocrstudio.settings.prompts import PromptConfig
from ocrstudio.tasks import load_tasks
from ocrstudio.teachers.base import Draft, PageSource
from ocrstudio.teachers.checking import checked
from ocrstudio.teachers.draft_check import Verdict, check_draft, check_in_words, visible_characters
from ocrstudio.teachers.errors import EmptyAnswerError
from ocrstudio.teachers.flags import describe_flags
from ocrstudio.teachers.ink_worker import measure_page
from ocrstudio.teachers.page_ink import PageInk

LINES = [
    f"Line {number} of the ledger names a vessel, its master and the cargo it declared."
    for number in range(30)
]
SOURCE = PageSource("ledger.pdf, page 1")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, PageInk]:
    """The same page as a PDF that draws letters and as a scan, and a blank one."""
    folder: Path = tmp_path_factory.mktemp("pages")
    with pymupdf.open() as document:
        sheet = document.new_page(width=595, height=842)
        for row, line in enumerate(LINES):
            sheet.insert_text((60, 80 + 20 * row), line, fontsize=11)
        document.save(folder / "born.pdf")
        sheet.get_pixmap(dpi=150).save(folder / "scan.png")
        document.new_page(width=595, height=842).get_pixmap(dpi=100).save(folder / "blank.png")
    return {
        "born": measure_page(PageSource("born", document=folder / "born.pdf")),
        "scan": measure_page(PageSource("scan", document=folder / "scan.png")),
        "picture": measure_page(PageSource("picture", image=folder / "scan.png")),
        "blank": measure_page(PageSource("blank", image=folder / "blank.png")),
    }


@pytest.mark.parametrize("kind", ["born", "scan", "picture"])
def test_the_whole_text_explains_the_page_and_half_of_it_does_not(pages, kind):
    whole, half = Draft("\n".join(LINES)), Draft("\n".join(LINES[:15]))
    assert check_draft(whole, pages[kind]).verdict is Verdict.EXPLAINED
    found = check_draft(half, pages[kind])
    assert found.verdict is Verdict.INCOMPLETE
    assert found.share == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("kind", ["born", "scan"])
def test_the_text_of_a_much_longer_page_is_unfounded(pages, kind):
    found = check_draft(Draft("\n".join(LINES * 3)), pages[kind])
    assert found.verdict is Verdict.UNFOUNDED
    assert "may be invented" in found.sentence


def test_the_letters_of_a_born_digital_page_are_counted_exactly(pages):
    letters = sum(not character.isspace() for line in LINES for character in line)
    assert pages["born"].glyphs == letters
    assert check_draft(Draft("\n".join(LINES[:20])), pages["born"]).verdict is Verdict.INCOMPLETE


def test_text_that_is_invented_for_a_blank_page_is_unfounded(pages):
    assert check_draft(Draft("\n".join(LINES)), pages["blank"]).verdict is Verdict.UNFOUNDED


def test_letters_that_the_teacher_lost_are_told(pages):
    lost = Draft("\n".join(LINES), parameters={"letters_found": 1000, "letters_kept": 850})
    found = check_draft(lost, pages["born"])
    assert found.verdict is Verdict.INCOMPLETE
    assert found.sentence == "Only 850 of 1,000 letters that were found on the page are in the answer."
    kept = Draft("\n".join(LINES), parameters={"letters_found": 1000, "letters_kept": 950})
    assert check_draft(kept, pages["born"]).verdict is Verdict.EXPLAINED


def test_lines_outside_of_all_parts_are_told():
    lines = tuple(InkLine(Box(0.1, y / 20, 0.9, y / 20 + 0.03), 50.0) for y in range(1, 19))
    page = PageInk(Ink(lines, 900.0, 0.05, 0.0))
    text = "x" * 640  # more than the ink alone lets pass
    regions = (Region("text", (Box(0.0, 0.0, 1.0, 0.5),)),)
    found = check_draft(Draft(text, regions=regions), page)
    assert found.verdict is Verdict.INCOMPLETE
    assert "outside of all parts" in found.sentence
    everything = (Region("text", (Box(0.0, 0.0, 1.0, 1.0),)),)
    assert check_draft(Draft(text, regions=everything), page).verdict is Verdict.EXPLAINED


def test_an_empty_answer_is_right_only_on_a_blank_page(pages):
    blank = checked(SOURCE, EmptyAnswerError("it gave an empty answer."), pages["blank"])
    assert isinstance(blank, Draft)
    assert blank.parameters["check"]["verdict"] == "blank"
    refused = checked(SOURCE, Draft("\n", raw="<table></table>"), pages["scan"])
    assert isinstance(refused, EmptyAnswerError)
    assert refused.message.startswith(
        "ledger.pdf, page 1: The answer has no text although the page has about 1,"
    )
    assert refused.draft.raw == "<table></table>"


def test_without_a_picture_a_text_is_kept_and_an_empty_answer_fails():
    kept = checked(SOURCE, Draft("some text"), "ledger.pdf, page 1 was not drawn within 60 s.")
    assert kept.flags == ()
    assert kept.parameters["check"]["verdict"] == "unchecked"
    said = EmptyAnswerError("ledger.pdf, page 1: the model gave an empty answer.", "Try another task.")
    assert checked(SOURCE, said, "no picture") is said
    assert isinstance(checked(SOURCE, Draft(""), "no picture"), EmptyAnswerError)


def test_the_flag_is_told_in_numbers(pages):
    draft = checked(SOURCE, Draft("\n".join(LINES[:10]), flags=("doubtful",)), pages["born"])
    assert draft.flags == ("doubtful", "incomplete")
    told = describe_flags(draft.flags, draft.parameters)
    assert "hard to read" in told
    assert "characters and the page 1,8" in told
    assert describe_flags(("incomplete",)) == "Text of the page may be missing."
    assert check_in_words(draft.parameters).startswith("600 characters, the page about 1,8")


@pytest.mark.parametrize(
    ("markdown", "seen"),
    [
        ("# A *bold* `word`", "Aboldword"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "ab12"),
        ("<table><tr><td colspan=2>x</td></tr></table>", "x"),
        ("![a picture](pictures/of/it.png) and [a link](https://example.org/a/b)", "and[alink"),
        (r"$$\frac{a}{b} + \alpha$$", "ab+x"),
        (r"\begin{aligned}x &= \mathbf{y}\end{aligned}", "xy"),
        ("Chapter 1 ........... 7", "Chapter17"),
    ],
)
def test_markup_is_no_text(markdown, seen):
    assert visible_characters(markdown)[0] == len(seen)


def test_ideographs_are_wide():
    assert visible_characters("漢字 ab")[1] == 0.5


def test_a_few_letters_more_or_less_are_no_reason_to_doubt():
    page = PageInk(Ink((InkLine(Box(0, 0, 1, 0.1), 18.0),), 18.0, 0.01, 0.0), glyphs=18)
    assert check_draft(Draft("Chapter 1"), page).verdict is Verdict.EXPLAINED
    assert check_draft(Draft("# A picture of a harbour with many vessels\n\nChapter 1"), page).verdict is (
        Verdict.EXPLAINED
    )


def test_a_task_that_wants_a_part_of_the_page_is_judged_only_when_it_gives_nothing(pages):
    part = checked(SOURCE, Draft("Total: 12"), pages["born"], whole_page=False)
    assert (part.flags, part.parameters["check"]["verdict"]) == ((), "unchecked")
    assert isinstance(checked(SOURCE, Draft(""), pages["born"], whole_page=False), EmptyAnswerError)


def test_which_tasks_want_the_whole_page():
    own = PromptConfig(system="", user="Extract the total.", description="", whole_page=None)
    tasks = load_tasks(extra={"invoice": own, "all": own.model_copy(update={"whole_page": True})})
    assert {key for key, task in tasks.items() if task.whole_page} == {
        "document",
        "ocr",
        "free_ocr",
        "markdown",
        "all",
    }
