"""``runs export`` and ``runs merge`` as a user types them, with the micro student in a real worker."""

import json
import os
import resource
import subprocess
import sys

import pytest
import torch
import yaml
from safetensors.torch import load_file

from ocrstudio.imaging.presets import ImagePreset
from ocrstudio.student.adapters import read_info
from ocrstudio.student.inference import open_student
from ocrstudio.student.layout import layout_of
from ocrstudio.student.loading import load_student
from ocrstudio.student.recipe import train
from tests.student.small_run import context_of, fast_config, training_folder, write_dataset

VIEW = ImagePreset(64, 64, False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A finished training run."""
    parent = tmp_path_factory.mktemp("training")
    config = fast_config(training__max_steps=8, training__save_steps=8, lora__train_projector=True)
    folder = training_folder(parent / "runs", write_dataset(parent / "data"), config)
    with context_of(folder) as context:
        train(context)
    return folder


def ocrstudio(*arguments, **options):
    command = [sys.executable, "-m", "ocrstudio", "runs", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False, **options)


def logits(student):
    batch = student.processor.collate([student.processor.encode([], "Free OCR.")], with_labels=False)
    with torch.no_grad():
        return student.model(**batch).logits


def test_a_merged_run_is_a_model_that_answers_as_its_adapter(trained, tmp_path):
    target = tmp_path / "merged"
    done = ocrstudio("merge", trained.id, "--in", trained.path.parent, "--output", target)
    assert done.returncode == 0, done.stderr
    said, _, image = done.stdout.splitlines()
    assert said == f"Model: {target}"
    assert yaml.safe_load(image)["image"] == read_info(trained.adapter).image
    assert "Writing the merged model: 100 %" in done.stderr
    merged = load_student(str(target), VIEW, dtype=torch.float32)
    adapted = open_student("micro", trained.adapter, VIEW)
    base = open_student("micro", None, VIEW)
    torch.testing.assert_close(logits(merged), logits(adapted), atol=1e-4, rtol=1e-4)
    assert (logits(merged) - logits(base)).abs().max() > 0.01
    assert json.loads((target / "config.json").read_text())["model_type"] == "deepseek_vl_v2"


def test_an_exported_run_has_the_public_names_and_changes_the_answers(trained, tmp_path):
    target = tmp_path / "public"
    done = ocrstudio("export", trained.path, "--output", target)
    assert done.returncode == 0, done.stderr
    factors = load_file(target / "adapter_model.safetensors")
    settings = json.loads((target / "adapter_config.json").read_text(encoding="utf-8"))
    assert f"Adapter of {len(settings['target_modules'])} modules" in done.stdout
    assert any(name.startswith("base_model.model.model.vision_model.") for name in factors)

    network = open_student("micro", None, VIEW)
    before = logits(network)
    parameters = dict(network.model.named_parameters())
    layout = layout_of(parameters)
    for module in settings["target_modules"]:  # what a program that knows only the public layout does
        a, b = (factors[f"base_model.model.{module}.lora_{side}.weight"] for side in "AB")
        piece = layout[f"{module}.weight"]
        piece.of(parameters[piece.native].data).add_(settings["lora_alpha"] / settings["r"] * b @ a)
    adapted = open_student("micro", trained.adapter, VIEW)
    torch.testing.assert_close(logits(network), logits(adapted), atol=1e-4, rtol=1e-4)
    assert (logits(network) - before).abs().max() > 0.01


@pytest.mark.parametrize("action", ["export", "merge"])
def test_what_cannot_be_written_is_said_before_anything_is_loaded(trained, tmp_path, action):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "keep.txt").write_text("mine")
    done = ocrstudio(action, trained.path, "--output", tmp_path / "full")
    assert done.returncode == 1
    assert (
        done.stderr
        == f"Error: {tmp_path / 'full'} already holds files.\nHint: Give the name of a new folder.\n"
    )
    unfinished = training_folder(tmp_path / "runs", tmp_path / "data.jsonl", fast_config())
    done = ocrstudio(action, unfinished.path, "--output", tmp_path / "new")
    assert done.returncode == 1
    assert f"The run {unfinished.id} has no adapter" in done.stderr
    assert not (tmp_path / "new").exists()


def test_a_base_model_that_is_gone_is_named_with_the_way_to_get_it(trained, tmp_path):
    done = ocrstudio("merge", trained.path, "--model", tmp_path / "gone", "--output", tmp_path / "new")
    assert done.returncode == 1
    assert f"The base model {tmp_path / 'gone'} cannot be used: it does not exist." in done.stderr
    assert f"hf download unsloth/DeepSeek-OCR --local-dir {tmp_path / 'gone'}" in done.stderr


def test_a_disk_that_fills_up_leaves_nothing_behind(trained, tmp_path):
    """A limit on the size of files stands in for the full disk: writing fails half-way all the same."""

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    # A .pyc that is cut off by the limit would stay, and break whoever imports it next.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = ocrstudio(
        "merge", trained.path, "--output", tmp_path / "new", preexec_fn=small_files, env=environment
    )
    assert done.returncode == 1
    assert f"cannot be written to {tmp_path / 'new'}" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
