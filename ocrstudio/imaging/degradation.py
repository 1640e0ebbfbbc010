"""Make a clean page look scanned: blur, noise, JPEG, shading, rotation, low resolution, bleed-through.

Used where pages are written (`ocrstudio.synthesis`) and where real pages are trained on (`augmentation`).
Everything follows from the generator that is given.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageFilter

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Transform = tuple[float, float, float, float, float, float]
"""Source from target: x = a x' + b y' + c, y = d x' + e y' + f, as Pillow's affine transformation has it."""

_NO_TRANSFORM: Transform = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
_ROWS_AT_A_TIME = 256  # of what is computed in floating point: 25 million pixels would take 0.7 GB
_COARSE = 1.0  # radius of a blur, in pixels
_LONGEST_JPEG = 65_500  # pixels of a side that libjpeg writes


@dataclass(frozen=True)
class Strength:
    """How bad it gets.

    Attributes:
        chance: Of each of the effects.
        blur: Largest radius in pixels of a page of 1,000 pixels' width.
        noise: Largest standard deviation in grey levels.
        quality: Lowest JPEG quality.
        shade: Largest share of light that is lost across the page.
        rotation: Largest angle in degrees, either way.
        reduction: Smallest scale that the page goes through.
        bleed: Largest share of the reverse side's ink.
        whole: Whether the page shrinks as it turns, so that no corner leaves the picture. Pages without
            margins need that: what is cut off would still be in the label.
    """

    chance: float
    blur: float
    noise: float
    quality: int
    shade: float
    rotation: float
    reduction: float
    bleed: float
    whole: bool = False


STRENGTHS: Mapping[str, Strength] = MappingProxyType(
    {
        "light": Strength(0.3, 0.7, 6.0, 60, 0.15, 0.7, 0.75, 0.08),
        "strong": Strength(0.45, 1.1, 14.0, 30, 0.35, 2.0, 0.55, 0.18),
    }
)


def degrade(image: Image.Image, source: np.random.Generator, strength: Strength) -> Image.Image:
    """A degraded copy of a page of the same size and mode (RGB or L)."""
    return degrade_with_transform(image, source, strength)[0]


def degrade_with_transform(
    image: Image.Image, source: np.random.Generator, strength: Strength
) -> tuple[Image.Image, Transform]:
    """As `degrade`, with the transformation that says where each target pixel came from."""
    transform = _NO_TRANSFORM
    if source.random() < strength.chance:
        angle = float(source.uniform(-strength.rotation, strength.rotation))
        transform = _rotation(image.size, angle, whole=strength.whole)
        image = image.transform(
            image.size, Image.Transform.AFFINE, transform, Image.Resampling.BILINEAR, fillcolor=_paper(image)
        )
    for effect in _EFFECTS:
        if source.random() < strength.chance:
            image = effect(image, source, strength)
    return image, transform


def _rotation(size: tuple[int, int], degrees: float, *, whole: bool) -> Transform:
    """Around the middle of the picture, shrunk as much as the corners need where they shall stay."""
    cosine, sine = float(np.cos(np.radians(degrees))), float(np.sin(np.radians(degrees)))
    if whole:
        needed = cosine + abs(sine) * max(size) / min(size)
        cosine, sine = cosine * needed, sine * needed
    x, y = size[0] / 2, size[1] / 2
    return (cosine, sine, x - cosine * x - sine * y, -sine, cosine, y + sine * x - cosine * y)


def _paper(image: Image.Image) -> int | tuple[int, ...]:
    """The usual colour of a page."""
    sample = np.asarray(image)[::16, ::16]
    if image.mode == "L":
        return int(np.median(sample))
    return tuple(int(level) for level in np.median(sample, axis=(0, 1)))


def _bleed(image: Image.Image, source: np.random.Generator, strength: Strength) -> Image.Image:
    """The page itself, mirrored and faint, stands for what is printed on the back."""
    back = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    back = _blurred(back, image.width / 700)
    share = float(source.uniform(0.2, 1.0)) * strength.bleed
    faint = back.point(lambda value: round(255 - (255 - value) * share))
    return ImageChops.multiply(image, faint)


def _reduce(image: Image.Image, source: np.random.Generator, strength: Strength) -> Image.Image:
    scale = float(source.uniform(strength.reduction, 1.0))
    small = (max(8, round(image.width * scale)), max(8, round(image.height * scale)))
    way = Image.Resampling.BILINEAR if source.random() < 0.5 else Image.Resampling.BICUBIC  # noqa: PLR2004
    return image.resize(small, way).resize(image.size, Image.Resampling.BICUBIC)


def _blur(image: Image.Image, source: np.random.Generator, strength: Strength) -> Image.Image:
    radius = float(source.uniform(0.2, 1.0)) * strength.blur * image.width / 1000
    return _blurred(image, radius)


def _blurred(image: Image.Image, radius: float) -> Image.Image:
    """A Gaussian blur; OpenCV's takes a tenth of the time, Pillow's knows fractions of a pixel."""
    if radius < _COARSE:
        return image.filter(ImageFilter.GaussianBlur(radius))
    import cv2

    blurred = cv2.GaussianBlur(np.asarray(image), (0, 0), radius, borderType=cv2.BORDER_REPLICATE)
    return Image.fromarray(np.asarray(blurred, np.uint8).reshape(np.asarray(image).shape))


def _shade(image: Image.Image, source: np.random.Generator, strength: Strength) -> Image.Image:
    """Light that falls off linearly in some direction."""
    angle, loss = source.uniform(0, 2 * np.pi), source.uniform(0.2, 1.0) * strength.shade
    across = np.linspace(-0.5, 0.5, image.width, dtype=np.float32) * np.cos(angle)
    down = np.linspace(-0.5, 0.5, image.height, dtype=np.float32) * np.sin(angle)

    def shaded(rows: Grey, first: int) -> Floats:
        light = 1 - loss * np.clip(0.5 + across[None, :] + down[first : first + len(rows), None], 0, 1)
        return rows * _for_each_colour(light.astype(np.float32), rows)

    return _by_rows(image, shaded)


def _contrast(image: Image.Image, source: np.random.Generator, strength: Strength) -> Image.Image:
    lowest = float(source.uniform(0.0, 1.0)) * 255 * strength.shade * 0.7
    return image.point(lambda value: round(lowest + value * (255 - lowest) / 255))


def _noise(image: Image.Image, source: np.random.Generator, strength: Strength) -> Image.Image:
    deviation = np.float32(float(source.uniform(0.2, 1.0)) * strength.noise)

    def noisy(rows: Grey, _first: int) -> Floats:
        grain = source.standard_normal(rows.shape[:2], dtype=np.float32) * deviation
        return rows + _for_each_colour(grain, rows)

    return _by_rows(image, noisy)


def _jpeg(image: Image.Image, source: np.random.Generator, strength: Strength) -> Image.Image:
    quality = int(source.integers(strength.quality, 90))
    if max(image.size) > _LONGEST_JPEG:
        return image
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    decoded = Image.open(buffer)
    decoded.load()
    return decoded.convert(image.mode)


def _by_rows(image: Image.Image, change: Callable[[Grey, int], Floats]) -> Image.Image:
    """Apply what is computed in floating point, given some rows and the number of their first one."""
    pixels = np.asarray(image)
    changed = np.empty_like(pixels)
    for first in range(0, len(pixels), _ROWS_AT_A_TIME):
        rows = slice(first, first + _ROWS_AT_A_TIME)
        changed[rows] = change(pixels[rows], first).clip(0, 255)
    return Image.fromarray(changed)


def _for_each_colour(plane: Floats, pixels: Grey) -> Floats:
    """A value for each pixel, in the form that goes with pixels of one or of three colours."""
    return plane if pixels.ndim == 2 else plane[..., None]  # noqa: PLR2004 (grey)


_EFFECTS: tuple[Callable[[Image.Image, np.random.Generator, Strength], Image.Image], ...] = (
    _bleed,
    _reduce,
    _blur,
    _contrast,
    _shade,
    _noise,
    _jpeg,
)
