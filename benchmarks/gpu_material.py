"""What the GPU benchmarks work on: a full-size model with random weights, and pages of a real size.

Nothing is downloaded. The weights are drawn on the GPU and written as a model folder of the public layout, so
that the benchmarks load it the way a user's model is loaded. A page is A4 at 200 dpi (1654 x 2339 pixels, six
tiles, 903 image tokens) with an answer of about 800 tokens.
"""

import functools
import json
import multiprocessing
import os
import random
import re
import time
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont

from ocrstudio.student.configuration import DeepseekOcrConfig
from ocrstudio.student.export import save_model
from ocrstudio.student.tokenizer import OcrTokenizer
from ocrstudio.student.weights import build_empty

NOTEBOOK = {"first_step_s": 116.5, "step_s": 6.9, "peak_gib": 12.0, "tokens_per_second": 12.0}
"""Unsloth's DeepSeek-OCR notebook recipe on an H100 80 GB (transformers 4.56.2)."""

_PAGE = (1654, 2339)
_WORDS = re.findall(
    r"\S+",
    "balance carried forward quarterly revenue table invoice section measured between temperature "
    "paragraph chapter the of and with from above figure results however total amount committee "
    "agreement signed annual report 1987 2,450 3.14 12% residual material specification appendix",
)


def make_model(folder: Path, tokenizer: Path, config: DeepseekOcrConfig | None = None) -> None:
    """Write a model folder with random weights.

    Args:
        folder: Created; must not exist.
        tokenizer: Folder that holds the model's ``tokenizer.json``.
        config: None for full size.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = build_empty(config or DeepseekOcrConfig()).to(torch.bfloat16).to_empty(device=device)
    generator = torch.Generator(device).manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("bias"):
                parameter.zero_()
            elif "norm" in name.rsplit(".", 2)[-2]:
                parameter.fill_(1.0)
            else:
                inputs = parameter.shape[-1] if parameter.ndim <= 3 else parameter[0].numel()
                scale = 1.0 if "embed_tokens" in name else inputs**-0.5
                parameter.normal_(0.0, scale, generator=generator)
    save_model(model, OcrTokenizer(tokenizer), folder)


def make_pages(folder: Path, count: int, tokenizer: OcrTokenizer, answer_tokens: int = 790) -> Path:
    """Write pages and their dataset file.

    Returns:
        The JSONL file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draw = functools.partial(_make_page, folder, tokenizer, answer_tokens)
    with multiprocessing.get_context("fork").Pool(min(12, os.cpu_count() or 1)) as pool:
        lines = pool.map(draw, range(1, count + 1))
    path = folder / "pages.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _make_page(folder: Path, tokenizer: OcrTokenizer, tokens: int, number: int) -> str:
    """Draw a page; its line of the dataset is returned."""
    font = ImageFont.load_default(size=26)
    text = _text(number, tokenizer, tokens)
    page = Image.new("RGB", _PAGE, "white")
    ImageDraw.Draw(page).multiline_text((120, 120), text, fill="black", font=font, spacing=12)
    name = f"report{number}_p1.png"
    page.save(folder / name, compress_level=1)
    question = {"role": "<|User|>", "content": "<image>\nFree OCR.", "images": [name]}
    return json.dumps({"messages": [question, {"role": "<|Assistant|>", "content": text}]})


def _text(number: int, tokenizer: OcrTokenizer, tokens: int) -> str:
    chooser = random.Random(number)
    lines: list[str] = []
    while len(tokenizer.encode("\n".join(lines))) < tokens:
        lines.append(" ".join(chooser.choice(_WORDS) for _ in range(14)))
    return "\n".join(lines)


def say(**row: object) -> None:
    """Print a row of results as a line of JSON."""
    print(json.dumps({"time": round(time.time()), **row}, default=str), flush=True)
