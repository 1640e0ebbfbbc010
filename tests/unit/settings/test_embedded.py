"""The values of the built-in reader: below the user's own, the same for training, measuring and drafting."""

import pytest

from ocrstudio import paths
from ocrstudio.domain.embedded import EMBEDDED, offered
from ocrstudio.domain.errors import ConfigError
from ocrstudio.domain.run import TrainMode
from ocrstudio.settings.teacher import load_teacher_config, shipped_file
from ocrstudio.settings.train import load_train_config

DRAFTING = {"type": "local", "local.model_path": "reader"}


def views(image):
    return (image.base_size, image.image_size, image.crop_mode, image.max_tiles)


@pytest.fixture
def reader_file(tmp_path, monkeypatch):
    """Writes the shipped values of the reader anew."""
    shipped = paths.config_dir()
    config = tmp_path / "config"
    config.mkdir()
    for entry in shipped.iterdir():
        if entry.name != "train_reader.yaml":
            (config / entry.name).symlink_to(entry)
    monkeypatch.setattr(paths, "data_root", lambda: tmp_path)
    return config / "train_reader.yaml"


def test_the_reader_sees_what_it_was_made_for_without_a_configuration():
    trained = load_train_config(model="reader")
    assert views(trained.image) == (384, 384, True, 6)
    assert trained.model.base_model_path == "reader"
    assert trained.model.engine == "transformers"
    drafting = load_teacher_config(None, DRAFTING)
    assert drafting.image == trained.image
    assert drafting.generation is not None
    assert drafting.generation.max_tokens == trained.evaluation.max_tokens


def test_a_file_that_names_the_reader_is_enough(config):
    named = load_train_config(config("model: {base_model_path: reader}\n"))
    assert named == load_train_config(model="reader")
    drafting = load_teacher_config(config("local: {model_path: reader}\n"))
    assert drafting == load_teacher_config(None, DRAFTING)


def test_the_users_values_win(config):
    own = config("image: {preset: tiny}\ntraining: {num_train_epochs: 3}\n")
    loaded = load_train_config(own, {"training.seed": 5}, "reader")
    assert views(loaded.image) == (512, 512, False, 6)
    assert (loaded.training.num_train_epochs, loaded.training.max_steps) == (3, None)
    assert loaded.training.seed == 5
    drafting = load_teacher_config(
        config("local: {model_path: reader}\nimage: {image_size: 512}\ngeneration: {max_tokens: 9}\n")
    )
    assert drafting.image is not None
    assert views(drafting.image) == (384, 512, True, 6)
    assert drafting.generation is not None
    assert drafting.generation.max_tokens == 9


def test_to_name_the_shipped_file_changes_nothing():
    shipped = paths.config_dir() / "train_config.yaml"
    assert load_train_config(shipped, model="reader") == load_train_config(model="reader")
    named = load_teacher_config(shipped_file("local"), {"local.model_path": "reader"})
    assert named == load_teacher_config(None, DRAFTING)


def test_other_models_have_the_shipped_values(tmp_path):
    assert load_train_config(model=str(tmp_path / "reader")) == load_train_config()
    assert load_train_config(model="micro") == load_train_config()
    other = load_teacher_config(None, {"type": "local", "local.model_path": str(tmp_path)})
    assert other.image is not None
    assert views(other.image) == (1024, 640, True, 9)


def test_a_mode_has_values_of_its_own(reader_file, config):
    reader_file.write_text(
        "training: {max_steps: 10, learning_rate: 1.0e-3}\n"
        "modes:\n  llm:\n    training: {max_steps: 20}\n  both: {training: {num_train_epochs: 2}}\n"
    )
    lengths = {mode: load_train_config(model="reader", mode=mode).training for mode in (None, *TrainMode)}
    assert [lengths[mode].max_steps for mode in (None, TrainMode.VISION, TrainMode.LLM)] == [10, 10, 20]
    assert (lengths[TrainMode.BOTH].max_steps, lengths[TrainMode.BOTH].num_train_epochs) == (None, 2)
    assert lengths[TrainMode.LLM].learning_rate == 1e-3
    own = config("training: {max_steps: 7}\n")
    assert load_train_config(own, model="reader", mode=TrainMode.LLM).training.max_steps == 7


def test_a_mistake_in_the_values_of_a_mode_is_found_in_its_line(reader_file):
    reader_file.write_text("training: {seed: 1}\nmodes:\n  llm:\n    training:\n      max_steps: many\n")
    with pytest.raises(
        ConfigError, match=r'train_reader\.yaml, line 5: "training\.max_steps" must be a whole'
    ):
        load_train_config(model="reader", mode=TrainMode.LLM)


@pytest.mark.parametrize("name", EMBEDDED)
@pytest.mark.parametrize("mode", TrainMode)
def test_every_student_that_comes_with_the_program_has_usable_values(name, mode):
    assert load_train_config(model=name, mode=mode).training.total_steps(40) > 0


def test_stand_ins_are_offered_to_nobody():
    assert [student.name for student in offered()] == ["reader"]
