"""What a model folder holds, without loading it."""

import json
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ocrstudio.domain.embedded import EMBEDDED, REPAIR, model_folder
from ocrstudio.domain.errors import ModelError
from ocrstudio.domain.wording import count_of
from ocrstudio.paths import resources_dir

REPOSITORY = "unsloth/DeepSeek-OCR"
"""The public checkpoint: part of the program rather than a preference."""

_PUBLIC_NAMES = frozenset({"model.embed_tokens.weight", "model.sam_model.pos_embed", "model.view_seperator"})
"""Some that checkpoints in the layout of other programs lack."""

_LENGTH_BYTES = 8  # a safetensors file begins with the length of its header
_MAX_HEADER_BYTES = 100_000_000  # the library's own limit
_LFS_POINTER = b"version https://git-lfs"
_DEEPSEEK_OCR = ("deepseek_vl_v2", "deepseekocr", "deepseek_ocr")


def folder_problem(folder: Path) -> str:
    """What is missing or wrong in a model folder, as part of a sentence; empty when it looks complete."""
    try:
        config = _read_object(folder / "config.json")
        kind = str(config.get("model_type", "")).lower()
    except (OSError, ValueError, AttributeError):
        return "config.json is missing or damaged"
    if kind not in _DEEPSEEK_OCR:
        return f"its model_type is {kind!r}, not DeepSeek-OCR's"
    if not (folder / "tokenizer.json").is_file():
        return "tokenizer.json is missing"
    index = folder / "model.safetensors.index.json"
    wanted: dict[str, str] = {}
    if index.is_file():
        try:
            wanted = {str(name): Path(file).name for name, file in _read_object(index)["weight_map"].items()}
        except (OSError, ValueError, KeyError, AttributeError, TypeError):
            return f"{index.name} is damaged"
        files = sorted(set(wanted.values()))
    else:
        files = sorted(file.name for file in folder.glob("*.safetensors") if not _is_adapter(file))
    absent = [name for name in files if not (folder / name).is_file()]
    if absent:
        return f"weights are missing: {', '.join(absent)}"
    return _weights_problem(folder, files, wanted)


def embedded_problem(model: str) -> str:
    """What is missing or wrong in the files of an embedded student, as part of a sentence; empty for nothing.

    Args:
        model: Its word.
    """
    student, folder = EMBEDDED[model], model_folder(model, resources_dir())
    if not folder.is_dir():
        return f"the folder {folder} is missing"
    if student.random:
        return "" if (folder / "tokenizer.json").is_file() else f"tokenizer.json is missing in {folder}"
    problem = folder_problem(folder)
    return f"{problem}, in {folder}" if problem else ""


def require_embedded(model: str) -> None:
    """Make sure that the files of an embedded student are whole; any other model passes.

    Raises:
        ModelError: They are missing or damaged.
    """
    problem = embedded_problem(model) if model in EMBEDDED else ""
    if problem:
        raise ModelError(f"{EMBEDDED[model].title}: {problem}.", REPAIR)


def _weights_problem(folder: Path, files: Sequence[str], wanted: Iterable[str]) -> str:
    """What is wrong with weights that are there, as far as the headers of their files tell."""
    if not files:
        return "it has no weights (model.safetensors)"
    names: set[str] = set()
    for file in files:
        held = _tensor_names(folder / file)
        if held is None:
            pointer = " (a pointer of git-lfs stands in its place)" if _is_pointer(folder / file) else ""
            return f"{file} is damaged or incomplete{pointer}"
        names |= held
    lacking = sorted(set(wanted) - names)
    if lacking:
        return f"{count_of(len(lacking), 'tensor')} missing, the first is {lacking[0]}"
    if not names >= _PUBLIC_NAMES:
        return "its tensors do not have the names of the public checkpoint"
    return ""


def _tensor_names(file: Path) -> set[str] | None:
    """Names of the tensors of a safetensors file; None when it is damaged, cut off or something else."""
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(_LENGTH_BYTES), "little")
            if not 0 < length <= _MAX_HEADER_BYTES:
                return None
            header = json.loads(stream.read(length))
            tensors = {name: entry for name, entry in header.items() if name != "__metadata__"}
            end = max((entry["data_offsets"][1] for entry in tensors.values()), default=0)
            whole = _LENGTH_BYTES + length + end == file.stat().st_size
    except (OSError, ValueError, AttributeError, KeyError, TypeError, IndexError):
        return None
    return set(tensors) if whole else None


def _is_pointer(file: Path) -> bool:
    """Whether git-lfs has left its note in place of a file."""
    try:
        with file.open("rb") as stream:
            return stream.read(len(_LFS_POINTER)) == _LFS_POINTER
    except OSError:
        return False


def _is_adapter(file: Path) -> bool:
    return file.name.startswith("adapter_")


def _read_object(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def download_command(folder: Path | str) -> str:
    """What a person types to fetch the public checkpoint into a folder."""
    return f"hf download {REPOSITORY} --local-dir {shlex.quote(str(folder))}"
