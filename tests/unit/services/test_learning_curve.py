"""A learning curve from the request to its last point, with real workers that play a student."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ocrstudio.datasets import read_dataset
from ocrstudio.domain.errors import DatasetError, InputError, RunError
from ocrstudio.domain.run import RunKind, RunState, TrainMode
from ocrstudio.jobs.endings import last_failure
from ocrstudio.jobs.launch import resume, start_worker
from ocrstudio.jobs.run_folder import RunFolder
from ocrstudio.jobs.stop import Patience, force_stop, request_stop, wait_until_over
from ocrstudio.paths import config_dir
from ocrstudio.services.curve_base import measured_base
from ocrstudio.services.curve_record import RECORD_NAME, read_record
from ocrstudio.services.evaluation import EvaluationRequest, create_evaluation_run
from ocrstudio.services.learning_curve import create_learning_curve
from ocrstudio.services.run_index import record_runs
from ocrstudio.services.runs import find_run_folders, overview
from ocrstudio.services.training import TrainingRequest
from ocrstudio.settings.train import load_train_config
from ocrstudio.store import Workspace
from tests.fakes.labelled import pages_of, write_dataset
from tests.fakes.runs import end_workers, scripted_curves, until

MICRO = config_dir() / "examples" / "train_micro.example.yaml"
CONFIG = load_train_config(MICRO, {"training.max_steps": 4, "training.eval_fraction": 0.25})


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Tells the scripted student what to do from now on."""
    return scripted_curves(tmp_path, monkeypatch)


@pytest.fixture
def asked(tmp_path) -> TrainingRequest:
    """Sixteen training pages of eight documents, and eight held-out ones."""
    return TrainingRequest(
        dataset=write_dataset(tmp_path / "data" / "train.jsonl", pages_of(8, 2)),
        eval_dataset=write_dataset(tmp_path / "data" / "eval.jsonl", pages_of(4, 2, first=50)),
        mode=TrainMode.BOTH,
        model="micro",
        export_to=tmp_path / "out",
    )


@pytest.fixture
def make(tmp_path, asked):
    """Makes the run of a curve; whatever of it still runs is ended after the test."""

    def create(config=CONFIG, **changes):
        return create_learning_curve(tmp_path / "runs", replace(asked, **changes), config)

    yield create
    end_workers(find_run_folders([tmp_path / "runs"])[0])


def finish(folder):
    launched = start_worker(folder)
    assert wait_until_over(folder, 60) is not None
    launched.process.wait()
    return folder.state()


def runs(folder, kind):
    return [one for one in find_run_folders([folder.path.parent])[0] if one.spec.kind is kind]


def wait_for_training(folder, number):
    """Until a training of the curve has told a step; returns its run."""

    def known():
        name = read_record(folder.path).parts[number].training
        return name and overview(RunFolder(folder.path.parent / name)).done

    until(known, 60)
    return RunFolder(folder.path.parent / str(read_record(folder.path).parts[number].training))


# Before anything runs


def test_the_folder_holds_nested_parts_and_the_held_out_pages(make, asked):
    folder = make()
    record = read_record(folder.path)
    assert folder.spec.kind is RunKind.CURVE
    assert [part.pages for part in record.parts] == [0, 4, 8, 16]
    assert [part.documents for part in record.parts] == [0, 2, 4, 8]
    assert record.divided_by == "document"
    parts = [
        {(sample.image, sample.answer) for sample in read_dataset(folder.path / str(part.dataset)).samples}
        for part in record.trainings
    ]
    assert parts[0] < parts[1] < parts[2]
    assert parts[2] == {(sample.image, sample.answer) for sample in read_dataset(asked.dataset).samples}
    held_out = read_dataset(folder.path / record.held_out).samples
    assert [sample.answer for sample in held_out] == [
        s.answer for s in read_dataset(asked.eval_dataset).samples
    ]


def test_without_an_evaluation_set_pages_are_held_out_as_a_training_does(make):
    from ocrstudio.datasets.split import split_pictures

    folder = make(eval_dataset=None)
    names = pages_of(8, 2)
    split = split_pictures([f"{name}.png" for name in names], 0.25, CONFIG.training.seed)
    held_out = read_dataset(folder.path / read_record(folder.path).held_out).samples
    assert [sample.image.stem for sample in held_out] == [names[index] for index in split.evaluation]
    assert read_record(folder.path).parts[-1].pages == len(split.train) == 12


def test_a_length_in_passes_becomes_the_steps_of_all_pages(make):
    changes = {"max_steps": None, "num_train_epochs": 3.0, "early_stopping_patience": 2, "eval_steps": 5}
    config = CONFIG.model_copy(update={"training": CONFIG.training.model_copy(update=changes)})
    folder = make(config)
    training = folder.spec.config["training"]
    assert (training["max_steps"], training["num_train_epochs"]) == (24, None)
    assert training["early_stopping_patience"] is None
    assert any("early stopping is off" in remark for remark in folder.spec.request["remarks"])
    assert training["learning_rate"] == CONFIG.training.learning_rate


@pytest.mark.parametrize(
    ("pages", "words"), [(7, "at least 8 training pages, and there are 7"), (1, "there is 1")]
)
def test_too_few_training_pages_are_refused(make, tmp_path, pages, words):
    few = write_dataset(tmp_path / "few" / "few.jsonl", pages_of(1, pages))
    with pytest.raises(DatasetError, match=words):
        make(dataset=few)
    assert not (tmp_path / "runs").exists()


def test_a_curve_without_held_out_pages_or_from_a_checkpoint_is_refused(make, tmp_path):
    config = CONFIG.model_copy(update={"training": CONFIG.training.model_copy(update={"eval_fraction": 0.0})})
    with pytest.raises(DatasetError, match="measured on held-out pages, and there are none"):
        make(config, eval_dataset=None)
    with pytest.raises(InputError, match="begin at the base model"):
        make(resume_from=tmp_path)


def test_few_held_out_pages_are_remarked_before_the_first_training(make, tmp_path):
    few = write_dataset(tmp_path / "few" / "few.jsonl", pages_of(1, 3))
    assert "Only 3 pages are held out" in make(eval_dataset=few).spec.request["remarks"][0]


def test_a_workspace_remembers_its_curves(asked, tmp_path):
    with Workspace.create(tmp_path / "ws") as workspace:
        folder = create_learning_curve(workspace.runs_folder, asked, CONFIG)
        assert [(run.id, run.kind) for run in record_runs(workspace)] == [(folder.id, RunKind.CURVE)]
        assert record_runs(workspace)[0].title == "Learning curve: train, both"


# To the end


def evaluate_base(tmp_path, asked, config=CONFIG):
    """An evaluation of the untrained student on the held-out pages, as a user makes one."""
    request = EvaluationRequest(asked.eval_dataset, tmp_path / "base.json", model="micro")
    folder = create_evaluation_run(tmp_path / "runs", request, config, {})
    assert finish(folder) is RunState.FINISHED
    return folder


def test_a_curve_trains_evaluates_and_says_what_more_pages_would_bring(make, script, asked, tmp_path):
    base = evaluate_base(tmp_path, asked)
    folder = make()
    assert "shows how long" in folder.spec.request["plan"]
    assert finish(folder) is RunState.FINISHED
    record = read_record(folder.path)
    assert record.parts[0].evaluation == base.id, "the untrained student was measured before"
    assert record.parts[0].cer > record.parts[1].cer > record.parts[2].cer > record.parts[3].cer
    assert [part.eval_loss for part in record.parts] == [None, 1 / 4, 1 / 8, 1 / 16]
    assert all(part.low < part.cer < part.high for part in record.parts)
    assert record.outlook["verdict"] == "helps"
    assert record.outlook["exponent"] == pytest.approx(0.4, abs=0.03)
    summary = folder.summary()
    assert summary["outlook"]["sentence"].startswith("100 more pages would bring the CER from")
    assert json.loads((folder.path / RECORD_NAME).read_text())["outlook"] == summary["outlook"]
    trainings = runs(folder, RunKind.TRAIN)
    assert len(trainings) == 3
    assert len(runs(folder, RunKind.EVALUATE)) == 4
    assert {overview(run).curve for run in trainings} == {folder.id}
    assert {run.spec.config["training"]["max_steps"] for run in trainings} == {4}
    exported = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert exported == {"pages": 16}, "the adapter of all pages is the one that is exported"
    assert folder.events_path.read_text().count("Said by every training.") == 1
    plan = make().spec.request["plan"]
    assert re.search(r"pages, about 3 \N{MULTIPLICATION SIGN} \d+ s; after", plan), (
        "now it is known how long it takes"
    )
    assert re.search(r"8 held-out pages are read, about 4 \N{MULTIPLICATION SIGN} \d+ s\.$", plan)


def test_an_evaluation_is_taken_for_the_untrained_student_only_where_all_is_the_same(script, asked, tmp_path):
    def found(held_out=asked.eval_dataset, config=CONFIG):
        known = measured_base(tmp_path / "runs", held_out, "micro", config)
        return known and known[0].id

    assert found() is None
    base = evaluate_base(tmp_path, asked)
    assert found() == base.id
    assert found(config=load_train_config(MICRO, {"evaluation.max_tokens": 3})) is None
    assert found(held_out=asked.dataset) is None
    (tmp_path / "base.json").write_text("{}")
    assert found() is None, "its report was written over"


# In the middle


def test_a_stopped_curve_keeps_its_points_and_goes_on_with_what_is_missing(make, script):
    script(wait=8)
    folder = make()
    launched = start_worker(folder)
    waiting = wait_for_training(folder, 2)
    request_stop(folder)
    assert wait_until_over(folder, 60) is RunState.STOPPED
    launched.process.wait()
    assert waiting.state() is RunState.STOPPED
    assert waiting.newest_checkpoint() is not None
    before = read_record(folder.path)
    assert [part.cer is not None for part in before.parts] == [True, True, False, False]
    assert [point["pages"] for point in folder.summary()["points"]] == [0, 4]
    script()
    resume(folder)
    assert finish(folder) is RunState.FINISHED
    after = read_record(folder.path)
    assert after.parts[:2] == before.parts[:2]
    assert after.parts[2].training == waiting.id
    assert waiting.summary()["resumed_at"] == 1, "the training went on from its checkpoint"
    assert len(runs(folder, RunKind.TRAIN)) == 3
    assert after.outlook is not None


def test_a_failed_training_is_named_and_the_curve_goes_on_even_when_its_folder_is_gone(make, script):
    script(fail=8)
    folder = make()
    assert finish(folder) is RunState.FAILED
    failure = last_failure(folder)
    assert failure.message == "The training on 8 of 16 pages (4 documents) failed: The GPU ran out of memory."
    assert "Lower the batch size." in failure.hint
    assert f"ocrstudio runs resume {folder.path}" in failure.hint
    shutil.rmtree(folder.path.parent / str(read_record(folder.path).parts[2].training))
    script()
    resume(folder)
    assert finish(folder) is RunState.FINISHED
    assert len(runs(folder, RunKind.TRAIN)) == 3


def test_a_training_goes_on_without_the_curve_and_is_found_again(make, script):
    script(wait=8)
    folder = make()
    killed = start_worker(folder).process
    waiting = wait_for_training(folder, 2)
    killed.kill()
    killed.wait()
    assert folder.state() is RunState.INTERRUPTED
    assert waiting.state() is RunState.RUNNING
    resume(folder)
    launched = start_worker(folder)
    until(lambda: "on 8 of 16 pages" in folder.events_path.read_text().rpartition('"started"')[2], 60)
    script()
    state = wait_until_over(folder, 60)
    launched.process.wait()
    assert state is RunState.FINISHED, folder.events_path.read_text()
    assert read_record(folder.path).parts[2].training == waiting.id
    assert waiting.summary()["resumed_at"] == 0, "it was watched, not started again"


def test_a_curve_that_is_ended_by_force_takes_its_training_along(make, script):
    script(wait=8, deaf=True)
    folder = make()
    launched = start_worker(folder)
    waiting = wait_for_training(folder, 2)
    assert force_stop(folder, Patience(save=0.2, terminate=0.2)) is RunState.INTERRUPTED
    launched.process.wait()
    until(lambda: waiting.state() is RunState.INTERRUPTED)
    script()
    resume(folder)
    assert finish(folder) is RunState.FINISHED
    assert read_record(folder.path).parts[2].training == waiting.id


def test_a_training_that_somebody_stops_alone_ends_the_curve_with_a_sentence(make, script):
    script(wait=4)
    folder = make()
    launched = start_worker(folder)
    request_stop(wait_for_training(folder, 1))
    assert wait_until_over(folder, 60) is RunState.FAILED
    launched.process.wait()
    assert (
        last_failure(folder).message == "The training on 4 of 16 pages (2 documents) was stopped by itself."
    )


def test_a_damaged_record_is_one_sentence(make):
    folder = make()
    path: Path = folder.path / RECORD_NAME
    path.write_text("{")
    with pytest.raises(RunError, match=r"curve\.json cannot be read"):
        read_record(folder.path)
    path.write_text('{"format": "ocrstudio-learning-curve", "version": 99}')
    with pytest.raises(RunError, match="not written by this version"):
        read_record(folder.path)
