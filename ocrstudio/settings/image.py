"""The image resolution of the student, by preset or by the explicit triple."""

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field

from ocrstudio.settings.base import Section

_LOG = logging.getLogger(__name__)

PresetName = Literal["tiny", "small", "base", "large", "gundam", "custom"]
CUSTOM = "custom"

# The resolutions DeepSeek-OCR was trained on: facts of the model, not defaults of ours.
IMAGE_PRESETS: Mapping[str, Mapping[str, int | bool]] = MappingProxyType(
    {
        "tiny": {"base_size": 512, "image_size": 512, "crop_mode": False},
        "small": {"base_size": 640, "image_size": 640, "crop_mode": False},
        "base": {"base_size": 1024, "image_size": 1024, "crop_mode": False},
        "large": {"base_size": 1280, "image_size": 1280, "crop_mode": False},
        "gundam": {"base_size": 1024, "image_size": 640, "crop_mode": True},
    }
)
_TRIPLE = ("base_size", "image_size", "crop_mode")


class ImageConfig(Section):
    """How a page picture is cut into views for the student."""

    preset: PresetName = Field(
        description="Resolution preset: tiny (512), small (640), base (1024), large "
        "(1280), gundam (1024 overview "
        "and 640 tiles), or custom. base_size, image_size and crop_mode win over it where they are given."
    )
    base_size: int = Field(
        ge=64, le=2048, multiple_of=64, description="Side of the overview of the page, in pixels."
    )
    image_size: int = Field(ge=64, le=2048, multiple_of=64, description="Side of a tile, in pixels.")
    crop_mode: bool = Field(description="Cut pages larger than a tile into tiles, beside the overview.")
    max_tiles: int = Field(
        ge=2, le=32, description="Most tiles of a page. The published model code uses 9, vLLM serves with 6."
    )


def expand_preset(image: dict[str, Any], where: str) -> dict[str, Any]:
    """Fill the triple from the preset that the same layer names; a value given beside the preset wins.

    Args:
        image: The ``image`` section of one layer.
        where: Name of the layer, for the notice.

    Returns:
        The section with the triple filled in; unchanged when it names no known preset.
    """
    name = image.get("preset")
    name = name.lower() if isinstance(name, str) else name
    preset = IMAGE_PRESETS.get(name) if isinstance(name, str) else None
    if preset is None:
        return image
    differing = [key for key in _TRIPLE if key in image and image[key] != preset[key]]
    if differing:
        given = ", ".join(f"{key} {image[key]}" for key in differing)
        _LOG.warning(
            "%s: image.preset is %s, but the file also gives %s; the explicit values are used and the preset "
            "counts as custom. Remove one of the two.", where, name, given
        )  # fmt: skip
    return {**preset, **image, "preset": name}


def name_preset(image: dict[str, Any]) -> dict[str, Any]:
    """Set ``preset`` to the name of the triple after all layers are merged, or to ``custom``."""
    known = image.get("preset") in (*IMAGE_PRESETS, CUSTOM)
    if not known:
        return image  # a wrong name is reported by the model, with the nearest right one
    triple = {key: image.get(key) for key in _TRIPLE}
    name = next((name for name, preset in IMAGE_PRESETS.items() if preset == triple), CUSTOM)
    return {**image, "preset": name}
