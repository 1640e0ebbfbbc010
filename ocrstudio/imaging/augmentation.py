"""Training pages that look scanned, and different in each pass over the data.

The degradations are those of written pages (`degradation`), held back where a real page needs it: its letters
may be small or faint already, and it may have no margins. Nothing changes the size of a picture, so the
number of its tiles stays.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from PIL import Image

from ocrstudio.imaging.degradation import STRENGTHS, Strength, degrade
from ocrstudio.imaging.ink import MOST_PIXELS, measure_letters

_MOST_SHRINKING = 0.05  # of a page that turns
_USUAL_LETTER = 1 / 130  # of the shorter side: 10 points on A4, where none are found


@dataclass(frozen=True)
class Legibility:
    """What is left to the letters of a page.

    Attributes:
        height: Pixels down to which a page may be reduced, measured in its letters.
        blur: Largest radius of the blur, in heights of a letter.
        noise: Largest standard deviation of the noise, as a share of the contrast.
    """

    height: float
    blur: float
    noise: float


LEGIBILITY: Mapping[str, Legibility] = MappingProxyType(
    {"light": Legibility(6.0, 0.09, 0.08), "strong": Legibility(4.0, 0.14, 0.2)}
)
"""For each of `STRENGTHS`. Looked at in print of 10 points at 60 to 300 dpi with all effects at their
worst: after ``light`` every word can be read, after ``strong`` some have to be guessed."""


@dataclass(frozen=True)
class Augmentation:
    """How a picture is degraded. The same values give the same picture, in any process and at any time.

    Attributes:
        level: One of `STRENGTHS`.
        seed: Of the training.
        epoch: Passes over the data before this one.
        sample: Which of the data.
    """

    level: str
    seed: int
    epoch: int
    sample: int

    def apply(self, image: Image.Image) -> Image.Image:
        """A degraded copy.

        Args:
            image: RGB, of any size; `load_image` gives such.

        Returns:
            RGB of the same size.
        """
        grey = image.convert("L")
        page = grey if _is_grey(image) else image  # one channel takes a third of the time
        strength = _held_back(self.level, grey)
        source = np.random.default_rng((self.seed, self.epoch, self.sample))
        return degrade(page, source, strength).convert("RGB")


def _is_grey(image: Image.Image) -> bool:
    pixels = np.asarray(image)
    first = pixels[..., 0]
    return bool((first == pixels[..., 1]).all() and (first == pixels[..., 2]).all())


def _held_back(level: str, grey: Image.Image) -> Strength:
    """A strength as much as this page bears."""
    strength, legible = STRENGTHS[level], LEGIBILITY[level]
    shorter, longer = sorted(grey.size)
    letter, noise = _USUAL_LETTER * shorter, strength.noise
    factor = max(1, math.ceil(math.sqrt(grey.width * grey.height / MOST_PIXELS)))
    found = measure_letters(np.asarray(grey.reduce(factor)))
    if found is not None:
        letter, noise = found.height * factor, min(noise, legible.noise * found.contrast)
    return replace(
        strength,
        blur=min(strength.blur, legible.blur * letter * 1000 / grey.width),
        noise=noise,
        rotation=min(strength.rotation, math.degrees(_MOST_SHRINKING * shorter / longer)),
        reduction=max(strength.reduction, min(1.0, legible.height / max(letter, 1.0))),
        whole=True,
    )
