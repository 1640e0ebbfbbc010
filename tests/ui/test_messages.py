import threading

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QPushButton, QToolButton, QWidget

from ocrstudio.domain.errors import InputError
from ocrstudio.ui.messages import Level, Messages
from ocrstudio.ui.widgets.message_stack import MessageStack


def test_a_message_from_another_thread_arrives_in_the_windows_thread(qtbot):
    bus = Messages()
    seen = []
    bus.posted.connect(lambda message: seen.append((message, threading.current_thread())))
    thread = threading.Thread(target=lambda: bus.failure(InputError("No such file.", "Choose another.")))
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(seen))
    message, where = seen[0]
    assert (message.level, message.text, message.hint) == (Level.ERROR, "No such file.", "Choose another.")
    assert where is threading.main_thread()
    assert bus.history == [message]


@pytest.fixture
def stack(qtbot):
    host = QWidget()
    qtbot.addWidget(host)
    host.resize(500, 400)
    host.show()
    stack = MessageStack(host)
    yield stack
    stack.clear()


def test_a_problem_and_its_hint_stay_until_they_are_closed(stack):
    stack.show_message("error", "The server did not answer.", "Check that it runs.")
    assert stack.isVisible()
    assert stack.text == "The server did not answer.\nCheck that it runs."
    stack.findChild(QToolButton).click()
    assert stack.isHidden()


def test_messages_that_come_together_are_all_shown(stack):
    stack.show_message("error", "Not saved.", "")
    stack.show_message("info", "Imported.", "")
    assert stack.text == "Not saved.\n\nImported."


def test_a_problem_is_not_pushed_away_by_information(stack):
    stack.show_message("error", "Not saved.", "")
    for number in range(9):
        stack.show_message("info", f"Page {number}.", "")
    assert stack.text.startswith("Not saved.\n\n")
    assert stack.text.endswith("Page 8.")


def test_a_problem_that_comes_again_is_shown_once(stack):
    for _ in range(3):
        stack.show_message("error", "Not saved.", "It is tried again.")
    assert stack.text == "Not saved.\nIt is tried again."


def test_what_a_message_offers_is_done_once(stack):
    done = []
    stack.show_message("info", "Removed.", "", "Undo", lambda: done.append(1))
    button = stack.findChild(QPushButton)
    assert button.text() == "Undo"
    button.click()
    assert done == [1]
    assert stack.isHidden()


def test_words_of_a_message_are_never_read_as_html(stack):
    stack.show_message("warning", "<b>file</b>.pdf is odd.", "")
    labels = [label for label in stack.findChildren(QLabel) if label.text()]
    assert [(label.text(), label.textFormat()) for label in labels] == [
        ("<b>file</b>.pdf is odd.", Qt.TextFormat.PlainText)
    ]


def test_a_long_message_is_shown_whole(stack):
    for number in (1, 2):
        stack.show_message("error", f"Words of problem {number} go on and on. " * 12, "And a hint.")
    for words in [label for label in stack.findChildren(QLabel) if label.text()]:
        assert words.height() >= words.heightForWidth(words.width()) > 3 * words.fontMetrics().height()


def test_messages_float_and_nothing_moves_for_them(opened, qtbot):
    view = opened.window.viewer.view
    before = view.size()
    opened.messages.error("Something is wrong.")
    qtbot.waitUntil(lambda: "Something is wrong." in opened.window.message_stack.text)
    assert view.size() == before
    corner = opened.window.message_stack.mapTo(opened.window, QPoint(0, 0))
    top = view.mapTo(opened.window, QPoint(0, 0))
    assert corner.y() > top.y()
    assert corner.y() + opened.window.message_stack.height() <= top.y() + view.height()
