import sys
import threading

from ocrstudio.domain.errors import InputError
from ocrstudio.ui.background import Background
from ocrstudio.ui.widgets.task_rows import TaskRows, rest_in_words


def test_the_result_comes_back_in_the_windows_thread(background, qtbot):
    seen = []
    background.run(
        lambda _: threading.get_ident(), lambda worker: seen.append((worker, threading.get_ident()))
    )
    qtbot.waitUntil(lambda: bool(seen))
    worker, here = seen[0]
    assert worker != here
    assert here == threading.main_thread().ident
    assert not background.busy


def test_an_expected_failure_goes_to_its_handler(background, qtbot):
    seen = []

    def work(_task):
        raise InputError("No such file.")

    background.run(work, seen.append, seen.append)
    qtbot.waitUntil(lambda: bool(seen))
    assert str(seen[0]) == "No such file."


def test_a_fault_goes_to_the_excepthook(background, qtbot, monkeypatch):
    seen = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, problem, trace: seen.append((kind, trace)))

    def work(_task):
        raise ZeroDivisionError

    background.run(work, seen.append)
    qtbot.waitUntil(lambda: bool(seen))
    kind, trace = seen[0]
    assert kind is ZeroDivisionError
    assert trace is not None
    monkeypatch.undo()


def test_cancel_reaches_the_work_and_progress_reaches_the_row(background, qtbot):
    started, seen = threading.Event(), []

    def work(task):
        task.report(1, 4, "second.pdf")
        started.set()
        while not task.cancelled:
            threading.Event().wait(0.005)
        return "stopped"

    rows = TaskRows()
    qtbot.addWidget(rows)
    task = background.run(work, seen.append, title="Importing")
    rows.show_task(task)
    assert not rows.isVisible(), "a short task does not move the window"
    qtbot.waitUntil(rows.isVisible)
    qtbot.waitUntil(started.is_set)
    task.cancel()
    qtbot.waitUntil(lambda: seen == ["stopped"])
    assert not rows.isVisible()


def test_time_left_in_words():
    assert rest_in_words(0.5, 1, 10) == ""
    assert rest_in_words(10, 5, 10) == "about 10 s left"
    assert rest_in_words(60, 1, 11) == "about 10 min left"


def test_an_outcome_that_comes_after_the_window_has_gone_is_dropped(qapp, qtbot):
    seen, failures = [], []
    pool = Background(failures.append)
    may_end = threading.Event()
    pool.run(lambda _: may_end.wait(10), seen.append)
    may_end.set()
    pool.shutdown()
    qapp.processEvents()
    assert (seen, failures) == ([], [])
