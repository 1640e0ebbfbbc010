import sys

from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from ocrstudio.ui.crash import CrashReporter


def fault():
    problem = ZeroDivisionError("for the test")
    sys.excepthook(type(problem), problem, None)


def test_a_fault_is_one_dialog_with_details_to_copy(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    reporter = CrashReporter(window)
    fault()
    fault()
    dialogs = window.findChildren(QMessageBox)
    assert len(dialogs) == 1
    assert reporter.count == 2
    copy = next(button for button in dialogs[0].buttons() if button.text() == "Copy details")
    copy.click()
    assert dialogs[0].isVisible()
    copied = QApplication.clipboard().text()
    assert "ZeroDivisionError: for the test" in copied
    assert "PySide6" in copied
    reporter.restore()
