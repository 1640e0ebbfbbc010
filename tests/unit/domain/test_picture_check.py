import json
import math

import pytest

from ocrstudio.domain.picture_check import (
    LEAST_DEPENDENCE,
    PictureCheck,
    look_in_words,
    movement_in_words,
    read_check,
    read_movement,
)


def check(own=0.5, swapped=3.9, **others):
    return PictureCheck(own, swapped, **{"pages": 8, "candidates": 8, **others})


@pytest.mark.parametrize(
    ("own", "swapped", "sentence"),
    [
        (0.5, 3.9, "The answer depends on the picture: 3.4 nats a token."),
        (1.0, 1.45, "The answer depends on the picture: 0.45 nats a token."),
        (6.1, 6.12, "The answer hardly depends on the picture: 0.02 nats a token."),
        (6.1, 6.1, "The answer hardly depends on the picture: 0.00 nats a token."),
        (6.1004, 6.1, "The answer hardly depends on the picture: 0.00 nats a token."),
        (6.1, 6.0, "The answer hardly depends on the picture: -0.10 nats a token."),
    ],
)
def test_one_line_says_whether_the_student_looks(own, swapped, sentence):
    assert check(own, swapped).sentence() == sentence


def test_only_a_student_that_does_not_look_needs_advice():
    assert check(0, LEAST_DEPENDENCE).meaning() == ""
    blind = check(0, LEAST_DEPENDENCE - 0.01)
    assert "labels belong to their pictures" in blind.meaning()
    assert "nothing is wrong with the run" in check(6.1, 6.1, stand_in=True).meaning()


def test_the_details_say_which_pages_were_measured():
    assert check().details() == (
        "Loss of the answers of 8 held-out pages: 0.50 with their own pictures, "
        "3.90 with pictures of other pages."
    )
    some = check(pages=32, candidates=1200, held_out=False, left_out=1).details()
    assert "32 of 1,200 training pages" in some
    assert "No page was held out" in some
    assert "1 page left out" in some
    assert "a training page" in check(pages=1, candidates=1, borrowed=True).details()


def test_a_summary_keeps_it():
    summary = json.loads(json.dumps({"picture_check": check(left_out=2, seconds=1.5).to_json()}))
    assert summary["picture_check"]["looks"] is True
    assert read_check(summary) == check(left_out=2, seconds=1.5)
    summary["picture_check"]["of_a_newer_version"] = "?"
    assert read_check(summary) == check(left_out=2, seconds=1.5)


@pytest.mark.parametrize(
    "summary",
    [
        None,
        {},
        {"picture_check": None, "movement": None},
        {"picture_check": {"own_loss": 1.0}, "movement": []},
        {"picture_check": {**check().to_json(), "own_loss": None}},
        {"picture_check": {**check().to_json(), "pages": "8"}},
    ],
)
def test_a_run_without_it_says_nothing(summary):
    assert read_check(summary) is None
    assert read_movement(summary) == {}
    assert look_in_words(summary) == {}


def test_movement_is_said_in_per_cent():
    moved = {
        "vision encoder": 0.0123, "attention": 0.00004, "MLP": 1.5, "projector": 0.0,
        "norms": 2e-7, "newline and separator": None,
    }  # fmt: skip
    assert movement_in_words(read_movement({"movement": moved})) == (
        "Moved from the start: vision encoder 1.2 %, attention 0.004 %, MLP 150 %, projector not at all, "
        "norms less than 0.001 %, newline and separator (it started at zero)."
    )


def test_a_loss_that_is_no_number_is_no_result():
    assert not check(math.nan, 1.0).looks
