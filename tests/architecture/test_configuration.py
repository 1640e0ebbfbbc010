"""Defaults stand once, in YAML; types and help once, in the models; the generated page follows both."""

from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from ocrstudio.domain.embedded import EMBEDDED
from ocrstudio.paths import config_dir
from ocrstudio.settings import reference
from ocrstudio.settings.app import AppSettings
from ocrstudio.settings.loader import read_yaml
from ocrstudio.settings.prompts import PromptsFile
from ocrstudio.settings.teacher import TEACHER_TYPES, TYPE_SECTIONS, TeacherConfig
from ocrstudio.settings.train import TrainConfig

ROOT = Path(__file__).parents[2]
SHIPPED = {
    "settings.yaml": AppSettings,
    "train_config.yaml": TrainConfig,
    "prompts.yaml": PromptsFile,
    **{f"teacher_{kind}.yaml": TeacherConfig for kind in TEACHER_TYPES},
}


def models_of(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (Union, UnionType, dict):
        return [model for part in get_args(annotation) for model in models_of(part)]
    return []


def all_models(model: type[BaseModel]) -> set[type[BaseModel]]:
    below = [child for info in model.model_fields.values() for child in models_of(info.annotation)]
    return {model}.union(*(all_models(child) for child in below))


def compare(model: type[BaseModel], data: dict[str, Any], unread: set[str]) -> None:
    assert set(data) == set(model.model_fields) - unread
    for key, info in model.model_fields.items():
        child = next(iter(models_of(info.annotation)), None)
        if child is None or key in unread:
            continue
        entries = data[key].values() if get_origin(info.annotation) is dict else [data[key]]
        for entry in entries:
            compare(child, entry, set())


@pytest.mark.parametrize("file", SHIPPED)
def test_shipped_files_hold_exactly_the_keys_of_their_model(file):
    data, _ = read_yaml(config_dir() / file)
    unread: set[str] = set()
    if SHIPPED[file] is TeacherConfig:
        unread = {section for sections in TYPE_SECTIONS.values() for section in sections}
        unread -= set(TYPE_SECTIONS[data["type"]])
    compare(SHIPPED[file], data, unread)


def test_every_file_in_config_has_a_model_or_is_the_layer_of_a_student():
    layers = {student.defaults for student in EMBEDDED.values() if student.defaults is not None}
    assert {path.name for path in config_dir().glob("*.yaml")} == set(SHIPPED) | layers


@pytest.mark.parametrize(
    "model",
    sorted({m for top in SHIPPED.values() for m in all_models(top)}, key=str),
    ids=lambda m: m.__name__,
)
def test_no_default_stands_in_python_and_every_field_is_described(model):
    assert model.model_config["extra"] == "forbid"
    assert model.model_config["frozen"] is True
    for key, info in model.model_fields.items():
        assert info.default is PydanticUndefined, key
        assert info.default_factory is None, key
        assert info.description, key
        assert info.description.endswith("."), key


def test_the_page_of_settings_is_current():
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert page == reference.render(), "run: python -m ocrstudio.settings.reference docs/settings.md"
