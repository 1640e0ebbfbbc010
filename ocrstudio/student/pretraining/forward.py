"""One step's forward pass: the network's own modules, put together without a wait for the device.

Every page of a batch has the same tiles, so that nothing has to be counted or scattered. A test holds the
result against the network's own `forward`. What is worth compiling is handed over (`StepParts`), so that a
step with compiled parts and one without are the same code.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ocrstudio.student.modeling.loss import IGNORE_INDEX
from ocrstudio.student.modeling.model import DeepseekOcrForConditionalGeneration
from ocrstudio.student.pretraining.batches import Batch
from ocrstudio.student.pretraining.decoder import Layer, decode, decoder_layer
from ocrstudio.student.pretraining.heads import DenseHeads, Features, dense_losses, mean_loss, tile_cells
from ocrstudio.student.pretraining.pages import TILE
from ocrstudio.student.pretraining.targets import READER_TOKENS

# The decoder's layer whose states say where to look: half of the layers are left to read there.
_MIDDLE_LAYER = 2
_WHITE = 255
_PADDING = 127


@dataclass(frozen=True)
class StepOutput:
    """What a step looks at.

    Attributes:
        answer: Loss of the answer, nats a token.
        dense: Losses of the heads by name.
        accuracy: Share of answer tokens that were the likeliest.
    """

    answer: Tensor
    dense: dict[str, Tensor]
    accuracy: Tensor


def answer_loss(head: nn.Linear, hidden: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Loss and share of right guesses of answer tokens.

    Args:
        head: The output layer.
        hidden: States that predict, [pages, predictions, hidden].
        targets: What comes next, [pages, predictions]; -100 counts for nothing.

    Returns:
        Two scalars: nats a token, and a share without a gradient.
    """
    logits = head(hidden).float()
    asked = targets != IGNORE_INDEX
    right = (logits.detach().argmax(-1) == targets) & asked
    return mean_loss(logits, targets), right.sum() / asked.sum()


@dataclass(frozen=True)
class StepParts:
    """The functions that a step spends its time in, as they are or compiled."""

    layer: Layer = decoder_layer
    dense: Callable[..., dict[str, Tensor]] = dense_losses
    answer: Callable[[nn.Linear, Tensor, Tensor], tuple[Tensor, Tensor]] = answer_loss


class ReaderStep:
    """Runs the network with its heads.

    Args:
        model: The reader.
        heads: Its heads.
        views: Views of a full batch; a smaller one is filled up, so that the encoder sees one shape only. 0
            fills nothing up.
    """

    def __init__(self, model: DeepseekOcrForConditionalGeneration, heads: DenseHeads, views: int) -> None:
        self.model, self.heads = model, heads
        self.parts = StepParts()
        self._views = views
        self._seen: dict[str, Tensor] = {}
        model.model.sam_model.neck.register_forward_hook(self._keep("patches"))
        model.model.projector.register_forward_hook(self._keep("tokens"))

    def _keep(self, name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            assert isinstance(output, Tensor)  # noqa: S101 (what these modules return)
            self._seen[name] = output

        return hook

    def __call__(self, batch: Batch, fed: Tensor | None = None) -> StepOutput:
        """Compute all losses.

        Args:
            batch: On the model's device.
            fed: What the decoder is fed in place of the true tokens.
        """
        middle, hidden = self._decode(batch, fed)
        positions = batch.image_positions
        answer, accuracy = self.parts.answer(
            self.model.lm_head, hidden[:, positions:-1], batch.labels[:, positions + 1 :]
        )
        return StepOutput(answer, self._dense(batch, middle, hidden), accuracy)

    def answer(self, batch: Batch) -> Tensor:
        """Loss of the answer alone, nats a token."""
        positions = batch.image_positions
        _, hidden = self._decode(batch, None)
        return self.parts.answer(
            self.model.lm_head, hidden[:, positions:-1], batch.labels[:, positions + 1 :]
        )[0]

    def _decode(self, batch: Batch, fed: Tensor | None) -> tuple[Tensor, Tensor]:
        model = self.model
        features = self.image_features(batch)
        embedded = model.get_input_embeddings()(batch.ids if fed is None else fed)
        sequence = torch.cat(
            [embedded[:, :1], features.to(embedded.dtype), embedded[:, 1 + batch.image_positions :]], dim=1
        )
        return decode(model.model.language_model, sequence, _MIDDLE_LAYER, self.parts.layer)

    def _dense(self, batch: Batch, middle: Tensor, hidden: Tensor) -> dict[str, Tensor]:
        positions, tiles = batch.image_positions, batch.pixels.shape[0] * batch.grid[0] * batch.grid[1]
        patches = self._seen["patches"][:tiles]
        if patches.shape[1] == self.heads.patch.in_features:
            patches = patches.permute(0, 2, 3, 1)
        picture, answers = slice(1, 1 + positions), slice(positions + 1, None)
        features = Features(
            patches=patches,
            tokens=self._seen["tokens"][:tiles],
            places=middle[:, picture],
            questions=middle[:, positions:-1],
            last=self.model.lm_head(hidden[:, picture]),
        )
        return self.parts.dense(
            self.heads,
            features,
            tile_cells(batch.cells, batch.grid),
            batch.places[:, answers],
            batch.slots[:, answers],
            batch.first_tokens,
        )

    def image_features(self, batch: Batch) -> Tensor:
        """[pages, positions, hidden], as `DeepseekOcrModel.get_image_features` has them page by page."""
        columns, rows = batch.grid
        pages = batch.pixels.shape[0]
        tiles = batch.pixels.reshape(pages, rows, TILE, columns, TILE).transpose(2, 3).reshape(-1, TILE, TILE)
        views = torch.cat([tiles, overviews(batch.pixels)])
        missing = self._views - len(views)
        if missing > 0:
            views = torch.cat([views, views.new_full((missing, TILE, TILE), _WHITE)])
        model = self.model.model
        encoded = model.encode_views(to_pixels(views))[: len(tiles) + pages]
        width = encoded.shape[-1]
        page = encoded[: len(tiles)].reshape(pages, rows, columns, READER_TOKENS, READER_TOKENS, width)
        page = page.transpose(2, 3).reshape(pages, rows * READER_TOKENS, columns * READER_TOKENS, width)
        overview = encoded[len(tiles) :]
        separator = model.view_separator.to(encoded.dtype).expand(pages, 1, width)
        return torch.cat([self._with_newlines(page), self._with_newlines(overview), separator], dim=1)

    def _with_newlines(self, grid: Tensor) -> Tensor:
        newline = self.model.model.image_newline.to(grid.dtype).expand(*grid.shape[:2], 1, grid.shape[-1])
        return torch.cat([grid, newline], dim=2).flatten(1, 2)


def overviews(pages: Tensor) -> Tensor:
    """Pages in grey squares, uint8 [pages, height, width] to [pages, 384, 384].

    What `ocrstudio.imaging.views` does with Pillow: across, then down, rounded in between. Here it costs the
    processes that make pages nothing.
    """
    height, width = pages.shape[1:]
    scale = TILE / max(height, width)
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    small = pages[:, None].float()
    for step in ((height, size[1]), size):
        small = interpolate(small, size=step, mode="bicubic", antialias=True).round().clamp(0, _WHITE)
    squares = pages.new_full((len(pages), TILE, TILE), _PADDING)
    top, left = round((TILE - size[0]) * 0.5), round((TILE - size[1]) * 0.5)
    squares[:, top : top + size[0], left : left + size[1]] = small[:, 0].to(pages.dtype)
    return squares


def to_pixels(views: Tensor) -> Tensor:
    """Grey 0 to 255 [views, side, side] to normalised RGB [views, 3, side, side]."""
    return (views.float() / 127.5 - 1)[:, None].expand(-1, 3, -1, -1)
