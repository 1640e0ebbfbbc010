"""The log panel: what it keeps, shows and copies."""

import pytest
from PySide6.QtGui import QGuiApplication

from ocrstudio.domain.errors import InputError
from ocrstudio.ui.log.model import Line
from ocrstudio.ui.log.panel import LogPanel
from ocrstudio.ui.messages import Level


@pytest.fixture
def panel(qtbot):
    panel = LogPanel(100)
    qtbot.addWidget(panel)
    panel.show()
    return panel


def line(text, level=Level.INFO, origin="Window"):
    return Line(1_700_000_000.0, level, origin, text)


def shown(panel):
    return [panel.shown.index(row, 3).data() for row in range(panel.shown.rowCount())]


def test_everything_that_is_said_is_kept_with_its_hint(studio, qtbot):
    studio.messages.failure(InputError("The file is gone.", "Choose another one."))
    studio.messages.info("All is well.")
    log = studio.panels.log
    qtbot.waitUntil(lambda: log.lines.rowCount() == 2)
    assert shown(log) == ["The file is gone. Choose another one.", "All is well."]
    assert log.shown.index(0, 1).data() == "Error"


def test_levels_and_words_filter(panel):
    panel.add([line("one"), line("two", Level.WARNING), line("three", Level.ERROR, "Run")])
    panel.level.setCurrentIndex(1)
    assert shown(panel) == ["two", "three"]
    panel.level.setCurrentIndex(0)
    panel.search.setText("RUN")
    assert shown(panel) == ["three"]
    panel.search.clear()
    assert len(shown(panel)) == 3


def test_copy_takes_the_selection_or_all_that_is_shown(panel):
    panel.add([line("one"), line("two", Level.WARNING)])
    panel.copy_lines()
    copied = QGuiApplication.clipboard().text().splitlines()
    assert len(copied) == 2
    assert copied[1].endswith("\tWarning\tWindow\ttwo")
    panel.view.selectRow(0)
    panel.copy_lines()
    assert QGuiApplication.clipboard().text().endswith("one")


def test_the_log_is_bounded_and_keeps_the_newest(panel):
    for number in range(250):
        panel.add([line(str(number))])
    assert panel.lines.rowCount() <= 100
    assert shown(panel)[-1] == "249"
    panel.lines.set_limit(10)
    assert panel.lines.rowCount() <= 10
    assert shown(panel)[-1] == "249"


def test_it_follows_the_end_unless_the_user_scrolled_up(panel, qtbot):
    panel.resize(500, 300)
    panel.add([line(str(number)) for number in range(80)])
    bar = panel.view.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0 and bar.value() == bar.maximum())
    bar.setValue(0)
    panel.add([line("new")])
    assert bar.value() == 0
