"""The text model's part of a training step as CUDA graphs: recorded once for a shape, then replayed.

At batch 2 a training step of the full-size model takes some 15,000 small kernels; launching them costs the
host twice the time that the GPU needs for them. A recording has no launches, needs no compiler, and is ready
after one pass. It has fixed shapes: sequences are padded to a multiple of `_LENGTH_STEP`, the positions that
predict an answer to a multiple of `_ANSWER_STEP`; neither changes the result.

The loss is part of the recording, with the output layer frozen: the gradient of each chunk's logits is
finished while they exist, so that neither logits nor a second pass over them are needed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (the name everybody uses)

from ocrstudio.student.modeling.loss import IGNORE_INDEX

_LENGTH_STEP = 128
_ANSWER_STEP = 1024
_CHUNK = 512  # positions whose logits exist at once: 126 MiB in bfloat16
_WARM_UP_PASSES = 1


class FrozenHeadLoss(torch.autograd.Function):
    """Summed cross-entropy behind an output layer that is not trained; also counts the right guesses."""

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        hidden: Tensor,
        targets: Tensor,
        weight: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Compute loss and gradient chunk by chunk.

        Args:
            ctx: Of autograd.
            hidden: [positions, hidden].
            targets: [positions]; -100 counts for nothing.
            weight: [vocabulary, hidden] of the output layer.

        Returns:
            The summed loss (float32) and the number of positions whose likeliest token is the target.
        """
        gradient = torch.empty_like(hidden)
        loss = hidden.new_zeros((), dtype=torch.float32)
        correct = targets.new_zeros(())
        for start in range(0, len(targets), _CHUNK):
            rows, labels = hidden[start : start + _CHUNK], targets[start : start + _CHUNK]
            logits = F.linear(rows, weight.to(rows.dtype)).float()
            counted = labels != IGNORE_INDEX
            wanted = labels.clamp(min=0)[:, None]
            correct += ((logits.argmax(dim=-1) == labels) & counted).sum()
            logits -= logits.logsumexp(dim=-1, keepdim=True)
            loss -= (logits.gather(1, wanted)[:, 0] * counted).sum()
            probabilities = logits.exp_()
            probabilities.scatter_add_(1, wanted, -torch.ones_like(wanted, dtype=probabilities.dtype))
            probabilities *= counted[:, None]
            gradient[start : start + _CHUNK] = probabilities.to(rows.dtype) @ weight.to(rows.dtype)
        ctx.save_for_backward(gradient)
        ctx.mark_non_differentiable(correct)
        return loss, correct

    @staticmethod
    def backward(
        ctx: Any,  # noqa: ANN401
        scale: Tensor,
        _correct: Tensor,
    ) -> tuple[Tensor, None, None]:
        """The gradient of the hidden states."""
        (gradient,) = ctx.saved_tensors
        return gradient * scale.to(gradient.dtype), None, None


@dataclass(frozen=True)
class _Static:
    """Inputs at fixed addresses."""

    embeds: Tensor
    labels: Tensor
    items: Tensor
    scale: Tensor

    @classmethod
    def make(cls, batch: int, length: int, like: Tensor, *, needs_gradient: bool) -> "_Static":
        embeds = torch.zeros((batch, length, like.shape[1]), dtype=like.dtype, device=like.device)
        if needs_gradient:
            embeds.requires_grad_(True)
            embeds.grad = torch.zeros_like(embeds)
        return cls(
            embeds,
            torch.full((batch, length), IGNORE_INDEX, device=like.device),
            torch.ones((), device=like.device),
            torch.ones((), device=like.device),
        )


@dataclass(frozen=True)
class _Recording:
    """Graphs of one shape with the tensors that they read and write."""

    forward: torch.cuda.CUDAGraph
    backward: torch.cuda.CUDAGraph
    embeds: Tensor
    labels: Tensor
    items: Tensor
    scale: Tensor
    loss: Tensor
    correct: Tensor


class _Replay(torch.autograd.Function):
    """A recording as a differentiable function of the embeddings.

    The gradients of the parameters are added to their `grad` by the recording itself.
    """

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        embeds: Tensor,
        _anchor: Tensor,
        recording: _Recording,
    ) -> Tensor:
        ctx.recording = recording
        ctx.length = embeds.shape[1]
        recording.embeds.detach()[:, : embeds.shape[1]].copy_(embeds)
        recording.forward.replay()
        return recording.loss.detach().clone()

    @staticmethod
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor | None, Tensor | None, None]:  # noqa: ANN401
        recording: _Recording = ctx.recording
        recording.scale.copy_(scale)
        recording.backward.replay()
        gradient = recording.embeds.grad
        return None if gradient is None else gradient[:, : ctx.length].clone(), None, None


class TextGraphs:
    """Loss and gradients of the text model for embedded batches.

    Args:
        network: `DeepseekOcrForConditionalGeneration` with its adapter, on a GPU, in training mode.
        parameters: All trainable parameters, of the vision tower too: recordings add to gradients that are
            already there.
        through: Whether gradients of the embeddings are wanted, for a trainable vision tower.
        dtype: Of mixed precision.
        pool: Memory that may be shared with recordings that are never under way at the same time.
    """

    def __init__(
        self,
        network: nn.Module,
        parameters: Sequence[nn.Parameter],
        *,
        through: bool,
        dtype: torch.dtype,
        pool: tuple[int, int],
    ) -> None:
        self._network: Any = network
        self._parameters = list(parameters)
        self.through = through
        self._dtype = dtype
        self._gradients = [torch.zeros_like(parameter) for parameter in parameters]
        self._anchor = torch.zeros((), device=network.device, requires_grad=True)
        self._recordings: dict[tuple[int, int, int], _Recording] = {}
        self._pool = pool

    def loss(
        self, embeds: Tensor, labels: Tensor, answers: int, items: Tensor | int
    ) -> tuple[Tensor, Tensor]:
        """Loss of a batch that is padded on the right.

        Args:
            embeds: [batch, length, hidden] with the image features in place.
            labels: [batch, length]; -100 where nothing is to be learnt.
            answers: How many labels there are, so that nobody waits for the device to count them.
            items: Divisor of the summed loss.

        Returns:
            The loss, and the number of labelled tokens that the model would have chosen.
        """
        batch, length = labels.shape
        shape = (batch, _rounded(length, _LENGTH_STEP), _rounded(answers, _ANSWER_STEP))
        self._attach_gradients()
        recording = self._recordings.get(shape)
        if recording is None:
            recording = self._recordings[shape] = self._record(shape)
        recording.labels.fill_(IGNORE_INDEX)
        recording.labels[:, :length].copy_(labels)
        recording.items.fill_(items) if isinstance(items, int) else recording.items.copy_(items)
        loss = _Replay.apply(embeds, self._anchor, recording)
        return loss, recording.correct.clone()

    def _attach_gradients(self) -> None:
        """Make the parameters' gradients the tensors that the recordings add to; those are empty at first."""
        if self._parameters and self._parameters[0].grad is not self._gradients[0]:
            torch._foreach_zero_(self._gradients)
            for parameter, gradient in zip(self._parameters, self._gradients, strict=True):
                parameter.grad = gradient

    def _compute(self, static: _Static, answers: int) -> tuple[Tensor, Tensor]:
        with torch.autocast("cuda", dtype=self._dtype, cache_enabled=False):
            hidden = _decode(self._network.model.language_model, static.embeds)
        targets = F.pad(static.labels[:, 1:], (0, 1), value=IGNORE_INDEX).flatten()
        # Labelled positions first, in order; what is left of the fixed number counts for nothing.
        chosen = torch.argsort((targets == IGNORE_INDEX).to(torch.int8), stable=True)[:answers]
        picked = hidden.flatten(0, 1).index_select(0, chosen)
        loss, correct = FrozenHeadLoss.apply(picked, targets[chosen], self._network.lm_head.weight)
        return loss / static.items, correct

    def _record(self, shape: tuple[int, int, int]) -> _Recording:
        batch, length, answers = shape
        head = self._network.lm_head.weight
        answers = min(answers, batch * length)
        static = _Static.make(batch, length, head, needs_gradient=self.through)
        # A divisor without end makes the passes of the warm-up add nothing to the gradients.
        static.items.fill_(math.inf)
        static.scale.zero_()
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP_PASSES):
                loss, _ = self._compute(static, answers)
                loss.backward(static.scale)
                del loss
        torch.cuda.current_stream().wait_stream(stream)
        forward, backward = torch.cuda.CUDAGraph(), torch.cuda.CUDAGraph()
        with torch.cuda.graph(forward, pool=self._pool):
            if static.embeds.grad is not None:
                static.embeds.grad.zero_()
            loss, correct = self._compute(static, answers)
        with torch.cuda.graph(backward, pool=self._pool):
            loss.backward(static.scale)
        return _Recording(
            forward,
            backward,
            static.embeds,
            static.labels,
            static.items,
            static.scale,
            loss.detach(),
            correct,
        )


def _decode(text: Any, hidden: Tensor) -> Tensor:  # noqa: ANN401 - the library's text model
    """Run the layers with plain causal attention; the library's own loop would look at values."""
    positions = torch.arange(hidden.shape[1], device=hidden.device)[None]
    rotary = text.rotary_emb(hidden, position_ids=positions)
    for layer in text.layers:
        hidden = layer(hidden, attention_mask=None, position_embeddings=rotary, use_cache=False)
    return text.norm(hidden)


def _rounded(number: int, step: int) -> int:
    return max(step, math.ceil(number / step) * step)
