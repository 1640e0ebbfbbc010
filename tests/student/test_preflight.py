"""What is found before weights are loaded."""

import pytest

from ocrstudio.domain.errors import DatasetError, RunError
from ocrstudio.student.arguments import plan_steps, schedule_warnings
from ocrstudio.student.callbacks import Evaluation, best_evaluation
from ocrstudio.student.collator import Collator
from ocrstudio.student.engines import choose_engine
from ocrstudio.student.failures import sentences
from ocrstudio.student.loading import load_processor
from ocrstudio.student.preflight import check_free_space, run_preflight
from ocrstudio.student.request import read_train_request
from tests.student.small_run import (
    context_of,
    draw,
    events,
    fast_config,
    record,
    training_folder,
    write_dataset,
)


def preflight(tmp_path, dataset, config=None, **request):
    config = config or fast_config()
    folder = training_folder(tmp_path / "runs", dataset, config, **request)
    collator = Collator(load_processor("micro", config.image, max_length=config.training.max_length))
    with context_of(folder) as context:
        return run_preflight(read_train_request(folder), collator, context), folder


def warnings(folder) -> str:
    return "\n".join(event["message"] for event in events(folder, "warning"))


def test_every_problem_is_counted_and_named(tmp_path):
    bad = [
        "{not json",
        record("missing.png", "x"),
        '{"messages": []}',
        record("letter_p1.png", " "),
        record("letter_p1.png", "x", prompt="<image><image>\nx"),
    ]
    dataset = write_dataset(tmp_path / "data", ["a", "b"], extra_lines=bad)
    data, folder = preflight(tmp_path, dataset)
    assert len(data.train) == 2
    assert data.skipped == 5
    for line in range(3, 8):
        assert f"Line {line}:" in warnings(folder)


def test_the_lines_of_many_problems_are_all_named(tmp_path):
    dataset = write_dataset(tmp_path / "data", ["a"], extra_lines=["", *["{not json"] * 8])
    _, folder = preflight(tmp_path, dataset)
    said = warnings(folder)
    assert "Line 3:" in said, "what was ignored takes no place from what was skipped"
    assert "Line 7:" in said
    assert "Others: lines 8, 9, 10." in said


def cut_off_picture(path):
    """A picture whose header is whole and whose pixels are not."""
    draw(path, "b", (300, 200))
    path.write_bytes(path.read_bytes()[:-400])


def test_a_picture_that_was_cut_off_is_found_before_the_training(tmp_path):
    dataset = write_dataset(
        tmp_path / "data", ["a"], extra_lines=[record("cut.jpg", "b"), record("c.png", "c")]
    )
    cut_off_picture(tmp_path / "data" / "cut.jpg")
    draw(tmp_path / "data" / "c.png", "c")
    data, folder = preflight(tmp_path, dataset)
    assert [example.line for example in data.train] == [1, 3]
    assert "Left out: 1 training sample. Line 2:" in warnings(folder)
    assert "truncated" in warnings(folder)
    with pytest.raises(DatasetError, match=r"Line 2: .*cut\.jpg"):
        preflight(tmp_path, dataset, strict=True)


def test_strict_ends_at_the_first_problem(tmp_path):
    dataset = write_dataset(tmp_path / "data", ["a"], extra_lines=["{not json"])
    with pytest.raises(DatasetError, match="line 2"):
        preflight(tmp_path, dataset, strict=True)


def test_samples_that_do_not_fit_or_open_are_left_out_and_named(tmp_path):
    dataset = write_dataset(tmp_path / "data", ["a", "word " * 200, "c"])
    (tmp_path / "data" / "letter_p3.png").write_bytes(b"broken")
    data, folder = preflight(tmp_path, dataset, fast_config(training__max_length=100))
    assert [example.line for example in data.train] == [1]
    assert data.skipped == 2
    assert "Left out: 2 training samples." in warnings(folder)
    assert "Line 2: letter_p2.png takes" in warnings(folder)
    assert "Line 3:" in warnings(folder)


def test_the_longest_sample_comes_first_in_the_probe(tmp_path):
    data, folder = preflight(
        tmp_path, write_dataset(tmp_path / "data", ["a", "a longer answer than that", "b"])
    )
    assert data.longest[0] == 1
    assert "3 samples of" in events(folder, "phase")[-1]["message"]


@pytest.mark.parametrize(
    ("answers", "shown"), [(["a"], [1]), (["a", "b"], [1, 2]), (["a", "b", "c"], [1, 2, 3])]
)
def test_three_samples_are_shown_where_there_are_three(tmp_path, answers, shown):
    _, folder = preflight(tmp_path, write_dataset(tmp_path / "data", answers))
    assert sorted(event["line"] for event in events(folder, "sample")) == shown


def test_documents_are_held_out_whole(tmp_path):
    dataset = write_dataset(tmp_path / "data")
    data, folder = preflight(
        tmp_path, dataset, fast_config(training__eval_fraction=0.34, training__eval_steps=2)
    )
    assert len(data.evaluation) == 2
    assert "same document" in warnings(folder)


def test_settings_without_effect_are_said():
    config = fast_config(
        training__save_steps=50, training__eval_steps=50, training__warmup_steps=9,
        training__early_stopping_patience=2,
    ).training  # fmt: skip
    said = " ".join(schedule_warnings(config, plan_steps(config, 10), has_evaluation=True))
    assert "save_steps 50 never fires" in said
    assert "eval_steps 50 never fires" in said
    assert "warmup_steps is 9" in said
    without = " ".join(schedule_warnings(config, plan_steps(config, 10), has_evaluation=False))
    assert "early_stopping_patience has no effect" in without


def test_epochs_are_counted_in_steps():
    config = fast_config(
        training__max_steps=None, training__num_train_epochs=2.5, training__gradient_accumulation_steps=2
    ).training
    plan = plan_steps(config, 10)
    assert (plan.per_epoch, plan.total) == (3, 8)


def test_a_full_disk_is_foreseen(tmp_path):
    config = fast_config().training
    with pytest.raises(RunError, match=r"only .* GiB are free"):
        check_free_space(tmp_path, 10**15, config, plan_steps(config, 6))
    check_free_space(tmp_path, 1000, config, plan_steps(config, 6))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "not large enough"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "not large enough"),
        (OSError(28, "No space left on device"), "is full"),
        (RuntimeError("[enforce fail] file write failed"), "is full"),
    ],
)
def test_exhaustion_becomes_a_sentence_that_names_the_last_checkpoint(tmp_path, error, words):
    folder = training_folder(tmp_path / "runs", tmp_path / "data.jsonl", fast_config())
    (folder.checkpoints / "checkpoint-3").mkdir()
    with context_of(folder) as context:
        context.emit("checkpoint", step=3, path="checkpoints/checkpoint-3")
    with pytest.raises(RunError, match=words) as caught, sentences(folder, "Use less."):
        raise error
    assert "checkpoint-3, is intact" in caught.value.message
    assert caught.value.hint


def test_other_errors_pass(tmp_path):
    folder = training_folder(tmp_path / "runs", tmp_path / "data.jsonl", fast_config())
    with pytest.raises(RuntimeError, match="something else"), sentences(folder, "Use less."):
        raise RuntimeError("something else")


def test_unsloth_without_a_gpu_falls_back_with_a_reason():
    engine = choose_engine(fast_config(model__engine="unsloth").model)
    assert engine.name == "transformers"
    assert "needs a CUDA GPU" in engine.remark
    assert choose_engine(fast_config(model__engine="auto").model).remark == ""


def test_an_improvement_below_the_threshold_is_none():
    history = [Evaluation(2, 1.0), Evaluation(4, 0.95), Evaluation(6, 0.8), Evaluation(8, 0.9)]
    assert best_evaluation(history, 0.0) == history[2]
    assert best_evaluation(history, 0.1) == history[2]
    assert best_evaluation(history, 0.5) == history[0]
    assert best_evaluation([], 0.0) is None
