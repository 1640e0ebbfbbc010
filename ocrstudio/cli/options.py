"""Options that several commands share, and how their values are read."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ocrstudio.domain.embedded import is_embedded
from ocrstudio.domain.errors import ConfigError
from ocrstudio.domain.wording import shortened

if TYPE_CHECKING:  # pydantic is imported by the command that needs it
    from ocrstudio.datasets import Columns
    from ocrstudio.domain.run import TrainMode
    from ocrstudio.settings.train import TrainConfig

F = TypeVar("F", bound=Callable[..., Any])


def file_option(*names: str, required: bool = False, help: str) -> Callable[[F], F]:  # noqa: A002 - click's word
    """An option whose value is a file that must exist."""
    return click.option(
        *names, type=click.Path(path_type=Path, exists=True, dir_okay=False), required=required, help=help
    )


def dataset_option(*names: str, required: bool = False, help: str) -> Callable[[F], F]:  # noqa: A002
    """An option whose value is a dataset: a file or folder that must exist."""
    return click.option(*names, type=click.Path(path_type=Path, exists=True), required=required, help=help)


def columns_options(function: F) -> F:
    """``--image-key`` and ``--text-key``, for what `columns_of` takes."""
    for option in (
        click.option("--text-key", metavar="COLUMN", help="Column of the text, with --image-key."),
        click.option(
            "--image-key",
            metavar="COLUMN",
            help="Column of the picture, in a dataset of columns of any name.",
        ),
    ):
        function = option(function)
    return function


def columns_of(image_key: str | None, text_key: str | None) -> "Columns | None":
    """The columns that two options name, or None.

    Raises:
        InputError: Only one of them is named.
    """
    from ocrstudio.datasets import Columns

    return Columns(image_key or "", text_key or "") or None


page_seconds_option = click.option(
    "--max-page-seconds",
    type=click.IntRange(1, 86_400),
    show_default="the settings' value",
    help="Longest time for drawing or reading one page; a page that takes longer fails, the others go on.",
)
"""``--max-page-seconds``."""


def override_option(example: str) -> Callable[[F], F]:
    """``--set``, for one key of the configuration."""
    return click.option(
        "--set",
        "overrides",
        multiple=True,
        metavar="KEY=VALUE",
        help=f"Override one key of the configuration, such as {example}; repeatable.",
    )


def run_options(function: F) -> F:
    """``--config``, ``--set``, ``--strict`` and ``--detach``."""
    for option in (
        click.option("--detach", is_flag=True, help="Start the run and leave it to itself."),
        click.option("--strict", is_flag=True, help="Stop at the first line or picture that cannot be used."),
        override_option("training.learning_rate=1e-4"),
        file_option("--config", help="Configuration YAML; keys it leaves out keep their shipped values."),
    ):
        function = option(function)
    return function


def parse_overrides(pairs: Sequence[str]) -> dict[str, Any]:
    """Read ``--set`` values: dotted keys, values as in YAML.

    Raises:
        click.BadParameter: A pair has no ``=``, or its value is not YAML.
    """
    from ocrstudio.settings.loader import read_value

    overrides: dict[str, Any] = {}
    for pair in pairs:
        key, separator, text = pair.partition("=")
        if not separator or not key.strip():
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE.", param_hint="--set")
        try:
            overrides[key.strip()] = read_value(text)
        except ConfigError as error:
            raise click.BadParameter(
                f"{shortened(text)!r} is not a value as in YAML.", param_hint="--set"
            ) from error
    return overrides


def training_settings(
    config: Path | None,
    overrides: Mapping[str, Any],
    model: str | None = None,
    mode: "TrainMode | None" = None,
) -> "TrainConfig":
    """The training configuration: the file given, else the one of the user's settings, else the shipped one.

    The file of the settings is meant for DeepSeek-OCR: a student that comes with the program does without it.

    Args:
        config: The file given.
        overrides: Dotted keys that win over it.
        model: The base model that an option names; an override may name it, too.
        mode: Which part of it is trained; None where nothing is.

    Raises:
        ConfigError: A file or an override cannot be used.
    """
    from ocrstudio.settings.app import load_app_settings
    from ocrstudio.settings.train import load_train_config

    named = model or str(overrides.get("model.base_model_path", ""))
    own = None if is_embedded(named) else load_app_settings().train_file
    return load_train_config(config or own, overrides, model, mode)
