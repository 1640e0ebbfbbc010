import json
import tomllib
from pathlib import Path

from ocrstudio.paths import resources_dir
from ocrstudio.services.environment import (
    KNOWN_VERSIONS_FILE,
    PackageCheck,
    Verdict,
    advice,
    check_model,
    find_gpus,
    known_versions,
    look_around,
)
from tests.fakes.runs import REPOSITORY


def test_the_shipped_list_is_the_one_of_the_project():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    constraints = "\n".join(project["tool"]["uv"]["constraint-dependencies"])
    shipped = (resources_dir() / KNOWN_VERSIONS_FILE).read_text(encoding="utf-8")
    assert known_versions(shipped) == known_versions(constraints)


def test_versions_are_compared_by_their_release():
    assert PackageCheck("torch", "2.11.0+cu130", "2.11.0").verdict is Verdict.OK
    assert PackageCheck("pymupdf", "2.0", "2.0.0").verdict is Verdict.OK
    assert PackageCheck("torch", "2.10.0", "2.11.0").verdict is Verdict.DIFFERS
    assert PackageCheck("torch", None, "2.11.0").verdict is Verdict.MISSING


def _model(folder: Path, weights: list[str]) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "deepseek_vl_v2"}))
    (folder / "tokenizer.json").write_text("{}")
    index = {"weight_map": {f"layer.{number}": name for number, name in enumerate(weights)}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    return folder


def test_a_model_folder_is_missing_incomplete_or_complete(tmp_path):
    assert check_model("micro").verdict is Verdict.OK
    assert check_model(str(tmp_path / "absent")).verdict is Verdict.MISSING
    folder = _model(tmp_path / "model", ["model-00001.safetensors", "model-00002.safetensors"])
    (folder / "model-00001.safetensors").touch()
    incomplete = check_model(str(folder))
    assert (incomplete.verdict, incomplete.detail) == (
        Verdict.PROBLEM,
        "weights are missing: model-00002.safetensors",
    )
    assert any("hf download" in sentence for sentence in advice(look_around(tmp_path), incomplete))
    (folder / "model-00002.safetensors").touch()
    assert check_model(str(folder)).verdict is Verdict.OK
    (folder / "config.json").write_text(json.dumps({"model_type": "llama"}))
    assert "llama" in check_model(str(folder)).detail


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


def test_a_driver_that_fails_is_a_sentence(tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'driver/library version mismatch' >&2\nexit 18\n")
    program.chmod(0o755)
    assert find_gpus((str(program),)) == ([], "nvidia-smi failed: driver/library version mismatch")
    assert "no NVIDIA driver" in find_gpus((str(tmp_path / "absent"),))[1]
