import sqlite3
import unicodedata
from pathlib import Path

import pytest

from ocrstudio.domain.document import DocumentKind, PageStatus
from ocrstudio.domain.errors import WorkspaceError
from ocrstudio.domain.label import HUMAN, NewRevision
from ocrstudio.domain.region import Box, Region
from ocrstudio.domain.run import RunKind, RunState
from ocrstudio.store import RunRecord, Workspace
from tests.fakes.workspaces import add_document


def other_connection(ws: Workspace) -> sqlite3.Connection:
    return sqlite3.connect(ws.root / "workspace.db", isolation_level=None)


def test_a_revision_comes_back_as_it_was_given(ws: Workspace, page_id: int) -> None:
    new = NewRevision(
        text="# Titel\n\nÄ 한국어 \x00",
        source="teacher:offline",
        task="markdown",
        prompt="Convert this document to markdown.",
        parameters={"model": "m", "temperature": 0.1, "seconds": 3},
        raw="<|ref|>title<|/ref|><|det|>[[0, 0, 999, 999]]<|/det|>",
        regions=(Region("title", (Box(0.0, 0.1, 0.5, 1.0), Box(0, 0, 1, 1)), 0, 7), Region("text", ())),
    )
    revision = ws.labels.append(page_id, new, make_current=True)
    assert ws.labels.get(revision.id) == revision == ws.labels.current(page_id)
    assert (revision.text, revision.raw, revision.regions) == (new.text, new.raw, new.regions)
    assert (revision.task, revision.prompt, revision.parameters) == (new.task, new.prompt, new.parameters)


def test_half_a_character_does_not_cost_the_label(ws: Workspace, page_id: int) -> None:
    kept = ws.labels.append(page_id, NewRevision("a \ud83d\ude00 b \ud83d c", HUMAN), make_current=True)
    assert kept.text == "a \U0001f600 b \ufffd c"


def test_history_is_newest_first_and_a_draft_beside_does_not_change_the_page(
    ws: Workspace, page_id: int
) -> None:
    first = ws.labels.append(page_id, NewRevision("one", HUMAN), make_current=True)
    second = ws.labels.append(page_id, NewRevision("two", "teacher:x"), make_current=False)
    assert ws.labels.current(page_id) == first
    assert ws.labels.history(page_id) == [second, first]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE label_revisions SET text = 'x'",
        "DELETE FROM label_revisions",
        "REPLACE INTO label_revisions VALUES (1, 1, '', 0, '', '', '', '{}', '[]', 'x', '')",
    ],
)
def test_no_program_can_change_or_delete_a_revision(ws: Workspace, page_id: int, statement: str) -> None:
    ws.labels.append(page_id, NewRevision("kept", HUMAN), make_current=True)
    other = other_connection(ws)
    with pytest.raises(sqlite3.IntegrityError, match="never"):
        other.execute(statement)
    other.close()
    assert [revision.text for revision in ws.labels.history(page_id)] == ["kept"]


def test_a_page_cannot_point_at_the_label_of_another_page(ws: Workspace) -> None:
    one, two = (row.page.id for row in ws.pages.list()[:2])
    revision = ws.labels.append(one, NewRevision("one", HUMAN), make_current=True)
    with pytest.raises(WorkspaceError, match="does not belong"):
        ws.labels.set_current(two, revision.id)
    other = other_connection(ws)
    other.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(sqlite3.IntegrityError):
        other.execute("UPDATE pages SET revision_id = ? WHERE id = ?", (revision.id, two))
    other.close()


def test_unknown_rows_are_named(ws: Workspace) -> None:
    for call in (
        lambda: ws.pages.get(99),
        lambda: ws.pages.set_status(99, PageStatus.FLAGGED),
        lambda: ws.labels.get(99),
        lambda: ws.labels.append(99, NewRevision("x", HUMAN), make_current=True),
        lambda: ws.documents.get(99),
    ):
        with pytest.raises(WorkspaceError, match="99"):
            call()
    with pytest.raises(WorkspaceError, match="no run nope"):
        ws.runs.get("nope")


def test_a_transaction_that_fails_leaves_nothing_behind(ws: Workspace, page_id: int) -> None:
    def fail_in_the_middle() -> None:
        with ws.transaction():
            ws.labels.append(page_id, NewRevision("lost", HUMAN), make_current=True)
            ws.pages.set_status(page_id, PageStatus.ACCEPTED)
            ws.pages.get(99)

    with pytest.raises(WorkspaceError, match="99"):
        fail_in_the_middle()
    assert ws.labels.history(page_id) == []
    assert ws.pages.list(text="lost") == []
    assert ws.pages.get(page_id).status is PageStatus.UNLABELLED


def test_the_list_filters_by_document_status_and_text(ws: Workspace) -> None:
    ws.documents.add(
        name="other", path="documents/o.png", kind=DocumentKind.IMAGE, sha256="o", page_sizes=[(10, 10)]
    )
    first, second, _, fourth = (row.page.id for row in ws.pages.list())
    ws.labels.append(first, NewRevision("Die Straße nach 서울역\n100% sicher", HUMAN), make_current=True)
    ws.labels.append(second, NewRevision('say "hello" AND go', "teacher:x"), make_current=True)
    ws.labels.append(fourth, NewRevision("an older text", HUMAN), make_current=True)
    ws.labels.append(fourth, NewRevision("newer", HUMAN), make_current=True)
    ws.pages.set_status(second, PageStatus.FLAGGED, "why")

    def found(**filters: object) -> list[int]:
        return [row.page.id for row in ws.pages.list(**filters)]  # type: ignore[arg-type]

    assert found(text="straße NACH") == [first]
    assert found(text="서울역") == [first]
    assert found(text="서울") == [first]  # shorter than a token of the index
    assert found(text="100%") == [first]
    assert found(text='"HELLO" and') == [second]
    assert found(text="_") == []
    assert found(text="older") == []  # only the current label counts
    assert found(document_id=2) == [fourth]
    assert found(statuses=[PageStatus.FLAGGED]) == [second]
    assert found(statuses=[]) == []
    row = ws.pages.list(statuses=[PageStatus.FLAGGED])[0]
    assert (row.document_name, row.source, row.snippet) == ("report", "teacher:x", 'say "hello" AND go')
    assert row.page.note == "why"


def test_counts_name_every_status(ws: Workspace, page_id: int) -> None:
    ws.pages.set_status(page_id, PageStatus.ACCEPTED)
    counts = ws.pages.counts()
    assert set(counts) == set(PageStatus)
    assert (counts[PageStatus.ACCEPTED], counts[PageStatus.UNLABELLED]) == (1, 2)


def test_a_removed_document_is_hidden_and_comes_back_with_its_labels(ws: Workspace, page_id: int) -> None:
    ws.labels.append(page_id, NewRevision("kept", HUMAN), make_current=True)
    ws.pages.set_status(page_id, PageStatus.ACCEPTED)
    ws.documents.remove(1)
    assert ws.documents.list() == ws.pages.list() == ws.pages.in_order(tuple(PageStatus)) == []
    assert ws.documents.find("report") is None
    assert sum(ws.pages.counts().values()) == 0
    assert [document.name for document in ws.documents.list(removed=True)] == ["report"]
    ws.documents.restore(1)
    current = ws.labels.current(page_id)
    assert current is not None
    assert current.text == "kept"
    assert ws.pages.get(page_id).status is PageStatus.ACCEPTED


def test_document_names_are_unique_in_any_case(ws: Workspace) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        ws.documents.add(
            name="REPORT", path="documents/x.pdf", kind=DocumentKind.PDF, sha256="x", page_sizes=[(1, 1)]
        )
    found = ws.documents.find("Report")
    assert found is not None
    assert found.id == 1


def test_a_document_is_found_by_its_name_in_every_unicode_form(ws: Workspace) -> None:
    add_document(ws, "Übersicht")
    assert ws.documents.find(unicodedata.normalize("NFD", "Übersicht")) is not None


def test_runs_are_listed_newest_first_and_updated(ws: Workspace) -> None:
    for number in (1, 2):
        ws.runs.add(
            RunRecord(
                f"r{number}", RunKind.TRAIN, RunState.STARTING, "A run", f"runs/r{number}", float(number)
            )
        )
    with pytest.raises(WorkspaceError, match="already has a run"):
        ws.runs.add(RunRecord("r1", RunKind.EVALUATE, RunState.STARTING, "", "runs/other", 3.0))
    updated = ws.runs.update("r1", state=RunState.FINISHED, summary={"loss": 0.5})
    assert (updated.state, updated.summary) == (RunState.FINISHED, {"loss": 0.5})
    assert ws.runs.update("r1", state=RunState.FAILED).summary == {"loss": 0.5}
    assert [run.id for run in ws.runs.list()] == ["r2", "r1"]
    assert ws.runs.list(RunKind.EVALUATE) == []


def test_a_change_by_another_connection_is_noticed(ws: Workspace, page_id: int, tmp_path: Path) -> None:
    before = ws.change_count()
    ws.pages.set_status(page_id, PageStatus.FLAGGED)
    assert ws.change_count() == before  # our own
    with Workspace.open(tmp_path / "ws") as other:
        other.pages.set_status(page_id, PageStatus.EXCLUDED)
    assert ws.change_count() != before
