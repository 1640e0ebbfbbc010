import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ocrstudio.domain.run import RunState
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.stop import wait_until_over
from tests.fakes.runs import until


def _only_run(folder) -> RunFolder:
    (path,) = folder.glob("runs/*")
    return RunFolder(path)


def test_a_training_runs_to_its_end_and_tells_the_story(ocrstudio, fake_student, dataset, tmp_path):
    fake_student(["metric", 1, 0.91234], ["checkpoint", 1], ["adapter"])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    done = ocrstudio(
        "train", "--dataset", dataset, "--mode", "llm", "--model", "micro", "--max-steps", "7",
        "--set", "training.learning_rate=1e-5", "--set", "training.augment=strong", "--output", "out",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 samples; 1 line skipped" in done.stdout
    assert "Step 1: loss 0.9123" in done.stdout
    assert "Checkpoint saved" in done.stdout
    assert "Finished." in done.stdout
    assert f"Adapter: {tmp_path / 'out'}" in done.stdout
    spec = _only_run(tmp_path / "out").spec
    assert spec.config["training"]["max_steps"] == 7
    assert spec.config["training"]["learning_rate"] == 1e-5
    assert spec.config["training"]["augment"] == "strong"
    assert spec.request["mode"] == "llm"
    assert (tmp_path / "out" / "adapter_config.json").is_file()
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"
    assert _only_run(tmp_path / "out").summary() == {"steps": 1, "exported_to": str(tmp_path / "out")}
    assert len(spec.dataset_sha256 or "") == 64
    assert {"python", "ocrstudio"} <= spec.versions.keys()


def test_the_reader_needs_nothing_but_its_name(ocrstudio, fake_student, dataset, tmp_path):
    own = tmp_path / "large.yaml"
    own.write_text("image: {preset: large}\n")
    fake_student(["metric", 1, 0.9], ["adapter"])
    settings = Path(os.environ["XDG_CONFIG_HOME"]) / "ocrstudio" / "settings.yaml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(f"train_config: {own}\n")
    done = ocrstudio(
        "train", "--model", "reader", "--dataset", dataset, "--mode", "vision", "--output", "out"
    )
    assert (done.returncode, done.stderr) == (0, "")
    spec = _only_run(tmp_path / "out").spec
    assert (spec.base_model, spec.request["model"]) == ("reader", "reader"), "the word, on every machine"
    image = spec.config["image"]
    assert [image[key] for key in ("base_size", "image_size", "crop_mode", "max_tiles")] == [
        384,
        384,
        True,
        6,
    ]
    again = ocrstudio(
        "evaluate", "--model", "reader", "--dataset", dataset, "--output", "e/results.json", "--config", own
    )
    assert again.returncode == 0, again.stderr
    assert _only_run(tmp_path / "e").spec.config["image"]["preset"] == "large", "a file that was named wins"


def test_a_failed_training_is_a_sentence_and_status_1(ocrstudio, fake_student, dataset):
    fake_student(["fail", "The folder models/x does not exist.", "Download it."])
    done = ocrstudio("train", "--dataset", dataset, "--model", "micro")
    assert done.returncode == 1
    assert done.stderr == "Error: The folder models/x does not exist.\nHint: Download it.\n"


def test_strict_refuses_a_dataset_with_a_missing_picture(ocrstudio, fake_student, dataset, tmp_path):
    done = ocrstudio("train", "--dataset", dataset, "--strict")
    assert done.returncode == 1
    assert "line 4" in done.stderr
    assert not (tmp_path / "models").exists()


def test_wrong_options_are_named(ocrstudio, fake_student, dataset):
    assert "Missing option '--dataset'" in ocrstudio("train").stderr
    assert ocrstudio("train", "--dataset", "absent.jsonl").returncode == 2
    wrong = ocrstudio("train", "--dataset", dataset, "--set", "training.learnin_rate=1")
    assert wrong.returncode == 1
    assert "learning_rate" in wrong.stderr
    bad = ocrstudio("train", "--dataset", dataset, "--set", "training.augment=medium")
    assert "must be one of off, light, strong" in bad.stderr
    assert "KEY=VALUE" in ocrstudio("train", "--dataset", dataset, "--set", "nothing").stderr


def test_a_detached_training_goes_on_and_is_stopped_and_resumed(ocrstudio, fake_student, dataset, tmp_path):
    go = tmp_path / "go"
    fake_student(["metric", 1, 0.9], ["wait", str(go)], ["metric", 2, 0.8])
    done = ocrstudio("train", "--dataset", dataset, "--model", "micro", "--output", "out", "--detach")
    assert done.returncode == 0
    assert "ocrstudio runs attach" in done.stdout
    folder = _only_run(tmp_path / "out")
    until(lambda: folder.state() is RunState.RUNNING)
    stopped = ocrstudio("runs", "stop", folder.path)
    assert stopped.returncode == 0, stopped.stderr
    assert "checkpoint-1" in stopped.stdout
    go.touch()
    ignored = ocrstudio("train", "--resume", folder.path, "--max-steps", "9", "--set", "lora.r=4")
    assert ignored.returncode == 2
    assert "--max-steps, --set cannot be changed" in " ".join(ignored.stderr.split())
    resumed = ocrstudio("train", "--resume", folder.path)
    assert resumed.returncode == 0, resumed.stderr
    assert "Going on from checkpoint-1." in resumed.stdout
    assert folder.state() is RunState.FINISHED


def test_a_new_training_can_begin_at_a_checkpoint(ocrstudio, fake_student, dataset, tmp_path):
    fake_student(["metric", 1, 0.9], ["metric", 2, 0.8])
    checkpoint = tmp_path / "checkpoint-1"
    checkpoint.mkdir()
    refused = ocrstudio("train", "--dataset", dataset, "--model", "micro", "--resume", checkpoint)
    assert refused.returncode == 1
    assert "checkpoint-1 is not a checkpoint: it has no trainer_state.json." in refused.stderr
    (checkpoint / "trainer_state.json").touch()
    done = ocrstudio(
        "train", "--dataset", dataset, "--model", "micro", "--resume", checkpoint, "--output", "out"
    )
    assert done.returncode == 0, done.stderr
    assert _only_run(tmp_path / "out").spec.request["resume_from"] == str(checkpoint)
    assert "Step 1" not in done.stdout
    assert "Step 2" in done.stdout


def test_control_c_without_a_terminal_leaves_the_run_to_itself(fake_student, dataset, tmp_path):
    go = tmp_path / "go"
    fake_student(["metric", 1, 0.9], ["wait", str(go)])
    command = [sys.executable, "-m", "ocrstudio", "train", "--dataset", str(dataset), "--model", "micro"]
    with subprocess.Popen(
        [*command, "--output", str(tmp_path / "out")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as process:
        until(lambda: [*tmp_path.glob("out/runs/*/events.jsonl")])
        folder = _only_run(tmp_path / "out")
        until(lambda: folder.state() is RunState.RUNNING)
        os.killpg(process.pid, signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert "goes on in the background" in output
    assert folder.state() is RunState.RUNNING
    go.touch()
    assert wait_until_over(folder, 30) is RunState.FINISHED


@pytest.mark.parametrize(
    ("answer", "status", "state"), [("s", 3, RunState.STOPPED), ("d", 130, RunState.RUNNING)]
)
def test_control_c_in_a_terminal_asks(fake_student, dataset, tmp_path, answer, status, state):
    go = tmp_path / "go"
    fake_student(["metric", 1, 0.9], ["wait", str(go)])
    primary, secondary = pty.openpty()
    command = [sys.executable, "-m", "ocrstudio", "train", "--dataset", str(dataset), "--model", "micro"]
    with subprocess.Popen(
        [*command, "--output", str(tmp_path / "out")],
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
        start_new_session=True,
        env=os.environ | {"TERM": "xterm"},
    ) as process:
        os.close(secondary)
        shown = bytearray()

        def read_until(text: bytes) -> None:
            while text not in shown:
                shown.extend(os.read(primary, 4096))

        read_until(b"0.9000")
        folder = _only_run(tmp_path / "out")
        process.send_signal(signal.SIGINT)
        read_until(b"[d]etach")
        os.write(primary, answer.encode() + b"\n")
        try:
            while block := os.read(primary, 4096):
                shown.extend(block)
        except OSError:
            pass  # the other side is closed
        process.wait(timeout=30)
    os.close(primary)
    assert process.returncode == status, shown.decode()
    assert folder.state() is state
    go.touch()
    assert wait_until_over(folder, 30) is not None


def test_missing_packages_are_one_sentence(ocrstudio, fake_student, dataset, tmp_path, monkeypatch):
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "bodies_without_torch.py").write_text('BODIES = {"train": "needs_torch:train"}')
    (hidden / "needs_torch.py").write_text("import torch")
    (hidden / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')")
    monkeypatch.setenv("PYTHONPATH", f"{hidden}{os.pathsep}{os.environ['PYTHONPATH']}")
    monkeypatch.setenv("OCRSTUDIO_WORKER_BODIES", "bodies_without_torch")
    done = ocrstudio("train", "--dataset", dataset, "--model", "micro")
    assert done.returncode == 1
    assert "The package torch is not installed" in done.stderr
    assert "pip install 'ocrstudio[train]'" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
