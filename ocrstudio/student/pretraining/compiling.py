"""Compiled parts of a step, and a way back: a training does not end for want of a compiler.

What is compiled are single layers and losses, each once for all layers of its kind. The decoder's parts are
compiled with a symbolic number of pages and positions, so that a batch of another shape costs nothing; the
encoder always sees one number of views.
"""

from collections.abc import Callable
from typing import Any

import torch

from ocrstudio.student.pretraining.decoder import decoder_layer
from ocrstudio.student.pretraining.forward import ReaderStep, StepParts, answer_loss
from ocrstudio.student.pretraining.heads import dense_losses

# Kinds of layers times (training, evaluation) times what turns out not to be symbolic.
_MOST_VERSIONS = 64


class CompiledStep:
    """Runs a step's work compiled, and as it is from the first failure on.

    Args:
        step: Its parts are replaced by compiled ones.
        warn: Told, in one sentence, that compilation failed.
        backend: Of `torch.compile`.
    """

    def __init__(self, step: ReaderStep, warn: Callable[[str], None], backend: Any = "inductor") -> None:  # noqa: ANN401
        self._step, self._warn = step, warn
        self._active = True
        torch._dynamo.config.recompile_limit = _MOST_VERSIONS  # noqa: SLF001 (documented, yet only there)
        compiled: dict[str, Any] = {"dynamic": True, "backend": backend}
        step.parts = StepParts(
            layer=torch.compile(decoder_layer, **compiled),
            dense=torch.compile(dense_losses, **compiled),
            answer=torch.compile(answer_loss, **compiled),
        )
        network = step.model.model
        for layer in [*network.sam_model.layers, *network.vision_model.transformer.layers]:
            layer.compile(dynamic=False, backend=backend)

    def run(self, work: Callable[[], None], forget: Callable[[], None]) -> None:
        """Do a step's forward and backward pass.

        Args:
            work: Does it.
            forget: Undoes what a pass that failed half-way left behind (gradients).

        Raises:
            Exception: What `work` raises without compiled parts.
        """
        try:
            return work()
        except torch.OutOfMemoryError:
            raise
        except Exception as error:
            if not self._active:
                raise
            self._active = False
            # The first line of what compilers say names the compiler, the second one the matter.
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            reason = " ".join(lines[:2]) or type(error).__name__
            self._warn(f"Compilation failed, the training goes on without it: {reason}")
            self.disable()
            forget()
        return work()

    def disable(self) -> None:
        """Go on with the parts as they are."""
        self._active = False
        self._step.parts = StepParts()
        network = self._step.model.model
        for layer in [*network.sam_model.layers, *network.vision_model.transformer.layers]:
            layer._compiled_call_impl = None  # noqa: SLF001 (`Module.compile` has no counterpart)
