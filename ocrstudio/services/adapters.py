"""Adapters for other programs: exported under the public names, or merged into a whole model.

What can be known without the student's libraries is checked here, before a worker starts; the weights are
handled there.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ocrstudio.domain.embedded import is_embedded
from ocrstudio.domain.errors import ModelError
from ocrstudio.domain.wording import size_of
from ocrstudio.imaging.presets import SERVED_MAX_TILES
from ocrstudio.jobs.adapter_files import INFO_FILE
from ocrstudio.jobs.command_line import worker_command
from ocrstudio.jobs.line_process import LineProcess
from ocrstudio.services.disk import free_bytes
from ocrstudio.services.model_folder import download_command, folder_problem, require_embedded
from ocrstudio.services.run_requests import adapter_folder

_START_TIMEOUT = 300.0
_LLAMA_CPP = "https://github.com/ggml-org/llama.cpp"
_SPARE_BYTES = 64 * 2**20  # configuration, tokenizer, index

Notice = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Adapter:
    """An adapter on disk.

    Attributes:
        folder: Where it is.
        base_model: What it was trained on: a model folder, or the word of an embedded student.
        image: The ``image`` section that it was trained with.
    """

    folder: Path
    base_model: str
    image: Mapping[str, Any]


def open_adapter(path: Path) -> Adapter:
    """The adapter of a run, or of an adapter folder.

    Raises:
        ModelError: There is none, or its description is damaged.
    """
    folder = adapter_folder(path)
    try:
        data = json.loads((folder / INFO_FILE).read_text(encoding="utf-8"))
        return Adapter(folder.resolve(), str(data["base_model"]), dict(data["image"]))
    except FileNotFoundError:
        raise ModelError(
            f"{folder} is not an adapter of OCR Studio: it has no {INFO_FILE}.",
            "Name a finished training run, or the folder that train --output wrote.",
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder / INFO_FILE} cannot be read: {error}.") from error


def export_adapter(adapter: Adapter, target: Path, on_notice: Notice, *, language_only: bool = False) -> int:
    """Write an adapter under the names of the public checkpoint.

    Args:
        adapter: What to export.
        target: A folder that does not exist yet, or is empty.
        on_notice: Told what the worker does.
        language_only: Leave out what belongs to the pictures.

    Returns:
        Number of adapted modules.

    Raises:
        ModelError: The target cannot take it.
        RunError: The worker refused or failed.
    """
    _check_target(target, _size_of(adapter.folder))
    request = {"adapter": str(adapter.folder), "target": str(target.resolve())}
    written: int = asyncio.run(_ask("export", {**request, "language_only": language_only}, on_notice))
    return written


def merge_adapter(adapter: Adapter, model: str | None, target: Path, on_notice: Notice) -> None:
    """Write base model and adapter as one model folder in the public layout.

    Args:
        adapter: What to merge.
        model: Folder of the base model where it moved; None for the one that the adapter names.
        target: A folder that does not exist yet, or is empty.
        on_notice: Told what the worker does, with ``done`` and ``total`` where that can be counted.

    Raises:
        ModelError: The base model is missing or incomplete, or the target cannot take it.
        RunError: The worker refused or failed.
    """
    base, size = _base_of(adapter, model)
    _check_target(target, size)
    request = {"model": base, "adapter": str(adapter.folder), "target": str(target.resolve())}
    asyncio.run(_ask("merge", request, on_notice))


def export_gguf(
    adapter: Adapter, model: str | None, target: Path, converter: Path | None, on_notice: Notice
) -> None:
    """Write base model and adapter as GGUF files, with the converter of llama.cpp.

    Args:
        adapter: What to export.
        model: Folder of the base model where it moved; None for the one that the adapter names.
        target: A folder that does not exist yet, or is empty.
        converter: ``convert_hf_to_gguf.py``; None where the user has none: an error that says how to get it.
        on_notice: Told what the worker does.

    Raises:
        ModelError: The model cannot become GGUF, there is no converter, or the target cannot take the files.
        RunError: The worker refused or failed.
    """
    base, size = _base_of(adapter, model)
    if is_embedded(base):
        raise ModelError(
            f"The student {base} cannot become GGUF: llama.cpp knows the tokenizer of the public model only.",
            "Merge it instead: ocrstudio runs merge",
        )
    if converter is None or not converter.is_file():
        absent = "it was not named" if converter is None else f"{converter} does not exist"
        raise ModelError(
            f"GGUF files are written by llama.cpp's own converter, and {absent}.",
            f"Get it with `git clone --depth 1 {_LLAMA_CPP}` and add "
            "--converter llama.cpp/convert_hf_to_gguf.py. By hand: `ocrstudio runs merge RUN --output MODEL`"
            ", then `python llama.cpp/convert_hf_to_gguf.py MODEL`, and once more with --mmproj.",
        )
    _check_target(target, 2 * size)  # the merged model stands beside the files until they are complete
    request = {"model": base, "adapter": str(adapter.folder), "target": str(target.resolve())}
    asyncio.run(_ask("gguf", {**request, "converter": str(converter.resolve())}, on_notice))


def server_remark(adapter: Adapter) -> str:
    """What a server will do to pages that the adapter was not trained with; empty where nothing differs."""
    limit = adapter.image.get("max_tiles")
    if not adapter.image.get("crop_mode") or limit in (None, SERVED_MAX_TILES):
        return ""
    return (
        f"It was trained with image.max_tiles {limit}, and vLLM cuts a page into at most {SERVED_MAX_TILES} "
        "tiles: there the student sees other pieces of large or long pages than it has learnt from. For such "
        f"a server, train with image.max_tiles {SERVED_MAX_TILES}."
    )


def _base_of(adapter: Adapter, model: str | None) -> tuple[str, int]:
    """The base model of an adapter, or the one that is named, and the size of its weights.

    Raises:
        ModelError: It is missing or incomplete.
    """
    base = adapter.base_model if model is None else model
    require_embedded(base)
    if is_embedded(base):
        return base, 0
    folder = Path(base).expanduser().resolve()
    problem = folder_problem(folder) if folder.is_dir() else "it does not exist"
    if problem:
        raise ModelError(
            f"The base model {folder} cannot be used: {problem}.",
            f"Name the folder of the base model with --model, or get it with: {download_command(folder)}",
        )
    return str(folder), _size_of(folder)


def _check_target(target: Path, size: int) -> None:
    """Make sure that a new folder of that size can be written."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ModelError(f"{target} already holds files.", "Give the name of a new folder.")
    free, needed = free_bytes(target), size + _SPARE_BYTES
    if free < needed:
        raise ModelError(
            f"{target} needs {size_of(needed)}, but only {size_of(free)} are free on its disk.",
            "Free some space, or choose a folder on another disk.",
        )


def _size_of(folder: Path) -> int:
    """Bytes of the weights in a folder; a merged model and an exported adapter are as large."""
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))


async def _ask(method: str, request: Mapping[str, Any], on_notice: Notice) -> Any:  # noqa: ANN401 - a JSON value
    process = LineProcess(
        worker_command("adapters"), name="The worker", start_timeout=_START_TIMEOUT, on_notice=on_notice
    )
    async with process:
        return await process.request(method, request)
