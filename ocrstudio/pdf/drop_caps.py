"""Joins a large first letter, which stands beside several lines, to the first of them."""

from statistics import median

from ocrstudio.pdf.engine import Untyped

_LARGE = 1.7  # times the usual size
_NEAR = 1.5  # usual sizes between the letter and its line


def join_drop_caps(blocks: list[Untyped]) -> None:
    """Move each drop cap to the beginning of the line that it begins.

    Args:
        blocks: Text blocks with ``chars``; changed in place.
    """
    sizes = [
        span["size"]
        for block in blocks
        for line in block["lines"]
        for span in line["spans"]
        for _ in span["chars"]
    ]
    if not sizes:
        return
    usual = median(sizes)
    lines = [line for block in blocks for line in block["lines"]]
    for line in lines:
        for span in line["spans"]:
            letters = [char for char in span["chars"] if char["c"].strip()]
            if len(letters) == 1 and letters[0]["c"].isupper() and span["size"] >= _LARGE * usual:
                _join(letters[0], line, lines, usual)
                if letters[0]["c"] == "":
                    span["chars"] = []


def _join(letter: Untyped, own: Untyped, lines: list[Untyped], usual: float) -> None:
    _, y0, x1, y1 = letter["bbox"]
    beside = []
    for line in lines:
        if line is own and len(line["spans"]) == 1:
            continue
        chars = [
            char
            for span in line["spans"]
            for char in span["chars"]
            if char["c"].strip() and char is not letter
        ]
        if not chars or any(
            span["size"] >= _LARGE * usual and span["chars"] for span in line["spans"] if line is not own
        ):
            continue
        first = chars[0]
        middle = (first["bbox"][1] + first["bbox"][3]) / 2
        if y0 <= middle <= y1 and -usual / 2 <= first["bbox"][0] - x1 <= _NEAR * usual:
            beside.append((first["bbox"][1], first, line))
    if len(beside) < 2:  # noqa: PLR2004 - one line beside it: the first letter of a title
        return
    _, first, line = min(beside, key=lambda found: found[0])
    if first["c"].isalpha():
        first["c"] = letter["c"] + first["c"]
        letter["c"] = ""
