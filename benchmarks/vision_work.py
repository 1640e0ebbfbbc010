"""How much of a training step the frozen vision tower takes, counted in operations at full size.

    python -m benchmarks.vision_work

Nothing is computed: torch counts the operations of tensors without contents. Compared are the library's own
switch for gradient checkpointing, as its trainer sets it, and ours, in mode llm, for pages of six tiles.
"""

import json

import torch
from torch.utils.flop_counter import FlopCounterMode

from ocrstudio.student.checkpointing import apply_checkpointing
from ocrstudio.student.configuration import DeepseekOcrConfig
from ocrstudio.student.library import enable_checkpointing
from ocrstudio.student.modeling.model import DeepseekOcrForConditionalGeneration
from ocrstudio.student.weights import build_empty

PAGES = 8  # of a step
TERA = 1e12


def count(network: DeepseekOcrForConditionalGeneration) -> float:
    """TFLOP of a page's features, and of the backward pass where one goes through them."""
    overview = torch.zeros(1, 3, 1024, 1024, dtype=torch.bfloat16, device="meta")
    tiles = torch.zeros(6, 3, 640, 640, dtype=torch.bfloat16, device="meta")
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        features = torch.cat(network.get_image_features(overview, tiles, [(2, 3)]))
        if features.requires_grad:
            features.backward(torch.ones_like(features))
    return counter.get_total_flops() / TERA


def main() -> None:
    network = build_empty(DeepseekOcrConfig()).to(torch.bfloat16).requires_grad_(False).train()
    enable_checkpointing(network, {"use_reentrant": False})
    library = count(network)
    apply_checkpointing(network, 1, has_dropout=False)
    ours = count(network)
    print(json.dumps({"library_tflop_a_step": round(PAGES * library, 1), "ours": round(PAGES * ours, 1)}))
    print(json.dumps({"ratio": round(library / ours, 2)}))


if __name__ == "__main__":
    main()
