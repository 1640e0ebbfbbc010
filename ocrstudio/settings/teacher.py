"""Teacher configurations: ``config/teacher_{api,local,offline}.yaml``."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from ocrstudio.domain.errors import ConfigError
from ocrstudio.paths import config_dir
from ocrstudio.settings.base import Section, Strings
from ocrstudio.settings.embedded import teacher_layer
from ocrstudio.settings.generation import AnswerConfig
from ocrstudio.settings.image import ImageConfig, expand_preset, name_preset
from ocrstudio.settings.layers import Layer, check, file_layer, merge, override_layer
from ocrstudio.settings.prompts import PromptConfig, complete_prompts

_LOG = logging.getLogger(__name__)

TeacherType = Literal["api", "local", "offline"]
TEACHER_TYPES: tuple[TeacherType, ...] = ("api", "local", "offline")
# What each type reads beside the common sections; the others are None unless the file gives them.
TYPE_SECTIONS: Mapping[str, tuple[str, ...]] = {
    "api": ("api", "generation"),
    "local": ("local", "generation", "image"),
    "offline": ("offline",),
}
# What examples write where no key is needed; never taken for one.
PLACEHOLDER_KEYS = frozenset({"", "your-api-key", "empty", "none", "dummy"})


class ApiConfig(Section):
    """A server that speaks the OpenAI chat protocol."""

    base_url: str = Field(min_length=1, description="Address of the server up to and including /v1.")
    model_name: str = Field(min_length=1, description="Name of the model as the server lists it.")
    api_key: SecretStr | None = Field(
        description="Key of the server. Leave it empty to use the keyring or "
        "OPENAI_API_KEY, or write ${NAME} to read "
        "an environment variable; a key written out works, with a warning."
    )
    server: Literal["auto", "vllm", "openai"] = Field(
        description="Which extra parameters the server takes: vllm gets the no-repeat rule "
        "and keeps special tokens, "
        "openai gets none; auto means vllm where the model is a DeepSeek-OCR."
    )
    image_format: Literal["png", "jpg"] = Field(description="Format in which page pictures are sent.")
    max_image_side: int | None = Field(
        ge=64,
        le=16384,
        description="Longer side to which pictures are reduced before sending, in pixels; empty: never.",
    )
    price_per_page: float | None = Field(
        ge=0, description="Price of a page, in the currency of your contract; for the estimate only."
    )
    price_per_1k_input_tokens: float | None = Field(
        ge=0, description="Price of 1,000 prompt tokens; estimate only."
    )
    price_per_1k_output_tokens: float | None = Field(
        ge=0, description="Price of 1,000 answer tokens; estimate only."
    )

    @field_validator("base_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("this must be a web address such as http://localhost:8000/v1.")
        if parts.username or parts.password:
            raise ValueError("this must not hold a user name or password; put the key under api_key.")
        if parts.query or parts.fragment:  # drafts and messages keep the address; a key may stand there
            raise ValueError("this must end before the ? or #; put the key under api_key.")
        return value.rstrip("/")


class LocalConfig(Section):
    """A DeepSeek-OCR model on this machine, plain or fine-tuned."""

    model_path: str = Field(
        min_length=1,
        description="Folder of the weights, downloaded when it is missing; reader is the small built-in "
        "student, which needs no GPU.",
    )
    adapter_path: str | None = Field(
        min_length=1, description="Folder of a trained adapter; empty uses the base model."
    )
    load_in_4bit: bool = Field(description="Load the weights in 4 bits: least memory, slower; for CUDA GPUs.")
    batch_size: int = Field(ge=1, le=256, description="Pages decoded at once.")


class OfflineConfig(Section):
    """Text layer and classical OCR: no model server, no GPU, no network."""

    method: Literal["auto", "text_layer", "ocr"] = Field(
        description="auto takes the text layer of a page where it is usable and reads the picture otherwise."
    )
    ocr_engine: Literal["rapidocr", "tesseract"] = Field(
        description="rapidocr is built in (Latin, Greek, Chinese, Japanese); tesseract must be installed."
    )
    languages: Strings = Field(min_length=1, description="Tesseract language codes, such as eng, kor, deu.")
    reading_order: Literal["auto", "layout", "columns"] = Field(
        description="auto: a layout model orders the text; where the white gaps of the page disagree, they "
        "win, unless Tesseract is installed and confirms the model; layout: always the model; columns: "
        "always the gaps, without headings and tables."
    )
    dpi: int = Field(ge=50, le=600, description="Resolution at which a page is read, in dots per inch.")


class GenerationConfig(AnswerConfig):
    """How the teacher writes its answer."""

    extra_body: dict[str, Any] = Field(
        description="Further parameters sent to the server as they stand; they win over "
        "what OCR Studio sends, and an empty one (null) takes it out."
    )


class RequestConfig(Section):
    """Patience and concurrency."""

    timeout: float = Field(gt=0, le=86400, description="Longest wait for the answer to one page, in seconds.")
    max_retries: int = Field(ge=0, le=100, description="Further requests after a time-out or a busy server.")
    concurrent_requests: int = Field(
        ge=1,
        le=1024,
        description="Pages worked on at once; a model on this machine has local.batch_size instead.",
    )


class OutputConfig(Section):
    """What `infer` writes."""

    format: Literal["jsonl", "json", "md"] = Field(
        description="jsonl: a training dataset; json: one list; md: a Markdown file for each document."
    )
    save_images: bool = Field(description="Also keep the page pictures beside the results.")


class TeacherConfig(Section):
    """Whatever drafts labels. Sections that its type does not read may be empty."""

    type: TeacherType = Field(
        description="api: a server; local: a model on this machine; offline: text layer and OCR."
    )
    model_type: Literal["default", "deepseek-ocr", "deepseek-document"] = Field(
        description="Clean-up of the model's output. default: none; deepseek-ocr: removes special tags; "
        "deepseek-document: turns grounding output into Markdown and keeps the boxes aside."
    )
    api: ApiConfig | None = Field(description="A server that speaks the OpenAI chat protocol.")
    local: LocalConfig | None = Field(description="A DeepSeek-OCR model on this machine.")
    offline: OfflineConfig | None = Field(description="Text layer and classical OCR.")
    generation: GenerationConfig | None = Field(description="How the model writes its answer.")
    image: ImageConfig | None = Field(description="How a page picture is cut into views, for a local model.")
    request: RequestConfig = Field(description="Patience and concurrency.")
    prompts: dict[str, PromptConfig] = Field(
        description="Prompts of this teacher only, by task; they add to "
        "config/prompts.yaml and win over it here."
    )
    output: OutputConfig = Field(description="What infer writes.")

    @model_validator(mode="after")
    def _a_model_here_has_no_choice_of_its_own(self) -> Self:
        if self.type == "local" and self.generation is not None:
            empty = [name for name in ("temperature", "max_tokens") if getattr(self.generation, name) is None]
            if empty:
                raise ValueError(
                    f"generation.{empty[0]} may be empty for a server only; a local model needs a number."
                )
        return self


def load_teacher_config(path: Path | None, overrides: Mapping[str, Any] | None = None) -> TeacherConfig:
    """Load a teacher configuration.

    Args:
        path: The user's file; None for the shipped offline teacher. What it leaves out comes from the shipped
            file of its type. A file without a type has that of the section it gives (api, local, offline). A
            student that comes with the program has values of its own in between.
        overrides: Dotted keys that win over the file.

    Raises:
        ConfigError: A file cannot be used; all problems are listed with file, line and key.
    """
    shipped_kind = _shipped_type(path)
    layers = [] if path is None or shipped_kind is not None else [file_layer(path)]
    changes = {**({"type": shipped_kind} if shipped_kind is not None else {}), **(overrides or {})}
    if changes:
        layers.append(override_layer(changes))
    given: dict[str, Any] = {}
    for layer in layers:
        given = merge(given, _expanded(layer))
    kind = _type_of(given, path)
    shipped = file_layer(shipped_file(kind))
    student = teacher_layer(_student_of(given, shipped)) if kind == "local" else None
    below = [shipped] if student is None else [shipped, student]
    data = _defaults(shipped, given)
    for values in ({} if student is None else student.data, given):
        data = merge(data, values)
    if isinstance(data.get("image"), dict):
        data["image"] = name_preset(data["image"])
    config = check(TeacherConfig, data, [*below, *layers])
    for layer in layers:
        _warn_of_literal_key(layer)
    return config


def shipped_file(kind: TeacherType) -> Path:
    """The shipped configuration of a type."""
    return config_dir() / f"teacher_{kind}.yaml"


def request_extras(config: TeacherConfig) -> dict[str, Any]:
    """Parameters beside the standard ones for a chat request: the vLLM dialect, then the user's `extra_body`.

    DeepSeek-OCR on vLLM loses tables and boxes unless special tokens are kept, and loops on long pages
    without its windowed no-repeat rule
    (``vllm.model_executor.models.deepseek_ocr:NGramPerReqLogitsProcessor``). Other servers refuse these
    parameters. What the user's `extra_body` sets to None is not sent.
    """
    generation, api = config.generation, config.api
    if generation is None or api is None:
        return {}
    extras: dict[str, Any] = {}
    if api.server == "vllm" or (api.server == "auto" and _is_deepseek_ocr(api)):
        extras["skip_special_tokens"] = False
        if generation.no_repeat_ngram_size:
            extras["vllm_xargs"] = {
                "ngram_size": generation.no_repeat_ngram_size,
                "window_size": generation.no_repeat_ngram_window,
                "whitelist_token_ids": list(generation.whitelist_token_ids),
            }
    unwanted = {name for name, value in generation.extra_body.items() if value is None}
    merged = merge(extras, generation.extra_body)
    return {name: value for name, value in merged.items() if name not in unwanted}


def _is_deepseek_ocr(api: ApiConfig) -> bool:
    name = api.model_name.lower().replace("_", "-")
    return "deepseek-ocr" in name and urlsplit(api.base_url).hostname != "api.openai.com"


def _expanded(layer: Layer) -> dict[str, Any]:
    data = dict(layer.data)
    if isinstance(data.get("image"), dict):
        data["image"] = expand_preset(data["image"], layer.name)
    if "prompts" in data:
        data["prompts"] = complete_prompts(data["prompts"])
    return data


def _shipped_type(path: Path | None) -> TeacherType | None:
    """The type whose shipped file was named; what it says still stands below the values of a student."""
    if path is None:
        return None
    return next((kind for kind in TEACHER_TYPES if path.resolve() == shipped_file(kind).resolve()), None)


def _type_of(given: Mapping[str, Any], path: Path | None) -> TeacherType:
    """The type a file names or that of its one section; a wrong name is left to the model to report."""
    if given.get("type") is not None:
        return next((kind for kind in TEACHER_TYPES if kind == given["type"]), "offline")
    sections = [kind for kind in TEACHER_TYPES if given.get(kind) is not None]
    if len(sections) > 1:
        raise ConfigError(
            f"{path} has the sections {' and '.join(sections)} but no type.",
            f"Add a line: type: {sections[0]}",
        )
    return sections[0] if sections else "offline"


def _student_of(given: Mapping[str, Any], shipped: Layer) -> str:
    """The model that a teacher of type ``local`` drafts with."""
    section = given.get("local")
    named = section.get("model_path") if isinstance(section, dict) else None
    return str(named or shipped.data["local"]["model_path"])


def _defaults(shipped: Layer, given: Mapping[str, Any]) -> dict[str, Any]:
    """The shipped file, and the defaults of sections the user gives although this type does not read them."""
    data = dict(shipped.data)
    for other in TEACHER_TYPES:
        for section in TYPE_SECTIONS[other]:
            if section in data:
                continue
            wanted = given.get(section) is not None
            data[section] = file_layer(shipped_file(other)).data[section] if wanted else None
    return data


def _warn_of_literal_key(layer: Layer) -> None:
    api = layer.data.get("api")
    key = api.get("api_key") if isinstance(api, dict) else None
    place = ("api", "api_key")
    if not isinstance(key, str) or key.lower() in PLACEHOLDER_KEYS or place in layer.lines.references:
        return
    line = layer.lines.line(place)
    _LOG.warning(
        "%s%s: api_key is a key in plain text. Write api_key: ${NAME} to read an environment variable, "
        "or leave it empty and store the key in the keyring.", layer.name, f", line {line}" if line else "",
    )  # fmt: skip
