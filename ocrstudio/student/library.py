"""What the releases of transformers that the student works with call things differently.

Release 5.24 renamed the key-value cache and gradient checkpointing. What the library has is looked at, not
its version.
"""

import inspect
from typing import Any

from transformers import PreTrainedModel
from transformers.models.deepseek_ocr2.modeling_deepseek_ocr2 import DeepseekOcr2TextModel

_ARGUMENTS = inspect.signature(DeepseekOcr2TextModel.forward).parameters
CACHE = "cache" if "cache" in _ARGUMENTS else "past_key_values"
"""The key-value cache, as an argument of a forward pass and as a field of its output."""

_KIND = "activation" if hasattr(PreTrainedModel, "activation_checkpointing_enable") else "gradient"


def enable_checkpointing(network: PreTrainedModel, how: dict[str, Any], *, every: int = 1) -> None:
    """Have every n-th layer compute its activations again.

    Args:
        network: Changed in place.
        how: Arguments of torch's ``checkpoint``.
        every: See above.
    """
    getattr(network, f"{_KIND}_checkpointing_enable")(how, every_n_layers=every)


def disable_checkpointing(network: PreTrainedModel) -> None:
    """Have every layer keep its activations."""
    getattr(network, f"{_KIND}_checkpointing_disable")()
