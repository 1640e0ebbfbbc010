"""How far training has moved each part of the student from where it started.

For every part the relative change ``|W - W0| / |W0|`` in Frobenius norms over all of its trained layers. What
an adapter adds, ``s B A``, is never built: ``|BA|^2 = sum((B^T B) * (A A^T))``, two products of the rank's
size.
"""

import importlib
import math
import re
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from torch import Tensor, nn

from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.domain.picture_check import movement_in_words
from ocrstudio.jobs.context import RunContext
from ocrstudio.student.experts import Packed
from ocrstudio.student.experts_lora import ExpertsLora
from ocrstudio.student.failures import memory_sentences, reason_of
from ocrstudio.student.lora import PROJECTOR, SAM, VECTORS, VISION, trainable_parameters

Pieces = Iterable[tuple[str, Tensor, Tensor]]
"""Names of parameters, parts of them as they are, and the same parts as they were."""

_PARTS: tuple[tuple[str, str], ...] = (
    (re.escape(VISION), "vision encoder"),
    (re.escape(SAM), "SAM encoder"),
    (re.escape(PROJECTOR), "projector"),
    ("|".join(map(re.escape, VECTORS)), "newline and separator"),
    (r".*\.self_attn\.", "attention"),
    (r".*\.mlp\.experts", "routed experts"),
    (r".*\.mlp\.gate\.", "router"),
    (r".*\.mlp\.", "MLP"),
    (r".*\.embed_tokens", "embeddings"),
    (r"lm_head", "output layer"),
    (r".*norm", "norms"),
)
_CHUNK = 1 << 24  # values that are converted at once


class Movement:
    """Remembers what an adapter's run cannot compute at its end: vectors that are trained as they are.

    Args:
        model: The network with its fresh adapter, or without one when every weight is trained.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._start: dict[str, Tensor] = {}
        if isinstance(model, PeftModel):
            network = model.get_base_model()
            vectors = {name: network.get_parameter(name) for name in VECTORS}
            self._start = {name: v.detach().clone() for name, v in vectors.items() if v.requires_grad}

    @torch.no_grad()
    def measure(self, base: Callable[[], Pieces]) -> dict[str, float | None]:
        """The relative change of each trained part, in the order of the network.

        Args:
            base: Called only when every weight was trained: all of them beside those of the base model.

        Returns:
            Changes as fractions by the name of the part; None where it started at zero.
        """
        if not isinstance(self._model, PeftModel):
            trained = trainable_parameters(self._model)
            return _relative((name, *_compared(now, start)) for name, now, start in base() if name in trained)
        network = self._model.get_base_model()
        now = {name: network.get_parameter(name).detach() for name in self._start}
        vectors = ((name, *_compared(now[name], start)) for name, start in self._start.items())
        return _relative([*_adapted(network), *vectors])

    def say(self, context: RunContext, base: Callable[[], Pieces]) -> dict[str, float | None]:
        """Measure, and tell the result in the run's events; what goes wrong is said and fails nothing."""
        try:
            with memory_sentences(""):
                movement = self.measure(base)
        except (OcrStudioError, OSError, RuntimeError) as error:
            traceback.print_exception(error)  # into the log of the run
            reason = reason_of(error)
            context.emit("warning", message=f"How far the weights moved was not measured: {reason}.")
            return {}
        context.emit("phase", name="movement", message=movement_in_words(movement))
        return movement


def _adapted(network: nn.Module) -> Iterator[tuple[str, float, float]]:
    """Name, squared change and squared norm of every adapted layer."""
    for name, module in network.named_modules():
        if isinstance(module, LoraLayer):
            layer: Any = module
            changes = [_added(layer, adapter) for adapter in layer.active_adapters]
            yield f"{name}.", sum(changes), sum(_square(weight) for weight in _base_weights(layer))


def _added(layer: Any, adapter: str) -> float:  # noqa: ANN401 - one of PEFT's layers, or ours
    """Squared norm of what an adapter adds to a layer."""
    scale = float(layer.scaling[adapter]) ** 2
    if isinstance(layer, ExpertsLora):
        gate, up = layer.lora_gate_up_A[adapter].chunk(2, dim=1)
        pairs = [
            (layer.lora_gate_B[adapter], gate),
            (layer.lora_up_B[adapter], up),
            (layer.lora_down_B[adapter], layer.lora_down_A[adapter]),
        ]
    else:
        pairs = [(layer.lora_B[adapter].weight, layer.lora_A[adapter].weight)]
    return scale * sum(_product_square(b.double(), a.double()) for b, a in pairs)


def _product_square(b: Tensor, a: Tensor) -> float:
    """Squared Frobenius norm of [..., outputs, rank] times [..., rank, inputs]."""
    return max(0.0, float(((b.mT @ b) * (a @ a.mT)).sum()))


def _base_weights(layer: Any) -> Iterator[Tensor]:  # noqa: ANN401 - see `_added`
    """The frozen weights under an adapter, unpacked one after the other where they have 4 bits."""
    base = layer.get_base_layer()
    if isinstance(layer, ExpertsLora):
        for weight in (base.gate_up_proj, base.down_proj):
            yield weight.unpack() if isinstance(weight, Packed) else weight.detach()
        return
    state = getattr(base.weight, "quant_state", None)  # of bitsandbytes
    if state is None:
        yield base.weight.detach()
        return
    yield importlib.import_module("bitsandbytes.functional").dequantize_4bit(base.weight.data, state)


def _square(weight: Tensor) -> float:
    """Squared norm; large tensors are converted piece by piece."""
    return math.fsum(float(part.float().square().sum()) for part in weight.flatten().split(_CHUNK))


def _compared(now: Tensor, start: Tensor) -> tuple[float, float]:
    """Squared change and squared norm at the start."""
    pairs = zip(now.flatten().split(_CHUNK), start.flatten().split(_CHUNK), strict=True)
    squares = [_pair(new.float(), old.to(new.device).float()) for new, old in pairs]
    return math.fsum(change for change, _ in squares), math.fsum(norm for _, norm in squares)


def _pair(now: Tensor, start: Tensor) -> tuple[float, float]:
    return float((now - start).square().sum()), float(start.square().sum())


def _relative(squares: Iterable[tuple[str, float, float]]) -> dict[str, float | None]:
    changes: dict[str, float] = defaultdict(float)
    norms: dict[str, float] = defaultdict(float)
    for name, change, norm in squares:
        part = part_of(name)
        changes[part] += change
        norms[part] += norm
    found: Mapping[str, float | None] = {
        part: math.sqrt(changes[part] / norms[part]) if norms[part] else None for part in changes
    }
    titles = [title for _, title in _PARTS]
    return {part: found[part] for part in sorted(found, key=lambda part: [*titles, part].index(part))}


def part_of(name: str) -> str:
    """What a parameter or an adapted module (its name ending with a full stop) belongs to, in words."""
    return next((title for pattern, title in _PARTS if re.match(pattern, name)), "other weights")
