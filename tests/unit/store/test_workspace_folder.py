import os
import shutil
import sqlite3
from importlib import resources
from pathlib import Path

import pytest

from ocrstudio.domain.document import PageStatus
from ocrstudio.domain.errors import WorkspaceError
from ocrstudio.domain.label import HUMAN, NewRevision
from ocrstudio.domain.run import RunKind
from ocrstudio.store import Workspace, is_workspace
from ocrstudio.store.database import Database
from ocrstudio.store.migrations import APPLICATION_ID, newest_version
from tests.fakes.workspaces import add_document


def labelled(root: Path) -> None:
    with Workspace.create(root) as ws:
        page_id = add_document(ws)[0]
        ws.labels.append(page_id, NewRevision("A label to find", HUMAN), make_current=True)


def test_create_makes_the_folders_and_opens_again(tmp_path: Path) -> None:
    root = tmp_path / "new" / "ws"
    labelled(root)
    assert is_workspace(root)
    assert {entry.name for entry in root.iterdir()} == {
        "workspace.db", "documents", "pages", "runs", "exports",
    }  # fmt: skip
    with Workspace.open(root) as ws:
        assert ws.backup is None
        assert ws.check_integrity() == []


def test_create_refuses_a_folder_with_something_in_it(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").touch()
    with pytest.raises(WorkspaceError, match="not empty"):
        Workspace.create(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.docx"]


def test_create_refuses_a_workspace_and_a_file(tmp_path: Path) -> None:
    labelled(tmp_path / "ws")
    with pytest.raises(WorkspaceError, match="workspace already"):
        Workspace.create(tmp_path / "ws")
    (tmp_path / "file").touch()
    with pytest.raises(WorkspaceError, match="is a file"):
        Workspace.create(tmp_path / "file")
    with pytest.raises(WorkspaceError, match="Not a directory"):
        Workspace.create(tmp_path / "file" / "below")


def test_what_is_not_a_workspace_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="There is no folder"):
        Workspace.open(tmp_path / "nowhere")
    for use in (Workspace.open, Workspace.create):
        with pytest.raises(WorkspaceError, match="File name too long"):
            use(tmp_path / ("x" * 300))
    with pytest.raises(WorkspaceError, match=r"not a workspace: it has no workspace\.db"):
        Workspace.open(tmp_path)
    (tmp_path / "workspace.db").write_text("a text file that is long enough to look like something" * 20)
    with pytest.raises(WorkspaceError, match="not a workspace database"):
        Workspace.open(tmp_path)


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    foreign = sqlite3.connect(tmp_path / "workspace.db")
    foreign.execute("CREATE TABLE theirs (x)")
    foreign.close()
    with pytest.raises(WorkspaceError, match="another program"):
        Workspace.open(tmp_path)


def test_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    labelled(tmp_path / "ws")
    newer = sqlite3.connect(tmp_path / "ws" / "workspace.db")
    newer.execute("PRAGMA user_version = 999")
    newer.close()
    with pytest.raises(WorkspaceError, match=r"newer OCR Studio .format 999") as caught:
        Workspace.open(tmp_path / "ws")
    assert caught.value.hint == "Update OCR Studio."


def make_version_1(root: Path) -> None:
    """A workspace as the first version of the format left it."""
    root.mkdir()
    script = (resources.files("ocrstudio.store") / "migrations" / "001_initial.sql").read_text("utf-8")
    old = sqlite3.connect(root / "workspace.db")
    old.executescript(script)
    old.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    old.execute("PRAGMA user_version = 1")
    old.execute("INSERT INTO documents VALUES (1, 'a', 'documents/a.pdf', 'pdf', 'x', 1, 0, NULL)")
    old.execute(
        "INSERT INTO label_revisions "
        "VALUES (1, 1, 'human', 0, 'old label', '', '', '{}', '[]', 'old label', '')"
    )
    old.execute("INSERT INTO pages VALUES (1, 1, 0, 100, 200, 'accepted', 1, NULL, '')")
    old.execute("INSERT INTO runs VALUES ('r1', 'train', 'finished', 'old run', 'runs/r1', 5.0, '{}')")
    old.commit()
    old.close()


def test_version_1_is_upgraded_after_a_backup(tmp_path: Path) -> None:
    make_version_1(tmp_path / "ws")
    with Workspace.open(tmp_path / "ws") as ws:
        assert [row.page.status for row in ws.pages.list(text="OLD lab")] == [PageStatus.ACCEPTED]
        assert [(run.id, run.kind, run.title) for run in ws.runs.list()] == [("r1", RunKind.TRAIN, "old run")]
        assert ws.check_integrity() == []
        backup = ws.backup
    assert backup == tmp_path / "ws" / "workspace.v1.backup.db"
    kept = sqlite3.connect(backup)
    assert kept.execute("PRAGMA user_version").fetchone() == (1,)
    assert kept.execute("SELECT text FROM label_revisions").fetchall() == [("old label",)]
    kept.close()
    with Workspace.open(tmp_path / "ws") as ws:
        assert ws.backup is None  # only once


def test_a_failed_upgrade_changes_nothing(tmp_path: Path) -> None:
    make_version_1(tmp_path / "ws")
    broken = sqlite3.connect(tmp_path / "ws" / "workspace.db")
    broken.execute("INSERT INTO pages VALUES (2, 77, 0, 100, 200, 'draft', NULL, NULL, '')")  # no document 77
    broken.commit()
    broken.close()
    with pytest.raises(WorkspaceError, match="was not changed"):
        Workspace.open(tmp_path / "ws")
    same = sqlite3.connect(tmp_path / "ws" / "workspace.db")
    assert same.execute("PRAGMA user_version").fetchone() == (1,)
    assert same.execute("SELECT count(*) FROM sqlite_schema WHERE name = 'label_search'").fetchone() == (0,)
    same.close()


def test_a_moved_workspace_is_complete(tmp_path: Path) -> None:
    labelled(tmp_path / "here")
    shutil.move(tmp_path / "here", tmp_path / "there")
    shutil.rmtree(tmp_path / "there" / "pages")  # an archive drops empty folders
    with Workspace.open(tmp_path / "there") as ws:
        assert [row.snippet for row in ws.pages.list(text="label")] == ["A label to find"]
        assert (ws.root / "pages").is_dir()
    database = (tmp_path / "there" / "workspace.db").read_bytes()
    assert str(tmp_path).encode() not in database


def test_damage_is_reported_with_what_to_do(tmp_path: Path) -> None:
    root = tmp_path / "ws"
    with Workspace.create(root) as ws:
        page_id = add_document(ws)[0]
        for number in range(200):
            ws.labels.append(page_id, NewRevision(f"{number} " + "text " * 200, HUMAN), make_current=True)
    database = root / "workspace.db"
    content = bytearray(database.read_bytes())
    content[8192:-8192] = os.urandom(len(content) - 16384)
    database.write_bytes(content)
    with pytest.raises(WorkspaceError, match="damaged") as caught, Workspace.open(root) as ws:
        ws.labels.history(page_id)
    assert "copy" in caught.value.hint


def test_a_full_disk_loses_only_what_was_not_confirmed(tmp_path: Path) -> None:
    labelled(tmp_path / "ws")
    with Workspace.open(tmp_path / "ws") as ws:
        page_id = ws.pages.list()[0].page.id
        limit = ws._database.integer("PRAGMA page_count")
        ws._database.rows(f"PRAGMA max_page_count = {limit}")
        with pytest.raises(WorkspaceError, match="disk is full"):
            ws.labels.append(page_id, NewRevision("x" * 100_000, HUMAN), make_current=True)
        ws._database.rows("PRAGMA max_page_count = 1000000")
        assert [revision.text for revision in ws.labels.history(page_id)] == ["A label to find"]
        ws.labels.append(page_id, NewRevision("space again", HUMAN), make_current=True)
        assert ws.check_integrity() == []


def test_a_lock_that_stays_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labelled(tmp_path / "ws")
    monkeypatch.setattr("ocrstudio.store.database.BUSY_TIMEOUT_S", 0.05)
    other = sqlite3.connect(tmp_path / "ws" / "workspace.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with Workspace.open(tmp_path / "ws") as ws:
        assert ws.pages.list()[0].snippet == "A label to find"  # reading goes on
        with pytest.raises(WorkspaceError, match="another program"):
            ws.pages.set_status(1, PageStatus.FLAGGED)
    other.close()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_a_sentence(tmp_path: Path) -> None:
    labelled(tmp_path / "ws")
    (tmp_path / "ws").chmod(0o555)
    try:
        with pytest.raises(WorkspaceError, match="read-only"):
            Workspace.open(tmp_path / "ws")
    finally:
        (tmp_path / "ws").chmod(0o755)


def test_a_database_that_turned_read_only_is_a_sentence(tmp_path: Path) -> None:
    labelled(tmp_path / "ws")
    with Workspace.open(tmp_path / "ws") as ws:
        ws._database.rows("PRAGMA query_only = ON")
        with pytest.raises(WorkspaceError, match="cannot be written"):
            ws.pages.set_status(1, PageStatus.FLAGGED)


def test_commits_are_synced_to_the_disk(tmp_path: Path) -> None:
    Workspace.create(tmp_path / "ws").close()
    database = Database(tmp_path / "ws" / "workspace.db")
    full = 2
    assert database.integer("PRAGMA synchronous") == full
    assert database.row("PRAGMA journal_mode") == ("wal",)
    assert database.integer("PRAGMA foreign_keys") == 1
    assert database.integer("PRAGMA user_version") == newest_version()
    database.close()
