"""The vision tower as CUDA graphs: one recording for each number and side of views.

CLIP's sequences are short and its layers many: launching them takes the time, not computing them. As with
`text_graphs`, shapes are fixed: the number of views is rounded up, and what comes out for the additional ones
is dropped.
"""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

_VIEW_STEP = 2
_WARM_UP_PASSES = 1

Encoder = Callable[[Tensor], Tensor]


class ViewGraphs:
    """Takes the place of `DeepseekOcrModel.encode_views` during training on a GPU.

    Args:
        network: `DeepseekOcrModel` with its adapter.
        trains: Whether anything in the vision tower is trained.
        dtype: Of mixed precision.
        pool: Memory for recordings without gradients, whose contents nobody needs once they have run.
    """

    def __init__(
        self, network: nn.Module, *, trains: bool, dtype: torch.dtype, pool: tuple[int, int]
    ) -> None:
        self._pool = pool
        self._tower = _Tower(network, autocast=trains, dtype=dtype)
        self._trains = trains
        self._recordings: dict[tuple[int, ...], Encoder] = {}

    def __call__(self, pixels: Tensor) -> Tensor:
        """[views, 3, side, side] to [views, q, q, hidden]."""
        views = pixels.shape[0]
        missing = math.ceil(views / _VIEW_STEP) * _VIEW_STEP - views
        pixels = pixels.to(self._tower.dtype)
        if missing:
            pixels = torch.cat([pixels, pixels[:1].expand(missing, -1, -1, -1)])
        if not self._trains:
            return self._frozen(pixels)[:views]
        if not torch.is_grad_enabled():
            return self._tower(pixels)[:views]
        return self._trained(pixels)[:views]

    def _trained(self, pixels: Tensor) -> Tensor:
        shape = tuple(pixels.shape)
        if shape not in self._recordings:
            self._recordings[shape] = torch.cuda.make_graphed_callables(
                self._tower.copy(), (torch.zeros_like(pixels),), _WARM_UP_PASSES, allow_unused_input=True
            )
        # The next call with this shape would write over the recording's own output.
        return self._recordings[shape](pixels).clone()

    def _frozen(self, pixels: Tensor) -> Tensor:
        shape = tuple(pixels.shape)
        if shape not in self._recordings:
            self._recordings[shape] = _record_forward(self._tower, pixels, self._pool)
        return self._recordings[shape](pixels)


class _Tower(nn.Module):
    """SAM, CLIP and projector as a module, so that a recording knows its parameters."""

    def __init__(self, network: Any, *, autocast: bool, dtype: torch.dtype) -> None:  # noqa: ANN401
        super().__init__()
        self.parts = nn.ModuleList([network.sam_model, network.vision_model, network.projector])
        self._run = type(network).encode_views
        self._settings = (network, autocast, dtype)  # in a tuple, so that it is no part of this module

    @property
    def dtype(self) -> torch.dtype:
        return self._settings[0].sam_model.patch_embed.projection.weight.dtype

    def copy(self) -> "_Tower":
        """Another wrapper of the same parts: a recording replaces its wrapper's forward."""
        network, autocast, dtype = self._settings
        return _Tower(network, autocast=autocast, dtype=dtype)

    def forward(self, pixels: Tensor) -> Tensor:
        network, autocast, dtype = self._settings
        with torch.autocast("cuda", dtype=dtype, enabled=autocast, cache_enabled=False):
            return self._run(network, pixels)


def _record_forward(tower: _Tower, pixels: Tensor, pool: tuple[int, int]) -> Encoder:
    static = pixels.clone()
    with torch.no_grad():
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
