"""Proof, after the first steps, that training changes what it is meant to change.

`gradient_check` sees gradients before the first step; between a gradient and a new value stand the optimiser,
its schedule and rounding. A step of 1e-5 on a weight of 16 bits leaves it where it is, and the loss falls
elsewhere. So every trained tensor is compared with what it was before: a gradient has to have reached it, and
its bits have to be others. (Weight decay moves a tensor without any gradient: movement alone proves nothing.)

The first factor of a fresh adapter moves from the second step on, since the other one is zero at the first;
with a warm-up the first step has no length at all. Only steps of some length count: `_STEPS` of them.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from ocrstudio.domain.wording import some_of
from ocrstudio.student.gradient_check import part_of, plain_name
from ocrstudio.student.lora import VECTORS, trainable_parameters

_STEPS = 3
_CHUNK = 1 << 22  # values that are summed at once
_NAMED = 5
_BITS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


@dataclass(frozen=True)
class FirstSteps:
    """What the first steps changed.

    Attributes:
        step: The last of them.
        moved: Tensors that moved, by part of the network.
        still: Names of the trained tensors that did not.
        values: Of newline and separator, where these are trained: values that moved, and all of them.
    """

    step: int
    moved: Mapping[str, int]
    still: tuple[str, ...]
    values: tuple[int, int] | None

    def sentence(self) -> str:
        """What moved."""
        parts = ", ".join(f"{count} in the {part}" for part, count in self.moved.items()) or "none"
        exact = ""
        if self.values is not None:
            exact = f"; {self.values[0]} of {self.values[1]} values of newline and separator"
        which = "Not every trained tensor" if self.still else "Every trained tensor"
        return f"{which} has moved after step {self.step}: {parts}{exact}"

    def warning(self) -> str:
        """What did not, or an empty text."""
        if not self.still:
            return ""
        return (
            f"{len(self.still)} trained tensors have not moved after step {self.step}: "
            f"{some_of(self.still, _NAMED)}. No page so far has reached them, or training.learning_rate is "
            "too small to change them."
        )


class FirstStepsCallback(TrainerCallback):
    """Compares every trained tensor before and after the first steps, once.

    A training that is shorter is compared at its end. It comes before what tells the progress: a phase of the
    run begins the counting anew for those who watch.

    Args:
        model: The network, with or without its adapter.
        tell: Given the result.
    """

    def __init__(self, model: nn.Module, tell: Callable[[FirstSteps], None]) -> None:
        self._parameters = trainable_parameters(model)
        self._tell = tell
        self._before: dict[str, Tensor] = {}
        self._vectors: dict[str, Tensor] = {}
        self._reached: dict[str, Tensor] = {}
        self._steps = 0

    def on_train_begin(
        self, _args: TrainingArguments, _state: TrainerState, _control: TrainerControl, **_: object
    ) -> None:
        """Note where everything stands; a checkpoint has been read by now."""
        self._before = {name: _fingerprint(tensor) for name, tensor in self._parameters.items()}
        whole = {name: tensor for name, tensor in self._parameters.items() if plain_name(name) in VECTORS}
        self._vectors = {name: tensor.detach().clone() for name, tensor in whole.items()}

    def on_pre_optimizer_step(
        self,
        _args: TrainingArguments,
        _state: TrainerState,
        _control: TrainerControl,
        optimizer: Any = None,  # noqa: ANN401 - one of torch's, or a wrapper of it
        **_: object,
    ) -> None:
        """See which gradients a step is taken with."""
        if not self._before or not any(group["lr"] > 0 for group in optimizer.param_groups):
            return
        self._steps += 1
        for name, parameter in self._parameters.items():
            if parameter.grad is not None:
                arrived = parameter.grad.any()
                before = self._reached.get(name)
                self._reached[name] = arrived if before is None else before | arrived

    def on_step_end(
        self, _args: TrainingArguments, state: TrainerState, _control: TrainerControl, **_: object
    ) -> None:
        """Compare, once enough steps were taken."""
        if self._before and self._steps >= _STEPS:
            self._compare(state.global_step)

    def on_train_end(
        self, _args: TrainingArguments, state: TrainerState, _control: TrainerControl, **_: object
    ) -> None:
        """Compare what a short training came to; after a single step half of an adapter stands still."""
        if self._before and self._steps > 1:
            self._compare(state.global_step)

    def _compare(self, step: int) -> None:
        found = {name: self._has_moved(name) for name in self._parameters}
        values = None
        if self._vectors:
            moved = [self._parameters[name].detach() != start for name, start in self._vectors.items()]
            values = (sum(int(part.sum()) for part in moved), sum(part.numel() for part in moved))
        parts = Counter(part_of(plain_name(name)) for name, moved in found.items() if moved)
        still = tuple(plain_name(name) for name, moved in found.items() if not moved)
        self._before, self._vectors, self._reached = {}, {}, {}
        self._tell(FirstSteps(step, dict(parts), still, values))

    def _has_moved(self, name: str) -> bool:
        reached = self._reached.get(name)
        if reached is None or not bool(reached):
            return False
        return not torch.equal(self._before[name], _fingerprint(self._parameters[name]))


def _fingerprint(tensor: Tensor) -> Tensor:
    """A sum of a tensor's bits, each value with an odd weight of its own: a single other bit changes it.

    Copies of everything that mode full trains would take as much memory again.

    Returns:
        int64, a scalar on the tensor's device.
    """
    bits = tensor.detach().flatten().view(_BITS[tensor.element_size()])
    total = torch.zeros((), dtype=torch.int64, device=tensor.device)
    for start in range(0, bits.numel(), _CHUNK):
        part = bits[start : start + _CHUNK].to(torch.int64)
        places = torch.arange(start, start + part.numel(), device=tensor.device)
        total += (part * (2 * places + 1)).sum()
    return total
