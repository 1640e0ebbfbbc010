"""A story that the installer's own window plays: everything that loads a library or a file late.

`tests.e2e.test_installer` has it run inside the frozen program, whose interpreter reads its standard input.
"""

from PySide6.QtWidgets import QWidget

from tests.fakes.window import button, run_main, shown_words, until

_LABEL = "# Sums\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n\\(\\frac{a}{b}\\)\n"
_PICTURE = "\N{OBJECT REPLACEMENT CHARACTER}"


def play(workspace: str) -> None:
    """Opens a workspace with a finished training, goes through tabs and panels, and closes the window."""

    async def story(window) -> None:
        labels = window.labels
        await until(lambda: window.viewer.view.has_picture, "the picture of the page")
        labels.editor.setPlainText(_LABEL)
        labels.show_tab(1)
        await until(lambda: _PICTURE in labels.preview.toPlainText(), "the formula in the preview")
        labels.show_tab(2)
        for panel in ("teacher", "evaluation", "log", "environment"):
            window.show_panel(panel)
        await until(lambda: "does not hold what trains" in _found(window), "what the environment lacks")
        button(window, "Install what trains…")
        window.show_panel("training")
        await until(lambda: _is_drawn(window), "the curve of the training")
        assert "No page is accepted yet" in shown_words(window)

    print(f"window: {run_main([workspace], story)}")  # noqa: T201 - what the test waits for


def _found(window: QWidget) -> str:
    from ocrstudio.ui.environment.facts import as_text
    from ocrstudio.ui.environment.panel import EnvironmentPanel

    (panel,) = window.findChildren(EnvironmentPanel)
    return as_text(panel._sections)


def _is_drawn(window: QWidget) -> bool:
    """Whether pyqtgraph's plot is shown; its class must not be imported here."""
    return any(type(one).__name__ == "PlotWidget" and one.isVisible() for one in window.findChildren(QWidget))
