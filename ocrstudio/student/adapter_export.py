"""Adapters under the names of the public checkpoint, for programs that know nothing of us.

Ours are named after the network's modules and hold the factors of all experts of a layer in one tensor.
In the public layout every expert has a gate, an up and a down matrix of its own, so the factors are taken
apart; no number changes.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from ocrstudio.domain.errors import ModelError
from ocrstudio.settings.image import ImageConfig
from ocrstudio.student.adapters import (
    CONFIG_FILE,
    INFO_FILE,
    VECTORS_FILE,
    WEIGHTS_FILE,
    copy_adapter,
    read_info,
)
from ocrstudio.student.export import save_model
from ocrstudio.student.inference import open_student
from ocrstudio.student.layout import PEFT_PREFIX, expert_module_name, to_checkpoint_name

_EXPERT_FACTOR = re.compile(
    r"(?P<experts>.*\.mlp\.experts)\.lora_(?P<factor>gate_up_A|(?:gate|up|down)_B|down_A)$"
)
_MODULE_FACTOR = re.compile(r"(?P<module>.*)\.lora_(?P<side>[AB])\.weight$")


def export_adapter(source: Path, target: Path) -> None:
    """Write an adapter folder in the public layout.

    Args:
        source: Adapter folder of a run.
        target: The folder; other files in it stay.

    Raises:
        ModelError: The source is no adapter, or holds trained vectors, which PEFT's format has no place for.
    """
    read_info(source)
    if (source / VECTORS_FILE).exists():
        raise ModelError(
            f"{source} also holds a trained newline and separator; the public layout has no place for them.",
            "Merge the adapter into the model instead.",
        )
    factors = dict(_renamed(load_file(source / WEIGHTS_FILE)))
    settings = json.loads((source / CONFIG_FILE).read_text(encoding="utf-8"))
    settings["target_modules"] = sorted(
        {name.removeprefix(PEFT_PREFIX).rsplit(".lora_", 1)[0] for name in factors}
    )
    with tempfile.TemporaryDirectory(prefix="ocrstudio-export-") as folder:
        complete = Path(folder)
        save_file(factors, complete / WEIGHTS_FILE, metadata={"format": "pt"})
        text = json.dumps(settings, indent=2, ensure_ascii=False)
        (complete / CONFIG_FILE).write_text(text + "\n", encoding="utf-8")
        shutil.copyfile(source / INFO_FILE, complete / INFO_FILE)
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


def merge_adapter(model: str, adapter: Path, target: Path) -> None:
    """Write base model and adapter as one model folder in the public layout.

    Args:
        model: Folder of the base model, or ``micro``.
        adapter: Adapter folder of a run.
        target: A folder that does not exist yet, or is empty.

    Raises:
        ModelError: The parts do not belong together, or the target cannot be written.
    """
    student = open_student(model, adapter, ImageConfig.model_validate(read_info(adapter).image))
    save_model(student.model, student.processor.tokenizer, target)
