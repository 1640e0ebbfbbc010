"""Where a page lies in its picture; no engine is loaded."""

import numpy as np
import pytest

from ocrstudio.teachers.offline.ink import inked_window
from ocrstudio.teachers.offline.turn import Turn, are_tall, skew, upright


def quad(x0: float, y0: float, x1: float, y1: float) -> list[list[float]]:
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
@pytest.mark.parametrize("degrees", [0.0, 12.0, -4.0])
def test_points_and_pixels_of_a_page_turn_alike(quarters: int, degrees: float) -> None:
    pixels = np.full((90, 160, 3), 255, np.uint8)
    pixels[58:63, 118:123] = 0  # around x 120, y 60
    turn = Turn(160, 90, quarters, degrees)
    page = turn.picture(pixels)
    assert (page.shape[1], page.shape[0]) == turn.size
    dark_y, dark_x = np.nonzero(page[:, :, 0] < 128)
    [[x, y]] = turn.forward([(120.5, 60.5)])
    assert abs(dark_x.mean() + 0.5 - x) < 1
    assert abs(dark_y.mean() + 0.5 - y) < 1


def test_a_box_of_the_upright_page_is_found_on_the_picture_again() -> None:
    turn = Turn(1000, 500, quarters=1)
    box = turn.back((0, 0, 500, 100))  # the top strip of the page stands at the right of the picture
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((0.9, 0, 1, 1))


def test_the_skew_is_that_of_the_long_lines() -> None:
    level = Turn(2000, 2000)
    lines = np.array([quad(100, 200 + 60 * row, 1500, 230 + 60 * row) for row in range(9)])
    odd = np.array([quad(0, 0, 40, 300)], dtype=float)
    assert skew(np.concatenate([lines, odd])) == 0
    turned = Turn(2000, 2000, degrees=7.5).forward(lines.reshape(-1, 2)).reshape(-1, 4, 2)
    assert skew(turned) == pytest.approx(-7.5)
    assert not are_tall(lines).any()
    assert skew(upright(level, turned)) == pytest.approx(-7.5)


@pytest.mark.parametrize("quarters", [1, 3])
def test_lines_of_a_page_on_its_side_are_level_after_a_quarter_turn(quarters: int) -> None:
    tall = np.array([quad(100 + 60 * row, 100, 130 + 60 * row, 1500) for row in range(9)], dtype=float)
    assert are_tall(tall).all()
    placed = upright(Turn(2000, 2000, quarters), tall)
    assert not are_tall(placed).any()
    assert skew(placed) == 0


def test_what_is_printed_on_a_nearly_empty_page_is_found() -> None:
    page = np.full((2000, 1500, 3), 250, np.uint8)
    assert inked_window(page) is None
    page[1800:1820, 700:730] = 20
    assert inked_window(page) == (640, 1740, 789, 1879)
    page[0:5, 1490:1495] = 20
    assert inked_window(page) is None  # as good as the whole page
