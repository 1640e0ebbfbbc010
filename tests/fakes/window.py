"""The real window for tests: an isolated home for settings, and `main()` driven from inside its loop."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget

from ocrstudio.domain.label import NewRevision, teacher_source
from ocrstudio.domain.region import Box, Region
from ocrstudio.services import labelling
from ocrstudio.services.workspaces import import_sources
from ocrstudio.store import Workspace
from ocrstudio.ui.main_window import MainWindow
from tests.fakes.pdfs import text_pdf

TITLE = "# Chapter"
TIMEOUT = 20.0


def isolate(monkeypatch, home: Path) -> None:
    """Settings, recent workspaces and geometry of this test live in a folder of their own."""
    home.mkdir(parents=True, exist_ok=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    for format_ in (QSettings.Format.NativeFormat, QSettings.Format.IniFormat):
        QSettings.setPath(format_, QSettings.Scope.UserScope, str(home))


def make_workspace(root: Path, pages: int = 4) -> Path:
    """A workspace with one real PDF, each page drafted by a teacher with two regions."""
    source = text_pdf(root.with_suffix(".pdf"), pages)
    with Workspace.create(root) as workspace:
        report = import_sources(workspace, [source])
        for page in workspace.pages.of_document(report.imported[0].id):
            labelling.add_draft(workspace, page.id, draft(page.index))
    return root


def draft(index: int) -> NewRevision:
    """A teacher's text of a page: a heading and a paragraph, each with its region."""
    heading = f"{TITLE} {index + 1}"
    body = "The harbour office keeps a ledger."
    text = f"{heading}\n\n{body}\n"
    regions = (
        Region("title", (Box(0.1, 0.08, 0.5, 0.12),), 0, len(heading)),
        Region("text", (Box(0.1, 0.14, 0.9, 0.5),), len(heading) + 2, len(heading) + 2 + len(body)),
    )
    return NewRevision(text, teacher_source("offline"), "markdown", regions=regions)


def show_panel(studio, panel_id: str) -> None:
    """Brings a panel of the bottom area to the front; builds the panels if they are not there yet."""
    assert studio.panels is not None
    studio.window.show_panel(panel_id)


def shown_words(widget: QWidget) -> str:
    """Every word that labels in a widget show, a line for each; what a stack hides is not among them."""
    labels = widget.findChildren(QLabel)
    return "\n".join(label.text() for label in labels if label.isVisibleTo(widget))


def button(widget: QWidget, words: str) -> QAbstractButton:
    """The button with these words that a widget shows."""
    buttons = widget.findChildren(QAbstractButton)
    return next(one for one in buttons if one.text() == words and one.isVisibleTo(widget))


async def until(condition: Callable[[], object], what: str) -> None:
    """Waits inside the window's loop."""
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"still waiting for: {what}")
        await asyncio.sleep(0.01)


def run_main(argv: list[str], story: Callable[[MainWindow], Awaitable[None]]) -> int:
    """Runs the real `main()` while a story plays in its loop; then closes the window.

    Raises:
        Whatever the story raised.
    """
    from ocrstudio.ui.app import main

    outcome: list[BaseException] = []

    async def play() -> None:
        windows = [one for one in QApplication.topLevelWidgets() if isinstance(one, MainWindow)]
        window = next(one for one in windows if one.isVisible())
        try:
            await story(window)
        except BaseException as problem:  # noqa: BLE001 - raised again below
            outcome.append(problem)
        finally:
            window.close()

    tasks: list[asyncio.Task[None]] = []
    QTimer.singleShot(0, lambda: tasks.append(asyncio.get_event_loop().create_task(play())))
    status = main(argv)
    if outcome:
        raise outcome[0]
    return status
