"""Joins the label of the chosen page to the workspace: shows it, saves it, and carries out the review."""

import time
from collections.abc import Callable, Collection
from functools import partial
from math import inf
from typing import TypeVar

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QInputDialog

from ocrstudio.domain.document import Page, PageStatus
from ocrstudio.domain.errors import OcrStudioError
from ocrstudio.domain.label import HUMAN, Revision
from ocrstudio.domain.region import Region
from ocrstudio.services import labelling
from ocrstudio.services.labelling import Decision
from ocrstudio.store import Workspace
from ocrstudio.ui.labels.autosave import Autosave
from ocrstudio.ui.labels.panel import LabelPanel
from ocrstudio.ui.labels.positions import moved_spans
from ocrstudio.ui.messages import Messages, Offer
from ocrstudio.ui.review import go_on, take_back
from ocrstudio.ui.session import Session

_LOOK_SECONDS = 1.0
"""A key that is pressed sooner after a draft came was meant for the text before it."""
_LOOK_AGAIN = "Read it and accept again; the Compare tab has the earlier text."

T = TypeVar("T")


class LabelController(QObject):
    """The label of the chosen page.

    Args:
        session: What is open.
        panel: Where the label is shown.
        listed: Ids of the pages that the list shows, or None for all; the review stays among them.
        messages: Where outcomes are said.
        autosave_delay_ms: Quiet time before what was typed is saved.

    Signals:
        regions_changed: The regions of the page as a tuple.
    """

    regions_changed = Signal(object)

    def __init__(
        self,
        session: Session,
        panel: LabelPanel,
        listed: Callable[[], Collection[int] | None],
        messages: Messages,
        autosave_delay_ms: int,
    ) -> None:
        super().__init__(panel)
        self._session = session
        self._panel = panel
        self._listed = listed
        self._messages = messages
        self._saved_text = ""
        self._seen: int | None = None
        self._came = -inf
        self.autosave = Autosave(self._save, autosave_delay_ms, self)
        self.autosave.state_changed.connect(panel.source_line.show_saved)
        self.autosave.failed.connect(self._tell_failure)
        panel.editor.edited.connect(self._text_edited)
        panel.editor.left.connect(self.save_now)
        panel.compare.restore_requested.connect(self.restore)
        session.opened.connect(lambda workspace: panel.preview.set_root(workspace.root))
        session.page_leaving.connect(lambda _: self.save_now())
        session.page_chosen.connect(self._show_page)
        session.pages_changed.connect(self._refresh)
        session.closing.connect(self.save_now)
        session.closed.connect(self._close)

    # Showing

    def _show_page(self, page_id: int | None) -> None:
        panel = self._panel
        self._came = -inf
        if page_id is None or self._session.workspace is None:
            self._saved_text, self._seen = "", None
            panel.editor.show_nothing()
            panel.source_line.clear()
            panel.preview.show_text("", new_page=True)
            panel.compare.show_history((), None, "")
            self.regions_changed.emit(())
            return
        waiting = self.autosave.unsaved.get(page_id)
        current = self._read(lambda workspace: workspace.labels.current(page_id))
        self._remember(current)
        text = self._saved_text if waiting is None else waiting
        panel.editor.show_page(page_id, text)
        panel.preview.show_text(text, new_page=True)
        self._show_facts(page_id)

    def _refresh(self, page_ids: tuple[int, ...]) -> None:
        """A label changed elsewhere (a draft came, a status was set)."""
        page_id = self._session.page_id
        if page_id is None or page_id not in page_ids or page_id in self.autosave.unsaved:
            return
        current = self._read(lambda workspace: workspace.labels.current(page_id))
        if current is not None and current.source != HUMAN and current.id > (self._seen or 0):
            self._came = time.monotonic()
        self._remember(current)
        text = self._saved_text
        if text != self._panel.editor.text:
            self._panel.editor.reload(text)
            self._panel.preview.show_text(text, new_page=False)
        self._show_facts(page_id)

    def _show_facts(self, page_id: int) -> None:
        """Status line, versions and regions of a page."""
        facts = self._read(lambda ws: (ws.pages.get(page_id), ws.labels.history(page_id)))
        if facts is None:
            return
        page, history = facts
        current = next((revision for revision in history if revision.id == page.revision_id), None)
        self._panel.source_line.show_page(page, current, len(history))
        self._panel.compare.show_history(history, page.revision_id, self._panel.editor.text)
        owner = labelling.region_owner(current, history)
        regions, spans = _regions(owner, self._panel.editor.text)
        self._panel.editor.set_regions(spans)
        self.regions_changed.emit(regions)

    def _remember(self, shown: Revision | None) -> None:
        """The revision that the user looks at from now on."""
        self._saved_text = shown.text if shown is not None else ""
        self._seen = shown.id if shown is not None else None

    def _close(self) -> None:
        self.autosave.drop()
        self._panel.editor.forget()

    # Saving

    def _text_edited(self) -> None:
        page_id, text = self._panel.editor.page_id, self._panel.editor.text
        if page_id is None or (text == self._saved_text and page_id not in self.autosave.unsaved):
            return
        self._came = -inf  # who writes into a draft has seen it
        self.autosave.text_changed(page_id, text)
        self._panel.preview.show_text(text, new_page=False)
        self._panel.compare.set_text(text)

    def save_now(self) -> bool:
        """Saves what is unsaved; returns whether everything is on the disk."""
        return self.autosave.flush() if self.autosave.unsaved else True

    def _save(self, page_id: int, text: str) -> None:
        workspace = self._session.require()
        saved = labelling.save_edit(workspace, page_id, text)
        if page_id == self._session.page_id:
            self._remember(saved)
            self._show_saved_state(workspace, page_id)
        self._session.tell_pages_changed((page_id,))

    def _show_saved_state(self, workspace: Workspace, page_id: int) -> None:
        page, history = workspace.pages.get(page_id), workspace.labels.history(page_id)
        current = next((revision for revision in history if revision.id == page.revision_id), None)
        self._panel.source_line.show_page(page, current, len(history))

    def _tell_failure(self, problem: OcrStudioError) -> None:
        self._messages.error(
            f"The label is not saved: {problem.message}", f"{problem.hint} It is tried again.".strip()
        )

    # Review

    def accept_and_next(self) -> None:
        """Accepts the label and goes to the next page to review."""
        page_id = self._session.page_id
        if page_id is None or not self.save_now():
            return
        if time.monotonic() - self._came < _LOOK_SECONDS:
            self._messages.info("A new draft of this page has just come. Nothing was accepted.", _LOOK_AGAIN)
            return
        try:
            step = labelling.accept_and_next(
                self._session.require(), page_id, seen=self._seen, within=self._listed()
            )
        except labelling.UnseenLabelError as problem:
            self._session.tell_pages_changed((page_id,))
            self._messages.info(problem.message, problem.hint)
            return
        except OcrStudioError as problem:
            self._messages.failure(problem)
            return
        self._session.tell_pages_changed((page_id,))
        go_on(self._session, self._messages, step, done="Accepted.")

    def flag(self) -> None:
        """Asks why and flags the page."""
        page = self._page()
        if page is None:
            return
        note = page.note if page.status is PageStatus.FLAGGED else ""
        words, agreed = QInputDialog.getText(
            self._panel, "Flag this page", "What should be looked at? (may stay empty)", text=note
        )
        if agreed:
            self._decide(
                lambda workspace, page_id: labelling.flag(workspace, page_id, words.strip()), "flagged"
            )

    def exclude(self) -> None:
        """Keeps the page out of every dataset."""
        self._decide(labelling.exclude, "excluded")

    def reopen(self) -> None:
        """Takes back an acceptance, a flag or an exclusion."""
        self._decide(labelling.reopen, "open again")

    def _decide(self, action: Callable[[Workspace, int], Page], outcome: str) -> None:
        """Gives the page another status and offers to take it back."""
        before = self._page()
        after = self._act(action) if before is not None else None
        if before is None or after is None or before.status is after.status:
            return
        undo = partial(take_back, self._session, self._messages, Decision((before,), (after,)))
        self._messages.info(f"The page is {outcome}.", offer=Offer("Undo", undo))

    def restore(self, revision_id: int) -> None:
        """Makes an older revision current again."""
        if self.save_now():
            self._act(lambda workspace, page_id: labelling.restore(workspace, page_id, revision_id))

    def next_doubt(self, step: int) -> None:
        """Goes to the next (1) or previous (-1) doubtful spot and says why it is one."""
        self._panel.tabs.setCurrentIndex(0)
        doubt = self._panel.editor.go_to_doubt(step)
        self._messages.info(
            f"Doubtful: {doubt.reason}." if doubt is not None else "No doubtful spot on this page."
        )

    def _act(self, action: Callable[[Workspace, int], T]) -> T | None:
        page_id = self._session.page_id
        if page_id is None or not self.save_now():
            return None
        try:
            outcome = action(self._session.require(), page_id)
        except OcrStudioError as problem:
            self._messages.failure(problem)
            return None
        self._session.tell_pages_changed((page_id,))
        return outcome

    def _page(self) -> Page | None:
        page_id = self._session.page_id
        return None if page_id is None else self._read(lambda workspace: workspace.pages.get(page_id))

    def _read(self, read: Callable[[Workspace], T]) -> T | None:
        try:
            return read(self._session.require())
        except OcrStudioError as problem:
            self._messages.failure(problem)
            return None


def _regions(owner: Revision | None, text: str) -> tuple[tuple[Region, ...], list[tuple[int, int]]]:
    """The regions of a page and where their text is now: their spans are moved along with the edits."""
    if owner is None:
        return (), []
    spans = [(region.start, region.end) for region in owner.regions]
    return owner.regions, moved_spans(owner.text, text, spans)
