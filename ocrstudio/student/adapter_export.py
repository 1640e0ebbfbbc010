"""Adapters under the names of the public checkpoint, for programs that know nothing of us.

Ours are named after the network's modules and hold the factors of all experts of a layer in one tensor.
In the public layout every expert has a gate, an up and a down matrix of its own, so the factors are taken
apart; no number changes.
"""

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from ocrstudio.domain.embedded import is_embedded
from ocrstudio.domain.errors import ModelError
from ocrstudio.domain.run import TrainMode
from ocrstudio.jobs.adapter_files import CONFIG_FILE, VECTORS_FILE, WEIGHTS_FILE, copy_adapter
from ocrstudio.settings.image import ImageConfig
from ocrstudio.student.adapters import PUBLIC, read_info, read_tensors, write_info
from ocrstudio.student.export import save_model
from ocrstudio.student.failures import memory_sentences
from ocrstudio.student.inference import open_student
from ocrstudio.student.layout import PEFT_PREFIX, expert_module_name, to_checkpoint_name

_LANGUAGE_PREFIX = f"{PEFT_PREFIX}model.layers."
_MERGE_MEMORY_ADVICE = "Merging holds the whole model in memory: close other programs."
_EXPERT_FACTOR = re.compile(
    r"(?P<experts>.*\.mlp\.experts)\.lora_(?P<factor>gate_up_A|(?:gate|up|down)_B|down_A)$"
)
_MODULE_FACTOR = re.compile(r"(?P<module>.*)\.lora_(?P<side>[AB])\.weight$")


Progress = Callable[[str, int, int], None]
"""Told what is done, how much of it, and how much there is."""


def export_adapter(source: Path, target: Path, *, language_only: bool = False) -> int:
    """Write an adapter folder in the public layout.

    Args:
        source: Adapter folder of a run.
        target: The folder; other files in it stay.
        language_only: Leave out what belongs to the pictures: servers such as vLLM adapt the language model.

    Returns:
        Number of adapted modules.

    Raises:
        ModelError: The source is no adapter, has nothing for the language model, or holds trained vectors,
            which PEFT's format has no place for; or the target cannot be written.
    """
    if read_info(source).mode == TrainMode.FULL:
        raise ModelError(
            f"{source} holds every weight of a model, not an adapter.",
            "Merge it instead: that writes the whole model.",
        )
    if (source / VECTORS_FILE).exists() and not language_only:
        raise ModelError(
            f"{source} also holds a trained newline and separator; the public layout has no place for them.",
            "Merge the adapter into the model instead, or export the language model's part alone.",
        )
    factors = dict(_renamed(read_tensors(source / WEIGHTS_FILE)))
    if language_only:
        factors = {name: factor for name, factor in factors.items() if name.startswith(_LANGUAGE_PREFIX)}
        if not factors:
            raise ModelError(
                f"{source} adapts nothing in the language model.", "It was trained in mode vision."
            )
    settings = json.loads((source / CONFIG_FILE).read_text(encoding="utf-8"))
    modules = sorted({name.removeprefix(PEFT_PREFIX).rsplit(".lora_", 1)[0] for name in factors})
    settings["target_modules"] = modules
    try:
        _write(factors, settings, source, target)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"The adapter cannot be written to {target}: {error}.", "Check space and permissions."
        ) from error
    return len(modules)


def _write(factors: Mapping[str, Tensor], settings: Mapping[str, Any], source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as folder:
        complete = Path(folder)
        save_file(dict(factors), complete / WEIGHTS_FILE, metadata={"format": "pt"})
        text = json.dumps(settings, indent=2, ensure_ascii=False)
        (complete / CONFIG_FILE).write_text(text + "\n", encoding="utf-8")
        write_info(complete, replace(read_info(source), layout=PUBLIC))
        copy_adapter(complete, target)


def _renamed(factors: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in factors.items():
        native = name.removeprefix(PEFT_PREFIX)
        expert = _EXPERT_FACTOR.fullmatch(native)
        if expert is not None:
            yield from _expert_factors(expert["experts"], expert["factor"], tensor)
            continue
        plain = _MODULE_FACTOR.fullmatch(native)
        if plain is None:
            raise ModelError(f"The adapter holds a tensor that cannot be exported: {name}.")
        yield f"{PEFT_PREFIX}{to_checkpoint_name(plain['module'])}.lora_{plain['side']}.weight", tensor


def _expert_factors(experts: str, factor: str, tensor: Tensor) -> Iterator[tuple[str, Tensor]]:
    """The factors of every expert of a layer, from one fused tensor [experts, …]."""
    kind, side = factor.rsplit("_", 1)
    for number, matrix in enumerate(tensor):
        if kind == "gate_up":
            parts = zip(("gate_proj", "up_proj"), matrix.chunk(2), strict=True)
        else:
            parts = zip((f"{kind}_proj",), (matrix,), strict=True)
        for projection, part in parts:
            module = expert_module_name(experts, number, projection)
            yield f"{PEFT_PREFIX}{module}.lora_{side}.weight", part.contiguous()


def merge_adapter(
    model: str, adapter: Path, target: Path, *, with_code: bool = True, progress: Progress | None = None
) -> None:
    """Write base model and adapter as one model folder in the public layout.

    Args:
        model: Folder of the base model, or the word of an embedded student.
        adapter: Adapter folder of a run.
        target: A folder that does not exist yet, or is empty.
        with_code: Whether the program files of the base folder go along.
        progress: Told how far reading and writing are.

    Raises:
        ModelError: The parts do not belong together, or the target cannot be written.
    """
    tell = progress or _tell_nobody
    image = ImageConfig.model_validate(read_info(adapter).image)
    with memory_sentences(_MERGE_MEMORY_ADVICE):
        student = open_student(
            model, adapter, image, progress=lambda done, total: tell("Reading the base model", done, total)
        )
        save_model(
            student.model,
            student.processor.tokenizer,
            target,
            code_of=Path(model) if with_code and not is_embedded(model) else None,
            progress=lambda done, total: tell("Writing the merged model", done, total),
        )


def _tell_nobody(_message: str, _done: int, _total: int) -> None:
    return
