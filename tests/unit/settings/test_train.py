import logging

import pytest
from pydantic import ValidationError

from ocrstudio.domain.errors import ConfigError
from ocrstudio.settings.image import IMAGE_PRESETS
from ocrstudio.settings.loader import dump_yaml
from ocrstudio.settings.train import load_train_config


def test_the_shipped_recipe_is_that_of_the_toolkit():
    config = load_train_config()
    assert (config.lora.r, config.lora.lora_alpha, config.lora.lora_dropout) == (16, 16, 0)
    assert config.training.samples_per_step == 8
    assert (config.training.learning_rate, config.training.max_steps) == (2e-4, 100)
    assert (config.image.base_size, config.image.image_size, config.image.crop_mode) == (1024, 640, True)
    assert config.image.preset == "gundam"


def test_a_users_file_holds_only_what_differs(config):
    loaded = load_train_config(config("training:\n  max_steps: 7\nlora:\n"))
    assert loaded.training.max_steps == 7
    assert loaded.training.learning_rate == 2e-4
    assert loaded.lora == load_train_config().lora


def test_overrides_win_over_the_file(config):
    path = config("training: {max_steps: 7, seed: 1}\n")
    loaded = load_train_config(path, {"training.max_steps": 9, "lora.r": 4})
    assert (loaded.training.max_steps, loaded.training.seed, loaded.lora.r) == (9, 1, 4)


def test_all_problems_are_listed_with_line_key_and_nearest_choice(config):
    text = (
        "training:\n  lerning_rate: 2e-4\n  optim: adamv_8bit\n  max_steps: many\n"
        "learning_rate: 3\nmodel:\n  use_gradient_checkpointing: unsloh\nlora: 5\nimage:\n  base_size: 1000\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_train_config(config(text))
    lines = caught.value.message.splitlines()
    assert lines[0].endswith("my.yaml has 7 problems:")
    for line, says in zip(
        lines[1:],
        [
            'line 2: "training.lerning_rate" is not a key; did you mean "learning_rate"?',
            'line 3: "training.optim" must be one of auto, adamw_torch, adamw_8bit, not "adamv_8bit"; did',
            'line 4: "training.max_steps" must be a whole number, not "many".',
            'line 5: "learning_rate" is not a key; "learning_rate" belongs under "training".',
            'line 7: "model.use_gradient_checkpointing" must be one of auto, unsloth, true, false, not',
            'line 8: "lora" must be a section',
            'line 10: "image.base_size" must be a multiple of 64, not 1000.',
        ],
        strict=True,
    ):
        assert line.strip().startswith(says)


def test_one_problem_is_one_sentence(config):
    with pytest.raises(ConfigError, match=r'my\.yaml, line 1: "training\.seed" must be 0 or more, not -1\.'):
        load_train_config(config("training: {seed: -1}\n"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("training: {max_steps: true}", "whole number"),
        ("training: {max_steps: 2.5}", "whole number"),
        ('lora: {r: "16"}', "whole number"),
        ("training: {learning_rate: .inf}", "finite|or less"),
        ("model: {load_in_4bit: yes}", "true or false"),
        ("lora: {vision_target_modules: fc1}", "a list"),
        ("lora: {vision_target_modules: [1]}", r"vision_target_modules\[0\]"),
        ("lora: {llm_target_modules: []}", "at least 1"),
        ('model: {use_gradient_checkpointing: "true"}', "without quotes"),
        ("training: {learning_rate: }", "a number, not empty"),
        ("training: {early_stopping_patience: 2, eval_steps: null}", "needs eval_steps"),
        ("training: {max_steps: 5, num_train_epochs: 2}", "either max_steps or num_train_epochs"),
        ("training: {max_steps: null}", "either max_steps or num_train_epochs"),
    ],
)
def test_impossible_values_are_refused(config, text, says):
    with pytest.raises(ConfigError, match=says) as caught:
        load_train_config(config(text))
    assert "my.yaml, line 1" in caught.value.message


def test_a_rule_about_two_keys_that_an_override_breaks_is_not_blamed_on_a_file():
    with pytest.raises(ConfigError, match=r'^the settings given: "training": give either'):
        load_train_config(None, {"training.max_steps": None})


def test_a_wrong_override_names_its_key():
    with pytest.raises(ConfigError, match=r'the settings given: "lora\.rank" is not a key'):
        load_train_config(None, {"lora.rank": 1})
    with pytest.raises(ConfigError, match="is not a key"):
        load_train_config(None, {"lora..r": 1})
    with pytest.raises(ConfigError, match="cannot both be set"):
        load_train_config(None, {"lora": 1, "lora.r": 2})


def test_epochs_take_the_place_of_steps_and_back(config):
    epochs = load_train_config(config("training: {num_train_epochs: 3}\n"))
    assert (epochs.training.max_steps, epochs.training.num_train_epochs) == (None, 3.0)
    steps = load_train_config(config("training: {num_train_epochs: 3}\n"), {"training.max_steps": 5})
    assert (steps.training.max_steps, steps.training.num_train_epochs) == (5, None)


@pytest.mark.parametrize("preset", [*IMAGE_PRESETS, "Tiny"])
def test_a_preset_sets_the_triple(config, preset):
    image = load_train_config(config(f"image: {{preset: {preset}}}\n")).image
    expected = IMAGE_PRESETS[preset.lower()]
    assert {key: getattr(image, key) for key in expected} == expected
    assert image.preset == preset.lower()


def test_the_triple_wins_over_the_preset_and_says_so(config, caplog):
    with caplog.at_level(logging.WARNING):
        image = load_train_config(config("image: {preset: tiny, image_size: 640}\n")).image
    assert (image.base_size, image.image_size, image.preset) == (512, 640, "custom")
    assert "preset is tiny, but the file also gives image_size 640" in caplog.text


def test_a_triple_alone_is_named(config, caplog):
    triple = "image: {base_size: 512, image_size: 512, crop_mode: false}\n"
    assert load_train_config(config(triple)).image.preset == "tiny"
    assert load_train_config(config("image: {crop_mode: false}\n")).image.preset == "custom"
    assert not caplog.text


def test_an_unknown_preset_names_the_nearest(config):
    with pytest.raises(ConfigError, match='did you mean "gundam"'):
        load_train_config(config("image: {preset: gundum}\n"))


@pytest.mark.parametrize(
    "overrides",
    [{}, {"image.preset": "large"}, {"image.image_size": 512}, {"training.num_train_epochs": 1.5}],
)
def test_a_resolved_configuration_loads_back_equal(config, overrides):
    resolved = load_train_config(None, overrides)
    assert load_train_config(config(dump_yaml(resolved))) == resolved


def test_a_configuration_cannot_be_changed():
    config = load_train_config()
    with pytest.raises(ValidationError, match="frozen"):
        config.training.max_steps = 5
