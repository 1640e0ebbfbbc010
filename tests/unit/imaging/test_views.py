import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from ocrstudio.domain.errors import InputError
from ocrstudio.imaging.presets import PRESETS, ImagePreset
from ocrstudio.imaging.views import prepare_views

_REFERENCE = json.loads((Path(__file__).parents[2] / "data" / "parity" / "preprocess.json").read_text())
_TOLERANCE = 2 / 255


def _picture(width: int, height: int) -> Image.Image:
    y, x = np.mgrid[:height, :width]
    channels = (x * 3 + y, x + 2 * y, x // 8 * 16 + y // 8 * 8)
    return Image.fromarray((np.stack(channels, axis=-1) % 256).astype(np.uint8))


@pytest.mark.parametrize("case", _REFERENCE["pixels"], ids=lambda case: f"{case['width']}x{case['height']}")
def test_pixels_are_those_of_the_reference(case):
    views = prepare_views(_picture(case["width"], case["height"]), PRESETS["gundam"])

    samples = views.global_view[:, 64::128, 64::128].reshape(3, -1)
    assert np.abs(samples - case["global_samples"]).max() <= _TOLERANCE
    assert np.abs(views.global_view.mean(axis=(1, 2)) - case["global_mean"]).max() <= _TOLERANCE
    if "grid" not in case:
        assert (views.columns, views.rows, len(views.tiles)) == (1, 1, 0)
        return
    assert [views.columns, views.rows] == case["grid"]
    assert np.abs(views.tiles.mean(axis=(1, 2, 3)) - case["tile_means"]).max() <= _TOLERANCE
    assert np.abs(views.tiles[0, 0, 40::80, 40::80].ravel() - case["tile0_samples"]).max() <= _TOLERANCE


@pytest.mark.parametrize("size", [(1000, 700), (701, 1000), (333, 1), (1, 333), (512, 512)])
def test_padding_is_that_of_pillow(size):
    side = 1024
    view = prepare_views(_picture(*size), PRESETS["base"]).global_view
    expected = ImageOps.pad(_picture(*size), (side, side), color=(127, 127, 127))
    assert np.allclose(view, np.asarray(expected).transpose(2, 0, 1) / 127.5 - 1, atol=1e-6)


@pytest.mark.parametrize("size", [(1, 4000), (4000, 1)])
def test_a_hairline_still_gives_a_view(size):
    views = prepare_views(_picture(*size), PRESETS["gundam"])
    assert views.global_view.shape == (3, 1024, 1024)
    assert views.global_view.max() > -0.01


def test_tiles_run_row_by_row():
    picture = Image.new("RGB", (1280, 1920))
    for row in range(3):
        for column in range(2):
            corner = (640 * column, 640 * row, 640 * column + 640, 640 * row + 640)
            picture.paste((40 * (row * 2 + column),) * 3, corner)
    views = prepare_views(picture, PRESETS["gundam"])
    assert (views.columns, views.rows) == (2, 3)
    levels = (views.tiles[:, :, 320, 320] + 1) * 127.5
    assert np.allclose(levels, np.arange(6)[:, None] * 40, atol=1)


def test_without_tiling_a_small_view_is_stretched_and_a_large_one_padded():
    picture = Image.new("RGB", (800, 200), (255, 255, 255))
    assert prepare_views(picture, PRESETS["small"]).global_view.min() == 1.0
    assert prepare_views(picture, PRESETS["base"]).global_view.min() < 0


def test_without_tiling_the_image_size_decides():
    settings = ImagePreset(base_size=1024, image_size=512, crop_mode=False)
    views = prepare_views(_picture(900, 900), settings)
    assert views.global_view.shape == (3, 512, 512)
    assert views.placeholders == 73


def test_views_know_their_positions():
    assert prepare_views(_picture(1654, 2339), PRESETS["gundam"]).placeholders == 903


def test_other_modes_are_refused():
    with pytest.raises(InputError, match="mode L"):
        prepare_views(Image.new("L", (10, 10)), PRESETS["base"])
