"""A model and an adapter, ready to answer: what evaluation and server have in common."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from ocrstudio.domain.run import TrainMode
from ocrstudio.imaging.presets import ImageSettings
from ocrstudio.settings.image import ImageConfig
from ocrstudio.student.adapters import load_adapter, read_info
from ocrstudio.student.loading import load_student
from ocrstudio.student.lora import merged_network, plain_network
from ocrstudio.student.processor import OcrProcessor
from ocrstudio.student.quantisation import quantise_4bit
from ocrstudio.student.weights import Progress

_VIEW_SETTINGS = ("base_size", "image_size", "crop_mode", "max_tiles")


@dataclass(frozen=True)
class LoadedStudent:
    """A student in evaluation mode.

    Attributes:
        model: The network, with the adapter merged into its weights where there is one.
        processor: Its processor, with the image settings that are used.
        remarks: What the user should know about the settings.
    """

    model: nn.Module
    processor: OcrProcessor
    remarks: tuple[str, ...] = field(default=())


def open_student(
    model: str,
    adapter: Path | None,
    image: ImageSettings,
    *,
    load_in_4bit: bool = False,
    progress: Progress | None = None,
) -> LoadedStudent:
    """Load a model with an adapter.

    A student reads best what it was trained to see: the image settings that an adapter recorded win over the
    given ones, with a remark.

    Args:
        model: Folder of the base model, or the word of an embedded student.
        adapter: Adapter folder, or None.
        image: Image settings of a model without adapter.
        load_in_4bit: Keep the base weights in 4 bits.
        progress: Called with the bytes of the base model read and the bytes in all.

    Raises:
        ModelError: Model or adapter cannot be used, or do not belong together.
    """
    if adapter is None:
        student = load_student(model, image, load_in_4bit=load_in_4bit, progress=progress)
        return LoadedStudent(student.model.eval(), student.processor)
    info = read_info(adapter)
    trained = ImageConfig.model_validate(info.image)
    # Weights in 4 bits cannot be replaced; where all of them were trained, packing comes last.
    packed_first = load_in_4bit and info.mode != TrainMode.FULL
    student = load_student(model, trained, load_in_4bit=packed_first, progress=progress)
    adapted = load_adapter(student.model, adapter, student.facts, trainable=False)
    # They cannot take an adapter in without loss either; it is applied beside them.
    network = plain_network(adapted) if packed_first else merged_network(adapted)
    if load_in_4bit and not packed_first:
        quantise_4bit(network, network.device)
    return LoadedStudent(network.eval(), student.processor, _differences(trained, image))


def _differences(trained: ImageSettings, asked: ImageSettings) -> tuple[str, ...]:
    values: list[tuple[str, Any, Any]] = [
        (name, getattr(trained, name), getattr(asked, name)) for name in _VIEW_SETTINGS
    ]
    different = [f"{name} {mine} instead of {theirs}" for name, mine, theirs in values if mine != theirs]
    if not different:
        return ()
    return (f"The image settings that the adapter was trained with are used: {', '.join(different)}.",)
