"""A checkpoint of the training as a model folder like any other: what the product loads and ships.

    python -m ocrstudio.student.pretraining.export CHECKPOINT --output DIR --material MATERIAL

The folder has the averaged weights in float16 under the public names, ``config.json``, the tokenizer, and
``processor_config.json`` with the sizes of the views; from the material it takes what has to go with the
weights, ``ORIGINS.md`` and the licences of fonts and texts. ``heads.pt`` is for a training that goes on.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ocrstudio.domain.errors import InputError, OcrStudioError
from ocrstudio.student.export import save_model
from ocrstudio.student.modeling.model import DeepseekOcrForConditionalGeneration
from ocrstudio.student.pretraining.checkpoints import (
    READER_FILE,
    TRAINING_FILE,
    averaged_weights,
    write_heads,
)
from ocrstudio.student.reader import READER_IMAGE, reader_config
from ocrstudio.student.tokenizer import IMAGE, PAD, OcrTokenizer
from ocrstudio.student.weights import build_empty, reset_rotary_frequencies

_PROCESSOR_FILE = "processor_config.json"
_ORIGINS_FILE = "ORIGINS.md"
_LICENCES = "licences"
_ALL_LICENCES = "packages.txt"
_RULE = "=" * 78


def load_reader(checkpoint: Path) -> DeepseekOcrForConditionalGeneration:
    """The reader of a checkpoint folder in float32, with the weights as a model folder has them.

    Raises:
        InputError: The folder holds no checkpoint that can be read.
    """
    weights = averaged_weights(checkpoint)
    model = build_empty(reader_config()).to_empty(device="cpu")
    model.load_state_dict({name: weight.half().float() for name, weight in weights.items()})
    reset_rotary_frequencies(model)
    return model.eval()


@dataclass(frozen=True)
class Origins:
    """What a reader was trained from.

    Attributes:
        table: Text of ``ORIGINS.md``: families and texts with their packages and licences.
        licences: Names of packages, and the copyright file that they have in common.
    """

    table: str
    licences: Sequence[tuple[Sequence[str], str]]

    def write(self, target: Path) -> None:
        """Write them into a model folder, all licences as one file."""
        (target / _ORIGINS_FILE).write_text(self.table, encoding="utf-8")
        (target / _LICENCES).mkdir()
        parts = [
            f"{_RULE}\n{', '.join(packages)}\n{_RULE}\n\n{text.strip()}\n" for packages, text in self.licences
        ]
        (target / _LICENCES / _ALL_LICENCES).write_text("\n".join(parts), encoding="utf-8")


def read_origins(material: Path) -> Origins:
    """What a folder of material says about itself.

    Raises:
        InputError: It says nothing, or cannot be read.
    """
    try:
        table = (material / _ORIGINS_FILE).read_text(encoding="utf-8")
        packages: dict[str, list[str]] = {}
        for file in sorted((material / _LICENCES).glob("*.txt")):
            packages.setdefault(file.read_text(encoding="utf-8", errors="replace"), []).append(file.stem)
    except OSError as error:
        raise InputError(
            f"The origins of {material} cannot be read: {error.filename}: {error.strerror}.",
            "Name the folder that `python -m ocrstudio.student.pretraining.material` wrote.",
        ) from error
    if not packages:
        raise InputError(f"{material / _LICENCES} holds no licence.", "Make the material again.")
    return Origins(table, [(names, text) for text, names in packages.items()])


def export(
    checkpoint: Path, target: Path, tokenizer: Path | None = None, material: Path | None = None
) -> int:
    """Write a model folder.

    Args:
        checkpoint: Folder that a training named as its output.
        target: A folder that does not exist yet, or is empty.
        tokenizer: Folder of the tokenizer; None takes the copy beside the checkpoint.
        material: Folder whose origins and licences go with the weights; None for weights that stay here.

    Returns:
        Bytes of the weights.

    Raises:
        OcrStudioError: Checkpoint, tokenizer or material cannot be read, or the folder cannot be written.
    """
    origins = read_origins(material) if material is not None else None
    model = load_reader(checkpoint)
    save_model(model, OcrTokenizer(tokenizer or checkpoint), target, dtype=torch.float16)
    write_heads(checkpoint, target)
    (target / _PROCESSOR_FILE).write_text(json.dumps(_processor(), indent=2) + "\n", encoding="utf-8")
    if origins is not None:
        origins.write(target)
    return sum(file.stat().st_size for file in target.glob("*.safetensors"))


def is_checkpoint(folder: Path) -> bool:
    """Whether a folder is one of a training, and no model folder."""
    return any((folder / name).is_file() for name in (READER_FILE, TRAINING_FILE))


def _processor() -> dict[str, object]:
    """The public file's entries, for other programs; the product's own settings say the same."""
    side = READER_IMAGE.image_size
    return {
        "candidate_resolutions": [[side, side]],
        "downsample_ratio": 4,
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
        "image_token": IMAGE,
        "max_tiles": READER_IMAGE.max_tiles,
        "normalize": True,
        "pad_token": PAD,
        "patch_size": 16,
        "processor_class": "DeepseekVLV2Processor",
        "sft_format": "deepseek",
    }


def main() -> int:
    """Write the folder; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m ocrstudio.student.pretraining.export")
    parser.add_argument("checkpoint", type=Path, help="folder of the checkpoint")
    parser.add_argument("--output", type=Path, required=True, help="new model folder")
    parser.add_argument("--tokenizer", type=Path, help="its folder, where the checkpoint has none")
    parser.add_argument("--material", type=Path, help="what it was trained from: origins and licences")
    options = parser.parse_args()
    try:
        size = export(options.checkpoint, options.output, options.tokenizer, options.material)
    except OcrStudioError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{options.output}: weights of {size / 1e6:.1f} MB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
