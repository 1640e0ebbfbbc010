import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QPushButton

from ocrstudio.ui.labels.editor import LabelEditor
from ocrstudio.ui.labels.find_bar import FindBar, expand, find_all


@pytest.fixture
def editor(qtbot):
    editor = LabelEditor()
    qtbot.addWidget(editor)
    editor.resize(400, 400)
    editor.show()
    return editor


@pytest.fixture
def bar(editor, qtbot):
    bar = FindBar(editor)
    qtbot.addWidget(bar)
    return bar


def test_a_hundred_steps_can_be_undone_and_never_reach_another_page(editor, qtbot):
    editor.show_page(1, "first page")
    editor.show_page(2, "second page")
    editor.moveCursor(QTextCursor.MoveOperation.End)
    for number in range(150):
        cursor = editor.textCursor()
        cursor.beginEditBlock()
        cursor.insertText(f" {number}")
        cursor.endEditBlock()
        editor.setTextCursor(cursor)
        editor.moveCursor(QTextCursor.MoveOperation.Start)
        editor.moveCursor(QTextCursor.MoveOperation.End)
    steps = 0
    while editor.document().isUndoAvailable():
        editor.undo()
        steps += 1
    assert steps >= 100
    assert editor.text == "second page"


def test_the_history_of_a_page_is_there_after_coming_back(editor):
    editor.show_page(1, "one")
    editor.insertPlainText("X")
    editor.show_page(2, "two")
    editor.undo()
    assert editor.text == "two"
    editor.show_page(1, "Xone")
    editor.undo()
    assert editor.text == "one"


def test_showing_a_page_is_not_an_edit(editor, qtbot):
    with qtbot.assertNotEmitted(editor.edited, wait=50):
        editor.show_page(1, "# Heading\n\n**bold** $x$\n")
        editor.show_page(2, "other")
        editor.show_page(1, "a newer label of page one")
        editor.show_nothing()


def test_typing_is_an_edit(editor, qtbot):
    editor.show_page(1, "text")
    with qtbot.waitSignal(editor.edited):
        qtbot.keyClicks(editor, "a")


def test_a_new_draft_is_one_step_of_the_history(editor):
    editor.show_page(1, "mine")
    editor.reload("draft")
    assert editor.text == "draft"
    editor.undo()
    assert editor.text == "mine"


def test_doubtful_spots_are_visited_in_turn(editor):
    editor.show_page(1, "A 1O0 and\n\U0001d465\U0001d465 a [?] here")
    assert editor.go_to_doubt(1).reason == "letter O among digits"
    assert editor.textCursor().selectedText() == "1O0"
    assert editor.go_to_doubt(1).reason == "marked as unreadable"
    assert editor.textCursor().selectedText() == "[?]"
    assert editor.go_to_doubt(1).reason == "letter O among digits"
    assert editor.go_to_doubt(-1).reason == "marked as unreadable"


def test_a_clean_label_has_no_doubtful_spot(editor):
    editor.show_page(1, "# Clean\n\nIn 2024 there were 100 ships.")
    assert editor.go_to_doubt(1) is None


def test_find_counts_and_steps_round_the_end(editor, bar, qtbot):
    editor.show_page(1, "ship Ship shipping")
    bar.open_bar(replace=False)
    bar._pattern.setText("ship")
    assert bar._count.text() == "3 matches"
    places = []
    for _ in range(4):
        qtbot.keyClick(bar._pattern, Qt.Key.Key_Return)
        places.append(editor.textCursor().selectionStart())
    assert places == [0, 5, 10, 0]
    qtbot.keyClick(bar._pattern, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert editor.textCursor().selectionStart() == 10


def test_find_says_which_match_is_selected(editor, bar, qtbot):
    editor.show_page(1, "ship Ship shipping")
    bar.open_bar(replace=False)
    bar._pattern.setText("ship")
    said = []
    for _ in range(2):
        qtbot.keyClick(bar._pattern, Qt.Key.Key_Return)
        said.append(bar._count.text())
    assert said == ["1 of 3", "2 of 3"]
    editor.moveCursor(QTextCursor.MoveOperation.End)
    assert bar._count.text() == "3 matches"


def test_keys_of_the_find_bar(editor, bar, qtbot):
    editor.show_page(1, "ship")
    bar.open_bar(replace=True)
    assert bar._pattern.nextInFocusChain() is bar._replacement
    qtbot.keyClick(bar.findChild(QPushButton), Qt.Key.Key_Escape)
    assert bar.isHidden()


def test_options_of_find(editor, bar):
    editor.show_page(1, "ship Ship shipping")
    bar.open_bar(replace=False)
    bar._pattern.setText("Ship")
    bar._case.setChecked(True)
    assert bar._count.text() == "1 match"
    bar._case.setChecked(False)
    bar._regex.setChecked(True)
    bar._pattern.setText(r"^ship\b")
    assert bar._count.text() == "1 match"
    bar._pattern.setText("(")
    assert "character" in bar._count.text()


def test_replace_all_is_one_step_of_the_history(editor, bar):
    editor.show_page(1, "a1 a2 a3")
    bar.open_bar(replace=True)
    bar._regex.setChecked(True)
    bar._pattern.setText(r"a(\d)")
    bar._replacement.setText(r"\1b")
    bar.replace_all()
    assert editor.text == "1b 2b 3b"
    editor.undo()
    assert editor.text == "a1 a2 a3"


def test_replace_goes_one_by_one(editor, bar):
    editor.show_page(1, "x x x")
    bar.open_bar(replace=True)
    bar._pattern.setText("x")
    bar._replacement.setText("yy")
    bar.replace_one()  # goes to the first
    bar.replace_one()
    assert editor.text == "yy x x"
    assert editor.textCursor().selectionStart() == 3


def test_find_counts_again_on_another_page(editor, bar):
    editor.show_page(1, "ship ship")
    bar.open_bar(replace=False)
    bar._pattern.setText("ship")
    editor.show_page(2, "no vessel")
    assert bar._count.text() == "no match"


def test_positions_after_rare_characters():
    found = find_all("\U0001d465 ship", "ship", regex=False, case=True)
    assert (found[0].start, found[0].end) == (3, 7)


def test_an_expression_that_would_never_end_gives_up(editor):
    assert isinstance(find_all("a" * 40 + "b", r"(a+)+$", regex=True, case=True), list)


def test_replacements_are_literal_without_regular_expressions():
    assert expand(r"\1\n", ("a", "b"), regex=False) == r"\1\n"
    assert expand(r"\1\n", ("a", "b"), regex=True) == "b\n"


def test_page_keys_are_left_to_the_window_and_word_keys_are_not(opened, qtbot):
    editor, session = opened.window.labels.editor, opened.session
    opened.window.activateWindow()
    editor.setFocus()
    qtbot.waitUntil(editor.hasFocus)
    first = session.page_id
    qtbot.keyClick(editor, Qt.Key.Key_PageDown)
    assert session.page_id != first
    qtbot.keyClick(editor, Qt.Key.Key_PageUp)
    assert session.page_id == first
    editor.moveCursor(QTextCursor.MoveOperation.Start)
    qtbot.keyClick(editor, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    assert session.page_id == first
    assert editor.textCursor().position() > 0
