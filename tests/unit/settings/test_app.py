import sys
from pathlib import Path

import pytest

from ocrstudio.domain.errors import ConfigError
from ocrstudio.settings.app import AppSettings, load_app_settings, save_overrides, user_config_dir


def test_without_a_users_file_the_shipped_values_hold(tmp_path):
    settings = load_app_settings(tmp_path / "none.yaml")
    assert (settings.theme, settings.autosave_delay_ms, settings.default_dpi) == ("system", 1000, 200)
    assert settings.default_task == "markdown"


@pytest.mark.skipif(sys.platform != "linux", reason="the XDG folders are those of Linux")
def test_the_users_file_is_in_the_xdg_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert user_config_dir() == tmp_path / "ocrstudio"
    save_overrides({"theme": "dark"})
    assert load_app_settings().theme == "dark"
    assert (tmp_path / "ocrstudio" / "settings.yaml").exists()


def test_only_differences_are_written(tmp_path):
    path = tmp_path / "deep" / "settings.yaml"
    save_overrides({"theme": "dark", "default_dpi": 200, "editor_font_size": 14}, path)
    text = path.read_text()
    assert "theme: dark" in text
    assert "editor_font_size: 14" in text
    assert "default_dpi" not in text
    save_overrides({"theme": "system"}, path)
    assert "theme" not in path.read_text()
    assert load_app_settings(path).editor_font_size == 14
    save_overrides({"editor_font_size": 11}, path)
    assert load_app_settings(path) == load_app_settings(tmp_path / "none.yaml")


def test_impossible_values_change_nothing(tmp_path):
    path = tmp_path / "settings.yaml"
    save_overrides({"theme": "dark"}, path)
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="editor_font_size"):
        save_overrides({"editor_font_size": 1000}, path)
    with pytest.raises(ConfigError, match='did you mean "theme"'):
        save_overrides({"themes": "dark"}, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_references_to_variables_survive_saving(tmp_path, monkeypatch):
    monkeypatch.setenv("TASK", "document")
    path = tmp_path / "settings.yaml"
    path.write_text("default_task: ${TASK}\n")
    save_overrides({"theme": "light"}, path)
    assert "${TASK}" in path.read_text()
    assert load_app_settings(path).default_task == "document"


def test_a_broken_users_file_is_kept_and_reported(tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text("theme: [\n")
    with pytest.raises(ConfigError, match="not valid YAML"):
        load_app_settings(path)
    with pytest.raises(ConfigError, match="not valid YAML"):
        save_overrides({"theme": "dark"}, path)
    assert path.read_text() == "theme: [\n"


def test_an_unwritable_place_gives_a_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be saved"):
        save_overrides({"theme": "dark"}, tmp_path / "file" / "settings.yaml")


def test_every_setting_has_a_group_for_the_settings_window():
    for name, info in AppSettings.model_fields.items():
        assert isinstance(info.json_schema_extra, dict), name
        assert info.json_schema_extra["group"], name


def test_the_users_files_may_be_named_from_the_home_folder():
    settings = load_app_settings().model_copy(update={"train_config": "~/train.yaml"})
    assert settings.train_file == Path.home() / "train.yaml"
    assert settings.teacher_file is None
