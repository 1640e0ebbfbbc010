"""Model folders that look whole from outside: headers are right, weights are zeros."""

import json
from collections.abc import Sequence

PUBLIC_NAMES = ("model.embed_tokens.weight", "model.sam_model.pos_embed", "model.view_seperator")


def safetensors(names: Sequence[str] = PUBLIC_NAMES, data: bytes = bytes(4)) -> bytes:
    """A safetensors file; the first tensor holds the data, the others nothing."""
    header = {
        name: {"dtype": "U8", "shape": [size], "data_offsets": [start, start + size]}
        for name, start, size in [
            (name, 0 if number == 0 else len(data), len(data) if number == 0 else 0)
            for number, name in enumerate(names)
        ]
    }
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data
