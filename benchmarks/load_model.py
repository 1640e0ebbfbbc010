"""Time and peak memory of loading a full-size model on the CPU.

    python benchmarks/load_model.py FOLDER [--4bit]

The folder gets a checkpoint of 6.7 GB in the public layout with arbitrary weights, unless it holds one. It is
loaded in a process of its own, interpreter and libraries counted. With ``--4bit`` the language model is then
packed, and what its weights take is printed too. Delete the folder afterwards.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import torch

from ocrstudio.student.configuration import DeepseekOcrConfig
from ocrstudio.student.export import save_model
from ocrstudio.student.micro import micro_folder
from ocrstudio.student.quantisation import quantise_4bit
from ocrstudio.student.tokenizer import OcrTokenizer
from ocrstudio.student.weights import build_empty, load_model, reset_rotary_frequencies

_BLOCK = (
    1 << 22
)  # values that are repeated: making three billion different ones would take longer than loading
_BAR = 1.15


def write(folder: Path) -> None:
    """Write a checkpoint whose weights are the same on every machine."""
    model = build_empty(DeepseekOcrConfig()).to(torch.bfloat16).to_empty(device="cpu")
    reset_rotary_frequencies(model)
    block = torch.randn(_BLOCK, generator=torch.Generator().manual_seed(0)).mul_(0.02).to(torch.bfloat16)
    for parameter in model.parameters():
        values = parameter.detach().view(-1)
        for part in values.split(_BLOCK):
            part.copy_(block[: part.numel()])
    save_model(model, OcrTokenizer(micro_folder()), folder)


def load(folder: Path, *, pack: bool) -> None:
    """Load the checkpoint in this process and print what it took."""
    started = time.perf_counter()
    model = load_model(folder)
    seconds = time.perf_counter() - started
    parts: dict[str, int] = {}
    for name, parameter in model.named_parameters():
        part = name.split(".")[1] if name.startswith("model.") else name.split(".")[0]
        parts[part] = parts.get(part, 0) + parameter.numel()
    weights = sum(parameter.nbytes for parameter in model.parameters())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    figures = {
        "seconds": round(seconds, 1),
        "weights_gib": round(weights / 2**30, 2),
        "peak_by_weights": round(peak / weights, 3),
        "parameters": sum(parts.values()),
        "parts": parts,
    }
    if pack:
        started = time.perf_counter()
        quantise_4bit(model, torch.device("cpu"))
        figures["pack_seconds"] = round(time.perf_counter() - started, 1)
        stored = sum(tensor.nbytes for tensor in [*model.parameters(), *model.buffers()])
        figures["packed_weights_gib"] = round(stored / 2**30, 2)
    print(json.dumps(figures, indent=2))
    if peak > _BAR * weights:
        raise SystemExit(f"the peak is above {_BAR} times the weights")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    options = sys.argv[2:]
    if "--load" in options:
        load(target, pack="--4bit" in options)
    else:
        if not (target / "config.json").is_file():
            write(target)
        sys.exit(subprocess.call([sys.executable, __file__, str(target), "--load", *options]))
