"""What a training leaves on disk, so that it can go on and so that its weights can be used at any time.

There are two files. ``training.pt`` has everything in float32 (weights, average, heads, both optimisers'
state, about 290 MB) and continues exactly; it is for the machine that it was written on. ``reader.pt`` has
the averaged weights and the heads in float16 (40 MB) and travels: what it lacks is rebuilt soon, for momentum
forgets within twenty steps and AdamW's variances within fifty, so that a continuation begins with a warm-up
instead. The averaged weights are usable whether or not the learning rate has fallen to its end.

A model folder that was exported from a checkpoint has a third file, ``heads.pt``: what a training needs
beside the weights, so that the shipped reader can be trained on.
"""

from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ocrstudio.domain.errors import InputError
from ocrstudio.student.modeling.model import DeepseekOcrForConditionalGeneration
from ocrstudio.student.pretraining.heads import DenseHeads
from ocrstudio.student.pretraining.levels import Curriculum
from ocrstudio.student.pretraining.optimisers import Optimisers
from ocrstudio.student.weights import load_model

TRAINING_FILE = "training.pt"
READER_FILE = "reader.pt"
HEADS_FILE = "heads.pt"
AVERAGE_EVERY = 10
"""Steps between two looks of the average at the weights."""

_AVERAGE_DECAY = 0.998
_WHERE = ("curriculum", "steps")


class TrainingState:
    """The weights with their moving average, and how far the curriculum is.

    Args:
        model: The reader.
        heads: Its heads.
        curriculum: At its first level.
    """

    def __init__(
        self, model: DeepseekOcrForConditionalGeneration, heads: DenseHeads, curriculum: Curriculum
    ) -> None:
        self.model, self.heads, self.curriculum = model, heads, curriculum
        self.steps = 0
        self.average: dict[str, Tensor] = {}
        self._averaged = 0

    def start_average(self) -> None:
        """Begin the average at the present weights, unless a checkpoint had one."""
        weights = dict(self.model.named_parameters())
        known = self.average or weights
        self.average = {name: known[name].detach().clone().to(weight) for name, weight in weights.items()}

    @torch.no_grad()
    def update_average(self) -> None:
        """Take the present weights in; called every `AVERAGE_EVERY` steps."""
        weights = dict(self.model.named_parameters())
        self._averaged += AVERAGE_EVERY
        share = 1 - min(_AVERAGE_DECAY, 1 - 1 / (self._averaged + 1)) ** AVERAGE_EVERY
        torch._foreach_lerp_(list(self.average.values()), [weights[name] for name in self.average], share)

    @torch.no_grad()
    def return_to_average(self) -> None:
        """Put the average in the place of weights that are lost."""
        for name, weight in self.model.named_parameters():
            weight.copy_(self.average[name])

    def save(self, folder: Path, optimisers: Optimisers) -> None:
        """Write both files; a file that is there stays whole until its successor is complete."""
        folder.mkdir(parents=True, exist_ok=True)
        where = {"curriculum": self.curriculum.state(), "steps": self.steps}
        heads = self.heads.state_dict()
        _write({"model": _half(self.average), "heads": _half(heads), **where}, folder / READER_FILE)
        whole = {
            "model": self.model.state_dict(),
            "average": self.average,
            "averaged": self._averaged,
            "heads": heads,
            "optimisers": optimisers.state(),
        }
        _write({**whole, **where}, folder / TRAINING_FILE)

    def load(self, saved: Mapping[str, Any]) -> None:
        """Go on from a checkpoint, before anything is on the device."""
        self.model.load_state_dict({name: weight.float() for name, weight in saved["model"].items()})
        self.heads.load_state_dict({name: weight.float() for name, weight in saved["heads"].items()})
        self.average = dict(saved.get("average", {}))
        self._averaged = saved.get("averaged", 0)
        self.steps = saved["steps"]
        self.curriculum.restore(saved["curriculum"])


def read_checkpoint(folder: Path, files: Sequence[str] = (TRAINING_FILE, READER_FILE)) -> dict[str, Any]:
    """Read the first of the files that is there.

    Raises:
        InputError: There is none, or it cannot be read.
    """
    file = next((folder / name for name in files if (folder / name).is_file()), None)
    if file is None and (folder / HEADS_FILE).is_file():
        weights = load_model(folder, dtype=torch.float32, device=torch.device("cpu")).state_dict()
        return {**_read(folder / HEADS_FILE, {"heads", *_WHERE}), "model": weights}
    if file is None:
        raise InputError(
            f"{folder} holds no checkpoint ({' or '.join(files)}).",
            "Name the folder that --output of a pretraining named.",
        )
    return _read(file, {"model", "heads", *_WHERE})


def write_heads(checkpoint: Path, target: Path) -> None:
    """Put beside exported weights what a training needs to go on from them.

    Args:
        checkpoint: The folder that the weights came from.
        target: The model folder.

    Raises:
        InputError: The checkpoint cannot be read.
    """
    saved = read_checkpoint(checkpoint, (READER_FILE, TRAINING_FILE))
    _write({"heads": _half(saved["heads"]), **{key: saved[key] for key in _WHERE}}, target / HEADS_FILE)


def _read(file: Path, wanted: Set[str]) -> dict[str, Any]:
    try:
        content: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        missing = wanted - content.keys()
    except Exception as error:  # torch raises nothing narrower for a damaged file
        raise InputError(
            f"The checkpoint {file} cannot be read: {error}.", "Copy it again, or remove it."
        ) from error
    if missing:
        raise InputError(f"The checkpoint {file} lacks {', '.join(sorted(missing))}.", "Copy it again.")
    return content


def averaged_weights(folder: Path) -> dict[str, Tensor]:
    """The averaged weights of a checkpoint folder, as they lie in the file that travels.

    Raises:
        InputError: There are none.
    """
    saved = read_checkpoint(folder, (READER_FILE, TRAINING_FILE))
    weights: dict[str, Tensor] = saved.get("average") or saved["model"]
    return weights


def _half(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: weight.half() for name, weight in weights.items()}


def _write(content: object, target: Path) -> None:
    partial = target.with_suffix(".part")
    torch.save(content, partial)
    partial.replace(target)
