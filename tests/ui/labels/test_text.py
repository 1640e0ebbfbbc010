"""The pure parts of the label panel: doubts, places, versions, safe HTML, differences."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrstudio.domain.label import Revision
from ocrstudio.ui.labels.differences import to_html, word_changes
from ocrstudio.ui.labels.doubts import find_doubts
from ocrstudio.ui.labels.history import describe, sittings
from ocrstudio.ui.labels.markdown_html import to_safe_html
from ocrstudio.ui.labels.maths import Formula, draw
from ocrstudio.ui.labels.positions import Utf16Map, moved_spans


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("bro�ken", "unreadable character"),
        ("a [illegible] word", "marked as unreadable"),
        ("<|ref|>title", "leftover model tag"),
        ("in 2O24", "letter O among digits"),
        ("page 1l2", "letter l or I among digits"),
        ("the mod5el", "digit inside a word"),
        ("aaaaaaaaaa", "one character again and again"),
        ("the the the the", "one word again and again"),
        ("line\nline\nline\nline\n", "the same line 4 times"),
        (r"\(x", r"\( and \) do not pair up"),
        ("$$x", "$$ without a partner"),
        ("<table><tr>", "<table> without an end"),
        ("</table>", "</table> without a beginning"),
    ],
)
def test_doubtful_spots(text, reason):
    doubts = find_doubts(text)
    assert reason in [doubt.reason for doubt in doubts]
    assert all(0 <= doubt.start < doubt.end <= len(text) for doubt in doubts)


@pytest.mark.parametrize(
    "text",
    [
        "# Report\n\nIn 2024, 100 ships (10 %) and $5 to $10.",
        "| a | b |\n|---|---|\n| ---- | ====== |\n",
        "H2O and CO2, x86, IPv6, PyMuPDF4LLM, sha256, utf8",
        r"\(a\) and \[b\] and $$c$$",
        "……… ------ ======",
    ],
)
def test_ordinary_text_is_not_doubted(text):
    assert find_doubts(text) == []


@given(st.text())
def test_doubts_never_fail(text):
    find_doubts(text)


@given(st.text(alphabet="ab\U0001d465😀\n"), st.integers(0, 20))
def test_places_go_to_qt_and_back(text, place):
    place = min(place, len(text))
    there = Utf16Map(text).to_qt(place)
    assert there == len(text[:place].encode("utf-16-le")) // 2
    assert Utf16Map(text).from_qt(there) == place


def test_spans_follow_edits():
    old = "# Title\n\nSome words here.\n"
    new = "# A title\n\nNew line.\n\nSome good words here.\n"
    title, body = moved_spans(old, new, [(0, 7), (9, 25)])
    assert new[slice(*title)].startswith("# ")
    assert new[slice(*body)].endswith("words here.")
    assert moved_spans(old, old, [(-1, -1), (0, 7)]) == [(-1, -1), (0, 7)]
    assert moved_spans(old, new, [(-1, -1)]) == [(-1, -1)]


@given(st.text(max_size=40), st.text(max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_moved_spans_stay_inside_the_text(old, new, first, second):
    start, end = sorted((min(first, len(old)), min(second, len(old))))
    ((moved_start, moved_end),) = moved_spans(old, new, [(start, end)])
    assert 0 <= moved_start <= moved_end <= len(new)


def revision(number, source, created):
    return Revision(number, 1, f"text {number}", source, "markdown", "", {}, "", (), created)


def test_revisions_of_one_sitting_are_offered_once():
    history = [
        revision(5, "human", 2000.0),
        revision(4, "human", 1900.0),
        revision(3, "human", 1800.0),
        revision(2, "human", 100.0),
        revision(1, "teacher:offline", 0.0),
    ]
    assert [one.id for one in sittings(history, current=5)] == [5, 2, 1]
    assert [one.id for one in sittings(history, current=4)] == [5, 4, 2, 1]


def test_a_revision_in_words():
    words = describe(revision(1, "teacher:offline", 0.0))
    assert words.startswith("Teacher offline · task markdown · ")


def test_tables_of_the_model_pass_and_scripts_do_not():
    safe = to_safe_html(
        '<table><tr><td colspan="2" onclick="x()">a</td></tr></table>\n\n<script>alert(1)</script>\n\n'
        '<iframe src="http://x"></iframe><style>*{}</style><a href="javascript:x">l</a>'
    )
    assert '<td colspan="2">a</td>' in safe.body
    for word in ("script", "onclick", "iframe", "style>", "href", "alert"):
        assert word not in safe.body


@pytest.mark.parametrize(
    "address", ["http://x/a.png", "file:///etc/passwd", "//x/a.png", "/etc/a.png", "data:x"]
)
def test_pictures_from_elsewhere_have_no_address(address):
    assert "src=" not in to_safe_html(f"![alt]({address})").body


def test_markdown_tables_and_code():
    safe = to_safe_html("| a | b |\n|---|---|\n| 1 | 2 |\n\n```\n$x$ <b>\n```\n")
    assert "<th>a</th>" in safe.body
    assert '<td align="right">1</td>' in to_safe_html("| a |\n|--:|\n| 1 |\n").body
    assert "$x$ &lt;b&gt;" in safe.body
    assert safe.formulas == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("- a\n  - b\n    - c\n", "<ul><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li></ul>"),
        ("Items:\n- one\n- two\n", "<p>Items:</p><ul><li>one</li><li>two</li></ul>"),
        ("1. a\n   - b\n2. c\n", "<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>"),
        ("3. three\n4. four\n", '<ol start="3"><li>three</li><li>four</li></ol>'),
        ("Words\n| a |\n|---|\n| 1 |\n", "<p>Words</p><table><thead><tr><th>a</th></tr></thead>"),
        ("~~gone~~", "<p><s>gone</s></p>"),
        ("word[^1]\n\n[^1]: The *note*.\n", "<p>word<sup>[1]</sup></p><p>[1] The <em>note</em>.</p>"),
        ("a note of another page[^7]", "<p>a note of another page<sup>[7]</sup></p>"),
        ("[^a]: a note without its mark", "<p>[a] a note without its mark</p>"),
        ("10^[2] is no note", "<p>10^[2] is no note</p>"),
        ("<table><tr><td>1</td></tr></table>\n# Next\n", "</table><h1>Next</h1>"),
        (
            "a\n\n$$x$$\n\nb",
            '<p>a</p><p align="center"><img src="maths:0" style="vertical-align: middle"></p>',
        ),
    ],
)
def test_markdown_reads_as_commonmark_with_tables_and_notes(text, shown):
    body = to_safe_html(text).body
    assert shown in re.sub(r"\n", "", body)


def test_a_table_in_html_keeps_its_spans_and_draws_its_formulas():
    safe = to_safe_html('<table>\n  <tr><td rowspan="2">$k_1$</td>\n  <td>b</td></tr>\n</table>')
    assert '<td rowspan="2"><img src="maths:0"' in safe.body


@pytest.mark.parametrize(
    "code",
    [
        "```\n$a$\n```",
        "- item\n\n  ~~~\n  $a$\n  ~~~",
        "- ```\n  $a$\n  ```",
        "``b ` $a$``",
        "    $a$",
    ],
)
def test_code_holds_no_maths_and_what_follows_it_does(code):
    assert [one.source for one in to_safe_html(f"{code}\n\n$c$ here").formulas] == ["c"]
    assert to_safe_html("```\n$a$").formulas == [], "code without an end"


def test_a_formula_in_the_words_of_a_picture_stays_words():
    safe = to_safe_html('![the $a_1$ of "b"](figure.png)')
    assert 'alt="the $a_1$ of &quot;b&quot;"' in safe.body
    assert "maths:" not in safe.body


@given(st.text(alphabet="ab \n-*|$`~[]^:<>\\\ue000\ue001\r\x0c1.", max_size=60))
def test_any_text_becomes_html(text):
    assert not set("\ue000\ue001") & set(to_safe_html(text).body)


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        (r"\(a_1\) and \[b_2\]", ["a_1", "b_2"]),
        ("$$c_3\nd$$ and $e_4$", ["c_3\nd", "e_4"]),
        ("costs $5 and $6 today", []),
        (r"a \$b$ c", []),
    ],
)
def test_maths_is_found(text, sources):
    safe = to_safe_html(text)
    assert [formula.source for formula in safe.formulas] == sources
    assert safe.body.count("maths:") == len(sources)


def test_a_formula_is_drawn_and_a_broken_one_is_not(qapp):
    assert draw(Formula(r"\frac{a}{b}", True, 18, "#000000")).image.width() > 10
    assert draw(Formula(r"\frac{", True, 18, "#000000")) is None


def test_differences_have_signs():
    changes = word_changes("one two three\nsame\n", "one 2 three\nsame\nmore\n")
    text = to_html("one two three\nsame\n", "one 2 three\nsame\nmore\n", changes, removed=True, added=True)
    assert "<b>\N{MINUS SIGN}</b>two</span>" in text
    assert "<b>+</b>2</span>" in text
    assert "<b>+</b>more" in text


@given(st.text(max_size=60), st.text(max_size=60))
def test_differences_cover_both_texts(left, right):
    changes = word_changes(left, right)
    assert "".join(left[slice(*change.left)] for change in changes) == left
    assert "".join(right[slice(*change.right)] for change in changes) == right
