"""The model's resolution presets, and what every image setting offers."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from ocrstudio.settings.image import IMAGE_PRESETS

# The tile limit of the published model code.
DEFAULT_MAX_TILES = 9
# That of vLLM, which has no setting for it.
SERVED_MAX_TILES = 6


class ImageSettings(Protocol):
    """What view preparation reads; the settings' `ImageConfig` and `ImagePreset` both offer it."""

    @property
    def base_size(self) -> int:
        """Side in pixels of the overview when tiling is on."""
        ...

    @property
    def image_size(self) -> int:
        """Side in pixels of a tile, and of the only view when tiling is off."""
        ...

    @property
    def crop_mode(self) -> bool:
        """Whether pictures larger than a tile are tiled."""
        ...

    @property
    def max_tiles(self) -> int:
        """Most tiles of a picture."""
        ...


@dataclass(frozen=True)
class ImagePreset:
    """One resolution: sides in pixels, tiling, and the tile limit."""

    base_size: int
    image_size: int
    crop_mode: bool
    max_tiles: int = DEFAULT_MAX_TILES


def _preset(values: Mapping[str, int | bool]) -> ImagePreset:
    return ImagePreset(values["base_size"], values["image_size"], bool(values["crop_mode"]))


PRESETS: Mapping[str, ImagePreset] = MappingProxyType(
    {name: _preset(values) for name, values in IMAGE_PRESETS.items()}
)


def view_size(settings: ImageSettings) -> int:
    """Side in pixels of the global view.

    Without tiling the reference implementation looks at `image_size` alone.
    """
    return settings.base_size if settings.crop_mode else settings.image_size
