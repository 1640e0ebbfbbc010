"""What leaves for other programs: the base's program files, GGUF by a converter, a word about servers."""

import json
import shutil
import subprocess
import sys

import pytest
import torch
from click.testing import CliRunner
from transformers import AutoConfig, dynamic_module_utils

from ocrstudio.cli import runs
from ocrstudio.domain.errors import ModelError
from ocrstudio.services.adapters import open_adapter, server_remark
from ocrstudio.student.adapter_export import merge_adapter
from ocrstudio.student.adapters import AdapterInfo, save_adapter
from ocrstudio.student.export import save_model
from ocrstudio.student.gguf import export_gguf
from ocrstudio.student.loading import load_student
from ocrstudio.student.lora import VECTORS, attach_adapter, select_targets
from ocrstudio.student.micro import MICRO_IMAGE, build_micro
from tests.student.small_run import fast_config

AUTO_MAP = {"AutoConfig": "modeling_base.BaseConfig"}
REMOTE_CODE = """
from pathlib import Path
from transformers import PreTrainedConfig
Path({mark!r}).touch()
class BaseConfig(PreTrainedConfig):
    model_type = "deepseek_vl_v2"
    marked = "by the base's own program"
"""
CONVERTER = """
import argparse, json, pathlib
from safetensors.torch import load_file
parser = argparse.ArgumentParser()
parser.add_argument("model", type=pathlib.Path)
parser.add_argument("--outfile", type=pathlib.Path)
parser.add_argument("--outtype")
parser.add_argument("--mmproj", action="store_true")
options = parser.parse_args()
if (pathlib.Path(__file__).parent / "fail").exists():
    raise NotImplementedError("BPE pre-tokenizer was not recognized")
names = json.loads((options.model / "model.safetensors.index.json").read_text())["weight_map"]
newline = load_file(options.model / names["model.image_newline"])["model.image_newline"]
said = {"files": sorted(path.name for path in options.model.iterdir()), "mmproj": options.mmproj,
        "type": options.outtype, "newline": newline.float().tolist()}
options.outfile.write_text(json.dumps(said))
"""


@pytest.fixture(scope="module")
def mark(tmp_path_factory):
    """A file that appears when the base's program is run."""
    return tmp_path_factory.mktemp("mark") / "ran"


@pytest.fixture(scope="module")
def base(tmp_path_factory, mark):
    """The micro student as a public folder that carries program files."""
    network, processor = build_micro()
    folder = tmp_path_factory.mktemp("weights") / "model"
    save_model(network, processor.tokenizer, folder, dtype=torch.bfloat16)
    (folder / "modeling_base.py").write_text(REMOTE_CODE.format(mark=str(mark)))
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = AUTO_MAP
    config["language_config"]["auto_map"] = {"AutoModel": "modeling_base.Language"}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def adapter(tmp_path_factory, base):
    """An adapter that also trained the newline, for pages of up to nine tiles."""
    student = load_student(str(base), MICRO_IMAGE)
    config = fast_config(lora__train_newline_separator=True, image__crop_mode=True)
    adapted = attach_adapter(student.model, config.lora, select_targets(student.model, config.lora, "both"))
    for name in VECTORS:
        student.model.get_parameter(name).data.fill_(0.5)
    folder = tmp_path_factory.mktemp("adapters") / "adapter"
    save_adapter(
        adapted, folder, AdapterInfo(str(base), student.facts, "both", config.image.model_dump(), "plain")
    )
    return folder


@pytest.fixture
def converter(tmp_path):
    script = tmp_path / "llama.cpp" / "convert_hf_to_gguf.py"
    script.parent.mkdir()
    script.write_text(CONVERTER)
    return script


def ocrstudio(*arguments):
    command = [sys.executable, "-m", "ocrstudio", "runs", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)


def test_a_merged_folder_carries_the_program_files_of_its_base_and_runs_none(
    adapter, base, mark, tmp_path, monkeypatch
):
    merged = tmp_path / "merged"
    merge_adapter(str(base), adapter, merged)
    assert not mark.exists()
    assert (merged / "modeling_base.py").read_text() == (base / "modeling_base.py").read_text()
    config = json.loads((merged / "config.json").read_text())
    assert config["auto_map"] == AUTO_MAP
    assert config["language_config"]["auto_map"] == {"AutoModel": "modeling_base.Language"}
    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    loaded = AutoConfig.from_pretrained(str(merged), trust_remote_code=True)
    assert loaded.marked == "by the base's own program"


def test_a_base_without_program_files_is_merged_without(adapter, tmp_path):
    description = json.loads((adapter / "ocrstudio.json").read_text())
    own = shutil.copytree(adapter, tmp_path / "adapter")
    description["base"]["seed"] = 3407
    (own / "ocrstudio.json").write_text(json.dumps({**description, "base_model": "micro"}))
    merge_adapter("micro", own, tmp_path / "merged")
    assert "auto_map" not in json.loads((tmp_path / "merged" / "config.json").read_text())
    assert not list((tmp_path / "merged").glob("*.py"))


def test_gguf_files_are_written_by_the_converter_from_the_merged_model(adapter, converter, tmp_path):
    target = tmp_path / "gguf"
    done = ocrstudio("export", adapter, "--gguf", "--converter", converter, "--output", target)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"GGUF files: {target}\n")
    assert "max_tiles: 9" in done.stdout
    language, pictures = (json.loads((target / name).read_text()) for name in ("model.gguf", "mmproj.gguf"))
    assert (language["mmproj"], pictures["mmproj"]) == (False, True)
    assert language["type"] == "f16"
    assert set(language["newline"]) == {0.5}, "it is the merged model that is converted"
    assert "tokenizer.json" in language["files"]
    assert not [name for name in language["files"] if name.endswith(".py")], "what it could run stays away"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gguf", "llama.cpp"]


def test_a_converter_that_fails_is_one_sentence_and_leaves_nothing(adapter, base, converter, tmp_path):
    (converter.parent / "fail").touch()
    with pytest.raises(
        ModelError, match=r"failed: NotImplementedError: BPE pre-tokenizer was not rec"
    ) as caught:
        export_gguf(str(base), adapter, tmp_path / "gguf", converter, progress=lambda *_: None)
    assert str(converter) in caught.value.message
    assert "knows DeepseekOCRForCausalLM" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["llama.cpp"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--gguf"], "llama.cpp's own converter, and it was not named"),
        (["--gguf", "--converter", "nowhere.py"], "llama.cpp's own converter, and nowhere.py does not exist"),
        (["--gguf", "--model", "micro"], "knows the tokenizer of the public model only"),
        (["--gguf", "--language-only"], "leave --language-only out"),
        (["--converter", "some.py"], "belong to --gguf"),
    ],
)
def test_what_gguf_needs_is_said_before_anything_is_loaded(adapter, tmp_path, options, said):
    asked = ["export", str(adapter), *options, "--output", str(tmp_path / "gguf")]
    result = CliRunner().invoke(runs.command, asked)
    assert result.exit_code != 0
    assert said in (result.output + str(result.exception))
    assert "Loading" not in result.output


def test_an_export_says_that_a_server_cuts_pages_otherwise(adapter, tmp_path):
    done = ocrstudio("export", adapter, "--language-only", "--output", tmp_path / "public")
    assert done.returncode == 0, done.stderr
    said = "Warning: It was trained with image.max_tiles 9, and vLLM cuts a page into at most 6 tiles"
    assert said in done.stderr


@pytest.mark.parametrize(
    ("crop_mode", "max_tiles", "differs"), [(True, 6, False), (False, 9, False), (True, 9, True)]
)
def test_only_tiles_that_a_server_cuts_otherwise_are_named(adapter, tmp_path, crop_mode, max_tiles, differs):
    own = shutil.copytree(adapter, tmp_path / "adapter")
    description = json.loads((own / "ocrstudio.json").read_text())
    description["image"] |= {"crop_mode": crop_mode, "max_tiles": max_tiles}
    (own / "ocrstudio.json").write_text(json.dumps(description))
    assert bool(server_remark(open_adapter(own))) is differs
