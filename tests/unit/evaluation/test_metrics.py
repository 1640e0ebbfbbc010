import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrstudio.evaluation.metrics import (
    cer,
    count_character_edits,
    normalised_edit_distance,
    pooled,
    split_words,
    wer,
)

texts = st.text(max_size=40)


@given(texts)
def test_equal_texts_have_no_error(text):
    assert cer(text, text) == wer(text, text) == normalised_edit_distance(text, text) == 0


@given(texts, texts)
def test_the_normalised_distance_is_symmetric_and_bounded(left, right):
    distance = normalised_edit_distance(left, right)
    assert distance == normalised_edit_distance(right, left)
    assert 0 <= distance <= 1
    assert (distance == 0) == (left == right)


@given(texts, texts)
def test_error_rates_are_never_negative_and_bounded_by_the_longer_text(reference, prediction):
    rate = cer(reference, prediction)
    assert 0 <= rate <= max(len(reference), len(prediction)) / max(1, len(reference)) or rate == 1


@given(texts, texts, texts)
def test_distances_obey_the_triangle_inequality(a, b, c):
    def distance(left, right):
        return count_character_edits(left, right).distance

    assert distance(a, c) <= distance(a, b) + distance(b, c)


@pytest.mark.parametrize(
    ("reference", "prediction", "characters", "words"),
    [
        ("kitten", "sitting", 3 / 6, 1.0),
        ("one two three four", "one too four", None, 2 / 4),
        ("", "", 0.0, 0.0),
        ("", "words", 1.0, 1.0),
        ("words", "", 1.0, 1.0),
        ("ab", "ab" * 35, 34.0, 1.0),
    ],
)
def test_rates_by_hand(reference, prediction, characters, words):
    if characters is not None:
        assert cer(reference, prediction) == pytest.approx(characters)
    assert wer(reference, prediction) == pytest.approx(words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("naïve café 42%", ["naïve", "café", "42%"]),
        ("文字認識 test", ["文", "字", "認", "識", "test"]),
        ("第3章です", ["第", "3", "章", "で", "す"]),
        ("보험 현황", ["보험", "현황"]),
        ("ภาษา", ["ภ", "า", "ษ", "า"]),
        (" \n\t", []),
    ],
)
def test_words_in_scripts_with_and_without_blanks(text, words):
    assert split_words(text) == words


def test_the_corpus_figure_weighs_pages_by_their_length():
    counts = [count_character_edits("a" * 90, "a" * 90), count_character_edits("b" * 10, "")]
    assert pooled(counts).error_rate == pytest.approx(0.1)
