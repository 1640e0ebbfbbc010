"""How many tiles a picture gets, and how many positions it takes in the model's sequence."""

_PATCH = 16  # pixels of a SAM patch
_DOWNSAMPLING = 4  # two convolutions of stride 2 behind SAM


def tile_grid(width: int, height: int, image_size: int, max_tiles: int) -> tuple[int, int]:
    """Choose the tiling of a picture.

    A picture that fits into one tile is not tiled. Otherwise the grid of 2 to `max_tiles` tiles whose columns
    / rows come closest to width / height is taken; of two grids that are equally close the one with more
    tiles wins if the picture has more than half of that grid's pixels. (Grids with the same number of tiles
    tie only for limits of 2 and 3; there the one with fewer columns stands.)

    Args:
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.
        image_size: Side of a tile, in pixels.
        max_tiles: Most tiles, at least 2.

    Returns:
        (columns, rows); (1, 1) when the picture is not tiled.
    """
    if width <= image_size and height <= image_size:
        return (1, 1)
    ratio = width / height
    candidates = sorted(
        (
            (columns, rows)
            for columns in range(1, max_tiles + 1)
            for rows in range(1, max_tiles + 1)
            if 1 < columns * rows <= max_tiles
        ),
        key=lambda grid: (grid[0] * grid[1], grid[0]),
    )
    best, closest = candidates[0], float("inf")
    for columns, rows in candidates:
        distance = abs(ratio - columns / rows)
        large_enough = width * height > 0.5 * image_size * image_size * columns * rows
        more_tiles = columns * rows > best[0] * best[1]
        if distance < closest or (distance == closest and large_enough and more_tiles):
            best, closest = (columns, rows), distance
    return best


def features_per_side(size: int) -> int:
    """Features along one side of a view of `size` pixels."""
    return -(-(size // _PATCH) // _DOWNSAMPLING)


def placeholder_count(base: int, tile: int, columns: int, rows: int) -> int:
    """Positions of one picture in the sequence.

    Every row of features ends with a newline position, and a separator ends the picture:
    ``q * (q + 1) + 1`` for the global view with q features a side, and ``(t * columns + 1) * t * rows`` for
    the stitched tiles with t features a side, if there are any.

    Args:
        base: Side of the global view, in pixels.
        tile: Side of a tile, in pixels.
        columns: Tiles across.
        rows: Tiles down.
    """
    side = features_per_side(base)
    count = side * (side + 1) + 1
    if columns * rows > 1:
        tile_side = features_per_side(tile)
        count += (tile_side * columns + 1) * tile_side * rows
    return count
