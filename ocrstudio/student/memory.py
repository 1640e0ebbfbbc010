"""How much memory a training takes, estimated from sizes before any weight is loaded.

Counted are the weights, the adapter with its gradients and the optimiser's moments, what the backward pass
needs of the longest batch, the logits of a chunk of the loss, and what the vision encoders hold while they
run. The factors count tensors of the forward pass; on an H100 at full size the sums were 9.6 GiB
(checkpointed) and 13.0 GiB (not), and the estimate is within a tenth of both (docs/performance.md).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import psutil
import torch

from ocrstudio.domain.run import TrainMode
from ocrstudio.domain.wording import size_of
from ocrstudio.settings.train import TrainConfig
from ocrstudio.student.arguments import choose_optimizer
from ocrstudio.student.configuration import DeepseekOcrConfig
from ocrstudio.student.lora import attach_adapter, select_targets, train_everything, trainable_parameters
from ocrstudio.student.modeling.loss import LOSS_CHUNK
from ocrstudio.student.weights import build_empty

_PACKED_BYTES = 0.53  # of a weight in 4 bits, its scales included
_FLOAT_BYTES = 4
# Values kept for the backward pass, in widths of the layer.
_ATTENTION_VALUES = 10  # two normalisations, q, k, v, rotated q and k, the product, the projection, the sum
_EXPERT_VALUES = (3, 4)  # a routed row: input, output and weighted output; gate and up, activation, product
_MLP_VALUES = 3  # gate, up, product
_CLIP_VALUES = 18  # as attention, and twice the four times wider hidden layer
_SAM_VALUES = 24  # of the one layer that runs: pictures, projections, the wider copies of q and k
_CONTEXT_BYTES = 600 * 2**20  # what CUDA and its libraries take beside the tensors
_TIGHT = 0.95


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes by purpose.

    Attributes:
        weights: The base model.
        adapter: Its weights, and gradients and the optimiser's moments of all that is trained.
        activations: What a step holds beside them.
    """

    weights: int
    adapter: int
    activations: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.adapter + self.activations

    def sentence(self) -> str:
        """The estimate in words."""
        return (
            f"about {size_of(self.total)} (weights {size_of(self.weights)}, adapter and optimiser "
            f"{size_of(self.adapter)}, a step {size_of(self.activations)})"
        )


def estimate_memory(
    network: DeepseekOcrConfig,
    config: TrainConfig,
    mode: TrainMode,
    *,
    longest: int,
    image_tokens: int,
    every: int,
    value_bytes: int = 2,
) -> MemoryEstimate:
    """Estimate a training.

    Args:
        network: Sizes of the model.
        config: Batch, adapter, precision.
        mode: What is adapted.
        longest: Positions of the longest sample.
        image_tokens: Positions of its picture.
        every: Every n-th layer computes its activations again; 0 for none.
        value_bytes: Of a weight and of an activation: 2 for bfloat16.
    """
    with torch.device("meta"):
        model = build_empty(network)
        layers = sum(parameter.numel() for parameter in model.model.language_model.layers.parameters())
        everything = sum(parameter.numel() for parameter in model.parameters())
        if mode is TrainMode.FULL:
            trained, copies = train_everything(model), 1  # the gradients
        else:
            trained = attach_adapter(model, config.lora, select_targets(model, config.lora, mode))
            copies = 2  # the adapter and its gradients
        trainable = sum(parameter.numel() for parameter in trainable_parameters(trained).values())
    packed = layers if config.model.load_in_4bit else 0
    moments = 2 if choose_optimizer(config.training.optim) == "adamw_8bit" else 2 * _FLOAT_BYTES
    pages = config.training.per_device_train_batch_size
    step = _text_values(network, every) * longest * pages * value_bytes
    step += _vision_values(network, mode, every) * image_tokens * pages * value_bytes
    step += (
        min(LOSS_CHUNK, longest * pages) * network.text_config.vocab_size * (2 * _FLOAT_BYTES + value_bytes)
    )
    return MemoryEstimate(
        weights=int((everything - packed) * value_bytes + packed * _PACKED_BYTES),
        adapter=trainable * (copies * _FLOAT_BYTES + moments),
        activations=step,
    )


def _text_values(network: DeepseekOcrConfig, every: int) -> int:
    """Values of the text model that are held for a position."""
    text = network.text_config
    attention = _ATTENTION_VALUES * text.hidden_size
    rows = _EXPERT_VALUES[0] * text.hidden_size + _EXPERT_VALUES[1] * text.moe_intermediate_size
    shared = _MLP_VALUES * text.n_shared_experts * text.moe_intermediate_size
    sparse = attention + text.num_experts_per_tok * rows + shared
    dense = attention + _MLP_VALUES * text.intermediate_size
    kinds = [sparse if kind == "sparse" else dense for kind in text.mlp_layer_types]
    return _kept(kinds, text.hidden_size, every)


def _kept(layers: Sequence[int], width: int, every: int) -> int:
    """Values held for a position: of the layers that keep them, and of the one that computes again."""
    if not every:
        return sum(layers)
    again = layers[::every]
    return sum(layers) - sum(again) + max(again) + len(again) * width


def _vision_values(network: DeepseekOcrConfig, mode: TrainMode, every: int) -> int:
    """Values of the encoders that are held for an image token: 16 patches of SAM, one of CLIP."""
    clip, sam = network.clip_config, network.sam_config
    running = _SAM_VALUES * 16 * sam.hidden_size
    if mode is TrainMode.LLM:
        return running
    return running + _kept(
        [_CLIP_VALUES * clip.hidden_size] * clip.num_hidden_layers, clip.hidden_size, every
    )


def free_memory() -> int:
    """Bytes that a training can take here: of the GPU, else of the machine."""
    if torch.cuda.is_available():
        return max(0, torch.cuda.mem_get_info()[0] - _CONTEXT_BYTES)
    return psutil.virtual_memory().available


def fits(estimate: MemoryEstimate, free: int) -> bool:
    """Whether an estimate leaves a little room."""
    return estimate.total <= _TIGHT * free
