"""The demo as a new user runs it, and what is left when somebody loses patience."""

import json
import re
import signal
import subprocess
import sys

from ocrstudio.domain.run import RunState
from ocrstudio.jobs.run_folder import RunFolder
from tests.fakes.runs import until


def test_the_demo_learns_to_read_strange_letters(ocrstudio, folder):
    done = ocrstudio("demo", "--steps", 6, "--workspace", "first look", timeout=400)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    headings = re.findall(r"^(\d)\. (.+)$", done.stdout, re.MULTILINE)
    assert [int(number) for number, _ in headings] == [1, 2, 3, 4, 5, 6, 7]
    assert "Drafted 6 pages of the old recipes" in done.stdout
    losses = [float(loss) for loss in re.findall(r"^\d+ +(\d+\.\d+) +#+$", done.stdout, re.MULTILINE)]
    assert len(losses) == 6
    assert losses[-1] < losses[0]
    (rates,) = re.findall(r"character error rate +(\d+\.\d) % +(\d+\.\d) %", done.stdout)
    before, after = map(float, rates)
    assert 10 < before < 40, "the reader knows letters, but not these"
    assert after < 0.75 * before, "unseen pages are read better"
    assert done.stdout.count("AN UNSEEN PAGE") == 2
    workspace = folder / "first look"
    assert f"ocrstudio '{workspace}'" in done.stdout
    train = workspace / "exports" / "demo" / "train.jsonl"
    assert f"--dataset '{train}'" in done.stdout
    assert len(train.read_text(encoding="utf-8").splitlines()) == 15
    status = json.loads(ocrstudio("workspace", "status", workspace, "--json").stdout)
    assert status["statuses"]["accepted"] == 24
    assert status["statuses"]["unlabelled"] == 7
    assert len(list((workspace / "runs").iterdir())) == 3


def test_ctrl_c_ends_the_demo_and_says_what_is_left(environment, folder):
    command = [sys.executable, "-m", "ocrstudio", "demo", "--steps", "5000", "--workspace", "impatient"]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        for line in process.stdout or ():
            if line.startswith("Predicting"):
                break
        process.send_signal(signal.SIGINT)
        try:
            rest, errors = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "What was done so far is in impatient" in rest
    assert errors.strip() == "Interrupted."
    (path,) = (folder / "impatient" / "runs").iterdir()
    until(lambda: RunFolder(path).state() is RunState.STOPPED, timeout=60)
