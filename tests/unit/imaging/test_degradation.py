"""Pages that look scanned: the same size, readable, and known where everything went."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ocrstudio.imaging.degradation import STRENGTHS, degrade, degrade_with_transform


def page(mode="L"):
    image = Image.new(mode, (300, 400), "white")
    ImageDraw.Draw(image).rectangle((100, 150, 120, 170), fill="black")
    return image


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("name", STRENGTHS)
def test_a_degraded_page_has_the_same_size_and_mode_and_still_its_ink(name, mode):
    changed = 0
    for seed in range(12):
        image = degrade(page(mode), np.random.default_rng(seed), STRENGTHS[name])
        assert (image.size, image.mode) == ((300, 400), mode)
        grey = np.asarray(image.convert("L")).astype(int)
        assert grey[155:165, 105:115].mean() < grey[300:, 200:].mean() - 60
        changed += bool((grey != np.asarray(page("L"))).any())
    assert changed >= 10


def test_the_same_generator_degrades_the_same_way():
    first, second = (degrade(page(), np.random.default_rng(4), STRENGTHS["strong"]) for _ in range(2))
    assert np.array_equal(np.asarray(first), np.asarray(second))


def test_the_transformation_says_where_the_ink_went():
    for seed in range(40):
        image, transform = degrade_with_transform(page(), np.random.default_rng(seed), STRENGTHS["strong"])
        a, b, c, d, e, f = transform
        if not b:
            continue
        x, y = np.linalg.solve(np.array([[a, b], [d, e]]), np.array([110 - c, 160 - f]))
        dark = 255 - np.asarray(image).astype(float)
        near = dark[100:220, 50:170]
        near = np.where(near > near.max() * 0.6, near, 0)
        rows, columns = np.mgrid[100:220, 50:170]
        centre = ((columns * near).sum() / near.sum(), (rows * near).sum() / near.sum())
        assert np.allclose(centre, (x, y), atol=2.5)
