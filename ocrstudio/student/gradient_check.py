"""Proof, before the first step, that training reaches what it is meant to reach.

A frozen tower run under ``no_grad``, a misspelt layer or a wrong mask leaves an adapter without
gradients, and nothing tells: the loss still falls a little elsewhere, or not at all. So one batch goes
forward and backward, and every trainable tensor is looked at. Fresh LoRA factors hide half of the answer,
because B is zero and so is then the gradient of A; for the check B is filled with small numbers and set
back afterwards.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ocrstudio.domain.errors import RunError
from ocrstudio.domain.wording import some_of
from ocrstudio.student.lora import LANGUAGE, PROJECTOR, SAM, VECTORS, VISION, trainable_parameters

_PROBE_SCALE = 1e-2
_PARTS = {
    VISION: "vision encoder",
    SAM: "SAM encoder",
    PROJECTOR: "projector",
    LANGUAGE: "language model",
    **dict.fromkeys(VECTORS, "newline and separator"),
}
_EXPERTS_DIMENSIONS = 3  # fused experts: experts, outputs, inputs
_NAMED = 5


@dataclass(frozen=True)
class GradientReport:
    """What a backward pass reached.

    Attributes:
        tensors: Trainable tensors per part of the network.
        unreached: Names of the trainable tensors whose gradient is missing or zero everywhere.
        experts: Experts that some token of the batch reached, over all expert tensors.
        all_experts: All of them.
    """

    tensors: Mapping[str, int]
    unreached: tuple[str, ...]
    experts: int
    all_experts: int

    def sentence(self) -> str:
        """Where gradients arrive."""
        parts = ", ".join(f"{count} in the {part}" for part, count in self.tensors.items())
        reached = (
            f"; {self.experts} of {self.all_experts} expert matrices reached" if self.all_experts else ""
        )
        return f"Gradients arrive: {parts}{reached}"

    def warnings(self) -> list[str]:
        """What the user should know although training can go on."""
        if not self.unreached:
            return []
        named = some_of(self.unreached, _NAMED)
        return [f"{len(self.unreached)} trainable tensors got no gradient from the first batch: {named}."]


def check_gradients(model: nn.Module, compute_loss: Callable[[], Tensor]) -> GradientReport:
    """Run one backward pass and see where gradients arrive.

    Weights, gradients and random state are afterwards as they were before.

    Args:
        model: The adapted network.
        compute_loss: Runs the forward pass of one batch.

    Raises:
        RunError: Nothing is trainable, or a whole part that the mode names gets no gradient.
    """
    trainable = trainable_parameters(model)
    if not trainable:
        raise RunError(
            "Nothing in the model is trainable.", "Check the mode and the lora section of the configuration."
        )
    model.train()
    devices = sorted({p.device.index or 0 for p in trainable.values() if p.is_cuda})
    with torch.random.fork_rng(devices=devices), _probe_values(trainable):
        torch.manual_seed(0)
        loss = compute_loss()
        if loss.requires_grad:  # otherwise nothing trainable took part, and every gradient is missing
            loss.backward()
        report = _read(trainable)
        model.zero_grad(set_to_none=True)
    _refuse_dead_parts(report)
    return report


@contextlib.contextmanager
def _probe_values(trainable: Mapping[str, nn.Parameter]) -> Iterator[None]:
    """Fill the factors that start at zero with small numbers for the time of the check."""
    zeros = [tensor for name, tensor in trainable.items() if "lora_" in name and not tensor.any()]
    try:
        with torch.no_grad():
            for tensor in zeros:
                generator = torch.Generator(tensor.device).manual_seed(tensor.numel())
                tensor.normal_(0.0, _PROBE_SCALE, generator=generator)
        yield
    finally:
        with torch.no_grad():
            for tensor in zeros:
                tensor.zero_()


def _read(trainable: Mapping[str, nn.Parameter]) -> GradientReport:
    unreached = []
    experts = all_experts = 0
    for name, parameter in trainable.items():
        if parameter.grad is None or not parameter.grad.any():
            unreached.append(plain_name(name))
        if parameter.ndim == _EXPERTS_DIMENSIONS:
            all_experts += parameter.shape[0]
            if parameter.grad is not None:
                experts += int(parameter.grad.flatten(1).any(dim=1).sum())
    tensors = Counter(part_of(plain_name(name)) for name in trainable)
    return GradientReport(dict(tensors), tuple(unreached), experts, all_experts)


def plain_name(name: str) -> str:
    """A parameter's name in the network, without what PEFT puts around it."""
    return name.removeprefix("base_model.model.").replace(".default", "")


def part_of(name: str) -> str:
    """The part of the network that a parameter belongs to, in words."""
    return next((title for prefix, title in _PARTS.items() if name.startswith(prefix)), "other")


def _refuse_dead_parts(report: GradientReport) -> None:
    missing = Counter(part_of(name) for name in report.unreached)
    dead = [part for part, count in report.tensors.items() if missing[part] == count]
    if dead:
        raise RunError(
            f"No gradient reaches the {_listed(dead)}, so training would change nothing there.",
            "In mode vision every sample needs a picture; otherwise choose mode llm.",
        )


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
