import random
import time

import pytest

from ocrstudio.postprocess.repetition import find_runaway

WORDS = ["the", "of", "page", "model", "reads", "scans", "with", "writes", "what", "sees", "paper", "columns"]


def prose(count, seed=0):
    rng = random.Random(seed)
    vocabulary = [f"{rng.choice(WORDS)}{rng.choice(WORDS)[:3]}" for _ in range(400)] + WORDS
    return " ".join(rng.choice(vocabulary) for _ in range(count))


def rows(count, cells, html=False):
    rng = random.Random(1)
    lines = [[str(index), *(f"{rng.random():.1f}" for _ in range(cells - 1))] for index in range(count)]
    if html:
        body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in line) + "</tr>" for line in lines)
        return f"<table>{body}</table>"
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


@pytest.mark.parametrize(
    ("loop", "count"),
    [
        ("The quick brown fox jumps over the lazy dog. ", 30),
        ("The committee met again on the following day.\n", 30),
        ("First line of a block.\nSecond line of it.\n\n", 15),
        ("and the ", 60),
        ("的的", 200),
        ("0", 1000),
        ("<td></td>", 800),
        ("| a | b |\n", 200),
        ("\\quad x", 100),
    ],
)
@pytest.mark.parametrize("cut", [0, 3])
def test_loops_at_the_end_are_found(loop, count, cut):
    text = prose(300) + "\n\n" + loop * count
    assert find_runaway(text[: len(text) - cut])


def test_the_message_says_what_repeats():
    message = find_runaway("Title\n\n" + "Thank you very much for reading. " * 40)
    assert message == 'the text ends with 40 repetitions of "Thank you very much for reading."'


def test_loops_in_the_middle_are_found():
    block = "This line comes again and again.\nSo does this other one.\n"
    assert "lines repeat" in find_runaway(prose(200) + "\n" + block * 20 + prose(200, seed=2))


def test_loops_with_small_changes_are_found():
    text = " ".join(
        f"In the year {1900 + index} the council of the town met in the town hall." for index in range(90)
    )
    assert "same phrases return" in find_runaway(prose(200) + "\n" + text + "\nEnd of the record.")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short",
        prose(3000),
        rows(600, 8),
        rows(600, 8, html=True),
        rows(5, 4) + "\n" + "| 0 | 0 | 0 |\n" * 40,
        "| Yes | No |\n" * 40,
        "<table>" + "<tr><td></td><td></td><td></td></tr>" * 60 + "</table>",
        "\n".join(f"Chapter {index} {'.' * 90} {index * 7}" for index in range(60)),
        "Name: " + "_" * 300,
        "Name: " + "." * 900,
        "|" + "---|" * 200,
        "\n\n".join(f"{index}. {prose(12, seed=index)}" for index in range(200)),
        "\n".join(["0.00"] * 40),
        "Kyrie eleison.\n" * 6,
    ],
)
def test_long_legitimate_pages_are_not_suspected(text):
    assert find_runaway(text) is None


@pytest.mark.parametrize("unit", ["a", "ab\n", "<table", "<", "| x |\n", "\n", "word ", "字", "<td>1</td>"])
def test_a_hundred_thousand_characters_take_little_time(unit):
    start = time.process_time()
    find_runaway(unit * (100_000 // len(unit)))
    find_runaway(prose(15_000) + unit)
    assert time.process_time() - start < 4
