import pytest
import yaml
from PySide6.QtWidgets import QCheckBox, QComboBox, QSpinBox

from ocrstudio.settings.app import AppSettings, load_app_settings
from ocrstudio.ui.messages import Messages
from ocrstudio.ui.settings.dialog import SettingsDialog
from ocrstudio.ui.widgets.value_field import title_of
from tests.fakes.window import shown_words


@pytest.fixture
def user_file(tmp_path):
    return tmp_path / "settings.yaml"


@pytest.fixture
def dialog(qtbot, settings, user_file):
    dialog = SettingsDialog(None, settings, Messages(), user_file)
    qtbot.addWidget(dialog)
    return dialog


def widget(dialog, key):
    return dialog.fields[key].field


def test_every_setting_is_there_with_its_help(dialog):
    assert list(dialog.fields) == list(AppSettings.model_fields)
    assert all(field.help and field.title for field in dialog.fields.values())


def test_a_change_applies_and_is_kept_at_once(dialog, qtbot, user_file):
    size = widget(dialog, "editor_font_size")
    assert isinstance(size, QSpinBox)
    with qtbot.waitSignal(dialog.applied) as told:
        size.setValue(17)
    assert told.args[0].editor_font_size == 17
    assert yaml.safe_load(user_file.read_text()) == {"editor_font_size": 17}
    assert load_app_settings(user_file).editor_font_size == 17


def test_bounds_come_from_the_model(dialog):
    size = widget(dialog, "editor_font_size")
    assert (size.minimum(), size.maximum()) == (6, 72)


def test_choices_and_switches(dialog, qtbot, user_file):
    theme, regions = widget(dialog, "theme"), widget(dialog, "show_regions")
    assert isinstance(theme, QComboBox)
    assert isinstance(regions, QCheckBox)
    theme.setCurrentIndex(theme.findData("dark"))
    theme.activated.emit(theme.currentIndex())
    regions.setChecked(False)
    assert yaml.safe_load(user_file.read_text()) == {"theme": "dark", "show_regions": False}


def test_an_empty_file_name_means_the_shipped_one(dialog, qtbot, user_file):
    path = widget(dialog, "teacher_config")
    path.edited.emit("/somewhere/teacher.yaml")
    path.edited.emit("")
    assert yaml.safe_load(user_file.read_text()) in (None, {})


def test_a_file_that_cannot_be_written_is_said(qtbot, settings, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    bus = Messages()
    dialog = SettingsDialog(None, settings, bus, blocked / "settings.yaml")
    qtbot.addWidget(dialog)
    widget(dialog, "editor_wrap_lines").click()
    assert bus.history
    assert "cannot" in shown_words(dialog)


def test_a_share_is_shown_in_per_cent_and_kept_as_a_share(dialog, user_file):
    share = widget(dialog, "eval_fraction")
    assert share.text() == "10 % of pages"
    share.setValue(25)
    assert yaml.safe_load(user_file.read_text()) == {"eval_fraction": 0.25}


def test_the_task_is_one_of_those_there_are(dialog, user_file):
    task = widget(dialog, "default_task")
    offered = [task.itemText(row) for row in range(task.count())]
    assert "markdown" in offered
    assert "locate" not in offered, "it needs to know what to look for"


def test_titles_are_words():
    assert title_of("training.learning_rate") == "Learning rate"
    assert title_of("lora.r") == "Rank"
    assert title_of("page_cache_mib", AppSettings.model_fields["page_cache_mib"]).endswith("(MiB)")


def test_a_setting_that_did_not_change_leaves_the_zoom_alone(drawn):
    view = drawn.window.viewer.view
    view.zoom_to(2.5)
    drawn.apply_settings(drawn.settings.model_copy(update={"editor_font_size": 23}))
    assert view.zoom == pytest.approx(2.5)
    drawn.apply_settings(drawn.settings.model_copy(update={"zoom_mode": "fit_page"}))
    assert view.zoom < 2


def test_settings_reach_the_window(studio):
    changed = studio.settings.model_copy(update={"editor_font_size": 23, "editor_wrap_lines": False})
    studio.apply_settings(changed)
    editor = studio.window.labels.editor
    assert editor.font().pointSize() == 23
    assert editor.lineWrapMode() == editor.LineWrapMode.NoWrap
