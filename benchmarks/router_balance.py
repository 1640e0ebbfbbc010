"""Does training every weight want the router's balancing loss of the reference? Measured with and without it.

    python -m benchmarks.router_balance [--model micro|FOLDER] [--steps 150] [--seeds 2] [--alphas 0,0.001]

The loss is that of DeepSeek-V2's code: in every layer, for every sequence, the experts' share of the chosen
places (times their number) by the mean probability that the router gives them, summed over the experts, times
alpha. Pages are made up (lines of random words), in an alphabet that changes with the seed. Said before and
after every training: loss of held-out pages, spread of the experts' shares (standard deviation by mean), the
smallest share of an even one, and experts that no token of the held-out pages chose; over the sparse layers.
"""

import argparse
import json
import random
import string
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ocrstudio.imaging.presets import ImagePreset
from ocrstudio.student.loading import load_student
from ocrstudio.student.lora import train_everything, trainable_parameters
from ocrstudio.student.modeling.model import DeepseekOcrForConditionalGeneration

VIEW = ImagePreset(384, 384, crop_mode=False)
PROMPT = "<image>\nFree OCR."
PAGES, HELD_OUT, BATCH = 64, 16, 4


def pages(seed: int) -> list[tuple[Image.Image, str]]:
    """Pictures of random words, and their text."""
    dice = random.Random(seed)
    letters = dice.sample(string.ascii_letters + string.digits, 24)
    made = []
    for _ in range(PAGES + HELD_OUT):
        lines = [
            " ".join("".join(dice.choices(letters, k=dice.randint(2, 6))) for _ in range(3)) for _ in range(4)
        ]
        picture = Image.new("RGB", (384, 384), "white")
        ImageDraw.Draw(picture).text((20, 30), "\n".join(lines), fill="black", font_size=36)
        made.append((picture, "\n".join(lines)))
    return made


@contextmanager
def routers_watched(model: DeepseekOcrForConditionalGeneration) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """Collects logits [tokens, experts] and choices [tokens, chosen] of every sparse layer, pass by pass."""
    seen: list[tuple[Tensor, Tensor]] = []
    gates = [layer.mlp.gate for layer in model.model.language_model.layers if hasattr(layer.mlp, "gate")]
    hooks = [
        gate.register_forward_hook(lambda _gate, _inputs, output: seen.append((output[0], output[2])))
        for gate in gates
    ]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def balancing_loss(logits: Tensor, chosen: Tensor, sequences: int) -> Tensor:
    """Of one layer, without alpha (``seq_aux`` of DeepSeek-V2)."""
    experts = logits.shape[-1]
    scores = logits.softmax(dim=-1).view(sequences, -1, experts)
    picked = torch.nn.functional.one_hot(chosen, experts).sum(dim=1).view(sequences, -1, experts).float()
    shares = picked.mean(dim=1) * experts / chosen.shape[-1]
    return (shares * scores.mean(dim=1)).sum(dim=1).mean()


@torch.no_grad()
def measure(
    model: DeepseekOcrForConditionalGeneration, batches: Sequence[dict[str, Any]]
) -> dict[str, float]:
    """Loss of held-out pages, and how evenly their tokens are spread."""
    model.eval()
    losses: list[float] = []
    counts: list[Tensor] = []
    for batch in batches:
        with routers_watched(model) as seen:
            losses.append(float(model(**batch).loss))
        experts = seen[0][0].shape[-1]
        counts.append(torch.stack([chosen.flatten().bincount(minlength=experts) for _, chosen in seen]))
    shares = torch.stack(counts).sum(dim=0).double()
    shares /= shares.mean(dim=1, keepdim=True)
    return {
        "loss": round(sum(losses) / len(losses), 4),
        "spread": round(float(shares.std(dim=1, correction=0).mean()), 4),
        "smallest_share": round(float(shares.min()), 4),
        "unused": int((shares == 0).sum()),
        "experts": shares.numel(),
    }


def run(model_name: str, alpha: float, steps: int, seed: int, rate: float) -> None:
    """One training; prints a line before and one after it."""
    torch.manual_seed(seed)
    student = load_student(model_name, VIEW, dtype=torch.float32)
    model = student.model
    train_everything(model)
    processor = student.processor
    samples = [processor.encode([picture], PROMPT, text) for picture, text in pages(seed)]
    collate = processor.collate
    held_out = [collate(samples[first : first + BATCH]) for first in range(PAGES, PAGES + HELD_OUT, BATCH)]
    facts = {"model": Path(model_name).name, "alpha": alpha, "seed": seed}
    print(json.dumps({**facts, "steps": 0, **measure(model, held_out)}), flush=True)
    optimizer = torch.optim.AdamW(trainable_parameters(model).values(), lr=rate, weight_decay=0.0)
    dice = random.Random(seed)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min((step + 1) / 10, (steps - step) / steps)
        model.train()
        with routers_watched(model) as seen:
            loss = model(**collate(dice.sample(samples[:PAGES], BATCH))).loss
        if alpha:
            loss = loss + alpha * sum(balancing_loss(logits, chosen, BATCH) for logits, chosen in seen)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    print(json.dumps({**facts, "steps": steps, **measure(model, held_out)}), flush=True)


def main() -> None:
    """Every alpha with every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="micro")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--rate", type=float, default=5e-4)
    parser.add_argument(
        "--alphas", type=lambda text: [float(part) for part in text.split(",")], default="0,0.001,0.1"
    )
    options = parser.parse_args()
    for seed in range(options.seeds):
        for alpha in options.alphas:
            run(options.model, alpha, options.steps, seed, options.rate)


if __name__ == "__main__":
    main()
