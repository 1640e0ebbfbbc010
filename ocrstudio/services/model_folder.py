"""What a model folder holds, without loading it."""

import json
import shlex
from pathlib import Path

REPOSITORY = "unsloth/DeepSeek-OCR"
"""The public checkpoint: part of the program rather than a preference."""

_DEEPSEEK_OCR = ("deepseek_vl_v2", "deepseekocr", "deepseek_ocr")


def folder_problem(folder: Path) -> str:
    """What is missing or wrong in a model folder, as part of a sentence; empty when it looks complete."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kind = str(config.get("model_type", "")).lower()
    except (OSError, ValueError, AttributeError):
        return "config.json is missing or damaged"
    if kind not in _DEEPSEEK_OCR:
        return f"its model_type is {kind!r}, not DeepSeek-OCR's"
    if not (folder / "tokenizer.json").is_file():
        return "tokenizer.json is missing"
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        single = folder / "model.safetensors"
        return "" if single.is_file() else "it has no weights (model.safetensors)"
    try:
        wanted = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (OSError, ValueError, KeyError, AttributeError):
        return f"{index.name} is damaged"
    absent = sorted(name for name in wanted if not (folder / name).is_file())
    return f"weights are missing: {', '.join(absent)}" if absent else ""


def download_command(folder: Path | str) -> str:
    """What a person types to fetch the public checkpoint into a folder."""
    return f"hf download {REPOSITORY} --local-dir {shlex.quote(str(folder))}"
