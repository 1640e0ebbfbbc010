"""Two processes that train together: the same run as one process with batches of twice the size."""

import json
import os
import subprocess
import sys

import pytest
from safetensors.torch import load_file

from ocrstudio.domain.run import RunState
from ocrstudio.jobs.commands import CommandType, append_command
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.student import recipe
from tests.fakes.runs import until
from tests.student.small_run import (
    WORDS,
    context_of,
    events,
    fast_config,
    losses,
    training_folder,
    write_dataset,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="gloo over loopback is set up for POSIX")

ON_LOOPBACK = ("--rdzv-backend=c10d", "--rdzv-endpoint=127.0.0.1:0", "--local-addr=127.0.0.1")
WORK = ("-m", "ocrstudio.worker", "run")
EIGHT = (*WORDS, "small print", "harbour 27")


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    """Eight samples to train on, and three to evaluate, which two processes cannot share evenly."""
    root = tmp_path_factory.mktemp("pages")
    train = write_dataset(root / "train", EIGHT)
    return train, write_dataset(root / "eval", answers=("total", "amount of snow", "north"))


def config_of(processes, batch, steps=4, **overrides):
    return fast_config(
        training__num_processes=processes,
        training__per_device_train_batch_size=batch,
        training__max_steps=steps,
        training__save_steps=2,
        training__shuffle=False,
        **overrides,
    )


def environment(tmp_path):
    own = {"OCRSTUDIO_STATE_DIR": str(tmp_path / "state"), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    return {**os.environ, **own}


@pytest.fixture(scope="module")
def alone(datasets, tmp_path_factory):
    train, held_out = datasets
    config = config_of(1, 4, training__eval_steps=2)
    runs = tmp_path_factory.mktemp("alone")
    folder = training_folder(runs, train, config, eval_dataset=str(held_out))
    with context_of(folder) as context:
        recipe.train(context)
    return folder


def assert_same_run(ours: RunFolder, theirs: RunFolder) -> None:
    ours_values, theirs_values = (
        [event["values"] for event in events(folder, "metric")] for folder in (ours, theirs)
    )
    assert len(ours_values) == len(theirs_values)
    for mine, other in zip(ours_values, theirs_values, strict=True):
        for name in ("loss", "grad_norm", "token_accuracy", "eval_loss", "eval_token_accuracy", "eval_pages"):
            assert mine.get(name, 0) == pytest.approx(other.get(name, 0), rel=1e-3), name
    mine, other = (load_file(folder.adapter / "adapter_model.safetensors") for folder in (ours, theirs))
    assert mine.keys() == other.keys()
    # Adam turns the rounding of a tiny gradient into a small part of a step, which is 0.01 here.
    assert all((mine[name] - other[name]).abs().max() < 5e-4 for name in mine)


def test_two_processes_learn_what_one_learns_from_the_same_pages(datasets, alone, tmp_path):
    train, held_out = datasets
    config = config_of(2, 2, training__eval_steps=2)
    folder = training_folder(tmp_path / "runs", train, config, eval_dataset=str(held_out))
    command = [sys.executable, *WORK, str(folder.path)]
    done = subprocess.run(
        command, env=environment(tmp_path), capture_output=True, text=True, timeout=250, check=False
    )
    assert done.returncode == 0, folder.log_tail() + done.stderr[-3000:]
    assert folder.state() is RunState.FINISHED
    assert_same_run(folder, alone)
    assert json.loads(folder.summary_path.read_text())["processes"] == 2


def test_it_runs_under_torchrun_and_stops_behind_the_same_step(datasets, alone, tmp_path):
    train, _ = datasets
    folder = training_folder(tmp_path / "runs", train, config_of(1, 2, steps=500))
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2", *ON_LOOPBACK]
    process = subprocess.Popen(
        [*launcher, *WORK, str(folder.path)],
        env=environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        until(lambda: len(losses(folder)) >= 2 or process.poll() is not None, timeout=120)
        append_command(folder.commands_path, CommandType.STOP)
        said, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, said
    assert folder.state() is RunState.STOPPED
    assert folder.newest_checkpoint() is not None
    assert losses(folder)[1] == pytest.approx(losses(alone)[1], rel=1e-4)
