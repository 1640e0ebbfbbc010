"""Real pages that are degraded while they are trained on."""

import typing
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from ocrstudio.imaging import augmentation, load_image
from ocrstudio.imaging.augmentation import Augmentation
from ocrstudio.imaging.degradation import STRENGTHS, degrade, degrade_with_transform
from ocrstudio.settings.train import TrainingConfig

LEVELS = tuple(STRENGTHS)
WORDS = "the quick brown fox jumps over a lazy dog and runs away"


def page(letters=12, size=(420, 300), ink="black", paper="white"):
    image = Image.new("RGB", size, paper)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(letters)
    for top in range(20, size[1] - 2 * letters, 2 * letters):
        draw.text((20, top), WORDS, fill=ink, font=font)
    return image


def pixels(image):
    return np.asarray(image).astype(float)


def seen(image, level, epoch=0, seed=7, sample=1):
    return Augmentation(level, seed, epoch, sample).apply(image)


def kept_contrast(before, after):
    """How much of the difference between ink and paper is left, where the ink was; no rotation."""
    dark = pixels(before.convert("L")) < 100
    return (np.median(pixels(after.convert("L"))[~dark]) - pixels(after.convert("L"))[dark].mean()) / 255


def test_the_setting_has_the_levels_that_there_are():
    assert typing.get_args(TrainingConfig.model_fields["augment"].annotation) == ("off", *LEVELS)


@pytest.mark.parametrize("level", LEVELS)
def test_a_page_looks_different_in_each_pass_and_the_same_again_when_it_is_repeated(level):
    image = page()
    passes = [seen(image, level, epoch).tobytes() for epoch in range(10)]
    assert len(set(passes)) >= 9, "with bad luck a page stays as it is, now and then"
    assert passes == [seen(image, level, epoch).tobytes() for epoch in range(10)]
    assert passes[3] != seen(image, level, 3, seed=8).tobytes()
    assert passes[3] != seen(image, level, 3, sample=2).tobytes()


def test_strong_is_worse_than_light():
    image = page(24)
    lost = {
        level: np.mean([np.abs(pixels(seen(image, level, epoch)) - pixels(image)) for epoch in range(20)])
        for level in LEVELS
    }
    assert lost["strong"] > 1.5 * lost["light"]


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 90),
    height=st.integers(1, 90),
    level=st.sampled_from(LEVELS),
    epoch=st.integers(0, 1000),
    colour=st.sampled_from(["white", "black", (200, 40, 90)]),
)
def test_no_size_is_too_small(width, height, level, epoch, colour):
    image = Image.new("RGB", (width, height), colour)
    image.putpixel((0, 0), (0, 0, 0))
    after = seen(image, level, epoch)
    assert (after.size, after.mode) == ((width, height), "RGB")


@pytest.mark.parametrize("size", [(1, 70_000), (70_000, 1), (70_000, 40), (4_900, 5_100)])
def test_no_size_is_too_large(size):
    image = Image.new("RGB", size, "white")
    for epoch in range(12 if min(size) < 50 else 1):
        assert seen(image, "strong", epoch).size == size


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_files_of_every_kind_of_pixels(mode, tmp_path):
    name = tmp_path / f"page.{'tif' if mode in ('CMYK', 'I;16') else 'png'}"
    source = page().convert("L")
    deep = Image.fromarray(np.asarray(source).astype(np.uint16) * 257)
    (deep if mode == "I;16" else source.convert(mode)).save(name)
    image = load_image(name)
    for epoch in range(4):
        after = seen(image, "strong", epoch)
        assert (after.size, after.mode) == (image.size, "RGB")


def test_a_page_without_colours_stays_without():
    for epoch in range(6):
        red, green, blue = seen(page(), "strong", epoch).split()
        assert red.tobytes() == green.tobytes() == blue.tobytes()


def test_coloured_paper_stays_coloured_at_the_corners():
    image = page(paper=(250, 240, 150))
    for epoch in range(12):
        red, _, blue = pixels(seen(image, "strong", epoch))[:6, :6].mean(axis=(0, 1))
        assert red > blue + 30


@pytest.mark.parametrize("size", [(300, 400), (900, 60)])
def test_nothing_leaves_a_page_that_has_no_margins(size):
    """What is cut off would still be in the label."""
    strength = replace(STRENGTHS["strong"], chance=1.0, whole=True)
    for seed in range(20):
        _, (a, b, c, d, e, f) = degrade_with_transform(
            Image.new("L", size), np.random.default_rng(seed), strength
        )
        corners = np.array([(0, 0), (size[0], 0), (0, size[1]), size]).T
        x, y = np.linalg.inv(np.array([[a, b], [d, e]])) @ (corners - np.array([[c], [f]]))
        assert x.min() > -0.01
        assert y.min() > -0.01
        assert x.max() < size[0] + 0.01
        assert y.max() < size[1] + 0.01


def test_a_line_of_text_is_not_shrunk_much_by_its_rotation():
    line = Image.new("RGB", (1200, 40), "white")
    ImageDraw.Draw(line).rectangle((0, 4, 1199, 35), fill="black")
    for epoch in range(12):
        dark = pixels(seen(line, "strong", epoch).convert("L"))
        ink = dark < (dark.min() + dark.max()) / 2
        assert ink.any(axis=1).sum() > 25
        assert ink.any(axis=0).sum() > 1200 * 0.9


def all_effects(image, epoch, strength):
    """With everything at once, not turned: to be looked at pixel by pixel."""
    strength = replace(strength, chance=1.0, rotation=0.0)
    return degrade(image, np.random.default_rng(epoch), strength)


@pytest.mark.parametrize("letters", [9, 24])
def test_light_leaves_small_letters_their_contrast(letters):
    image = page(letters)
    held_back = augmentation._held_back("light", image.convert("L"))
    whole = kept_contrast(image, image)
    kept, plain = (
        [kept_contrast(image, all_effects(image, epoch, strength)) / whole for epoch in range(20)]
        for strength in (held_back, STRENGTHS["light"])
    )
    assert min(kept) > 0.55
    if letters == 9:
        assert min(kept) > 0.7
        assert min(plain) < 0.6, "and that is not so by itself"


def test_faint_letters_do_not_drown_in_noise():
    faint = page(24, ink=(190, 190, 190), paper=(225, 225, 225))
    ink = pixels(faint.convert("L")) < 195
    strength = augmentation._held_back("light", faint.convert("L"))
    for epoch in range(20):
        after = pixels(all_effects(faint, epoch, strength).convert("L"))
        contrast = np.median(after[~ink]) - np.median(after[ink])
        grain = np.abs(after[:18, :18] - np.median(after[:18, :18])).mean()
        assert contrast > 10 * grain
