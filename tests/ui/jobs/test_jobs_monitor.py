"""Runs as the window watches them, with real child processes."""

import psutil
import pytest

from ocrstudio.domain.run import RunState
from ocrstudio.jobs.command_line import worker_command
from ocrstudio.jobs.launch import start_worker
from ocrstudio.ui.jobs.monitor import RunMonitor
from ocrstudio.ui.jobs.outcome import Ending
from ocrstudio.ui.jobs.relay_process import RelayProcess
from tests.fakes.processes import children
from tests.fakes.runs import until


@pytest.fixture
def relay(qapp):
    made = []

    def make(command, **options):
        made.append(RelayProcess(command, launches=False, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def outcome_of(relay, qtbot):
    with qtbot.waitSignal(relay.ended) as signal:
        relay.start()
    return signal.args[0]


def test_a_run_from_launch_to_end(scripted, monitor, qtbot):
    folder = scripted([["metric", 1, 0.9], ["metric", 2, 0.8], ["print", "noise"], ["adapter"]])
    with qtbot.waitSignal(monitor.ended) as signal:
        monitor.launch(folder)
    run_id, outcome = signal.args
    history = monitor.history(run_id)
    assert outcome.ending is Ending.FINISHED
    assert history.state is RunState.FINISHED
    assert list(history.loss.steps) == [1, 2]
    assert list(history.loss.values) == pytest.approx([0.9, 0.8])
    assert (history.done, history.total) == (2, 10)
    assert "Finished." in [line.text for line in history.lines]


def test_a_failure_says_what_the_worker_said(scripted, monitor, qtbot):
    folder = scripted([["metric", 1, 0.9], ["fail", "The GPU ran out of memory.", "Lower the batch size."]])
    with qtbot.waitSignal(monitor.ended) as signal:
        monitor.launch(folder)
    outcome = signal.args[1]
    assert outcome.ending is Ending.FAILED
    assert (outcome.message, outcome.hint) == ("The GPU ran out of memory.", "Lower the batch size.")


def test_a_killed_worker_is_interrupted_and_can_be_resumed(scripted, monitor, qtbot, tmp_path):
    folder = scripted(
        [["metric", 1, 0.9], ["checkpoint", 1], ["metric", 2, 0.8], ["wait", str(tmp_path / "go")]]
    )
    monitor.launch(folder)
    qtbot.waitUntil(lambda: monitor.history(folder.id).done == 2)
    with qtbot.waitSignal(monitor.ended) as signal:
        psutil.Process(folder.process_identity.pid).kill()
    outcome = signal.args[1]
    assert outcome.ending is Ending.INTERRUPTED
    assert "Resume" in outcome.hint
    (tmp_path / "go").touch()
    with qtbot.waitSignal(monitor.ended) as signal:
        monitor.resume(folder)
    assert signal.args[1].ending is Ending.FINISHED
    assert list(monitor.history(folder.id).loss.steps) == [1, 2]


def test_stop_saves_and_ends(scripted, monitor, qtbot, tmp_path):
    folder = scripted([["metric", 3, 0.9], ["wait", str(tmp_path / "never")], ["metric", 4, 0.8]])
    monitor.launch(folder)
    qtbot.waitUntil(lambda: monitor.history(folder.id).done == 3)
    with qtbot.waitSignal(monitor.ended) as signal:
        monitor.stop(folder.id)
        assert monitor.history(folder.id).state is RunState.STOPPING
    assert signal.args[1].ending is Ending.STOPPED
    assert folder.newest_checkpoint().name == "checkpoint-3"


def test_closing_ends_the_relay_only_and_a_later_monitor_has_the_whole_curve(
    scripted, session, background, messages, qtbot, tmp_path
):
    go = tmp_path / "go"
    script = [["metric", step, 1 / step] for step in range(1, 6)] + [["wait", str(go)], ["metric", 6, 0.1]]
    folder = scripted(script)
    first = RunMonitor(session, background, messages)
    first.launch(folder)
    qtbot.waitUntil(lambda: first.history(folder.id).done == 5)
    first.close()
    assert children() == [], "the relay is still there"
    assert folder.process_identity.is_alive, "the worker did not outlive the window"

    second = RunMonitor(session, background, messages)
    second.refresh()
    qtbot.waitUntil(lambda: second.history(folder.id) is not None)
    qtbot.waitUntil(lambda: second.history(folder.id).done == 5)
    with qtbot.waitSignal(second.ended):
        go.touch()
    assert list(second.history(folder.id).loss.steps) == [1, 2, 3, 4, 5, 6]
    second.close()
    qtbot.waitUntil(lambda: not background.busy)


def test_closing_at_once_after_the_start_does_not_stop_the_launch(scripted, monitor, tmp_path):
    folder = scripted([["metric", 1, 0.9]])
    monitor.launch(folder)
    monitor.close()
    until(lambda: folder.state() is RunState.FINISHED)


def test_a_run_started_by_the_command_line_appears(scripted, monitor, session, qtbot, tmp_path):
    session.opened.emit(session.workspace)
    folder = scripted([["metric", 1, 0.9], ["wait", str(tmp_path / "go")]])
    process = start_worker(folder).process
    qtbot.waitUntil(lambda: monitor.history(folder.id) is not None)
    qtbot.waitUntil(lambda: monitor.history(folder.id).done == 1)
    with qtbot.waitSignal(monitor.ended):
        (tmp_path / "go").touch()
    process.wait()


def test_a_relay_that_dies_is_replaced_without_a_gap(scripted, monitor, qtbot, tmp_path):
    folder = scripted([["metric", 1, 0.9], ["wait", str(tmp_path / "go")], ["metric", 2, 0.8]])
    monitor.launch(folder)
    qtbot.waitUntil(lambda: monitor.history(folder.id).done == 1)
    worker = folder.process_identity.pid
    relays = [child for child in children() if child.status() != psutil.STATUS_ZOMBIE and child.pid != worker]
    next(child for child in relays if str(folder.path) in child.cmdline()).kill()
    (tmp_path / "go").touch()
    with qtbot.waitSignal(monitor.ended) as signal:
        pass
    assert signal.args[1].ending is Ending.FINISHED
    assert list(monitor.history(folder.id).loss.steps) == [1, 2]


def test_a_program_that_is_missing_has_a_reason(relay, qtbot):
    outcome = outcome_of(relay(["/nonexistent/python"]), qtbot)
    assert outcome.ending is Ending.NOT_STARTED
    assert "/nonexistent/python" in outcome.message
    assert outcome.hint


def test_a_refused_launch_says_why(relay, qtbot, tmp_path):
    outcome = outcome_of(relay(worker_command("relay", str(tmp_path))), qtbot)
    assert outcome.ending is Ending.REFUSED
    assert "not a run folder" in outcome.message


def test_events_of_another_version_are_refused_in_a_sentence(relay, scripted, qtbot):
    folder = scripted([])
    folder.events_path.write_text('{"v":2,"seq":1,"time":1,"type":"started"}\n')
    outcome = outcome_of(relay(worker_command("relay", str(folder.path))), qtbot)
    assert outcome.ending in (Ending.UNREADABLE, Ending.REFUSED)
    assert "event format 2" in outcome.message
