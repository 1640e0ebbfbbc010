import logging

import pytest

from ocrstudio.domain.errors import ConfigError
from ocrstudio.settings.loader import dump_yaml
from ocrstudio.settings.teacher import TEACHER_TYPES, load_teacher_config, request_extras, shipped_file

KEY = "sk-very-secret-0123456789"


def test_without_a_file_the_teacher_needs_nothing():
    config = load_teacher_config(None)
    assert config.type == "offline"
    assert config.offline is not None
    assert (config.api, config.local, config.generation, config.image) == (None, None, None, None)


@pytest.mark.parametrize("kind", TEACHER_TYPES)
def test_what_a_file_leaves_out_comes_from_its_type(config, kind):
    assert load_teacher_config(config(f"type: {kind}\n")) == load_teacher_config(shipped_file(kind))


def test_a_file_without_a_type_has_that_of_its_section(config):
    loaded = load_teacher_config(config("local: {batch_size: 2}\n"))
    assert loaded.type == "local"
    assert loaded.local is not None
    assert loaded.local.batch_size == 2
    with pytest.raises(ConfigError, match="the sections api and local but no type"):
        load_teacher_config(config("local: {batch_size: 2}\napi: {model_name: x}\n"))


def test_a_file_may_hold_several_types_to_switch_between(config):
    text = "type: offline\napi: {model_name: qwen}\n"
    loaded = load_teacher_config(config(text))
    assert loaded.api is not None
    assert loaded.api.model_name == "qwen"
    switched = load_teacher_config(config(text), {"type": "api"})
    assert switched.type == "api"
    assert switched.generation is not None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("type: apy", 'did you mean "api"'),
        ("model_type: deepseek-documents", 'did you mean "deepseek-document"'),
        ("api: {base_url: localhost:8000}", "must be a web address"),
        (f"api: {{base_url: 'http://me:{KEY}@host/v1'}}", "must not hold a user name or password"),
        (f"api: {{base_url: 'http://host/v1?key={KEY}'}}", "must end before the"),
        (f"api: {{api_key: [{KEY}]}}", "must be text"),
        ("api: {modelname: x}", 'did you mean "model_name"'),
        ("generation: {max_tokens: many}", 'whole number, not "many"'),
        ("request: {timeout: 0}", "more than 0"),
        (
            "prompts: {invoice: {user: y, usr: x}}",
            r'"prompts\.invoice\.usr" is not a key; did you mean "user"',
        ),
        ("prompts: {invoice: {system: x}}", r'"prompts\.invoice\.user" is missing'),
        ("prompts: {invoice: just text}", "must be a section"),
        ("prompts: [a]", "must be keys with values"),
        ("output: {format: markdown}", "one of jsonl, json, md"),
    ],
)
def test_wrong_values_are_explained_without_showing_keys(config, text, says):
    with pytest.raises(ConfigError, match=says) as caught:
        load_teacher_config(config(text + "\n"))
    assert "my.yaml, line 1" in caught.value.message
    assert KEY not in str(caught.value)


def test_a_literal_key_works_with_a_warning_that_does_not_show_it(config, caplog):
    with caplog.at_level(logging.DEBUG):
        loaded = load_teacher_config(config(f"api:\n  api_key: {KEY}\n"))
    assert loaded.api is not None
    assert loaded.api.api_key is not None
    assert loaded.api.api_key.get_secret_value() == KEY
    assert "my.yaml, line 2: api_key is a key in plain text" in caplog.text
    for text in (caplog.text, repr(loaded), str(loaded), dump_yaml(loaded), str(loaded.model_dump()),
                 loaded.model_dump_json()):  # fmt: skip
        assert KEY not in text


@pytest.mark.parametrize("key", ["${MY_KEY}", "your-api-key", "EMPTY", ""])
def test_references_and_placeholders_give_no_warning(config, caplog, monkeypatch, key):
    monkeypatch.setenv("MY_KEY", KEY)
    load_teacher_config(config(f'api: {{api_key: "{key}"}}\n'))
    assert not caplog.text


def test_a_missing_variable_is_named(config, monkeypatch):
    monkeypatch.delenv("MY_KEY", raising=False)
    with pytest.raises(ConfigError, match=r'line 1: "api\.api_key" uses the environment variable MY_KEY'):
        load_teacher_config(config("api: {api_key: '${MY_KEY}'}\n"))


@pytest.mark.parametrize(
    ("api", "is_vllm"),
    [
        ("{model_name: deepseek-ai/DeepSeek-OCR}", True),
        ("{model_name: deepseek_ocr}", True),
        ("{model_name: gpt-4o}", False),
        ("{model_name: gpt-4o, server: vllm}", True),
        ("{model_name: deepseek-ocr, server: openai}", False),
        ("{model_name: deepseek-ocr, base_url: 'https://api.openai.com/v1'}", False),
    ],
)
def test_only_servers_that_know_them_get_the_vllm_parameters(config, api, is_vllm):
    extras = request_extras(load_teacher_config(config(f"api: {api}\n")))
    expected = {
        "skip_special_tokens": False,
        "vllm_xargs": {"ngram_size": 30, "window_size": 90, "whitelist_token_ids": [128821, 128822]},
    }
    assert extras == (expected if is_vllm else {})


def test_extra_parameters_of_the_user_win(config):
    text = (
        "type: api\ngeneration:\n  no_repeat_ngram_size: 0\n"
        "  extra_body: {seed: 1, skip_special_tokens: true}\n"
    )
    assert request_extras(load_teacher_config(config(text))) == {"skip_special_tokens": True, "seed": 1}


def test_offline_teachers_send_nothing():
    assert request_extras(load_teacher_config(None)) == {}


def test_prompts_may_leave_out_all_but_the_user_message(config):
    prompts = load_teacher_config(config("prompts: {invoice: {user: Read it, system: }}\n")).prompts
    assert (prompts["invoice"].user, prompts["invoice"].system) == ("Read it", "")


@pytest.mark.parametrize("kind", TEACHER_TYPES)
def test_a_resolved_configuration_loads_back_equal(config, kind):
    resolved = load_teacher_config(
        shipped_file(kind), {"prompts": {"x": {"user": "line\n\nline {target}\n"}}}
    )
    assert load_teacher_config(config(dump_yaml(resolved))) == resolved
