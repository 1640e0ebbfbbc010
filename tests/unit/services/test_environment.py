import json
import tomllib
from pathlib import Path

import pytest

from ocrstudio.jobs.training_environment import CONSTRAINTS
from ocrstudio.paths import resources_dir
from ocrstudio.services.environment import (
    PackageCheck,
    Verdict,
    advice,
    check_model,
    find_gpus,
    known_versions,
    look_around,
)
from tests.fakes.models import PUBLIC_NAMES, safetensors
from tests.fakes.runs import REPOSITORY


def test_the_shipped_list_is_the_one_of_the_project():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    constraints = "\n".join(project["tool"]["uv"]["constraint-dependencies"])
    shipped = (resources_dir() / CONSTRAINTS).read_text(encoding="utf-8")
    assert known_versions(shipped) == known_versions(constraints)


def test_versions_are_compared_by_their_release():
    assert PackageCheck("torch", "2.11.0+cu130", "2.11.0").verdict is Verdict.OK
    assert PackageCheck("pymupdf", "2.0", "2.0.0").verdict is Verdict.OK
    assert PackageCheck("torch", "2.10.0", "2.11.0").verdict is Verdict.DIFFERS
    assert PackageCheck("torch", None, "2.11.0").verdict is Verdict.MISSING


def _model(folder: Path, index: dict[str, str]) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "deepseek_vl_v2"}))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    return folder


def test_a_model_folder_is_missing_incomplete_or_complete(tmp_path):
    assert check_model("micro").verdict is Verdict.OK
    one, two = "model-00001.safetensors", "model-00002.safetensors"
    folder = _model(tmp_path / "model", {PUBLIC_NAMES[0]: one, PUBLIC_NAMES[1]: two, PUBLIC_NAMES[2]: two})
    (folder / one).write_bytes(safetensors(PUBLIC_NAMES[:1]))
    incomplete = check_model(str(folder))
    assert (incomplete.verdict, incomplete.detail) == (Verdict.PROBLEM, f"weights are missing: {two}")
    assert any("hf download" in sentence for sentence in advice(look_around(tmp_path), incomplete))
    (folder / two).write_bytes(safetensors(PUBLIC_NAMES[1:]))
    assert check_model(str(folder)).verdict is Verdict.OK
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}))
    assert "llama" in check_model(str(folder)).detail


def test_only_the_public_model_is_said_to_be_downloaded(tmp_path):
    public, other = (check_model(str(tmp_path / name)) for name in ("deepseek_ocr", "absent"))
    assert public.verdict is other.verdict is Verdict.MISSING
    assert "download it" in public.detail
    assert other.detail == "there is no such folder"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (safetensors()[:-1], "is damaged or incomplete"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is damaged or incomplete"),
        (b"", "is damaged or incomplete"),
        (b"\2\0\0\0\0\0\0\0[]", "is damaged or incomplete"),
        (safetensors(PUBLIC_NAMES[:2]), "1 tensor missing, the first is model.view_seperator"),
    ],
)
def test_weights_that_cannot_be_loaded_do_not_count_as_complete(tmp_path, content, words):
    folder = _model(tmp_path / "model", dict.fromkeys(PUBLIC_NAMES, "model.safetensors"))
    (folder / "model.safetensors").write_bytes(content)
    assert words in check_model(str(folder)).detail


@pytest.mark.parametrize("index", [{}, {"a": 1}, None])
def test_a_damaged_index_is_a_problem(tmp_path, index):
    folder = _model(tmp_path / "model", index)
    assert check_model(str(folder)).verdict is Verdict.PROBLEM


def test_weights_without_an_index_and_those_of_other_layouts_are_told_apart(tmp_path):
    folder = _model(tmp_path / "model", {})
    (folder / "model.safetensors.index.json").unlink()
    (folder / "weights.safetensors").write_bytes(safetensors())
    assert check_model(str(folder)).detail == "complete, in the public layout"
    (folder / "weights.safetensors").write_bytes(safetensors(["model.view_separator"]))
    assert "names of the public checkpoint" in check_model(str(folder)).detail


def test_gpus_are_read_from_the_driver(tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA H100 80GB HBM3, 580.65, 81559, 80994'\n")
    program.chmod(0o755)
    gpus, problem = find_gpus((str(program),))
    assert problem == ""
    assert (gpus[0].name, gpus[0].driver, gpus[0].memory_free) == (
        "NVIDIA H100 80GB HBM3",
        "580.65",
        80994 * 2**20,
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("NVIDIA GB10, 580.95, [N/A], [N/A]", "NVIDIA GB10, memory not stated, driver 580.95"),
        ("Odd, with commas, 1.2, 2048, 1024", "Odd, with commas, 1.0 GiB of 2.0 GiB free, driver 1.2"),
    ],
)
def test_odd_gpus_are_shown_too(tmp_path, line, words):
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\necho '{line}'\n")
    program.chmod(0o755)
    assert [gpu.in_words() for gpu in find_gpus((str(program),))[0]] == [words]


def test_what_the_driver_says_need_not_be_text(tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nprintf '\\377\\376'\nexit 3\n")
    program.chmod(0o755)
    assert find_gpus((str(program),))[1].startswith("nvidia-smi failed: ")
    program.write_text("#!/bin/sh\nexit 3\n")
    assert find_gpus((str(program),))[1] == "nvidia-smi failed: status 3"


def test_a_driver_that_fails_is_a_sentence(tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'driver/library version mismatch' >&2\nexit 18\n")
    program.chmod(0o755)
    assert find_gpus((str(program),)) == ([], "nvidia-smi failed: driver/library version mismatch")
    assert "no NVIDIA driver" in find_gpus((str(tmp_path / "absent"),))[1]
