import re
import shutil
from pathlib import Path

import pytest

from ocrstudio.domain.errors import RunError
from ocrstudio.domain.run import RunKind, RunState
from ocrstudio.jobs.commands import CommandType, append_command, current_orders, read_commands
from ocrstudio.jobs.events import EventWriter
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.spec import RunSpec
from tests.fakes.runs import scripted_run


def test_what_was_asked_survives_the_folder(tmp_path: Path):
    spec = RunSpec(
        RunKind.EVALUATE,
        "Prüfung: 1",
        1795436100.5,
        request={"dataset": "/data/ä.jsonl", "task": None},
        config={"image": {"crop_mode": True}, "training": {"learning_rate": 2e-4}},
        versions={"python": "3.11.7"},
        dataset_sha256="0" * 64,
        base_model="micro",
    )
    folder = RunFolder.create(tmp_path / "a" / "b", spec)
    assert RunFolder(folder.path).spec == spec
    assert "-evaluate-" in folder.id


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"run\.yaml is damaged: it is not YAML\.$"),
        ("format: 1\nkind: train\ntitle: x\ncreated: yesterday\n", "created cannot be 'yesterday'"),
        ("format: 1\nkind: train\ntitle: x\ncreated: 1.0\nrequest: [1]\n", "request cannot be"),
        ("format: 99\n", "not written by this version"),
        ("format: 1\nkind: dance\n", "dance"),
    ],
)
def test_a_damaged_run_is_one_sentence(tmp_path: Path, text: str, message: str):
    (tmp_path / "run.yaml").write_text(text)
    with pytest.raises(RunError) as caught:
        RunFolder(tmp_path)
    assert re.search(message, caught.value.message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[1]", "7", '{"cer":'])
def test_a_damaged_summary_is_one_sentence(tmp_path: Path, text: str):
    folder = scripted_run(tmp_path, [])
    folder.summary_path.write_text(text)
    with pytest.raises(RunError, match=r"summary\.json"):
        folder.summary()


def test_a_new_folder_is_starting_and_an_old_untouched_one_interrupted(tmp_path: Path):
    assert scripted_run(tmp_path, []).state() is RunState.STARTING
    old = RunFolder.create(tmp_path, RunSpec(RunKind.TRAIN, "old", created=1.0))
    assert old.state() is RunState.INTERRUPTED


def test_orders_follow_from_the_sequence_of_commands(tmp_path: Path):
    path = tmp_path / "commands.jsonl"
    assert not current_orders(path).stop_requested
    append_command(path, CommandType.STOP)
    assert current_orders(path).stop_requested
    with path.open("ab") as file:
        file.write(b'{"v": 1, "type": "stop", "time": "noon"}\n[7]\n')
        file.write(b'{"v": 1, "type": "resu')  # a full disk cut it short
    append_command(path, CommandType.RESUME, checkpoint="/c/checkpoint-5")
    orders = current_orders(path)
    assert (orders.attempt, orders.stop_requested, orders.checkpoint) == (2, False, "/c/checkpoint-5")
    assert [command.type for command in read_commands(path)] == ["stop", "resume"]


def test_a_resumed_run_says_where_it_goes_on(tmp_path: Path):
    folder = scripted_run(tmp_path, [])
    append_command(folder.commands_path, CommandType.RESUME, checkpoint="/c/checkpoint-5")
    assert folder.spec.request["resume_from"] == "/c/checkpoint-5"


def test_the_newest_checkpoint_is_one_that_was_announced_and_is_there(tmp_path: Path):
    folder = scripted_run(tmp_path / "here", [])
    for step in (10, 20, 30, 40):
        (folder.checkpoints / f"checkpoint-{step}").mkdir()
    with EventWriter(folder.events_path) as writer:
        for step in (10, 20, 30):
            writer.write("checkpoint", {"step": step, "path": str(folder.checkpoints / f"checkpoint-{step}")})
    shutil.rmtree(folder.checkpoints / "checkpoint-30")
    assert folder.newest_checkpoint() == folder.checkpoints / "checkpoint-20"
    moved = RunFolder(folder.path.rename(tmp_path / "moved run"))
    assert moved.newest_checkpoint() == moved.checkpoints / "checkpoint-20"
    assert moved.command("attach") == f"ocrstudio runs attach '{tmp_path / 'moved run'}'"


def test_only_one_process_may_work_on_a_run(tmp_path: Path):
    folder = scripted_run(tmp_path, [])
    with folder.claim(), pytest.raises(RunError, match="already being worked on"):
        RunFolder(folder.path).claim()


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be created"):
        RunFolder.create(tmp_path / "file", RunSpec(RunKind.TRAIN, "x", 0.0))
