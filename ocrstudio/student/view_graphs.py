"""The vision tower as CUDA graphs: one recording for each number and side of views.

CLIP's sequences are short and its layers many: launching them takes the time, not computing them. As with
`text_graphs`, shapes are fixed: the number of views is rounded up, and what comes out for the additional ones
is dropped.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

_VIEW_STEP = 2
_WARM_UP_PASSES = 1

Encoder = Callable[[Tensor], Tensor]


class ViewGraphs:
    """Takes the place of `DeepseekOcrModel.encode_views` while the vision tower is frozen on a GPU.

    Args:
        network: `DeepseekOcrModel` with its adapter; nothing in its vision tower is trained.
        pool: Memory for the recordings, whose contents nobody needs once they have run.
    """

    def __init__(self, network: Any, pool: tuple[int, int]) -> None:  # noqa: ANN401
        self._run: Encoder = network.encode_views  # taken before this object stands in its place
        self._dtype = network.sam_model.patch_embed.projection.weight.dtype
        self._pool = pool
        self._recordings: dict[tuple[int, ...], Encoder] = {}

    def __call__(self, pixels: Tensor) -> Tensor:
        """[views, 3, side, side] to [views, q, q, hidden]."""
        views = pixels.shape[0]
        missing = math.ceil(views / _VIEW_STEP) * _VIEW_STEP - views
        pixels = pixels.to(self._dtype)
        if missing:
            pixels = torch.cat([pixels, pixels[:1].expand(missing, -1, -1, -1)])
        shape = tuple(pixels.shape)
        if shape not in self._recordings:
            self._recordings[shape] = _record_forward(self._run, pixels, self._pool)
        return self._recordings[shape](pixels)[:views]


def _record_forward(tower: Encoder, pixels: Tensor, pool: tuple[int, int]) -> Encoder:
    static = pixels.clone()
    with torch.no_grad(), torch.autocast("cuda", enabled=False):
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP_PASSES):
                tower(static)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool):
            output = tower(static)

    def replay(new: Tensor) -> Tensor:
        static.copy_(new)
        graph.replay()
        return output.clone()

    return replay
