"""Where image features stand in a sequence.

The order of one image is: rows of the stitched tiles, rows of the global view, one separator. Every row ends
with the newline feature. With q features a side of the global view and t of a tile, an image of c columns and
r rows of tiles takes (t * c + 1) * t * r + q * (q + 1) + 1 positions; without tiles (a grid of 1 x 1) the
first term is absent.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from ocrstudio.domain.errors import InputError


def assemble(
    global_features: Tensor,
    tile_features: Tensor | None,
    grids: Sequence[tuple[int, int]],
    newline: Tensor,
    separator: Tensor,
) -> list[Tensor]:
    """Put the features of every image in sequence order.

    Args:
        global_features: [images, q, q, hidden].
        tile_features: [tiles of all images, t, t, hidden], row by row of each grid, or None without tiles.
        grids: (columns, rows) of every image; (1, 1) has no tiles.
        newline: [hidden], the end of each row; of any float type (float32 while it is trained).
        separator: [hidden], the end of each image; see `newline`.

    Returns:
        One tensor [positions, hidden] an image, in the type of the features.
    """
    newline, separator = newline.to(global_features.dtype), separator.to(global_features.dtype)
    assembled = []
    first = 0
    for view, (columns, rows) in zip(global_features, grids, strict=True):
        parts = [_with_newlines(view, newline), separator[None]]
        if columns * rows > 1 and tile_features is not None:
            tiles = tile_features[first : first + columns * rows]
            first += columns * rows
            parts.insert(0, _with_newlines(stitch(tiles, columns, rows), newline))
        assembled.append(torch.cat(parts))
    return assembled


def stitch(tiles: Tensor, columns: int, rows: int) -> Tensor:
    """Join the tiles [columns * rows, t, t, hidden] to one grid [rows * t, columns * t, hidden]."""
    side, hidden = tiles.shape[1], tiles.shape[-1]
    grid = tiles.view(rows, columns, side, side, hidden).transpose(1, 2)
    return grid.reshape(rows * side, columns * side, hidden)


def _with_newlines(grid: Tensor, newline: Tensor) -> Tensor:
    """[rows, columns, hidden] to [rows * (columns + 1), hidden]."""
    ends = newline.expand(grid.shape[0], 1, -1)
    return torch.cat([grid, ends], dim=1).flatten(0, 1)


def tile_count(grids: Sequence[tuple[int, int]]) -> int:
    """How many tiles the grids ask for."""
    return sum(columns * rows for columns, rows in grids if columns * rows > 1)


def images_per_sample(placeholders: Sequence[int], lengths: Sequence[int]) -> list[int]:
    """Give every sample of a batch its images, in order, and check that its placeholders fit them.

    Args:
        placeholders: Placeholder positions in every sample.
        lengths: Positions that every image of the batch takes.

    Returns:
        The number of images in every sample.

    Raises:
        InputError: A sample has more or fewer placeholders than its images take, or images are left over.
    """
    counts = []
    image = 0
    for sample, wanted in enumerate(placeholders):
        first = image
        filled = 0
        while filled < wanted and image < len(lengths):
            filled += lengths[image]
            image += 1
        if filled != wanted:
            raise InputError(
                f"Sample {sample} of the batch has {wanted} image placeholders, but its "
                f"{image - first} image(s) take {filled}.",
                "Prepare pictures and prompt with one processor and one set of image settings.",
            )
        counts.append(image - first)
    if image != len(lengths):
        raise InputError(
            f"The batch holds {len(lengths)} images, but its placeholders ask for {image}.",
            "Every image needs its placeholders in a prompt.",
        )
    return counts
