"""Cut and normalise a picture into the views that the model looks at. Pillow and numpy only."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from ocrstudio.domain.errors import InputError
from ocrstudio.imaging.presets import ImageSettings, view_size
from ocrstudio.imaging.tiling import placeholder_count, tile_grid

# A padded pixel; normalised it is -0.0039, not 0.
_PADDING_COLOUR = (127, 127, 127)
# Up to this side the reference stretches a picture to the square view instead of padding it (tiling off).
_STRETCH_LIMIT = 640

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Views:
    """One picture as the model takes it.

    Attributes:
        global_view: float32 [3, base, base] in [-1, 1].
        tiles: float32 [columns * rows, 3, tile, tile] row by row; no tile for a grid of 1 x 1.
        columns: Tiles across.
        rows: Tiles down.
    """

    global_view: FloatArray
    tiles: FloatArray
    columns: int
    rows: int

    @property
    def placeholders(self) -> int:
        """Positions of the picture in the model's sequence."""
        tile = self.tiles.shape[-1]
        return placeholder_count(self.global_view.shape[-1], tile, self.columns, self.rows)


def plan_grid(width: int, height: int, settings: ImageSettings) -> tuple[int, int]:
    """(columns, rows) of a picture of this size in pixels under these settings."""
    if not settings.crop_mode:
        return (1, 1)
    return tile_grid(width, height, settings.image_size, settings.max_tiles)


def count_placeholders(width: int, height: int, settings: ImageSettings) -> int:
    """Positions that a picture of this size in pixels takes, without preparing it."""
    columns, rows = plan_grid(width, height, settings)
    return placeholder_count(view_size(settings), settings.image_size, columns, rows)


def prepare_views(image: Image.Image, config: ImageSettings) -> Views:
    """Prepare a picture for the model, with the arithmetic of the reference implementation.

    The global view keeps the picture's proportions and is padded with grey to a square; tiles cover the
    picture stretched to the grid, without the grey. With tiling off, a view of up to 640 pixels is stretched
    too. All resizing is bicubic on 8-bit pixels.

    Args:
        image: An RGB picture, upright (`load_image` returns such).
        config: Sides in pixels, tiling and tile limit.

    Raises:
        InputError: The picture is not RGB or has no pixels.
    """
    if image.mode != "RGB" or min(image.size) < 1:
        raise InputError(
            f"A picture of mode {image.mode} and {image.width} x {image.height} pixels cannot be prepared.",
            "Open pictures with ocrstudio.imaging.load_image.",
        )
    columns, rows = plan_grid(image.width, image.height, config)
    tile = config.image_size
    tiles = np.empty((0, 3, tile, tile), np.float32)
    if columns * rows > 1:
        tiles = _cut(image, tile, columns, rows)
    side = view_size(config)
    stretched = not config.crop_mode and side <= _STRETCH_LIMIT
    view = image.resize((side, side), Image.Resampling.BICUBIC) if stretched else _pad(image, side)
    return Views(_normalise(np.asarray(view)), tiles, columns, rows)


def _cut(image: Image.Image, tile: int, columns: int, rows: int) -> FloatArray:
    stretched = np.asarray(image.resize((tile * columns, tile * rows), Image.Resampling.BICUBIC))
    cut = stretched.reshape(rows, tile, columns, tile, 3).swapaxes(1, 2)
    tiles = np.empty((rows * columns, 3, tile, tile), np.float32)
    for index in range(rows * columns):
        tiles[index] = _normalise(cut[index // columns, index % columns])
    return tiles


def _pad(image: Image.Image, side: int) -> Image.Image:
    """Fit into a grey square, centred; the sizes and offsets are those of `PIL.ImageOps.pad`."""
    width, height = image.size
    fitted_width = side if width >= height else max(1, round(width / height * side))
    fitted_height = side if height >= width else max(1, round(height / width * side))
    fitted = image.resize((fitted_width, fitted_height), Image.Resampling.BICUBIC)
    square = Image.new("RGB", (side, side), _PADDING_COLOUR)
    square.paste(fitted, (round((side - fitted_width) * 0.5), round((side - fitted_height) * 0.5)))
    return square


def _normalise(pixels: npt.NDArray[np.uint8]) -> FloatArray:
    """[height, width, 3] of 0..255 to [3, height, width] of -1..1."""
    scaled = pixels.astype(np.float32)
    scaled /= np.float32(127.5)
    scaled -= np.float32(1.0)
    return np.ascontiguousarray(scaled.transpose(2, 0, 1))
