"""Adapter folders: PEFT's two files, our description, and trained vectors where there are any.

```
adapter_config.json         PEFT's settings
adapter_model.safetensors   low-rank factors, under the network's own names
vectors.safetensors         newline and separator, when they were trained
weights.safetensors         in place of these three after a training of every weight: all of them
ocrstudio.json              what the adapter belongs to: base model, mode, image settings, prompt
```
"""

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import peft
from peft import PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ocrstudio.domain.errors import ModelError
from ocrstudio.domain.run import TrainMode
from ocrstudio.jobs.adapter_files import CONFIG_FILE, FULL_FILE, INFO_FILE, VECTORS_FILE, WEIGHTS_FILE
from ocrstudio.student.loading import WEIGHTS_FACT
from ocrstudio.student.lora import VECTORS, wrap

NATIVE = "native"
PUBLIC = "public"
_FORMAT = 1


@dataclass(frozen=True)
class AdapterInfo:
    """What an adapter belongs to, and how it wants to be used.

    Attributes:
        base_model: Folder of the base weights, or the word of an embedded student.
        base: Facts by which another base model is recognised (sizes; the seed of a micro student).
        mode: Training mode.
        image: The ``image`` section that it was trained with, ``max_tiles`` included.
        prompt: How the prompt of a page is built from the user's part of a task.
        step: Optimiser steps behind it.
        run: Id of the run that made it.
        eval_loss: Loss on the evaluation set, or None.
        versions: Packages that made it.
        layout: Whose names its weights have: the network's (`NATIVE`), or those of the public checkpoint.
        augment: How the training pages were degraded (``training.augment``).
    """

    base_model: str
    base: Mapping[str, Any]
    mode: str
    image: Mapping[str, Any]
    prompt: str
    step: int = 0
    run: str = ""
    eval_loss: float | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    layout: str = NATIVE
    augment: str = "off"


def write_adapter(trained: nn.Module, folder: Path, info: AdapterInfo) -> None:
    """Write the files of an adapter into an existing folder.

    Args:
        trained: The network with its adapter, or the network itself when every weight was trained.
        folder: Where to.
        info: Its description.
    """
    if isinstance(trained, PeftModel):
        _write_factors(trained, folder, info)
    else:
        save_file(
            _contiguous(dict(trained.named_parameters())), folder / FULL_FILE, metadata={"format": "pt"}
        )
    write_info(folder, info)


def write_info(folder: Path, info: AdapterInfo) -> None:
    """Write the description of an adapter."""
    text = json.dumps({"format": _FORMAT, **asdict(info)}, indent=2, ensure_ascii=False)
    (folder / INFO_FILE).write_text(text + "\n", encoding="utf-8")


def _write_factors(adapted: PeftModel, folder: Path, info: AdapterInfo) -> None:
    settings = adapted.peft_config[adapted.active_adapter]
    settings.base_model_name_or_path = info.base_model
    settings.save_pretrained(str(folder))
    factors = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    save_file(_contiguous(factors), folder / WEIGHTS_FILE, metadata={"format": "pt"})
    network = adapted.get_base_model()
    trained = {name: network.get_parameter(name) for name in VECTORS}
    vectors = {name: vector.detach() for name, vector in trained.items() if vector.requires_grad}
    if vectors:
        save_file(_contiguous(vectors), folder / VECTORS_FILE, metadata={"format": "pt"})


def save_adapter(trained: nn.Module, target: Path, info: AdapterInfo) -> None:
    """Write an adapter folder inside a run; an older one is replaced whole, once the new one is complete."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        write_adapter(trained, temporary, info)
        _replace_folder(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _replace_folder(source: Path, target: Path) -> None:
    """Move a complete folder to its place; the one that stood there (ours alone) goes only after that."""
    source.chmod(0o755)  # mkdtemp makes it private
    if not target.exists():
        source.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}-old-", dir=target.parent)) / target.name
    target.rename(old)
    source.rename(target)
    shutil.rmtree(old.parent, ignore_errors=True)


def _contiguous(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def read_info(folder: Path) -> AdapterInfo:
    """Read the description of an adapter.

    Raises:
        ModelError: The folder is no adapter of ours, or was written by a newer version.
    """
    path = folder / INFO_FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        version = data.pop("format")
        known = {entry.name for entry in fields(AdapterInfo)}
        info = AdapterInfo(**{name: value for name, value in data.items() if name in known})
    except FileNotFoundError:
        raise ModelError(
            f"{folder} is not an adapter of OCR Studio: it has no {INFO_FILE}.",
            "Give the folder 'adapter' of a finished run, or the folder that train --output wrote.",
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} cannot be read: {error}.", "Export the adapter again.") from error
    if version != _FORMAT:
        raise ModelError(f"{path} was written by another version (format {version}).", "Update OCR Studio.")
    return info


def load_adapter(model: nn.Module, folder: Path, base: Mapping[str, Any], *, trainable: bool) -> nn.Module:
    """Put a saved adapter on a base model.

    Args:
        model: The base model; changed in place.
        folder: The adapter folder, or a checkpoint folder of a run.
        base: The facts of that base model, as in `AdapterInfo.base`.
        trainable: Whether training goes on with it.

    Returns:
        The PEFT wrapper; the base model itself when the folder holds every weight.

    Raises:
        ModelError: The folder is damaged, or belongs to another base model.
    """
    info = read_info(folder)
    if info.layout != NATIVE:
        raise ModelError(
            f"{folder} was exported for other programs: its weights have the names of the public checkpoint.",
            "Name the run that it was exported from, or the folder 'adapter' of that run.",
        )
    _refuse_other_weights(folder, info, base)
    different = [name for name, value in info.base.items() if base.get(name, value) != value]
    if different:
        facts = ", ".join(f"{name} {info.base[name]!r} instead of {base[name]!r}" for name in different)
        raise ModelError(
            f"The adapter {folder} belongs to another base model ({facts}).",
            f"Load it together with {info.base_model}.",
        )
    if info.mode == TrainMode.FULL:
        restore_weights(model, folder)
        return model.requires_grad_(trainable)
    try:
        settings = peft.LoraConfig.from_pretrained(str(folder))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{folder / CONFIG_FILE} cannot be read: {error}.") from error
    settings.inference_mode = not trainable
    adapted = wrap(model, settings)
    restore_weights(adapted, folder)
    if not trainable:
        adapted.requires_grad_(False)
    return adapted


def _refuse_other_weights(folder: Path, info: AdapterInfo, base: Mapping[str, Any]) -> None:
    """An embedded student may come with other weights in another version; an adapter fits only its own."""
    mine, theirs = base.get(WEIGHTS_FACT), info.base.get(WEIGHTS_FACT)
    if mine is None or theirs is None or mine == theirs:
        return
    maker = info.versions.get("ocrstudio")
    raise ModelError(
        f"The adapter {folder} was trained on other weights of {info.base_model} ({theirs}) than this "
        f"version of OCR Studio has ({mine}).",
        f"Train it again, or use {f'OCR Studio {maker}' if maker else 'the version'} that made it.",
    )


def restore_weights(adapted: nn.Module, folder: Path) -> None:
    """Overwrite the adapter's weights (without a PEFT wrapper: all weights) with those of a folder.

    Raises:
        ModelError: A file is damaged, or does not hold exactly the weights that are needed.
    """
    if not isinstance(adapted, PeftModel):
        parameters, weights = dict(adapted.named_parameters()), read_tensors(folder / FULL_FILE)
        _check_names(folder / FULL_FILE, parameters, weights)
        for name, value in weights.items():
            parameters[name].detach().copy_(value)
        return
    factors = read_tensors(folder / WEIGHTS_FILE)
    expected = get_peft_model_state_dict(adapted, save_embedding_layers=False)
    _check_names(folder / WEIGHTS_FILE, expected, factors)
    set_peft_model_state_dict(adapted, factors)
    vectors_file = folder / VECTORS_FILE
    if not vectors_file.exists():
        return
    network = adapted.get_base_model()
    for name, value in read_tensors(vectors_file).items():
        # Into the type that is there: float32 where training goes on, the base's where it is used.
        network.get_parameter(name).detach().copy_(value)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file of an adapter.

    Raises:
        ModelError: It is missing or damaged.
    """
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"The weights {path} cannot be read: {error}.", "Copy the adapter folder again."
        ) from error


def _check_names(path: Path, expected: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    shapes = {name: tuple(tensor.shape) for name, tensor in expected.items()}
    given = {name: tuple(tensor.shape) for name, tensor in found.items()}
    if shapes == given:
        return
    wrong = sorted(name for name in shapes.keys() | given.keys() if shapes.get(name) != given.get(name))
    raise ModelError(
        f"{path} does not fit the base model: {len(wrong)} weights differ, the first is {_first(wrong)}.",
        "Load the adapter together with the base model that it was trained on.",
    )


def _first(names: Iterable[str]) -> str:
    return next(iter(names))
