"""Fixtures of the window's tests: offscreen, nothing left behind, no warning of Qt."""

import functools
import gc
import os
import sys
import threading

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import psutil
import pytest
import shiboken6
from PySide6.QtCore import QSettings, QThread, QThreadPool, QTimer

from ocrstudio.settings.app import load_app_settings
from ocrstudio.ui.background import Background
from ocrstudio.ui.garbage import window_thread_only
from tests.fakes.window import isolate, make_workspace

# The offscreen platform says this of windows with a size limit and of menus; it is not about our code.
OFFSCREEN_NOISE = r"This plugin does not support (propagateSizeHints|raise|grabbing the (keyboard|mouse))"

# Milliseconds; a test that waits for it in vain fails.
LONG_ENOUGH = 60_000

# ziamath finds its fonts with an old function of importlib.
ZIAMATH_NOISE = "ignore:path is deprecated. Use files:DeprecationWarning"


def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.qt_log_ignore(OFFSCREEN_NOISE))
        item.add_marker(pytest.mark.filterwarnings(ZIAMATH_NOISE))


def _new(kind):
    """Objects of Qt that this test made and that still exist."""
    # Not isinstance: it asks lazy modules for their class, and openai's imports pandas then.
    return [one for one in gc.get_objects() if issubclass(type(one), kind) and shiboken6.isValid(one)]


def _threads():
    # A thread of Qt's pool that once ran Python stays listed as a dummy.
    return {one for one in threading.enumerate() if not isinstance(one, threading._DummyThread)}


@pytest.fixture
def qtbot(qtbot, monkeypatch):
    """Waits long enough for a machine that is busy with other tests; it ends as soon as there is no need."""
    for name in ("waitUntil", "waitSignal"):
        monkeypatch.setattr(qtbot, name, functools.partial(getattr(qtbot, name), timeout=LONG_ENOUGH))
    return qtbot


@pytest.fixture(autouse=True)
def nothing_left_behind(qapp, request):
    """Fails a test that leaves a thread, a pool task, a running timer or a child process."""
    if not {"qtbot", "background"} & set(request.fixturenames):
        yield  # nothing of Qt was made
        return
    gc.freeze()  # what was there before is neither searched nor collected again: a second less a test
    threads = _threads()
    children = {child.pid for child in psutil.Process().children(recursive=True)}
    hook = sys.excepthook
    with window_thread_only():
        yield
    qapp.sendPostedEvents(None, 52)  # deferred deletes
    qapp.processEvents()
    gc.collect()
    left = [thread.name for thread in _threads() if thread not in threads]
    assert left == [], f"threads left behind: {left}"
    assert QThreadPool.globalInstance().activeThreadCount() == 0
    assert [one for one in _new(QThread) if one.isRunning() and one is not QThread.currentThread()] == []
    ticking = [(one.parent(), one.interval()) for one in _new(QTimer) if one.isActive()]
    assert ticking == [], f"timers left running: {ticking}"
    now = [child for child in psutil.Process().children(recursive=True) if child.pid not in children]
    assert now == [], f"child processes left behind: {now}"
    assert sys.excepthook is hook


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Settings of this test only."""
    folder = tmp_path / "home"
    isolate(monkeypatch, folder)
    return folder


@pytest.fixture(scope="session")
def workspace_template(tmp_path_factory):
    """A workspace that is copied for each test, because drawing PDFs takes longer than copying."""
    return make_workspace(tmp_path_factory.mktemp("template") / "harbour")


@pytest.fixture
def workspace_root(workspace_template, tmp_path):
    """A workspace on real files: one PDF of four pages, all drafted."""
    import shutil

    return shutil.copytree(workspace_template, tmp_path / "harbour")


@pytest.fixture
def settings():
    return load_app_settings()


@pytest.fixture
def background():
    """The pool; a failure that nobody expects fails the test."""
    failures = []
    pool = Background(failures.append)
    yield pool
    pool.shutdown()
    assert failures == []


@pytest.fixture
def studio(qapp, qtbot, settings, tmp_path):
    """The composed window, shown, without a workspace."""
    from ocrstudio.ui.app import Studio

    store = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    studio = Studio(qapp, settings.model_copy(update={"reopen_last_workspace": False}), store)
    studio.start(None)
    yield studio
    studio.window.close()
    studio.shutdown()
    faults = studio.crashes.count
    studio.window.deleteLater()
    studio.themes.deleteLater()
    assert faults == 0, "a fault of the program was reported"


@pytest.fixture
def opened(studio, workspace_root, qtbot):
    """The composed window with the workspace open and its first page chosen."""
    assert studio.workspaces.open(workspace_root)
    qtbot.waitUntil(lambda: studio.session.page_id is not None)
    return studio


@pytest.fixture
def drawn(opened, qtbot):
    """The same, once the picture of the page is there."""
    qtbot.waitUntil(lambda: opened.window.viewer.view.has_picture)
    return opened
