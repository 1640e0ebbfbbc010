"""Kernels that a step of the reader's training launches, beside the network's own pass and torch's Muon.

    python -m benchmarks.pretraining_step

On a GPU a step of this size costs as much as its launches do. What is counted are the operations that compute
or move something, forward, backward and optimiser, on a small batch on the CPU: numbers, no times. Compiled
(`--compiled`), those of a layer become a few kernels more; that is not counted here.
"""

import argparse
import sys
from collections.abc import Callable

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from ocrstudio.student.micro import fill_random
from ocrstudio.student.modeling.model import DeepseekOcrForConditionalGeneration
from ocrstudio.student.pretraining.batches import Batch, image_positions
from ocrstudio.student.pretraining.forward import ReaderStep, overviews, to_pixels
from ocrstudio.student.pretraining.heads import DenseHeads
from ocrstudio.student.pretraining.muon import BatchedMuon
from ocrstudio.student.pretraining.optimisers import Optimisers
from ocrstudio.student.reader import reader_config

_GRID = (1, 2)
_ANSWER = 24
_NO_KERNEL = ("empty", "as_strided", "detach", "_unsafe_view", "new_empty", "_local_scalar_dense")


class Counter(TorchDispatchMode):
    """Counts operations, and looks of the host at a value."""

    def __init__(self) -> None:
        super().__init__()
        self.kernels = self.waits = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # noqa: ANN001, ANN204
        name = func.overloadpacket.__name__
        self.waits += name in ("_local_scalar_dense", "nonzero")
        self.kernels += not (func.is_view or name.startswith(_NO_KERNEL))
        return func(*args, **(kwargs or {}))


def counted(work: Callable[[], object]) -> Counter:
    counter = Counter()
    with counter:
        work()
    return counter


def small_batch() -> Batch:
    """Two pages of noise."""
    generator = torch.Generator().manual_seed(0)
    positions = image_positions(_GRID)
    ids = torch.randint(14, 1000, (2, 1 + positions + 8 + _ANSWER), generator=generator)
    ids[:, 0] = 0
    ids[:, 1 : 1 + positions] = 3
    labels = ids.clone()
    labels[:, :-_ANSWER] = -100

    def noise(*shape: int) -> Tensor:
        return torch.randint(0, 255, shape, generator=generator, dtype=torch.uint8)

    nowhere = torch.full_like(ids, -100)
    first = torch.full((2, positions), -100)
    return Batch(
        noise(2, 768, 384),
        noise(2, 48, 48),
        ids,
        labels,
        nowhere,
        nowhere,
        first,
        _GRID,
        0,
    )


def main() -> int:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter).parse_args()
    model = DeepseekOcrForConditionalGeneration(reader_config())
    fill_random(model, 1)
    batch = small_batch()
    step = ReaderStep(model, DenseHeads(96, 320), views=0)
    tiles = batch.pixels.reshape(2, 2, 384, 1, 384).transpose(2, 3).reshape(-1, 384, 384)
    inputs = {
        "input_ids": batch.ids,
        "attention_mask": torch.ones_like(batch.ids),
        "labels": batch.labels,
        "pixel_values_global": to_pixels(overviews(batch.pixels)),
        "pixel_values_tiles": to_pixels(tiles),
        "tile_grids": [_GRID] * 2,
    }

    def plain() -> None:
        model(**inputs).loss.backward()

    def here() -> None:
        step.answer(batch).backward()

    network = counted(plain)
    model.zero_grad()
    mine = counted(here)
    matrices = Optimisers([model], 1e-3, 1).matrices
    library = torch.optim.Muon(matrices, lr=1e-3, adjust_lr_fn="match_rms_adamw")
    batched = BatchedMuon(matrices, 1e-3, 0.05)
    for optimiser in (library, batched):
        optimiser.step()  # the first step makes the momentum
    muons = counted(library.step), counted(batched.step)
    print(f"{'':28}{'peer':>8}{'here':>8}{'ratio':>8}   waits for the device, peer and here")
    for name, (peer, own) in {"forward and backward": (network, mine), "Muon": muons}.items():
        ratio = own.kernels / peer.kernels
        print(f"{name:28}{peer.kernels:8}{own.kernels:8}{ratio:8.2f}   {peer.waits}, {own.waits}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
