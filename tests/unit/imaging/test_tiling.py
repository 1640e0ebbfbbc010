import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocrstudio.imaging.presets import PRESETS
from ocrstudio.imaging.tiling import placeholder_count, tile_grid
from ocrstudio.imaging.views import count_placeholders

_REFERENCE = json.loads((Path(__file__).parents[2] / "data" / "parity" / "preprocess.json").read_text())


@pytest.mark.parametrize("page", _REFERENCE["tiles"], ids=lambda page: f"{page['width']}x{page['height']}")
def test_the_grid_is_the_one_of_the_reference(page):
    for limit in (9, 6):
        assert list(tile_grid(page["width"], page["height"], 640, limit)) == page[f"max{limit}"]


def _reference_grid(width: int, height: int, size: int, limit: int) -> tuple[int, int]:
    """The published rule, word for word: sorted by area, a tie goes to the later grid for large pictures."""
    grids = {
        (i, j)
        for n in range(2, limit + 1)
        for i in range(1, n + 1)
        for j in range(1, n + 1)
        if 2 <= i * j <= limit
    }
    best, closest = (1, 1), float("inf")
    for grid in sorted(grids, key=lambda grid: grid[0] * grid[1]):
        distance = abs(width / height - grid[0] / grid[1])
        if distance < closest:
            best, closest = grid, distance
        elif distance == closest and width * height > 0.5 * size * size * grid[0] * grid[1]:
            best = grid
    return best


@given(st.integers(641, 4000), st.integers(1, 4000), st.integers(4, 12))
def test_any_picture_is_tiled_as_in_the_reference(width, height, limit):
    assert tile_grid(width, height, 640, limit) == _reference_grid(width, height, 640, limit)


@pytest.mark.parametrize("limit", [4, 6, 9])
@pytest.mark.parametrize("size", [(1250, 1000), (2500, 2000), (1000, 1250), (3000, 3000), (1500, 2000)])
def test_exact_ties_are_decided_by_the_size_of_the_picture(size, limit):
    assert tile_grid(*size, 640, limit) == _reference_grid(*size, 640, limit)


def test_a_picture_that_fits_into_a_tile_is_not_tiled():
    assert tile_grid(640, 640, 640, 9) == (1, 1)
    assert tile_grid(1, 641, 640, 9) == (1, 9)


@pytest.mark.parametrize(
    ("preset", "width", "height", "positions"),
    [
        ("tiny", 3000, 2000, 73),
        ("small", 3000, 2000, 111),
        ("base", 3000, 2000, 273),
        ("large", 3000, 2000, 421),
        ("gundam", 600, 400, 273),
        ("gundam", 1654, 2339, 903),
        ("gundam", 2339, 1654, 893),
        ("gundam", 1920, 1080, 1093),
        ("gundam", 2000, 2000, 1203),
    ],
)
def test_positions_of_a_picture(preset, width, height, positions):
    assert count_placeholders(width, height, PRESETS[preset]) == positions


def test_a_side_that_is_no_multiple_of_64_rounds_features_up():
    assert placeholder_count(320, 160, 2, 3) == 5 * 6 + 1 + (3 * 2 + 1) * 3 * 3
