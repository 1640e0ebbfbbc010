"""The built-in reader: found by its word, told from other versions of itself, and able to read."""

import shutil

import pytest
import torch

from ocrstudio.datasets import read_dataset
from ocrstudio.domain.embedded import READER_MODEL, REPAIR
from ocrstudio.domain.errors import ModelError
from ocrstudio.domain.run import TrainMode
from ocrstudio.evaluation.metrics import cer
from ocrstudio.imaging.presets import ImagePreset
from ocrstudio.services.environment import Verdict, advice, check_model, look_around
from ocrstudio.services.synthesis import SynthesisRequest, synthesise
from ocrstudio.services.training import TrainingRequest, create_training_run
from ocrstudio.settings.train import load_train_config
from ocrstudio.student.adapters import read_info
from ocrstudio.student.generation import Generator, PageRequest
from ocrstudio.student.inference import open_student
from ocrstudio.student.loading import SEED_FACT, load_processor, load_student
from ocrstudio.student.reader import READER_IMAGE
from ocrstudio.student.recipe import train
from ocrstudio.tasks import get_task, load_tasks
from tests.fakes.reader import stand_in, write_reader
from tests.student.small_run import context_of, fast_config, training_folder, write_dataset

VIEW = ImagePreset(64, 64, False)
TEXT = """
The harbour was quiet in the morning. Two boats came back with herring and mackerel, and the women of the
market weighed them on brass scales. Prices are written on slate: a basket of herring costs less than bread.
After noon the wind turned to the west, and nobody went out again before the lanterns were lit.
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reader") / "reader"
    write_reader(folder)
    return folder


@pytest.fixture
def reader(saved, tmp_path, monkeypatch):
    """Folder of a stand-in that a test may damage."""
    folder = stand_in(tmp_path / "installed", monkeypatch)
    shutil.copytree(saved, folder)
    return folder


def test_it_is_loaded_by_its_word_in_full_precision(reader):
    student = load_student(READER_MODEL, VIEW)
    assert student.name == READER_MODEL
    assert student.model.dtype == torch.float32
    assert SEED_FACT not in student.facts, "it is no stand-in"


def test_an_adapter_knows_the_weights_that_it_was_trained_on(reader, tmp_path):
    config = fast_config(training__max_steps=1, training__save_steps=1)
    folder = training_folder(tmp_path / "runs", write_dataset(tmp_path), config, model=READER_MODEL)
    with context_of(folder) as context:
        train(context)
    info = read_info(folder.adapter)
    assert info.base_model == READER_MODEL, "a run means the same on another machine"
    assert open_student(READER_MODEL, folder.adapter, VIEW).model is not None
    shutil.rmtree(reader)
    write_reader(reader, seed=2)
    with pytest.raises(ModelError, match="was trained on other weights of reader") as caught:
        open_student(READER_MODEL, folder.adapter, VIEW)
    assert info.base["weights"] in caught.value.message
    assert caught.value.hint.startswith("Train it again")


def _cut_off(folder):
    (weights,) = folder.glob("*.safetensors")
    weights.write_bytes(weights.read_bytes()[:-1])


def _pointer(folder):
    (weights,) = folder.glob("*.safetensors")
    weights.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 36818736\n")


def _without_tokenizer(folder):
    (folder / "tokenizer.json").unlink()


def _empty_configuration(folder):
    (folder / "config.json").write_text("")


@pytest.mark.parametrize(
    "damage", [_cut_off, _pointer, _without_tokenizer, _empty_configuration, shutil.rmtree]
)
def test_what_is_damaged_is_said_with_the_way_to_mend_it(reader, damage, tmp_path):
    damage(reader)
    with pytest.raises(ModelError, match=r"^Built-in reader: the ") as caught:
        load_student(READER_MODEL, VIEW)
    assert str(reader) in caught.value.message
    assert caught.value.hint == REPAIR
    check = check_model(READER_MODEL)
    assert check.verdict is Verdict.PROBLEM
    assert str(reader) in check.detail
    assert REPAIR in advice(look_around(tmp_path), check)
    with pytest.raises(ModelError, match=r"^Built-in reader: "):
        create_training_run(
            tmp_path / "runs",
            TrainingRequest(write_dataset(tmp_path), TrainMode.VISION, READER_MODEL),
            load_train_config(model=READER_MODEL),
        )
    assert not (tmp_path / "runs").exists(), "no run is left that never began"


def test_a_pointer_of_git_lfs_is_recognised(reader):
    _pointer(reader)
    assert "pointer of git-lfs" in check_model(READER_MODEL).detail


def test_the_shipped_values_are_those_that_it_was_made_for():
    image = load_train_config(model=READER_MODEL).image
    assert ImagePreset(image.base_size, image.image_size, image.crop_mode, image.max_tiles) == READER_IMAGE
    assert load_processor(READER_MODEL, image).max_length > 0


def test_it_reads_cards_that_it_has_never_seen(tmp_path):
    (tmp_path / "words.txt").write_text(TEXT)
    synthesise(
        SynthesisRequest(
            (tmp_path / "words.txt",),
            tmp_path / "cards",
            get_task(load_tasks(), "markdown"),
            4,
            degradation="off",
        )
    )
    samples = read_dataset(tmp_path / "cards" / "train.jsonl").samples
    config = load_train_config(model=READER_MODEL)
    student = load_student(READER_MODEL, config.image)
    answers = Generator(student.model, student.processor, config.evaluation).answer(
        [PageRequest(sample.image, sample.prompt) for sample in samples]
    )
    errors = sorted(cer(sample.answer, answer.text) for sample, answer in zip(samples, answers, strict=True))
    assert errors[1] < 0.15, errors
