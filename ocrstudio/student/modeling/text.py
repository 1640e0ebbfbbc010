"""Parts of the library's text model where speed or mixed precision asks for more care than it takes.

The parameters and their names are the library's.
"""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (the name everybody uses)
from transformers.models.deepseek_ocr2.configuration_deepseek_ocr2 import DeepseekOcr2TextConfig
from transformers.models.deepseek_ocr2.modeling_deepseek_ocr2 import (
    DeepseekOcr2TextModel,
    DeepseekOcr2TextRMSNorm,
    DeepseekOcr2TextTopkRouter,
)


class FullPrecisionRouter(DeepseekOcr2TextTopkRouter):
    """The router, in float32 also under automatic mixed precision.

    The library asks for float32 too, but autocast lowers its product to 16 bits, and then training sends
    tokens to other experts than inference does.
    """

    def forward(self, hidden_states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """[..., hidden] to logits, weights and indices of the chosen experts of every token."""
        with torch.autocast(hidden_states.device.type, enabled=False):
            return super().forward(hidden_states)


class FusedRmsNorm(DeepseekOcr2TextRMSNorm):
    """Root-mean-square normalisation as one kernel in place of six, with arithmetic in float32 throughout."""

    def forward(self, hidden_states: Tensor) -> Tensor:
        """[..., hidden] to the same shape."""
        with torch.autocast(hidden_states.device.type, enabled=False):
            weight = self.weight.to(hidden_states.dtype)
            return F.rms_norm(hidden_states, weight.shape, weight, self.variance_epsilon)


class TextModel(DeepseekOcr2TextModel):
    """The library's mixture-of-experts decoder with these parts."""

    def __init__(self, config: DeepseekOcr2TextConfig) -> None:
        super().__init__(config)
        for layer in self.layers:
            for name in ("input_layernorm", "post_attention_layernorm"):
                setattr(layer, name, FusedRmsNorm(config.hidden_size, config.rms_norm_eps))
            if hasattr(layer.mlp, "gate"):
                layer.mlp.gate = FullPrecisionRouter(config)
        self.norm = FusedRmsNorm(config.hidden_size, config.rms_norm_eps)

    @classmethod
    def _can_set_experts_implementation(cls) -> bool:
        """The experts are the library's and have its grouped product; it would look for them in this file."""
        return True
