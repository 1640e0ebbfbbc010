"""``train --curve`` as a user types it, with workers that play a student."""

import json
import re

import pytest

from ocrstudio.domain.run import RunKind, RunState
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.services.curve_record import read_record
from ocrstudio.services.runs import find_run_folders, overview
from tests.fakes.labelled import pages_of, write_dataset
from tests.fakes.runs import fake_environment, until

MULTIPLIED = "\N{MULTIPLICATION SIGN}"


@pytest.fixture
def script(tmp_path, tmp_path_factory, monkeypatch):
    """Tells the scripted student what to do from now on."""
    state = tmp_path_factory.mktemp("state")
    for name, value in fake_environment(state, "tests.fakes.curve_student").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
    monkeypatch.setenv("FAKE_CURVE", str(tmp_path / "script.json"))
    return lambda **wishes: (tmp_path / "script.json").write_text(json.dumps(wishes))


@pytest.fixture
def train(ocrstudio, script, tmp_path):
    """Types the command on sixteen training pages and eight held-out ones."""
    write_dataset(tmp_path / "train.jsonl", pages_of(8, 2))
    write_dataset(tmp_path / "eval.jsonl", pages_of(4, 2, first=50))

    def run(*arguments):
        data = ("--dataset", "train.jsonl", "--eval-dataset", "eval.jsonl", "--model", "micro")
        return ocrstudio(
            "train", "--curve", *data, "--max-steps", "4", "--output", "out", *arguments, timeout=120
        )

    return run


def curve_in(folder) -> RunFolder:
    (found,) = [run for run in find_run_folders([folder])[0] if run.spec.kind is RunKind.CURVE]
    return found


def test_a_curve_is_a_plan_a_table_and_a_sentence(train, ocrstudio, tmp_path):
    done = train()
    assert (done.returncode, done.stderr) == (0, "Warning: Said by every training.\n")
    plan, _, rest = done.stdout.partition("Run ")
    assert "Learning curve: Three trainings of 4 steps, on 4, 8 and 16 pages; after each, and before" in plan
    assert "Trained on 8 pages: CER 12." in rest
    rows = re.findall(r"^(\d+) +(\d+\.\d+)% +\d+\.\d+% to \d+\.\d+% +(\S+)", done.stdout, re.MULTILINE)
    assert [(row[0], row[2]) for row in rows] == [
        ("0", "-"), ("4", "0.2500"), ("8", "0.1250"), ("16", "0.0625")
    ]  # fmt: skip
    rates = [float(row[1]) for row in rows]
    assert rates == sorted(rates, reverse=True)
    said = re.search(
        r"^100 more pages would bring the CER from (\S+) % to about (\S+) % \((\S+) to (\S+)\)\.",
        done.stdout,
        re.MULTILINE,
    )
    now, then, low, high = map(float, said.groups())
    assert low <= then <= high < now == round(rates[-1], 1)
    assert f"Adapter of all pages: {tmp_path / 'out'}" in done.stdout
    curve = curve_in(tmp_path / "out")
    assert str(curve.path / "curve.json") in done.stdout
    listed = json.loads(ocrstudio("runs", "list", "--in", "out", "--json").stdout)
    assert [run["kind"] for run in listed].count("train") == 3
    assert {run["curve"] for run in listed if run["kind"] != "curve"} == {curve.id}
    text = ocrstudio("runs", "list", "--in", "out").stdout
    assert re.search(r"curve +finished .* Learning curve: train, vision$", text, re.MULTILINE)
    assert re.search(
        r"train +finished .* Curve, 4 of 16 pages \(2 documents\): train, vision$", text, re.MULTILINE
    )
    assert "Curve, 16 pages (8 documents): train, vision" in text


def test_a_stopped_curve_shows_what_it_has_and_is_resumed(train, ocrstudio, script, tmp_path):
    script(wait=8)
    assert train("--detach").returncode == 0
    curve = curve_in(tmp_path / "out")

    def second():
        name = read_record(curve.path).parts[2].training
        return name and overview(RunFolder(curve.path.parent / name)).done

    until(second, 60)
    stopped = ocrstudio("runs", "stop", curve.path)
    assert stopped.returncode == 0, stopped.stderr
    assert "2 of 4 points are measured." in stopped.stdout
    assert f"Go on with: ocrstudio runs resume {curve.path}" in stopped.stdout
    script()
    refused = ocrstudio("train", "--curve", "--resume", curve.path, "--max-steps", "9")
    assert refused.returncode == 2
    assert "--max-steps cannot be changed" in " ".join(refused.stderr.split())
    resumed = ocrstudio("train", "--curve", "--resume", curve.path, timeout=120)
    assert resumed.returncode == 0, resumed.stderr
    assert "Going on with the points that are missing." in resumed.stdout
    assert "100 more pages would bring the CER" in resumed.stdout
    assert curve.state() is RunState.FINISHED


def test_too_few_pages_are_one_sentence(ocrstudio, script, tmp_path):
    write_dataset(tmp_path / "few.jsonl", pages_of(2, 4))
    refused = ocrstudio("train", "--curve", "--dataset", "few.jsonl", "--model", "micro", "--output", "out")
    assert refused.returncode == 1
    assert refused.stderr == (
        "Error: A learning curve needs at least 8 training pages, and there are 4.\n"
        "Hint: Accept more pages first, or train without a curve.\n"
    )
    assert not (tmp_path / "out").exists()


def test_few_held_out_pages_are_warned_of_and_get_no_promise(train, tmp_path):
    write_dataset(tmp_path / "eval.jsonl", pages_of(1, 3, first=50))
    done = train()
    assert done.returncode == 0
    assert "Warning: Only 3 pages are held out" in done.stderr
    assert (
        "3 held-out pages are too few to say what more pages would bring: hold out at least 8." in done.stdout
    )
    assert "100 more pages" not in done.stdout
