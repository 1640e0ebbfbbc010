"""Written pages: what is drawn is what the label says."""

import random
import string
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import ziafont

from ocrstudio.domain.errors import InputError
from ocrstudio.synthesis.blocks import Heading, Listing, Paragraph, Run, Table, length, plain, without_bold
from ocrstudio.synthesis.drawing import PageStyle, PageWriter
from ocrstudio.synthesis.markdown import to_markdown
from ocrstudio.synthesis.text import to_text
from ocrstudio.synthesis.vocabulary import Vocabulary, read_vocabulary
from ocrstudio.synthesis.writing import WRITERS, PagePlan, write_page

WORDS = Vocabulary(
    ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "rho")
)
STYLE = PageStyle(600, 800)

PAGE = (
    Heading(2, plain("A title")),
    Paragraph(
        (
            Run("Some "),
            Run("bold words", bold=True),
            Run(" and "),
            Run("x", formula=True),
            Run("2", formula=True, raised=True),
        )
    ),
    Listing((plain("one"), plain("two")), ordered=True),
    Table(((plain("Item"), plain("Price")), (plain("a|b"), plain("1.50")))),
)


def test_a_tree_becomes_markdown():
    assert to_markdown(PAGE) == (
        "## A title\n\nSome **bold words** and \\(x^{2}\\)\n\n1. one\n2. two\n\n"
        "| Item | Price |\n|---|---|\n| a\\|b | 1.50 |\n"
    )


def test_a_tree_becomes_plain_text():
    assert to_text(PAGE) == "A title\n\nSome bold words and x2\n\n1. one\n2. two\n\nItem Price\na|b 1.50\n"


@pytest.mark.parametrize(
    "text", ["# no heading", "- no item", "1. no item", "a*b*c", "[a](b)", "<i>", "a_b_c", "`code`"]
)
def test_text_that_looks_like_markup_stays_text(text):
    from markdown_it import MarkdownIt

    rendered = MarkdownIt("commonmark").parse(to_markdown((Paragraph(plain(text)),)))
    assert [token.type for token in rendered] == ["paragraph_open", "inline", "paragraph_close"]
    assert "".join(child.content for child in rendered[1].children) == text


@pytest.mark.parametrize("kind", WRITERS)
def test_every_character_of_a_page_is_drawn_in_reading_order(kind):
    blocks = write_page(random.Random(3), WORDS, PagePlan(250, {kind: 1.0}, headings=1.0))
    drawn = PageWriter().draw(blocks, STYLE)
    printed = [character for character in to_text(blocks) if not character.isspace()]
    # Story draws the dots of a list with a sign of its own, ligatures as one character.
    expected = "".join(printed).replace("•", "").replace("ﬁ", "fi")
    found = drawn.characters.replace("•", "").replace("ﬁ", "fi").replace("ﬂ", "fl")
    assert sorted(found) == sorted(expected)
    if kind not in ("list", "table"):
        assert found == expected


def test_the_boxes_lie_on_ink():
    drawn = PageWriter().draw((Paragraph(plain("WWWW MMMM")),), STYLE)
    for left, top, right, bottom in drawn.boxes.astype(int):
        assert drawn.pixels[top:bottom, left : right + 1].min() < 128
    covered = np.zeros(drawn.pixels.shape, bool)
    for left, top, right, bottom in drawn.boxes.astype(int):
        covered[top : bottom + 1, left - 1 : right + 2] = True
    assert drawn.pixels[~covered].min() > 200


def test_what_does_not_fit_is_no_page():
    blocks = write_page(random.Random(1), WORDS, PagePlan(5000))
    assert PageWriter().draw(blocks, STYLE) is None


def test_table_rules_are_drawn_as_asked():
    table = (Table(((plain("a"), plain("b")), (plain("c"), plain("d")))),)
    ink = {
        rules: int((PageWriter().draw(table, replace(STYLE, rules=rules)).pixels < 128).sum())
        for rules in ("none", "rows", "all")
    }
    assert ink["none"] < ink["rows"] < ink["all"]


def test_the_same_seed_writes_the_same_page():
    pages = [write_page(random.Random(5), WORDS, PagePlan(400)) for _ in range(2)]
    assert pages[0] == pages[1]
    assert write_page(random.Random(6), WORDS, PagePlan(400)) != pages[0]


def test_a_page_is_about_as_long_as_wished():
    for seed in range(30):
        blocks = write_page(random.Random(seed), WORDS, PagePlan(500))
        assert 350 <= sum(map(length, blocks)) <= 620


def test_texts_and_word_lists_become_a_vocabulary(tmp_path):
    (tmp_path / "words.txt").write_text("\n".join(string.ascii_lowercase), encoding="utf-8")
    (tmp_path / "text.txt").write_text("First sentence here. Second one!\nThird, of all.", encoding="utf-8")
    found = read_vocabulary([tmp_path / "words.txt", tmp_path / "text.txt"])
    assert found.sentences == ("First sentence here.", "Second one!", "Third, of all.")
    assert {"a", "z", "sentence", "Third", "all"} <= set(found.words)


def test_a_text_with_too_few_words_is_refused(tmp_path):
    (tmp_path / "text.txt").write_text("two words", encoding="utf-8")
    with pytest.raises(InputError, match="2 different words"):
        read_vocabulary([tmp_path / "text.txt"])


def test_a_font_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.ttf cannot be read"):
        PageWriter().draw(PAGE, replace(STYLE, font=tmp_path / "none.ttf"))


def test_a_ligature_is_drawn_as_one_sign_and_read_as_its_letters():
    font = Path(ziafont.__file__).parent / "fonts" / "DejaVuSans.ttf"
    drawn = PageWriter().draw((Paragraph(plain("office \ufb02ame")),), replace(STYLE, font=font))
    assert drawn.characters == "officeflame"
    boxes = {character: drawn.boxes[index] for index, character in enumerate("officefl")}
    assert len(drawn.boxes) == len(drawn.characters)
    assert boxes["f"][2] == pytest.approx(boxes["l"][0])
    assert boxes["f"][0] < boxes["f"][2] < boxes["l"][2]


def test_a_face_without_a_bold_twin_writes_no_bold():
    light = without_bold(PAGE)
    assert to_markdown(light) == to_markdown(PAGE).replace("**", "")
    font = Path(ziafont.__file__).parent / "fonts" / "DejaVuSans.ttf"
    style = replace(STYLE, font=font)
    # The reason: such a face draws both alike, and the label would ask for what nobody sees.
    assert np.array_equal(PageWriter().draw(PAGE, style).pixels, PageWriter().draw(light, style).pixels)
