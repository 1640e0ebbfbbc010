"""Read and write checkpoints of the public layout.

Reading goes straight into the final parameters: the network is built without memory, gets uninitialised
storage of the target type on the target device, and every tensor is copied to its place. A shard stays mapped
into memory only for a window of it at a time, the largest tensors in several, so that the peak is the weights
and little more. Files are checked before anything is copied. Pickled weights are never opened.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from transformers.models.deepseek_ocr2.modeling_deepseek_ocr2 import DeepseekOcr2TextRotaryEmbedding

from ocrstudio.domain.errors import ModelError
from ocrstudio.domain.wording import some_of
from ocrstudio.student.configuration import DeepseekOcrConfig, read_config
from ocrstudio.student.layout import TensorSlice, layout_of
from ocrstudio.student.modeling.model import DeepseekOcrForConditionalGeneration

INDEX_FILE = "model.safetensors.index.json"
_COPY_AGAIN = "Copy or download the model folder again."
# Buffers that some fine-tuned uploads carry along; they hold no weights.
_STRAY_BUFFERS = frozenset({"model.vision_model.embeddings.position_ids"})
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_WINDOW_BYTES = 64 * 1024**2
"""Mapped pages that were read count as memory of the process until the file is closed."""
_BYTES_OF = {"BF16": 2, "F16": 2, "F32": 4, "F64": 8}
_NAMES_SHOWN = 3

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _StoredTensor:
    """Where a checkpoint holds a tensor."""

    file: Path
    shape: tuple[int, ...]
    type: str

    @property
    def bytes(self) -> int:
        """Its size in the file."""
        return math.prod(self.shape) * _BYTES_OF[self.type]


@dataclass(frozen=True)
class _Rows:
    """Neighbouring rows of a stored tensor (along its first dimension)."""

    name: str
    first: int
    end: int
    bytes: int


def load_model(
    folder: Path,
    *,
    dtype: torch.dtype = torch.bfloat16,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
) -> DeepseekOcrForConditionalGeneration:
    """Load a checkpoint folder of the public layout.

    Args:
        folder: Holds ``config.json`` and safetensors files.
        dtype: Type of the parameters, whatever the files hold.
        device: Where they go.
        progress: Called with the bytes read and the bytes in all.

    Returns:
        The network in evaluation mode.

    Raises:
        ModelError: A file is missing, damaged or pickled, or tensors are missing, unexpected or of the wrong
        shape.
    """
    config = read_config(folder)
    stored = _read_directory(folder)
    model = build_empty(config)
    layout = layout_of(dict(model.named_parameters()))
    _check(folder, layout, stored)
    _allocate(model, dtype, device)
    _copy_all(model, layout, stored, progress)
    model.eval()
    return model


def build_empty(config: DeepseekOcrConfig) -> DeepseekOcrForConditionalGeneration:
    """The network without storage (on the meta device)."""
    with torch.device("meta"):
        model: DeepseekOcrForConditionalGeneration = DeepseekOcrForConditionalGeneration(config)
    return model


def _allocate(
    model: DeepseekOcrForConditionalGeneration, dtype: torch.dtype, device: torch.device | str
) -> None:
    """Give the parameters storage; nothing is written to it yet."""
    model.to(dtype)
    model.to_empty(device=device)
    reset_rotary_frequencies(model)


def reset_rotary_frequencies(model: DeepseekOcrForConditionalGeneration) -> None:
    """Compute the rotary frequencies anew, in float32: no checkpoint holds them, a cast rounds them."""
    language_model = model.model.language_model
    language_model.rotary_emb = DeepseekOcr2TextRotaryEmbedding(language_model.config).to(model.device)


def _read_directory(folder: Path) -> dict[str, _StoredTensor]:
    """All tensors of a checkpoint folder, from the headers of its files."""
    stored: dict[str, _StoredTensor] = {}
    for path in _weight_files(folder):
        try:
            with safe_open(path, framework="pt") as file:
                for name in file.keys():  # noqa: SIM118 (not a dictionary)
                    part = file.get_slice(name)
                    stored[name] = _StoredTensor(path, tuple(part.get_shape()), part.get_dtype())
        except (OSError, SafetensorError) as error:
            raise ModelError(
                f"The weights file {path} is damaged or incomplete: {error}.", _COPY_AGAIN
            ) from error
    return stored


def _weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a checkpoint: those of the index, or all that lie there."""
    index = folder / INDEX_FILE
    if index.exists():
        try:
            named = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
            files = [folder / Path(name).name for name in sorted(named)]
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise ModelError(f"The index {index} cannot be read: {error!r}.", _COPY_AGAIN) from error
        missing = [file.name for file in files if not file.is_file()]
        if missing:
            raise ModelError(
                f"The model folder {folder} is incomplete: {some_of(missing, _NAMES_SHOWN)} missing.",
                _COPY_AGAIN,
            )
        return files
    files = sorted(file for file in folder.glob("*.safetensors") if not file.name.startswith("adapter_"))
    if files:
        return files
    pickles = sorted(file.name for pattern in _PICKLES for file in folder.glob(pattern))
    if pickles:
        raise ModelError(
            f"The model folder {folder} holds pickled weights only ({some_of(pickles, _NAMES_SHOWN)}), "
            "which can run any code.",
            "Use a copy of the model with safetensors files.",
        )
    raise ModelError(f"The model folder {folder} holds no safetensors file.", _COPY_AGAIN)


def _check(folder: Path, layout: Mapping[str, TensorSlice], stored: Mapping[str, _StoredTensor]) -> None:
    """Compare what the network needs with what the files hold; one sentence names all that is wrong."""
    missing = [name for name in layout if name not in stored]
    extra = [name for name in stored if name not in layout and name not in _STRAY_BUFFERS]
    shared = [name for name in layout if name in stored]
    misshapen = [
        f"{name} {list(stored[name].shape)} instead of {list(layout[name].shape)}"
        for name in shared
        if stored[name].shape != layout[name].shape
    ]
    mistyped = [f"{name} {stored[name].type}" for name in shared if stored[name].type not in _BYTES_OF]
    problems = [
        f"{len(names)} {what} ({some_of(names, _NAMES_SHOWN)})"
        for what, names in (
            ("missing", missing),
            ("unexpected", extra),
            ("of the wrong shape", misshapen),
            ("of a quantised or unknown type", mistyped),
        )
        if names
    ]
    if problems:
        raise ModelError(
            f"The weights in {folder} do not fit its configuration: tensors {'; '.join(problems)}.",
            "Only unquantised DeepSeek-OCR (version 1) checkpoints in the public layout can be loaded.",
        )


def _copy_all(
    model: DeepseekOcrForConditionalGeneration,
    layout: Mapping[str, TensorSlice],
    stored: Mapping[str, _StoredTensor],
    progress: Progress | None,
) -> None:
    parameters = {name: parameter.detach() for name, parameter in model.named_parameters()}
    total = sum(parameter.nbytes for parameter in parameters.values())
    done = told = 0
    for _, target, source in _beside(parameters, layout, stored):
        target.copy_(source)
        done += target.nbytes
        if progress is not None and (done - told >= _WINDOW_BYTES or done == total):
            progress(done, total)
            told = done


def _beside(
    parameters: Mapping[str, Tensor], layout: Mapping[str, TensorSlice], stored: Mapping[str, _StoredTensor]
) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Name of each parameter, a part of it, and what a checkpoint holds for that part; a window at a time."""
    for file, window in _windows(layout, stored):
        with safe_open(file, framework="pt") as tensors:
            for rows in window:
                place, part = layout[rows.name], slice(rows.first, rows.end)
                yield (
                    place.native,
                    place.of(parameters[place.native])[part],
                    tensors.get_slice(rows.name)[part],
                )


def beside_checkpoint(
    model: DeepseekOcrForConditionalGeneration, folder: Path
) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Compare a network with a checkpoint without loading it: all its weights come, part by part.

    Args:
        model: The network, without an adapter.
        folder: Of the public layout, with a network of the same sizes.

    Returns:
        Names of parameters, parts of them, and what the checkpoint holds for these (on the CPU, in its type).

    Raises:
        ModelError: A file is missing or damaged, or the sizes differ.
    """
    parameters = {name: parameter.detach() for name, parameter in model.named_parameters()}
    layout, stored = layout_of(parameters), _read_directory(folder)
    _check(folder, layout, stored)
    return _beside(parameters, layout, stored)


def _windows(
    layout: Mapping[str, TensorSlice], stored: Mapping[str, _StoredTensor]
) -> Iterator[tuple[Path, list[_Rows]]]:
    """What to read while a file is open: opening it anew gives back the memory of what was read before."""
    by_file: dict[Path, list[str]] = {}
    for name in layout:
        by_file.setdefault(stored[name].file, []).append(name)
    for file, names in by_file.items():
        window: list[_Rows] = []
        size = 0
        for rows in (rows for name in names for rows in _in_parts(name, stored[name])):
            if window and size + rows.bytes > _WINDOW_BYTES:
                yield file, window
                window, size = [], 0
            window.append(rows)
            size += rows.bytes
        yield file, window


def _in_parts(name: str, tensor: _StoredTensor) -> Iterator[_Rows]:
    """A tensor cut into rows that fit a window."""
    count = tensor.shape[0]
    row_bytes = tensor.bytes // count
    step = max(1, _WINDOW_BYTES // row_bytes)
    for first in range(0, count, step):
        end = min(first + step, count)
        yield _Rows(name, first, end, (end - first) * row_bytes)


def checkpoint_tensors(model: DeepseekOcrForConditionalGeneration) -> dict[str, Tensor]:
    """Views of all weights under their checkpoint names; buffers are not among them.

    Raises:
        ModelError: The model still carries an adapter, or is no plain network for another reason.
    """
    parameters = dict(model.named_parameters())
    expected = dict(build_empty(model.config).named_parameters())
    different = sorted(
        name
        for name in parameters.keys() | expected.keys()
        if name not in parameters or name not in expected or parameters[name].shape != expected[name].shape
    )
    if different:
        raise ModelError(
            f"The model cannot be written as a checkpoint: {some_of(different, _NAMES_SHOWN)} do not belong "
            "to the plain network.",
            "Merge the adapter into the weights first.",
        )
    return {
        name: piece.of(parameters[piece.native].detach()) for name, piece in layout_of(parameters).items()
    }
