"""The teachers that can be chosen, what a batch would cost, and the user's own server file. No Qt."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ocrstudio.domain.errors import ConfigError
from ocrstudio.settings.app import user_config_dir
from ocrstudio.settings.files import write_text
from ocrstudio.settings.loader import dump_data
from ocrstudio.settings.teacher import (
    ApiConfig,
    TeacherConfig,
    TeacherType,
    load_teacher_config,
    shipped_file,
)
from ocrstudio.ui.jobs.students import StudentOption

SERVER_FILE = "server.yaml"
_THOUSAND = 1000


@dataclass(frozen=True)
class TeacherChoice:
    """An entry of the list of teachers.

    Attributes:
        title: Words.
        kind: Which form belongs to it.
        path: Its configuration file, or None for the shipped one of its type.
        own: Whether it is a file that the user wrote; its values are not changed in the window.
    """

    title: str
    kind: TeacherType
    path: Path | None = None
    own: bool = False


@dataclass(frozen=True)
class TokenUse:
    """Tokens that pages took on average.

    Attributes:
        pages: Pages that were measured.
        prompt: Prompt tokens of a page.
        answer: Answer tokens of a page.
    """

    pages: int
    prompt: float
    answer: float


def teachers_folder() -> Path:
    """The folder of the user's own teacher files; it may not exist."""
    return user_config_dir() / "teachers"


def teacher_choices(extra: Iterable[Path]) -> list[TeacherChoice]:
    """The shipped teachers, then the user's own files.

    Args:
        extra: Files outside the user's folder: the one of the settings, and those chosen in the window.
    """
    server = teachers_folder() / SERVER_FILE
    shipped = [
        TeacherChoice("Offline: text layer and OCR", "offline"),
        TeacherChoice("Server (OpenAI protocol)", "api", server if server.is_file() else None),
        TeacherChoice("Student on this machine", "local"),
    ]
    files = [path for path in sorted(teachers_folder().glob("*.yaml")) if path.name != SERVER_FILE]
    own = [
        TeacherChoice(path.name, _kind_of(path), path, own=True) for path in dict.fromkeys([*files, *extra])
    ]
    return [*shipped, *own]


def _kind_of(path: Path) -> TeacherType:
    """The type of a file; a broken one counts as offline, and loading it says what is wrong."""
    try:
        return load_teacher_config(path).type
    except ConfigError:
        return "offline"


def student_overrides(student: StudentOption) -> dict[str, Any]:
    """Values of a teacher configuration of type ``local`` that make this student draft."""
    values: dict[str, Any] = {f"image.{key}": value for key, value in student.image.items()}
    if student.model is not None:
        values["local.model_path"] = student.model
    if student.adapter is not None:
        values["local.adapter_path"] = str(student.adapter)
    return values


def load_choice(choice: TeacherChoice, overrides: Mapping[str, Any]) -> TeacherConfig:
    """The configuration of a choice.

    Raises:
        ConfigError: Its file or a value cannot be used.
    """
    path = choice.path if choice.path is not None else shipped_file(choice.kind)
    return load_teacher_config(path, None if choice.own else overrides or None)


def save_server(base_url: str, model_name: str, concurrency: int) -> None:
    """Keeps the server of the form for the next time; never its key.

    Raises:
        OSError: The file cannot be written.
    """
    data = {
        "type": "api",
        "api": {"base_url": base_url, "model_name": model_name},
        "request": {"concurrent_requests": concurrency},
    }
    head = "# The server typed in the Teacher panel of OCR Studio. Its key is never in a file.\n"
    write_text(teachers_folder() / SERVER_FILE, head + dump_data(data))


def server_of(api: ApiConfig) -> str:
    """Host and port of a server."""
    return urlsplit(api.base_url).netloc


def cost_in_words(api: ApiConfig, pages: int, use: TokenUse | None) -> str:
    """The estimated cost of a batch, or nothing when no price is set."""
    if api.price_per_page is not None:
        return f"Estimated cost: {pages * api.price_per_page:,.2f} ({api.price_per_page:g} a page)."
    prices = (api.price_per_1k_input_tokens, api.price_per_1k_output_tokens)
    if prices == (None, None):
        return ""
    if use is None or use.pages == 0:
        return "Estimated cost: known after the first drafts, whose tokens are counted."
    page = ((prices[0] or 0) * use.prompt + (prices[1] or 0) * use.answer) / _THOUSAND
    return f"Estimated cost: {pages * page:,.2f} ({use.pages} measured pages took {page:.4f} each)."


def token_use(parameters: Iterable[Mapping[str, Any]]) -> TokenUse:
    """Averages over the parameters of drafts that say how many tokens they took."""
    counts = [
        (float(each["prompt_tokens"]), float(each["completion_tokens"]))
        for each in parameters
        if each.get("prompt_tokens") is not None and each.get("completion_tokens") is not None
    ]
    if not counts:
        return TokenUse(0, 0.0, 0.0)
    return TokenUse(
        len(counts),
        sum(prompt for prompt, _ in counts) / len(counts),
        sum(answer for _, answer in counts) / len(counts),
    )
