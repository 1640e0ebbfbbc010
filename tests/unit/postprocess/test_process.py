import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrstudio.domain.errors import InputError
from ocrstudio.domain.region import Box
from ocrstudio.postprocess import FLAG_TEXTS, MODEL_TYPES, process

EOS = "<\uff5cend\u2581of\u2581sentence\uff5c>"
TOOLKIT_BEFORE = """<|ref|>text<|/ref|><|det|>[[238, 260, 480, 275]]<|/det|>
'Real-time Public Transit Congestion Prediction Service' Development

<|ref|>sub_title<|/ref|><|det|>[[47, 315, 152, 333]]<|/det|>
## Cover Letter
"""
TOOLKIT_AFTER = """'Real-time Public Transit Congestion Prediction Service' Development

## Cover Letter"""


def ref(label, *boxes):
    return f"<|ref|>{label}<|/ref|><|det|>[{', '.join(str(list(box)) for box in boxes)}]<|/det|>"


def document(raw):
    return process(raw, "deepseek-document")


def texts(processed):
    return [processed.text[region.start : region.end] for region in processed.regions if region.start >= 0]


def test_the_example_of_the_toolkit():
    processed = document(TOOLKIT_BEFORE)
    assert processed.text == TOOLKIT_AFTER
    assert [region.label for region in processed.regions] == ["text", "sub_title"]
    assert texts(processed) == TOOLKIT_AFTER.split("\n\n")
    assert processed.regions[0].boxes == (Box(238 / 999, 260 / 999, 480 / 999, 275 / 999),)
    assert processed.flags == ()


def test_default_changes_nothing():
    raw = f"  {TOOLKIT_BEFORE}\r\n\n\n\n{EOS}"
    processed = process(raw, "default")
    assert (processed.text, processed.regions, processed.flags) == (raw, (), ())


def test_an_unknown_model_type_names_the_known_ones():
    with pytest.raises(InputError, match='"deepseek" is not a model_type') as caught:
        process("", "deepseek")
    assert "deepseek-document" in caught.value.hint


@pytest.mark.parametrize(
    ("tail", "boxes"),
    [
        ("<|ref|>text<|/ref|><|det|>[[1,2", 0),
        ("<|ref|>text<|/ref|><|det|>[[1, 2, 3, 4], [5, 6, 7", 1),
        ("<|ref|>text<|/ref|><|det|>", 0),
        ("<|ref|>text<|/ref|>", 0),
        ("<|ref|>te", 0),
        ("<|ref|>", 0),
        ("<|re", 0),
        ("<|ref|", 0),
        ("<|ref|>text<|/ref|><|det|>[[1, 2, 3, 4]]<|/d", 1),
    ],
)
@pytest.mark.parametrize("end", ["", "\n", EOS])
def test_a_truncated_tail_leaves_no_rubble(tail, boxes, end):
    processed = document(f"{ref('title', (0, 0, 9, 9))}\n# Hello\n\n{tail}{end}")
    assert processed.text == "# Hello"
    assert processed.flags == ("truncated_tag",)
    assert sum(len(region.boxes) for region in processed.regions[1:]) == boxes


def test_a_ref_without_det_does_not_swallow_text_up_to_the_next_det():
    box = (1, 1, 2, 2)
    raw = f"{ref('title', box)}\n# A\n\n<|ref|>text<|/ref|>\nkept\n\n{ref('text', box)}\nalso kept"
    processed = document(raw)
    assert processed.text == "# A\n\nkept\n\nalso kept"
    assert processed.flags == ("stray_tag",)


def test_a_det_that_is_not_closed_keeps_the_text_behind_it():
    raw = f"<|ref|>text<|/ref|><|det|>[[1, 2, 3, 4]]\n2024 was [1] good\n\n{ref('text', (3, 3, 4, 4))}\nend"
    processed = document(raw)
    assert processed.text == "2024 was [1] good\n\nend"
    assert len(processed.regions) == 2
    assert processed.flags == ("stray_tag",)


def test_one_bad_box_does_not_drop_the_others():
    processed = document(
        "<|ref|>text<|/ref|><|det|>[[1, 2, 3], [10, 20, 30, 40], [a, b, c, d]]<|/det|>\nHello"
    )
    assert processed.text == "Hello"
    assert processed.regions[0].boxes == (Box(10 / 999, 20 / 999, 30 / 999, 40 / 999),)
    assert processed.flags == ("bad_box",)


def test_boxes_are_put_in_order_and_kept_on_the_page():
    processed = document(
        ref("text", (900, 800, 100, 200)) + "\nx\n" + ref("text", (-5, 0, 1200, 999)) + "\ny"
    )
    assert processed.regions[0].boxes == (Box(100 / 999, 200 / 999, 900 / 999, 800 / 999),)
    assert processed.regions[1].boxes == (Box(0, 0, 1, 1),)
    assert processed.flags == ("bad_box",)


def test_an_image_leaves_its_boxes_and_no_link():
    raw = f"Above\n\n{ref('image', (1, 1, 2, 2), (3, 3, 4, 4))}\n\n{ref('image_caption', (5, 5, 6, 6))}\n"
    processed = document(raw + "<center>Figure 1: A map</center>\n\n" + ref("image", (7, 7, 8, 8)))
    assert processed.text == "Above\n\nFigure 1: A map"
    assert [(region.label, len(region.boxes), region.start >= 0) for region in processed.regions] == [
        ("image", 2, False), ("image_caption", 1, True), ("image", 1, False),
    ]  # fmt: skip
    assert texts(processed) == ["Figure 1: A map"]


def test_identical_refs_keep_their_own_text():
    same = ref("text", (1, 1, 2, 2))
    processed = document(f"{same}\none\n\n{same}\ntwo")
    assert texts(processed) == ["one", "two"]


@pytest.mark.parametrize("model_type", ["deepseek-ocr", "deepseek-document"])
def test_macros_are_spelled_out_with_and_without_regions(model_type):
    assert process(r"\(a \coloneqq b \eqqcolon c\)", model_type).text == r"\(a := b =: c\)"
    assert process(r"\coloneqqq", model_type).text == r"\coloneqqq"


@pytest.mark.parametrize("text", ['{"Line": {"line_type": ["--"]}}', "__import__('os').abort()", "line_type"])
def test_data_and_code_stay_text(text):
    assert document(text).text == text


def test_coordinates_are_never_evaluated(tmp_path):
    path = tmp_path / "made"
    document(f"<|ref|>text<|/ref|><|det|>[[open({str(path)!r}, 'w'), 1, 2, 3]]<|/det|>\nx")
    assert not path.exists()


def test_page_splits_blank_lines_and_line_ends_are_tidied():
    raw = "one\r\n\r\n \t\r\n\r\ntwo\n<--- Page Split --->\nthree\n\n" + EOS
    assert document(raw).text == "one\n\ntwo\n\nthree"


def test_tables_and_formulas_stay_as_they_are():
    content = "<table><tr><td>a &lt; b</td></tr></table>\n\n\\[ x < y | z > 0 \\] <b>|</b>"
    assert document(f"{ref('table', (1, 1, 9, 9))}\n{content}").text == content


def test_ocr_output_gives_the_text_with_a_region_for_each_line():
    raw = "".join(ref(line, (1, 1, 2, 2)) for line in ("Invoice No. 12", "text", "Total: 5")) + EOS
    for model_type in ("deepseek-ocr", "deepseek-document"):
        processed = process(raw, model_type)
        assert processed.text == "Invoice No. 12\ntext\nTotal: 5"
        assert texts(processed) == ["Invoice No. 12", "text", "Total: 5"]


def test_locate_output_gives_the_boxes_of_the_target():
    processed = process(ref("Total", (1, 2, 3, 4), (5, 6, 7, 8)), "deepseek-ocr")
    assert (processed.text, processed.regions[0].label, len(processed.regions[0].boxes)) == (
        "Total",
        "Total",
        2,
    )


def test_ocr_output_loses_its_special_tags_only():
    raw = f"<|grounding|>Hello <|User|>world</b> a<|b {EOS}"
    assert process(raw, "deepseek-ocr").text == "Hello world</b> a<|b"


def test_text_that_is_no_tag_stays():
    text = "a <| b |> c, x <|> y, if (a<b||c>d), <|two words|>"
    assert document(text).text == text


def test_spans_survive_all_steps():
    raw = (
        f"{EOS}\r\n\r\n\r\n{ref('title', (1, 1, 2, 2))}\r\n\r\n\r\n\r\n# A <|grounding|>title \r\n\r\n"
        f"\r\n{ref('table_caption', (1, 1, 2, 2))}\n<center>Table \\coloneqq 1</center>\n"
        f"<--- Page Split --->\n\n\n{ref('text', (1, 1, 2, 2))}\nlast line   \n\n"
    )
    assert texts(document(raw)) == ["# A title", "Table := 1", "last line"]


def test_every_flag_has_words_for_the_reviewer():
    for text in FLAG_TEXTS.values():
        assert text.endswith(".")


PARTS = st.sampled_from(
    ["<|ref|>", "<|/ref|>", "<|det|>", "<|/det|>", "<|grounding|>", "text", "image", "title",
     "[[1, 2, 3, 4]]", "[[", "12", ",", "]", "\n", "\n\n", " ", "<center>", "</center>",
     "\\coloneqq", "<--- Page Split --->", "<|", "|>", "<", "|", ">", "re", "f", "# Hello", "<td>",
     "\r", "\u3000", "한글", EOS]
)  # fmt: skip
OUTPUTS = st.lists(PARTS | st.text(max_size=5), max_size=30).map("".join)


@pytest.mark.parametrize("model_type", MODEL_TYPES)
@given(raw=OUTPUTS)
def test_any_output_is_processed_and_spans_fit(model_type, raw):
    processed = process(raw, model_type)
    for region in processed.regions:
        assert region.boxes
        assert (region.start, region.end) == (-1, -1) or 0 <= region.start < region.end <= len(processed.text)
        for box in region.boxes:
            assert 0 <= box.x0 <= box.x1 <= 1
            assert 0 <= box.y0 <= box.y1 <= 1
    assert set(processed.flags) <= set(FLAG_TEXTS)


@pytest.mark.parametrize("model_type", MODEL_TYPES)
@given(raw=OUTPUTS)
def test_processing_its_own_output_changes_nothing(model_type, raw):
    text = process(raw, model_type).text
    again = process(text, model_type)
    assert (again.text, again.regions, again.flags) == (text, (), ())


@given(raw=OUTPUTS)
def test_no_tag_is_left(raw):
    text = document(raw).text
    for tag in (
        "<|ref|>",
        "<|/ref|>",
        "<|det|>",
        "<|/det|>",
        "<|grounding|>",
        "<center>",
        EOS,
        "Page Split --->",
    ):
        assert tag not in text or tag == "Page Split --->"
    assert "<--- Page Split --->" not in text


@given(words=st.lists(st.from_regex(r"[A-Za-z0-9 .]{1,20}", fullmatch=True), max_size=10))
def test_plain_text_loses_no_word(words):
    raw = "".join(f"{ref('text', (1, 1, 2, 2))}\n{word}\n\n" for word in words)
    assert document(raw).text.split() == " ".join(words).split()


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "unit",
    [
        "<|ref|>", "<|/det|>", "<|det|>[", "<|ref|>a<|/ref|>", "<|ref|>a<|/ref|><|det|>[[1,2,3,4]]<|/det|>",
        "<|re", "|>", "<center>", "\\coloneqq", " \n", "\n", "<|det|>[[1,2,3,4] , ", "<|ref|>\n\n",
    ],
)  # fmt: skip
def test_hostile_output_takes_linear_time(unit):
    # Usually well under 1 s; one step that looks at the rest of the text for every tag would take minutes.
    document(unit * 40_000)
