import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ocrstudio.domain.document import PageStatus
from ocrstudio.domain.errors import WorkspaceError
from ocrstudio.domain.label import HUMAN, IMPORT, NewRevision, teacher_source
from ocrstudio.domain.region import Box, Region
from ocrstudio.services import labelling
from ocrstudio.services.page_status import TRANSITIONS, Action, ReviewStep, next_in_review
from ocrstudio.store import Workspace
from tests.fakes.workspaces import add_document


@pytest.fixture
def ws(tmp_path: Path) -> Iterator[Workspace]:
    with Workspace.create(tmp_path / "ws") as workspace:
        add_document(workspace, pages=4)
        yield workspace


def draft(text: str, teacher: str = "offline") -> NewRevision:
    return NewRevision(text, teacher_source(teacher), task="markdown")


def text_of(ws: Workspace, page_id: int) -> str | None:
    current = ws.labels.current(page_id)
    return None if current is None else current.text


def test_from_a_draft_to_an_accepted_page_and_back_by_editing(ws: Workspace) -> None:
    labelling.add_draft(ws, 1, draft("draft"))
    assert ws.pages.get(1).status is PageStatus.DRAFT
    revision = labelling.save_edit(ws, 1, "corrected")
    assert revision is not None
    assert (revision.source, revision.task) == (HUMAN, "markdown")
    assert ws.pages.get(1).status is PageStatus.IN_REVIEW
    assert labelling.accept(ws, 1).status is PageStatus.ACCEPTED
    labelling.save_edit(ws, 1, "corrected again")
    assert ws.pages.get(1).status is PageStatus.IN_REVIEW
    assert [r.text for r in ws.labels.history(1)] == ["corrected again", "corrected", "draft"]


def test_an_unchanged_text_adds_nothing_and_keeps_the_acceptance(ws: Workspace) -> None:
    first = labelling.save_edit(ws, 1, "text")
    labelling.accept(ws, 1)
    assert labelling.save_edit(ws, 1, "text") == first
    assert ws.pages.get(1).status is PageStatus.ACCEPTED
    assert labelling.save_edit(ws, 2, "") is None
    assert ws.pages.get(2).status is PageStatus.UNLABELLED


@pytest.mark.parametrize("finish", [labelling.accept, labelling.exclude, lambda _ws, _page: None])
def test_a_teacher_never_replaces_the_work_of_a_person(ws: Workspace, finish) -> None:
    labelling.save_edit(ws, 1, "by hand")
    finish(ws, 1)
    before = ws.pages.get(1)
    labelling.add_draft(ws, 1, draft("machine"), note="it repeats itself")
    assert ws.pages.get(1) == before
    assert text_of(ws, 1) == "by hand"
    assert [r.text for r in ws.labels.history(1)] == ["machine", "by hand"]


def test_a_doubtful_draft_is_flagged_with_its_reason(ws: Workspace) -> None:
    labelling.add_draft(ws, 1, draft("a a a a"), note="the last 40 lines repeat")
    assert (ws.pages.get(1).status, ws.pages.get(1).note) == (PageStatus.FLAGGED, "the last 40 lines repeat")
    labelling.save_edit(ws, 1, "a")  # typing does not answer the doubt
    assert (ws.pages.get(1).status, ws.pages.get(1).note) == (PageStatus.FLAGGED, "the last 40 lines repeat")
    assert labelling.accept(ws, 1).note == ""


def test_a_failure_is_noted_only_where_there_is_nothing_better(ws: Workspace) -> None:
    assert labelling.mark_failed(ws, 1, "the server did not answer").note == "the server did not answer"
    assert labelling.mark_failed(ws, 1, "again").note == "again"
    labelling.add_draft(ws, 1, draft("now it worked"))
    assert (ws.pages.get(1).status, ws.pages.get(1).note) == (PageStatus.DRAFT, "")
    assert labelling.mark_failed(ws, 1, "later").status is PageStatus.DRAFT


def test_a_page_without_text_cannot_be_accepted(ws: Workspace) -> None:
    with pytest.raises(WorkspaceError, match="Page 1 of report has no label") as caught:
        labelling.accept(ws, 1)
    assert "exclude" in caught.value.hint
    labelling.add_draft(ws, 1, draft(" \n"))
    with pytest.raises(WorkspaceError):
        labelling.accept_and_next(ws, 1, seen=ws.pages.get(1).revision_id)
    assert ws.pages.get(1).status is PageStatus.DRAFT


def test_what_was_seen_is_accepted_and_not_a_draft_that_came_meanwhile(ws: Workspace) -> None:
    seen = labelling.add_draft(ws, 1, draft("read by a person"))
    labelling.add_draft(ws, 1, draft("nobody has read this"))
    labelling.accept(ws, 1, seen=seen.id)
    assert text_of(ws, 1) == "read by a person"
    assert ws.pages.get(1).status is PageStatus.ACCEPTED
    with pytest.raises(WorkspaceError, match="does not belong"):
        labelling.accept(ws, 2, seen=seen.id)


def test_nothing_is_accepted_when_another_draft_than_the_one_on_the_screen_is_there(ws: Workspace) -> None:
    seen = labelling.add_draft(ws, 1, draft("read by a person"))
    unseen = labelling.add_draft(ws, 1, draft("nobody has read this"))
    for shown in (seen.id, None):
        with pytest.raises(labelling.UnseenLabelError, match="Nothing was accepted"):
            labelling.accept_and_next(ws, 1, seen=shown)
    assert ws.pages.get(1).status is PageStatus.DRAFT
    labelling.accept_and_next(ws, 1, seen=unseen.id)
    assert text_of(ws, 1) == "nobody has read this"


def test_an_accepted_page_that_was_edited_and_undone_is_accepted_again(ws: Workspace) -> None:
    labelling.add_draft(ws, 1, draft("right"))
    accepted = labelling.accept(ws, 1).revision_id
    for text in ("rigt", "rigth", "righ"):
        labelling.save_edit(ws, 1, text)
        assert ws.pages.get(1).status is PageStatus.IN_REVIEW
    back = labelling.save_edit(ws, 1, "right")
    assert back is not None
    assert (back.id, ws.pages.get(1).revision_id) == (accepted, accepted)
    assert ws.pages.get(1).status is PageStatus.ACCEPTED
    assert len(ws.labels.history(1)) == 4


def test_a_label_that_nobody_accepted_is_not_accepted_by_undoing(ws: Workspace) -> None:
    labelling.add_draft(ws, 1, draft("first"))
    labelling.save_edit(ws, 1, "second")
    labelling.save_edit(ws, 1, "first")
    assert ws.pages.get(1).status is PageStatus.IN_REVIEW
    labelling.accept(ws, 1)
    labelling.reopen(ws, 1)  # the person has changed their mind
    labelling.save_edit(ws, 1, "third")
    labelling.save_edit(ws, 1, "first")
    assert ws.pages.get(1).status is PageStatus.IN_REVIEW


def test_restoring_the_accepted_revision_accepts_it_again(ws: Workspace) -> None:
    labelling.add_draft(ws, 1, draft("right"))
    accepted = labelling.accept(ws, 1).revision_id
    assert accepted is not None
    labelling.save_edit(ws, 1, "wrong")
    labelling.restore(ws, 1, accepted)
    assert ws.pages.get(1).status is PageStatus.ACCEPTED


def test_decisions_are_taken_back_unless_somebody_has_gone_on(ws: Workspace) -> None:
    for page in (1, 2, 3):
        labelling.add_draft(ws, page, draft(f"page {page}"))
        labelling.accept(ws, page)
    decision = labelling.flag_many(ws, [(page, f"CER {page} %") for page in (1, 2, 3)])
    assert [ws.pages.get(page).note for page in (1, 2, 3)] == ["CER 1 %", "CER 2 %", "CER 3 %"]
    labelling.save_edit(ws, 2, "corrected")
    assert labelling.take_back(ws, decision) == (1, 3)
    assert [ws.pages.get(page).status for page in (1, 2, 3)] == [S.ACCEPTED, S.FLAGGED, S.ACCEPTED]
    assert ws.pages.get(1).note == ""


BOXES = (Region("title", (Box(0.1, 0.1, 0.5, 0.2),), 0, 5),)


def boxes_of(ws: Workspace) -> int | None:
    owner = labelling.region_owner(ws.labels.current(1), ws.labels.history(1))
    return None if owner is None else owner.id


def test_regions_belong_to_the_text_that_they_came_with(ws: Workspace) -> None:
    first = labelling.add_draft(ws, 1, replace(draft("first"), regions=BOXES))
    assert boxes_of(ws) == first.id
    labelling.save_edit(ws, 1, "first, edited")
    labelling.save_edit(ws, 1, "first, edited twice")
    assert boxes_of(ws) == first.id
    labelling.add_draft(ws, 1, replace(draft("second", "other"), regions=BOXES))  # kept beside
    assert boxes_of(ws) == first.id


def test_a_label_without_regions_gets_none_of_another_revision(ws: Workspace) -> None:
    labelling.add_draft(ws, 1, replace(draft("with boxes"), regions=BOXES))
    labelling.add_draft(ws, 1, draft("a text layer has none", "text_layer"))
    assert boxes_of(ws) is None
    labelling.save_edit(ws, 1, "typed over it")
    assert boxes_of(ws) is None


def test_bulk_accept_skips_what_has_no_label(ws: Workspace) -> None:
    labelling.add_draft(ws, 1, draft("one"))
    labelling.add_draft(ws, 3, draft("three"))
    done = labelling.accept_many(ws, [1, 2, 3])
    assert (done.accepted, done.skipped) == ((1, 3), (2,))
    assert ws.pages.counts()[PageStatus.ACCEPTED] == 2


def test_restoring_an_older_revision_loses_none(ws: Workspace) -> None:
    labelling.add_draft(ws, 1, draft("draft"))
    labelling.save_edit(ws, 1, "worse")
    labelling.accept(ws, 1)
    old = ws.labels.history(1)[-1]
    labelling.restore(ws, 1, old.id)
    assert text_of(ws, 1) == "draft"
    assert ws.pages.get(1).status is PageStatus.IN_REVIEW
    assert len(ws.labels.history(1)) == 2
    with pytest.raises(WorkspaceError):
        labelling.restore(ws, 2, old.id)


def test_reopening_an_excluded_page(ws: Workspace) -> None:
    assert labelling.exclude(ws, 1, "blank").note == "blank"
    assert labelling.reopen(ws, 1).status is PageStatus.UNLABELLED
    labelling.save_edit(ws, 1, "text")
    labelling.exclude(ws, 1)
    assert labelling.reopen(ws, 1).status is PageStatus.IN_REVIEW


def test_an_imported_label_can_come_accepted(ws: Workspace) -> None:
    labelling.add_import(ws, 1, NewRevision("one", IMPORT), accepted=True)
    labelling.add_import(ws, 2, NewRevision("two", IMPORT))
    labelling.add_import(ws, 1, NewRevision("other", IMPORT), accepted=True)
    assert [ws.pages.get(page).status for page in (1, 2)] == [PageStatus.ACCEPTED, PageStatus.DRAFT]
    assert text_of(ws, 1) == "one"


def test_review_goes_forwards_and_stops_at_the_end(ws: Workspace) -> None:
    labelling.add_draft(ws, 1, draft("x"), note="doubt")
    for page_id in (2, 4):
        labelling.add_draft(ws, page_id, draft("x"))
    labelling.save_edit(ws, 2, "corrected")
    step = labelling.accept_and_next(ws, 2, seen=ws.pages.get(2).revision_id)
    assert step.page == 4, "neither the flagged page nor the first of the drafts"
    step = labelling.accept_and_next(ws, 4, seen=ws.pages.get(4).revision_id)
    assert (step.page, step.behind) == (None, (1,))
    assert labelling.next_to_review(ws, None, statuses=[PageStatus.FLAGGED]).page == 1


S = PageStatus


@pytest.mark.parametrize(
    ("statuses", "current", "backwards", "expected", "behind"),
    [
        ([S.DRAFT, S.DRAFT, S.DRAFT], 1, False, 2, (0,)),
        ([S.DRAFT, S.DRAFT, S.DRAFT], 1, True, 0, (2,)),
        ([S.DRAFT, S.DRAFT, S.DRAFT], 2, False, None, (0, 1)),
        ([S.DRAFT, S.DRAFT, S.DRAFT], 0, True, None, (1, 2)),
        ([S.DRAFT, S.ACCEPTED, S.DRAFT], 1, False, 2, (0,)),  # from a page that needs no review: onwards
        ([S.FLAGGED, S.IN_REVIEW, S.DRAFT], 1, False, 2, (0,)),
        ([S.FLAGGED, S.DRAFT, S.FLAGGED, S.IN_REVIEW], 1, False, 2, (0,)),
        ([S.DRAFT, S.UNLABELLED, S.FAILED], 0, False, None, ()),
        ([S.ACCEPTED, S.DRAFT], None, False, 1, ()),
        ([S.DRAFT, S.ACCEPTED], None, True, 0, ()),
        ([S.ACCEPTED], 0, False, None, ()),
        ([], None, False, None, ()),
    ],
)
def test_next_in_review(
    statuses: list[PageStatus],
    current: int | None,
    backwards: bool,
    expected: int | None,
    behind: tuple[int, ...],
) -> None:
    step = next_in_review(list(enumerate(statuses)), current, backwards=backwards)
    assert (step.page, step.behind) == (expected, behind)


def test_review_stays_within_the_filter_of_the_list() -> None:
    pages = list(enumerate([S.DRAFT] * 6))
    step = next_in_review(pages, 1, within={1, 4})
    assert (step.page, step.behind, step.hidden) == (4, (), 4)
    assert next_in_review(pages, 4, within={1, 4}) == ReviewStep(None, (1,), 4)


def test_the_table_is_complete() -> None:
    assert set(TRANSITIONS) == set(Action)
    assert all(set(row) == set(PageStatus) for row in TRANSITIONS.values())


EDITOR = """
import sys
from pathlib import Path
from ocrstudio.services import labelling
from ocrstudio.store import Workspace
with Workspace.open(Path(sys.argv[1])) as ws:
    for number in range(30):
        labelling.save_edit(ws, 1, f"{sys.argv[2]} {number}")
"""


def test_two_people_editing_one_page_lose_nothing(ws: Workspace) -> None:
    command = [sys.executable, "-c", EDITOR, str(ws.root)]
    editors = [subprocess.Popen([*command, name]) for name in ("left", "right")]
    assert [editor.wait(timeout=60) for editor in editors] == [0, 0]
    texts = {revision.text for revision in ws.labels.history(1)}
    assert texts == {f"{name} {number}" for name in ("left", "right") for number in range(30)}
    assert text_of(ws, 1) == ws.labels.history(1)[0].text


class Labelling(RuleBasedStateMachine):
    """Whatever people and teachers do to a page, in any order."""

    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.ws = Workspace.create(Path(tempfile.mkdtemp(dir=self.folder)))
        (self.page,) = add_document(self.ws, pages=1)
        self.appended: list[int] = []

    def teardown(self) -> None:
        self.ws.close()

    def keep(self, revision) -> None:
        if revision is not None and revision.id not in self.appended:
            self.appended.append(revision.id)

    @rule(text=st.text(max_size=3))
    def edit(self, text: str) -> None:
        self.keep(labelling.save_edit(self.ws, self.page, text))

    @rule(text=st.text(max_size=3), note=st.sampled_from(["", "doubt"]))
    def teacher_drafts(self, text: str, note: str) -> None:
        before, label = self.ws.pages.get(self.page), self.ws.labels.current(self.page)
        self.keep(labelling.add_draft(self.ws, self.page, draft(text), note=note))
        if before.status is PageStatus.ACCEPTED or (label is not None and label.source == HUMAN):
            assert self.ws.pages.get(self.page) == before

    @rule()
    def teacher_fails(self) -> None:
        before = self.ws.pages.get(self.page)
        after = labelling.mark_failed(self.ws, self.page, "reason")
        assert before == after or before.status in (PageStatus.UNLABELLED, PageStatus.FAILED)

    @rule()
    def accept(self) -> None:
        label = self.ws.labels.current(self.page)
        if label is None or not label.text.strip():
            with pytest.raises(WorkspaceError):
                labelling.accept(self.ws, self.page)
        else:
            assert labelling.accept(self.ws, self.page).revision_id == label.id

    @rule(action=st.sampled_from([labelling.flag, labelling.exclude, labelling.reopen]))
    def decide(self, action) -> None:
        before = self.ws.pages.get(self.page)
        assert action(self.ws, self.page).revision_id == before.revision_id

    @rule(data=st.data())
    def restore(self, data) -> None:
        if self.appended:
            chosen = data.draw(st.sampled_from(self.appended))
            labelling.restore(self.ws, self.page, chosen)
            assert self.ws.pages.get(self.page).revision_id == chosen

    @invariant()
    def nothing_is_lost(self) -> None:
        assert [r.id for r in reversed(self.ws.labels.history(self.page))] == self.appended

    @invariant()
    def an_accepted_page_has_a_label(self) -> None:
        page = self.ws.pages.get(self.page)
        if page.status is PageStatus.ACCEPTED:
            assert self.ws.labels.get(page.revision_id).text.strip()

    @invariant()
    def a_status_without_a_label_says_so(self) -> None:
        page = self.ws.pages.get(self.page)
        if page.status in (PageStatus.DRAFT, PageStatus.IN_REVIEW):
            assert page.revision_id is not None


def test_no_order_of_actions_breaks_the_rules(tmp_path: Path) -> None:
    from hypothesis.stateful import run_state_machine_as_test

    machine = type("LabellingHere", (Labelling,), {"folder": tmp_path})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
