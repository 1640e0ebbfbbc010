"""A missing base model is fetched by the worker: the hub's real client against a loopback hub."""

import hashlib
import json
import os
import signal
import time
from pathlib import Path

import pytest

from ocrstudio.domain.run import RunState
from ocrstudio.jobs.events import read_events
from ocrstudio.jobs.launch import resume, start_worker
from ocrstudio.jobs.stop import wait_until_over
from tests.fakes.hub_server import REVISION, HubServer
from tests.fakes.models import safetensors
from tests.fakes.runs import scripted_run

pytestmark = pytest.mark.usefixtures("fake_student")

REPOSITORY = "unsloth/DeepSeek-OCR"
WEIGHTS = safetensors(data=bytes(range(256)) * 96_000)  # the client keeps what arrived in pieces of 10 MB
FILES = {
    "config.json": json.dumps({"model_type": "deepseek_vl_v2"}).encode(),
    "tokenizer.json": b"{}",
    "model.safetensors.index.json": json.dumps(
        {"weight_map": {"model.view_seperator": "model-00001-of-000001.safetensors"}}
    ).encode(),
    "model-00001-of-000001.safetensors": WEIGHTS,
    "modeling_deepseekocr.py": b"raise SystemExit('remote code was run')",
}
SCRIPT = [["metric", 1, 0.5]]


@pytest.fixture(autouse=True)
def hub_settings(monkeypatch, tmp_path):
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub-home"))
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")


def _run(tmp_path: Path, monkeypatch, endpoint: str):
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    model = tmp_path / "models" / "deepseek_ocr"
    folder = scripted_run(tmp_path / "runs", SCRIPT, model=str(model))
    return model, folder, _work(folder)


def _work(folder):
    process = start_worker(folder).process
    process.wait(timeout=60)
    assert wait_until_over(folder, 5.0) is not None
    return read_events(folder.events_path)


def test_a_missing_model_is_downloaded_before_the_run(tmp_path, monkeypatch):
    with HubServer(REPOSITORY, FILES) as hub:
        model, folder, events = _run(tmp_path, monkeypatch, hub.url)
    assert folder.state() is RunState.FINISHED
    assert (model / "model-00001-of-000001.safetensors").read_bytes() == WEIGHTS
    assert not list(model.rglob("*.py")), "code of the repository must never reach the machine"
    phases = [event.data["message"] for event in events if event.type == "phase"]
    assert f"Downloading {REPOSITORY} into {model}" in phases
    last = [event.data for event in events if event.data.get("unit") == "MB"][-1]
    assert last["done"] == last["total"] == sum(map(len, FILES.values())) // 1_000_000
    revision = (model / ".cache/huggingface/download/config.json.metadata").read_text().splitlines()[0]
    assert revision == REVISION


def test_an_interrupted_download_goes_on_where_it_stopped(tmp_path, monkeypatch):
    model = tmp_path / "models" / "deepseek_ocr"
    with HubServer(REPOSITORY, FILES) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        hub.broken["tokenizer.json"] = "config.json"
        folder = scripted_run(tmp_path / "runs", SCRIPT, model=str(model))
        events = _work(folder)
        assert folder.state() is RunState.FAILED
        assert f"hf download {REPOSITORY}" in events[-1].data["hint"]
        sent = hub.sent["config.json"]
        assert sent == len(FILES["config.json"])
        hub.broken.clear()
        resume(folder)
        _work(folder)
        assert folder.state() is RunState.FINISHED
        assert hub.sent["config.json"] == sent, "finished files are not fetched again"


def test_a_worker_that_is_killed_leaves_what_has_arrived_to_the_next_one(tmp_path, monkeypatch):
    model, name = tmp_path / "models" / "deepseek_ocr", "model-00001-of-000001.safetensors"
    with HubServer(REPOSITORY, FILES, hold_after=22_000_000) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        folder = scripted_run(tmp_path / "runs", SCRIPT, model=str(model))
        process = start_worker(folder).process
        deadline = time.monotonic() + 60
        while not any(part.stat().st_size >= 20_000_000 for part in model.rglob("*.part")):
            assert time.monotonic() < deadline, "nothing arrives"
            time.sleep(0.05)
        os.kill(folder.process_identity.pid, signal.SIGKILL)
        hub.go_on()
        process.wait(timeout=60)
        assert folder.state() is RunState.INTERRUPTED
        resume(folder)
        _work(folder)
        assert folder.state() is RunState.FINISHED
        assert (model / name).read_bytes() == WEIGHTS
        assert hub.ranges == [name], "it was gone on with behind what had arrived"
    assert not list(model.rglob("*.part"))


def test_what_arrived_wrong_is_not_kept(tmp_path, monkeypatch):
    model, name = tmp_path / "models" / "deepseek_ocr", "model-00001-of-000001.safetensors"
    parts = model / ".cache/huggingface/parts"
    parts.mkdir(parents=True)
    (parts / f"{name}.{hashlib.sha256(WEIGHTS).hexdigest()}.part").write_bytes(b"x" * 1000)
    (parts / f"{name}.{'0' * 64}.part").write_bytes(b"of another version")
    with HubServer(REPOSITORY, FILES) as hub:
        _, folder, events = _run(tmp_path, monkeypatch, hub.url)
        assert folder.state() is RunState.FAILED
        assert not list(parts.glob("*.part"))
        assert "did not arrive as the server has it" in events[-1].data["message"]
        resume(folder)
        _work(folder)
        assert folder.state() is RunState.FINISHED
    assert (model / name).read_bytes() == WEIGHTS


def test_a_connection_that_breaks_is_taken_up_again(tmp_path, monkeypatch):
    with HubServer(REPOSITORY, FILES, cut_after=15_000_000) as hub:
        model, folder, _ = _run(tmp_path, monkeypatch, hub.url)
        assert folder.state() is RunState.FINISHED
        assert (model / "model-00001-of-000001.safetensors").read_bytes() == WEIGHTS
        assert hub.ranges == ["model-00001-of-000001.safetensors"]


def test_without_a_network_one_sentence_says_how_to_do_it_by_hand(tmp_path, monkeypatch):
    model, folder, events = _run(tmp_path, monkeypatch, "http://127.0.0.1:9")
    assert folder.state() is RunState.FAILED
    failure = events[-1].data
    assert "there is no connection" in failure["message"]
    assert f"hf download {REPOSITORY} --local-dir {model}" in failure["hint"]
    assert "--model reader" in failure["hint"]


def test_offline_mode_is_respected(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with HubServer(REPOSITORY, FILES) as hub:
        _, folder, _ = _run(tmp_path, monkeypatch, hub.url)
        assert folder.state() is RunState.FAILED
        assert sum(hub.sent.values()) == 0


def test_a_refused_access_asks_for_the_token_and_a_token_opens(tmp_path, monkeypatch):
    with HubServer(REPOSITORY, FILES, token="hf_rightrightright") as hub:
        _, folder, events = _run(tmp_path, monkeypatch, hub.url)
        assert folder.state() is RunState.FAILED
        assert "HF_TOKEN" in events[-1].data["hint"]
        monkeypatch.setenv("HF_TOKEN", "hf_rightrightright")
        resume(folder)
        _work(folder)
        assert folder.state() is RunState.FINISHED
    assert "hf_rightrightright" not in folder.events_path.read_text() + folder.log_path.read_text()


def test_weights_that_were_cut_off_are_fetched_again(tmp_path, monkeypatch):
    with HubServer(REPOSITORY, FILES) as hub:
        model, folder, _ = _run(tmp_path, monkeypatch, hub.url)
        weights = model / "model-00001-of-000001.safetensors"
        weights.write_bytes(WEIGHTS[:-1000])
        folder = scripted_run(tmp_path / "more", SCRIPT, model=str(model))
        _work(folder)
        assert folder.state() is RunState.FINISHED
        assert weights.read_bytes() == WEIGHTS


def test_a_mistyped_folder_is_not_filled(tmp_path, monkeypatch):
    with HubServer(REPOSITORY, FILES) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        folder = scripted_run(tmp_path / "runs", SCRIPT, model=str(tmp_path / "models" / "deepsek"))
        _work(folder)
        assert sum(hub.sent.values()) == 0
