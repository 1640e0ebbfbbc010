"""What a run is to do, and everything needed to repeat it: ``run.yaml``."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import yaml

from ocrstudio.domain.errors import RunError
from ocrstudio.domain.run import RunKind
from ocrstudio.domain.secret_names import is_secret_name

_FORMAT = 1
_KINDS: Mapping[str, Any] = {
    "title": str, "created": int | float, "request": Mapping, "config": Mapping, "versions": Mapping,
}  # fmt: skip
_SECRET_TEXT = "(not stored)"  # noqa: S105 - the words that stand where a secret was


@dataclass(frozen=True)
class RunSpec:
    """The immutable description of a run.

    Attributes:
        kind: Training or evaluation.
        title: Shown in lists.
        created: Unix time in seconds.
        request: What the user asked for (dataset, mode, model, …); paths are absolute.
        config: The resolved configuration, every value of it.
        versions: Versions of Python, OCR Studio and the packages that matter, by name.
        dataset_sha256: Hash of the pictures, questions and answers of the dataset, or None.
        base_model: Folder of the base model, or the word of an embedded student.
        base_revision: Revision of the base model where its folder states one, or None.
    """

    kind: RunKind
    title: str
    created: float
    request: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    dataset_sha256: str | None = None
    base_model: str = ""
    base_revision: str | None = None

    def with_request(self, **changes: Any) -> "RunSpec":  # noqa: ANN401 - any JSON value
        """A copy with some fields of the request replaced."""
        return replace(self, request={**self.request, **changes})

    def without_secrets(self) -> "RunSpec":
        """A copy in which every field named like a key, token or password is emptied."""
        return replace(self, request=_strip(self.request), config=_strip(self.config))


def _strip(mapping: Mapping[str, Any]) -> dict[str, Any]:
    def clean(name: str, value: object) -> object:
        if isinstance(value, Mapping):
            return _strip(value)
        if isinstance(value, list | tuple):
            return [_strip(item) if isinstance(item, Mapping) else item for item in value]
        return _SECRET_TEXT if value and is_secret_name(name) else value

    return {name: clean(name, value) for name, value in mapping.items()}


def dump_spec(spec: RunSpec) -> str:
    """The text of ``run.yaml``; never holds a secret."""
    clean = spec.without_secrets()
    data = {entry.name: getattr(clean, entry.name) for entry in fields(RunSpec)}
    data |= {"kind": spec.kind.value, "versions": dict(spec.versions)}
    head = "# What this run was asked to do; written by OCR Studio when the run was created.\n"
    return head + yaml.safe_dump({"format": _FORMAT, **data}, sort_keys=False, allow_unicode=True, width=100)


def load_spec(path: Path) -> RunSpec:
    """Read ``run.yaml``.

    Raises:
        RunError: The file is absent, unreadable or from another version.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RunError(f"{path.parent} is not a run folder: it has no run.yaml.") from error
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, yaml.YAMLError) as error:
        raise RunError(f"{path} is damaged: it is not YAML.", "Start a new run.") from error
    if not isinstance(data, dict) or data.pop("format", None) != _FORMAT:
        raise RunError(
            f"{path} was not written by this version of OCR Studio.", "Update OCR Studio, or start a new run."
        )
    known = {entry.name for entry in fields(RunSpec)}
    try:
        data["kind"] = RunKind(data["kind"])
        spec = RunSpec(**{name: value for name, value in data.items() if name in known})
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{path} is incomplete: {error}.") from error
    for name, kind in _KINDS.items():
        if not isinstance(getattr(spec, name), kind):
            raise RunError(
                f"{path} is damaged: {name} cannot be {getattr(spec, name)!r}.", "Start a new run."
            )
    return spec
