"""Every command, each a real process, in the order of the work: one story on one document.

The fixtures are the stages; a stage that fails takes only those with it that build on it.
"""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from PIL import Image

from ocrstudio import __version__
from ocrstudio.cli.main import COMMANDS
from ocrstudio.domain.run import RunState
from ocrstudio.jobs.run_folder import RunFolder
from tests.fakes.openai_server import DEFAULT_ANSWER, OpenAiServer
from tests.fakes.pdfs import damaged_pdf, encrypted_pdf, text_pdf
from tests.fakes.runs import REPOSITORY, until

PAGES = 4
MICRO = ("--model", "micro", "--config", REPOSITORY / "config" / "examples" / "train_micro.example.yaml")
SUBCOMMANDS = (
    [("workspace", name) for name in ("new", "import", "label", "status", "export")]
    + [("runs", name) for name in ("list", "show", "attach", "stop", "resume", "export", "merge")]
    + [("environment", name) for name in ("install", "remove")]
)


@pytest.fixture(scope="module")
def document(folder) -> Path:
    return text_pdf(folder / "ledger.pdf", pages=PAGES)


@pytest.fixture(scope="module")
def images(ocrstudio, folder, document) -> Path:
    """Page images by pdf2img."""
    done = ocrstudio("pdf2img", "--source", document, "--output", "images", "--dpi", 100)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{PAGES} images written to images.\n"
    return folder / "images"


@pytest.fixture(scope="module")
def workspace(ocrstudio, folder, document) -> Path:
    """A workspace in which every page has an offline draft."""
    made = ocrstudio("workspace", "new", "harbour", document)
    assert made.returncode == 0, made.stderr
    assert f"Imported 1 document with {PAGES} pages." in made.stdout
    labelled = ocrstudio("workspace", "label", "harbour")
    assert (labelled.returncode, labelled.stderr) == (0, "")
    assert labelled.stdout == f"{PAGES} pages drafted by offline, 0 failed.\n"
    return folder / "harbour"


@pytest.fixture(scope="module")
def dataset(ocrstudio, folder, workspace) -> Path:
    """The drafts as a dataset of pictures and labels."""
    done = ocrstudio(
        "workspace", "export", "harbour", "--status", "draft", "--output", "data", "--eval-fraction", 0.25,
        "--dpi", 72,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "All pages are from one document" in done.stderr
    assert "3 samples for training" in done.stdout
    assert "1 sample for evaluation" in done.stdout
    return folder / "data"


@pytest.fixture(scope="module")
def trained(ocrstudio, folder, dataset) -> RunFolder:
    """A short training of the micro student."""
    done = ocrstudio(
        "train", "--dataset", dataset / "train.jsonl", "--eval-dataset", dataset / "eval.jsonl", *MICRO,
        "--mode", "both", "--max-steps", 3, "--set", "training.warmup_steps=1", "--set",
        "training.save_steps=2", "--set", "training.eval_steps=2", "--output", "adapter",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (warning,) = done.stderr.splitlines()
    assert warning.startswith("Warning: The answer hardly depends on the picture")
    assert "Dataset: 3 samples" in done.stdout
    assert [f"Step {step}: loss" in done.stdout for step in (1, 2, 3)] == [True] * 3
    assert "Finished." in done.stdout
    (run,) = (folder / "adapter" / "runs").iterdir()
    return RunFolder(run)


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS), *SUBCOMMANDS])
def test_help_fits_a_terminal_and_explains_itself(ocrstudio, command):
    done = ocrstudio(*command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: ocrstudio {' '.join(command)}".rstrip())
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_version_and_misspelt_commands(ocrstudio):
    assert ocrstudio("--version").stdout == f"ocrstudio {__version__}\n"
    done = ocrstudio("trian")
    assert (done.returncode, "Did you mean 'train'?" in done.stderr) == (2, True)


def test_pdf2img_names_page_images(images):
    assert sorted(path.name for path in images.iterdir()) == [f"ledger_p{n}.png" for n in range(1, PAGES + 1)]
    with Image.open(images / "ledger_p1.png") as image:
        assert image.size == (827, 1170)


def test_pdf2img_goes_on_after_files_that_it_cannot_read(ocrstudio, folder, document):
    mixed = folder / "mixed"
    mixed.mkdir()
    shutil.copy(document, mixed / "good.pdf")
    damaged_pdf(mixed / "broken.pdf")
    encrypted_pdf(mixed / "secret.pdf")
    done = ocrstudio("pdf2img", "--source", mixed, "--output", "mixed-images", "--format", "jpg",
                     "--start-page", 2, "--end-page", 3)  # fmt: skip
    assert done.returncode == 1
    assert "2 images written" in done.stdout
    assert "broken.pdf cannot be opened: it is damaged" in done.stderr
    assert "secret.pdf is encrypted and needs a password" in done.stderr
    assert sorted(path.name for path in (folder / "mixed-images").iterdir()) == [
        "good_p2.jpg",
        "good_p3.jpg",
    ]


def test_infer_offline_merges_page_images_into_one_document(ocrstudio, folder, images):
    (folder / "scans").mkdir()
    for name in ("ledger_p2.png", "ledger_p1.png"):
        shutil.copy(images / name, folder / "scans")
    done = ocrstudio("infer", "--images", "scans", "--output", "offline")
    assert done.returncode == 0, done.stderr
    assert "2 of 2 pages labelled" in done.stdout
    (written,) = (folder / "offline").glob("*.md")
    assert written.name == "ledger.md"
    text = written.read_text(encoding="utf-8")
    sentence = "The harbour office keeps a ledger of every vessel, its master and the cargo that it declared."
    assert text.count(sentence) == 12
    assert text.index("1\n\n") < text.index(sentence) < text.index("Chapter 2")


def test_infer_asks_an_api_and_writes_a_dataset(ocrstudio, folder, document, environment):
    environment["HARBOUR_KEY"] = "sk-secret-of-the-harbour"
    with OpenAiServer(key="sk-secret-of-the-harbour") as server:
        config = folder / "teacher.yaml"
        settings = {
            "type": "api",
            "model_type": "default",
            "api": {"base_url": server.base_url, "model_name": "m", "api_key": "${HARBOUR_KEY}"},
            "prompts": {"invoice": {"system": "You read invoices.", "user": "Extract the total."}},
            "output": {"format": "jsonl"},
        }
        config.write_text(yaml.safe_dump(settings), encoding="utf-8")
        done = ocrstudio(
            "infer", "--pdf", document, "--config", config, "--task", "invoice", "--output", "api"
        )
        assert done.returncode == 0, done.stderr
        again = ocrstudio(
            "infer", "--pdf", document, "--config", config, "--task", "invoice", "--output", "api"
        )
        assert len(server.requests) == PAGES
    assert again.returncode == 1
    assert "--overwrite" in again.stderr
    lines = (folder / "api" / "results.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == PAGES
    question, answer = json.loads(lines[0])["messages"]
    assert question["content"] == "<image>\nExtract the total."
    assert (folder / "api" / question["images"][0]).is_file()
    assert answer == {"role": "<|Assistant|>", "content": DEFAULT_ANSWER}
    for path in (folder / "api").rglob("*"):
        assert path.is_dir() or b"sk-secret" not in path.read_bytes(), path
    assert "sk-secret" not in done.stdout + done.stderr


def test_infer_without_a_server_is_one_sentence(ocrstudio, folder, document):
    config = folder / "nobody.yaml"
    settings = {
        "type": "api",
        "api": {"base_url": "http://127.0.0.1:9/v1", "model_name": "m", "api_key": "none"},
        "request": {"timeout": 5, "max_retries": 0},
    }
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    done = ocrstudio("infer", "--pdf", document, "--config", config, "--output", "nothing")
    assert done.returncode == 1
    assert "http://127.0.0.1:9/v1" in done.stderr
    assert f"0 of {PAGES} pages labelled" in done.stdout


def test_list_prompts_shows_what_is_protected(ocrstudio):
    done = ocrstudio("infer", "--list-prompts")
    assert (done.returncode, done.stderr) == (0, "")
    assert "document  (protected" in done.stdout
    assert "<|grounding|>Convert the document to markdown." in done.stdout
    assert "markdown  (custom)" in done.stdout


def test_workspace_status_counts_drafts(ocrstudio, workspace):
    done = ocrstudio("workspace", "status", workspace, "--json", "--check")
    assert (done.returncode, done.stderr) == (0, "")
    status = json.loads(done.stdout)
    assert status["statuses"]["draft"] == PAGES
    assert status["revisions"] == {"teacher:offline": PAGES}
    assert "ledger" in ocrstudio("workspace", "status", workspace).stdout


def test_an_exported_dataset_comes_back_as_accepted_labels(ocrstudio, folder, dataset):
    assert ocrstudio("workspace", "new", "second").returncode == 0
    done = ocrstudio("workspace", "import", "second", dataset / "train.jsonl", "--accepted")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Imported 3 labels" in done.stdout
    status = json.loads(ocrstudio("workspace", "status", "second", "--json").stdout)
    assert status["statuses"]["accepted"] == 3
    again = ocrstudio("workspace", "export", "second", "--eval-fraction", 0)
    assert again.returncode == 0, again.stderr
    first, second = (
        [json.loads(line)["messages"][1]["content"] for line in path.read_text("utf-8").splitlines()]
        for path in (dataset / "train.jsonl", folder / "second" / "exports" / "markdown" / "train.jsonl")
    )
    assert sorted(first) == sorted(second)


def test_nothing_accepted_means_nothing_exported(ocrstudio, workspace):
    done = ocrstudio("workspace", "export", workspace)
    assert done.returncode == 1
    assert "no page that is accepted has a label" in done.stderr
    assert "--status draft" in done.stderr


def test_inspect_says_what_is_here(ocrstudio, dataset):
    done = ocrstudio("inspect", "--model", "micro", "--dataset", dataset / "train.jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Python" in done.stdout
    assert "torch" in done.stdout
    as_json = ocrstudio("inspect", "--model", "micro", "--dataset", dataset / "train.jsonl", "--json").stdout
    assert json.loads(as_json)["dataset"]["samples"] == 3


def test_train_leaves_an_adapter_in_the_public_layout(ocrstudio, folder, trained):
    output = folder / "adapter"
    assert {path.name for path in output.iterdir()} >= {"adapter_config.json", "adapter_model.safetensors"}
    assert json.loads((output / "adapter_config.json").read_text())["peft_type"] == "LORA"
    assert trained.state() is RunState.FINISHED
    listed = ocrstudio("runs", "list", "--in", output)
    assert trained.id in listed.stdout
    assert "3/3" in listed.stdout
    shown = ocrstudio("runs", "show", trained.id, "--in", output)
    assert "state: finished" in shown.stdout
    assert "mode: both" in shown.stdout
    attached = ocrstudio("runs", "attach", trained.id, "--in", output)
    assert attached.returncode == 0
    assert [f"Step {step}: loss" in attached.stdout for step in (1, 2, 3)] == [True] * 3


def test_evaluate_writes_rates_and_predictions(ocrstudio, folder, dataset, trained):
    done = ocrstudio(
        "evaluate", "--dataset", dataset / "eval.jsonl", *MICRO, "--adapter", trained.path, "--output",
        "results.json",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "Report: " in done.stdout
    report = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert report["overall"]["cer"]["corpus"] > 0
    assert report["profile"]["in_words"]
    (page,) = report["pages"]
    assert page["reference"].startswith("# Chapter")
    assert {"prediction", "cer", "wer", "ned"} <= page.keys()


def test_the_student_drafts_as_a_teacher(ocrstudio, folder, images, trained):
    config = folder / "student.yaml"
    settings = {
        "type": "local",
        "local": {"model_path": "micro", "adapter_path": str(trained.adapter)},
        "image": {"preset": "custom", "image_size": 256, "base_size": 256, "crop_mode": False},
        "generation": {"max_tokens": 8},
    }
    config.write_text(yaml.safe_dump(settings), encoding="utf-8")
    done = ocrstudio(
        "infer", "--images", images / "ledger_p1.png", "--config", config, "--output", "student.json",
        "--format", "json",
    )  # fmt: skip
    assert "1 of 1 pages labelled" in done.stdout, done.stderr
    (record,) = json.loads((folder / "student.json").read_text(encoding="utf-8"))
    assert record["document"] == "ledger"


def test_a_run_outlives_its_terminal_and_is_stopped_and_resumed(ocrstudio, environment, folder, dataset):
    started = ocrstudio(
        "train", "--dataset", dataset / "train.jsonl", *MICRO, "--max-steps", 5000, "--output", "long",
        "--detach",
    )  # fmt: skip
    assert started.returncode == 0, started.stderr
    (path,) = (folder / "long" / "runs").iterdir()
    run = RunFolder(path)
    attach = [sys.executable, "-m", "ocrstudio", "runs", "attach", str(path)]
    with subprocess.Popen(attach, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as relay:
        for line in relay.stdout or ():
            if line.startswith("Step 2:"):
                break
        relay.send_signal(signal.SIGKILL)
    assert run.state() is RunState.RUNNING
    stopped = ocrstudio("runs", "stop", path)
    assert stopped.returncode == 0, stopped.stderr
    assert run.state() is RunState.STOPPED
    checkpoint = run.newest_checkpoint()
    assert checkpoint is not None
    reached = int(checkpoint.name.rpartition("-")[2])
    resumed = ocrstudio("runs", "resume", path, "--detach")
    assert resumed.returncode == 0, resumed.stderr
    assert f"Going on from {checkpoint.name}." in resumed.stdout
    until(lambda: _last_step(run) > reached, timeout=60)
    assert ocrstudio("runs", "stop", path).returncode == 0
    assert "Step 1: loss" in (history := ocrstudio("runs", "attach", path).stdout)
    assert f"Step {reached + 1}: loss" in history


def _last_step(run: RunFolder) -> int:
    from ocrstudio.jobs.events import EventType, read_events

    steps = [event.data["step"] for event in read_events(run.events_path) if event.type == EventType.METRIC]
    return max(steps, default=0)
