"""The head of a run: state, phase, position, time left, figures, and the buttons that act on it."""

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from ocrstudio.domain.run import RunKind, RunState
from ocrstudio.domain.wording import count_of, duration, time_left
from ocrstudio.jobs.wording import values_in_words
from ocrstudio.ui.icons import pixmap
from ocrstudio.ui.jobs.history import RunHistory
from ocrstudio.ui.jobs.looks import RUN_LOOKS
from ocrstudio.ui.theme import theme
from ocrstudio.ui.widgets.buttons import push_button
from ocrstudio.ui.widgets.elided_label import ElidedLabel
from ocrstudio.ui.widgets.layouts import Edge, style_bar
from ocrstudio.ui.widgets.notes import note

_RESUMABLE = frozenset({RunState.STOPPED, RunState.FAILED, RunState.INTERRUPTED})
_SEPARATOR = "   \N{MIDDLE DOT}   "


class RunStatus(QWidget):
    """Shows a run and emits what the user wants of it.

    Args:
        stop_text: Words of the button that ends the run in good order.

    Signals:
        stop_requested: Save and end.
        stop_now_requested: End within seconds; the user has confirmed it.
        resume_requested: Go on.
        folder_requested: Open the folder of the run.
    """

    stop_requested = Signal()
    stop_now_requested = Signal()
    resume_requested = Signal()
    folder_requested = Signal()

    def __init__(self, stop_text: str) -> None:
        super().__init__()
        self._history: RunHistory | None = None
        self._title_text = ""
        self._colour = ""
        self._icon = QLabel()
        self._state = QLabel()
        self._state.setAccessibleName("State of the run")
        font = self._state.font()
        font.setBold(True)
        self._state.setFont(font)
        self._title = ElidedLabel("")
        self._title.setProperty("role", "muted")
        self._phase = ElidedLabel("")
        self._figures = ElidedLabel("")
        self._figures.setProperty("role", "muted")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Progress of the run")
        self._result = note()
        self.stop = push_button(stop_text, self.stop_requested.emit)
        self.stop_now = push_button("Stop now", self._ask)
        self.resume = push_button("Resume", self.resume_requested.emit, primary=True)
        self.folder = push_button("Open folder", self.folder_requested.emit)
        self._question = QWidget()
        self._ask_words = QLabel()
        self._ask_words.setWordWrap(True)
        self.confirm = push_button("Stop now", self._confirm)
        self._keep = push_button("Let it run", self._question.hide)
        self._lay_out()
        style_bar(self, Edge.BELOW)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._icon)
        head.addWidget(self._state)
        head.addWidget(self._title, 1)
        for button in (self.resume, self.stop, self.stop_now, self.folder):
            head.addWidget(button)
        question = QHBoxLayout(self._question)
        question.setContentsMargins(0, 0, 0, 0)
        question.addWidget(self._ask_words, 1)
        question.addWidget(self.confirm)
        question.addWidget(self._keep)
        self._question.hide()
        words = QHBoxLayout()
        words.setSpacing(16)
        words.addWidget(self._phase, 1)
        words.addWidget(self._figures, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(5)
        column.addLayout(head)
        column.addWidget(self._question)
        column.addLayout(words)
        column.addWidget(self._bar)
        column.addWidget(self._result)

    def show_run(self, title: str, history: RunHistory) -> None:
        """Shows a run, or its new state."""
        if history is not self._history:
            self._question.hide()
        self._history, self._title_text = history, title
        state = history.state
        look = RUN_LOOKS[state]
        self._icon.setPixmap(pixmap(look.icon, look.colour, 16))
        self._state.setText(look.word)
        self._title.setText(title)
        running = not state.is_over
        self._phase.setVisible(running)
        self._show_position(history)
        self.stop.setVisible(running)
        self.stop.setEnabled(state is not RunState.STOPPING)
        self.stop_now.setVisible(running)
        if not running:
            self._question.hide()
        self.resume.setVisible(state in _RESUMABLE)
        result = _result(history)
        self._result.setText(result)
        self._result.setVisible(bool(result))
        colour = theme().red if state is RunState.FAILED else theme().text
        if colour != self._colour:
            self._colour = colour
            self._result.setStyleSheet(f"color: {colour};")

    def restyle(self) -> None:
        """Takes the colours of the theme."""
        if self._history is not None:
            self.show_run(self._title_text, self._history)

    def _show_position(self, history: RunHistory) -> None:
        parts = [history.position()]
        if history.seconds_left is not None and history.state is RunState.RUNNING:
            parts.append(time_left(history.seconds_left))
        if history.state is RunState.STOPPING and history.total:
            parts.append("stopping, a checkpoint is saved first")
        self._phase.setText(_SEPARATOR.join(parts))
        figures = values_in_words(history.values)
        self._figures.setText(figures)
        self._figures.setVisible(bool(figures) and not history.state.is_over)
        self._bar.setVisible(not history.state.is_over)
        waiting = history.state is RunState.QUEUED
        self._bar.setRange(0, history.total or (1 if waiting else 0))
        self._bar.setValue(history.done)

    def _ask(self) -> None:
        history = self._history
        saved = history.newest_checkpoint if history is not None else ""
        lost = f"what came after {saved.rpartition('/')[2]}" if saved else "everything it has learnt so far"
        if history is not None and history.kind is RunKind.CURVE:
            lost = "what its training has learnt since the last checkpoint"
        self._ask_words.setText(f"End the worker without waiting? It may lose {lost}.")
        self._question.show()
        self.confirm.setFocus()

    def _confirm(self) -> None:
        self._question.hide()
        self.stop_now_requested.emit()


_MEASURED = {"cer": "CER", "text_edit": "text", "order_edit": "order", "teds": "TEDS"}


def _result(history: RunHistory) -> str:
    """How the run ended, in a sentence or two."""
    outcome = history.outcome
    if outcome is None:
        return ""
    facts = []
    summary = history.summary
    facts += [
        count_of(summary[name], word)
        for name, word in (("trainings", "training"), ("steps", "step"))
        if isinstance(summary.get(name), int)
    ]
    first, last = summary.get("first_loss"), summary.get("last_loss")
    if isinstance(first, float) and isinstance(last, float):
        facts.append(f"loss {first:.3f} \N{RIGHTWARDS ARROW} {last:.3f}")
    facts += [
        f"{words} {summary[name]:.1%}"
        for name, words in _MEASURED.items()
        if isinstance(summary.get(name), float)
    ]
    seconds = summary.get("seconds")
    if isinstance(seconds, int | float):
        facts.append(duration(seconds))
    words = f"{outcome.message} {outcome.hint}".strip()
    return f"{words} {', '.join(facts)}." if facts else words
