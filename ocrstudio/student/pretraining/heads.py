"""The dense supervision: small heads that ask what a patch shows and where a token is read.

Without them a student of this size recites: it never finds that the answer is in the picture (docs/reader.md
has the measurements). They are thrown away afterwards.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ocrstudio.student.modeling.loss import IGNORE_INDEX
from ocrstudio.student.pretraining.levels import Grid
from ocrstudio.student.pretraining.targets import (
    CELL_HEIGHT,
    CELL_WIDTH,
    CLASSES,
    READER_TOKENS,
    SLOT_COLUMNS,
    SLOTS,
)

_POINTER_WIDTH = 256
_BLANK_WEIGHT = 0.1
_PATCH_COLUMNS = 2
_TILE_ROWS = 384 // CELL_HEIGHT
_TILE_COLUMNS = 384 // CELL_WIDTH
_TOKEN_ROWS = SLOTS // SLOT_COLUMNS


@dataclass(frozen=True)
class Features:
    """What the network computed on the way.

    Attributes:
        patches: SAM's features of all tiles, [tiles, 24, 24, channels].
        tokens: The projector's output of all tiles, [tiles, 36, hidden].
        places: States in the middle of the decoder at the picture's positions, [pages, positions, hidden].
        questions: The same at the positions that predict, [pages, predictions, hidden].
        last: Logits of the decoder at the picture's positions, [pages, positions, vocabulary].
    """

    patches: Tensor
    tokens: Tensor
    places: Tensor
    questions: Tensor
    last: Tensor


class DenseHeads(nn.Module):
    """The heads; `dense_losses` has what is asked of them.

    Args:
        channels: Of SAM's features.
        hidden: Width of the decoder.
    """

    blank_weight: Tensor

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.patch = nn.Linear(channels, _PATCH_COLUMNS * CLASSES)
        self.token = nn.Linear(hidden, SLOTS * CLASSES)
        self.question = nn.Linear(hidden, _POINTER_WIDTH)
        self.place = nn.Linear(hidden, _POINTER_WIDTH)
        self.slot = nn.Linear(hidden, SLOTS)
        weight = torch.ones(CLASSES)
        weight[0] = _BLANK_WEIGHT
        self.register_buffer("blank_weight", weight, persistent=False)


def dense_losses(
    heads: DenseHeads, features: Features, cells: Tensor, places: Tensor, slots: Tensor, first: Tensor
) -> dict[str, Tensor]:
    """The losses of all heads, each a mean in nats.

    Args:
        heads: See there.
        features: See there.
        cells: Of all tiles, [tiles, 24, 48], from `tile_cells`.
        places: Targets at the positions that predict, [pages, predictions].
        slots: The same.
        first: See `batches.Batch.first_tokens`.
    """
    by_token = cells.reshape(-1, READER_TOKENS, _TOKEN_ROWS, READER_TOKENS, SLOT_COLUMNS).transpose(2, 3)
    pointers = heads.question(features.questions) @ heads.place(features.places).transpose(1, 2)
    return {
        "patch": _classes(heads, heads.patch(features.patches), cells),
        "token": _classes(heads, heads.token(features.tokens), by_token),
        "place": mean_loss(pointers.float() * _POINTER_WIDTH**-0.5, places),
        "slot": mean_loss(heads.slot(features.questions), slots),
        "first": mean_loss(features.last, first),
    }


def _classes(heads: DenseHeads, scores: Tensor, targets: Tensor) -> Tensor:
    return cross_entropy(scores.float().reshape(-1, CLASSES), targets.reshape(-1), weight=heads.blank_weight)


def tile_cells(cells: Tensor, grid: Grid) -> Tensor:
    """The cells of pages, tile by tile: [pages, rows, columns] to [tiles, 24, 48], int64."""
    columns, rows = grid
    pages = cells.shape[0]
    tiles = cells.long().reshape(pages, rows, _TILE_ROWS, columns, _TILE_COLUMNS)
    return tiles.transpose(2, 3).reshape(pages * rows * columns, _TILE_ROWS, _TILE_COLUMNS)


def mean_loss(scores: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy of scores [pages, positions, classes] over the targets [pages, positions] that count."""
    return cross_entropy(scores.float().flatten(0, 1), targets.reshape(-1), ignore_index=IGNORE_INDEX)
