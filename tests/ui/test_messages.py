import threading

from ocrstudio.domain.errors import InputError
from ocrstudio.ui.messages import Level, Messages
from ocrstudio.ui.widgets.message_bar import MessageBar


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


def test_the_bar_shows_sentence_and_hint_until_it_is_closed(qtbot):
    bar = MessageBar()
    qtbot.addWidget(bar)
    bar.show_message("error", "The server did not answer.", "Check that it runs.")
    assert bar.isVisible()
    assert bar.text == "The server did not answer.\nCheck that it runs."


def test_an_unread_error_is_not_pushed_away_by_information(qtbot):
    bar = MessageBar()
    qtbot.addWidget(bar)
    bar.show_message("error", "Not saved.", "")
    bar.show_message("info", "Imported.", "")
    assert bar.text == "Not saved."


def test_words_of_a_message_are_never_read_as_html(qtbot):
    bar = MessageBar()
    qtbot.addWidget(bar)
    bar.show_message("warning", "<b>file</b>.pdf is odd.", "")
    assert bar.text == "<b>file</b>.pdf is odd."
    bar.hide()
