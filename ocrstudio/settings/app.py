"""Application settings: ``config/settings.yaml`` and the user's own values over it."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from ocrstudio.domain.errors import ConfigError
from ocrstudio.paths import config_dir
from ocrstudio.settings.base import Section
from ocrstudio.settings.files import write_text
from ocrstudio.settings.layers import check, file_layer, merge, override_layer
from ocrstudio.settings.loader import dump_data, plain_items, read_yaml

SHIPPED_FILE = "settings.yaml"


def _group(name: str, editor: str = "") -> dict[str, Any]:
    """The heading under which the settings window shows a field, and how it is edited unless by its type."""
    return {"group": name, "editor": editor}


class AppSettings(Section):
    """How the window and the command line behave. The settings window is built from these fields."""

    theme: Literal["system", "light", "dark"] = Field(
        title="Colours",
        description="Colours of the window; system follows the desktop.",
        json_schema_extra=_group("Appearance"),
    )
    editor_font_family: str = Field(
        title="Editor font",
        description="Font of the Markdown editor; empty takes the system's fixed-width font.",
        json_schema_extra=_group("Appearance", "font"),
    )
    editor_font_size: int = Field(
        title="Font size",
        ge=6,
        le=72,
        description="Size of the editor's font, in points.",
        json_schema_extra=_group("Appearance"),
    )
    editor_wrap_lines: bool = Field(
        title="Wrap long lines",
        description="Wrap long lines in the Markdown editor.",
        json_schema_extra=_group("Appearance"),
    )
    zoom_mode: Literal["fit_page", "fit_width", "actual_size"] = Field(
        title="Zoom",
        description="How a page is shown when a workspace is opened.",
        json_schema_extra=_group("Pages"),
    )
    show_regions: bool = Field(
        title="Show regions",
        description="Draw the boxes of a label on the page.",
        json_schema_extra=_group("Pages"),
    )
    show_thumbnails: bool = Field(
        title="Show thumbnails",
        description="Small pictures of the pages in the list.",
        json_schema_extra=_group("Pages"),
    )
    default_dpi: int = Field(
        title="Page pictures (DPI)",
        ge=36,
        le=1200,
        description="Resolution of page pictures, in dots per inch.",
        json_schema_extra=_group("Pages"),
    )
    max_image_pixels: int = Field(
        title="Largest picture (pixels)",
        ge=1_000_000,
        le=200_000_000,
        description="Most pixels of a page picture; a larger page gets a lower resolution, with a note.",
        json_schema_extra=_group("Pages"),
    )
    max_page_seconds: int = Field(
        title="Longest time for a page (s)",
        ge=1,
        le=86_400,
        description="Longest time that drawing or reading one page on this computer may take, in seconds; "
        "a page that takes longer fails, and the others go on.",
        json_schema_extra=_group("Pages"),
    )
    page_cache_mib: int = Field(
        title="Memory for pictures (MiB)",
        ge=16,
        le=16384,
        description="Memory for decoded page pictures, in MiB.",
        json_schema_extra=_group("Pages"),
    )
    disk_cache_mib: int = Field(
        title="Disk for pictures (MiB)",
        ge=64,
        le=1_048_576,
        description="Disk space for the rendered pages of a workspace, in MiB; the oldest go first.",
        json_schema_extra=_group("Pages"),
    )
    prefetch_pages: int = Field(
        title="Pages drawn ahead",
        ge=0,
        le=20,
        description="Pages rendered ahead in each direction.",
        json_schema_extra=_group("Pages"),
    )
    autosave_delay_ms: int = Field(
        title="Save after (ms)",
        ge=100,
        le=60_000,
        description="Quiet time after typing before a label is saved, in milliseconds.",
        json_schema_extra=_group("Labelling"),
    )
    preview_delay_ms: int = Field(
        title="Preview after (ms)",
        ge=50,
        le=10_000,
        description="Quiet time after typing before the preview is drawn again, in milliseconds.",
        json_schema_extra=_group("Labelling"),
    )
    default_task: str = Field(
        title="Task",
        min_length=1,
        description="Task of new workspaces: a key of the prompts.",
        json_schema_extra=_group("Labelling"),
    )
    prompts_file: str | None = Field(
        title="Own prompts",
        min_length=1,
        description="YAML file with tasks of your own; empty: the shipped ones only.",
        json_schema_extra=_group("Labelling", "file"),
    )
    teacher_config: str | None = Field(
        title="Teacher",
        min_length=1,
        description="YAML file of the teacher that is offered first; empty: the offline teacher.",
        json_schema_extra=_group("Labelling", "file"),
    )
    train_config: str | None = Field(
        title="Training values",
        min_length=1,
        description="YAML file with your training values; empty: the shipped ones.",
        json_schema_extra=_group("Training", "file"),
    )
    eval_fraction: float = Field(
        title="Held out",
        ge=0,
        le=0.5,
        description="Part of the documents that an export holds out for evaluation.",
        json_schema_extra=_group("Training", "share"),
    )
    reopen_last_workspace: bool = Field(
        title="Reopen the last workspace",
        description="Open the last workspace when the program starts.",
        json_schema_extra=_group("Start"),
    )
    recent_workspaces_limit: int = Field(
        title="Recent workspaces",
        ge=0,
        le=50,
        description="Workspaces remembered in the menu.",
        json_schema_extra=_group("Start"),
    )
    log_lines_limit: int = Field(
        title="Log lines",
        ge=100,
        le=1_000_000,
        description="Lines kept in the log panel.",
        json_schema_extra=_group("Start"),
    )

    @property
    def train_file(self) -> Path | None:
        """The user's training values; None for the shipped ones."""
        return _path(self.train_config)

    @property
    def teacher_file(self) -> Path | None:
        """The teacher that is offered first; None for the offline one."""
        return _path(self.teacher_config)


def user_config_dir() -> Path:
    """The folder of the user's own settings; it may not exist yet."""
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or home / "AppData" / "Roaming") / "OCR Studio"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "OCR Studio"
    return Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "ocrstudio"


def user_settings_file() -> Path:
    """The file in which the user's own settings are kept; it may not exist."""
    return user_config_dir() / SHIPPED_FILE


def load_app_settings(user_file: Path | None = None) -> AppSettings:
    """Load the shipped settings with the user's over them.

    Args:
        user_file: The user's file; None for the usual place. A missing file means no changes.

    Raises:
        ConfigError: A file cannot be used; all problems are listed with file, line and key.
    """
    layers = [file_layer(config_dir() / SHIPPED_FILE)]
    user_file = user_file or user_settings_file()
    if _exists(user_file):
        layers.append(file_layer(user_file))
    data: dict[str, Any] = {}
    for layer in layers:
        data = merge(data, layer.data)
    return check(AppSettings, data, layers)


def save_overrides(values: Mapping[str, Any], user_file: Path | None = None) -> None:
    """Keep settings of the user: only what differs from the shipped values is written.

    Args:
        values: Settings to change; a value equal to the shipped one is removed from the file. Other settings
            in the file stay; its comments do not.
        user_file: The user's file; None for the usual place.

    Raises:
        ConfigError: A value is impossible, or the file cannot be read or written. The file is unchanged then.
    """
    user_file = user_file or user_settings_file()
    shipped = file_layer(config_dir() / SHIPPED_FILE)
    # References to environment variables stay references.
    kept = read_yaml(user_file, substitute=False)[0] if _exists(user_file) else {}
    change = override_layer(values)
    check(AppSettings, merge(shipped.data, change.data), [shipped, change])
    wanted = merge(kept, plain_items(change.data))
    sparse = {
        key: value for key, value in wanted.items() if key not in shipped.data or value != shipped.data[key]
    }
    text = dump_data(sparse) if sparse else ""
    try:
        write_text(user_file, f"# Settings that differ from the shipped ones; written by OCR Studio.\n{text}")
    except OSError as error:
        raise ConfigError(
            f"The settings cannot be saved to {user_file}: {error.strerror or error}.",
            "Check the permissions and the free space of that folder.",
        ) from error


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text).expanduser()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror or error}.", "Check the permissions of its folder."
        ) from error
