"""Write merged weights as a model folder of the public layout.

The folder holds what vLLM, llama.cpp's converter and `weights.load_model` read: ``config.json`` with the
public ``model_type`` and architecture, safetensors shards with their index, the tokenizer's files, and the
program files of the base where it has some.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from ocrstudio.domain.errors import ModelError
from ocrstudio.student.configuration import CONFIG_FILE, to_checkpoint_dict
from ocrstudio.student.modeling.model import DeepseekOcrForConditionalGeneration
from ocrstudio.student.remote_code import copy_code, with_code_of
from ocrstudio.student.tokenizer import OcrTokenizer
from ocrstudio.student.weights import INDEX_FILE, checkpoint_tensors

# One shard is copied in memory while it is written.
MAX_SHARD_BYTES = 1_000_000_000

Progress = Callable[[int, int], None]


def save_model(
    model: DeepseekOcrForConditionalGeneration,
    tokenizer: OcrTokenizer,
    target: Path,
    *,
    dtype: torch.dtype | None = None,
    max_shard_bytes: int = MAX_SHARD_BYTES,
    code_of: Path | None = None,
    progress: Progress | None = None,
) -> None:
    """Write a model folder; it appears under its name only when it is complete.

    Args:
        model: The network, with adapters merged into its weights.
        tokenizer: Its files are copied into the folder.
        target: A folder that does not exist yet, or is empty.
        dtype: Type of the weights in the files; None keeps the model's.
        max_shard_bytes: Size of a weights file; a larger tensor has a file of its own.
        code_of: A model folder whose program files go along, for loaders that run them; here nothing does.
        progress: Called with the files written and the files in all.

    Raises:
        ModelError: The target holds files, cannot be written, or the model still carries an adapter.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ModelError(f"{target} already holds files.", "Give the name of a new folder.")
    tensors = checkpoint_tensors(model)
    dtype = model.dtype if dtype is None else dtype
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            _write_weights(tensors, temporary, dtype, max_shard_bytes, progress)
            config = to_checkpoint_dict(model.config, str(dtype).removeprefix("torch."))
            if code_of is not None:
                config = with_code_of(config, code_of)
                copy_code(code_of, temporary)
            (temporary / CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
            tokenizer.copy_files(temporary)
            temporary.chmod(0o755)  # mkdtemp makes it private
            os.replace(temporary, target)  # noqa: PTH105 (replaces an empty folder on every system)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"The model cannot be written to {target}: {error}.", "Check space and permissions."
        ) from error


def _write_weights(
    tensors: Mapping[str, Tensor],
    folder: Path,
    dtype: torch.dtype,
    max_shard_bytes: int,
    progress: Progress | None,
) -> None:
    shards = _shards(tensors, dtype, max_shard_bytes)
    weight_map = {}
    for number, names in enumerate(shards, start=1):
        file = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        weight_map.update(dict.fromkeys(names, file))
        shard = {name: tensors[name].to(device="cpu", dtype=dtype).contiguous() for name in names}
        save_file(shard, folder / file, metadata={"format": "pt"})
        (folder / file).chmod(0o644)  # the library makes it private
        if progress is not None:
            progress(number, len(shards))
    size = sum(tensor.numel() for tensor in tensors.values()) * dtype.itemsize
    index = {"metadata": {"total_size": size}, "weight_map": weight_map}
    (folder / INDEX_FILE).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def _shards(tensors: Mapping[str, Tensor], dtype: torch.dtype, limit: int) -> list[list[str]]:
    """Cut the names, in order, into lists whose tensors stay below the limit."""
    shards: list[list[str]] = [[]]
    filled = 0
    for name, tensor in tensors.items():
        size = tensor.numel() * dtype.itemsize
        if shards[-1] and filled + size > limit:
            shards.append([])
            filled = 0
        shards[-1].append(name)
        filled += size
    return shards
