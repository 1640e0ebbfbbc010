"""A workspace: the folder, and the repositories on its database."""

import os
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from ocrstudio.domain.errors import WorkspaceError
from ocrstudio.store.database import Database
from ocrstudio.store.documents import DocumentRepository
from ocrstudio.store.labels import LabelRepository
from ocrstudio.store.migrations import upgrade
from ocrstudio.store.page_cache import PageCache
from ocrstudio.store.pages import PageRepository
from ocrstudio.store.runs import RunRepository

DATABASE_NAME = "workspace.db"
DOCUMENTS, PAGES, RUNS, EXPORTS = "documents", "pages", "runs", "exports"


def is_workspace(root: Path) -> bool:
    """Whether a folder looks like a workspace; `Workspace.open` checks it."""
    try:
        return (root / DATABASE_NAME).is_file()
    except OSError:  # a folder that may not be looked into, or a name too long
        return False


class Workspace:
    """An open workspace. It belongs to the thread that opened it; another thread opens its own.

    Attributes:
        root: Absolute path of the folder.
        documents: The documents.
        pages: The pages.
        labels: The labels and their history.
        runs: The runs.
        page_cache: The rendered pages.
        backup: The copy that was made because opening upgraded the database, or None.
    """

    def __init__(self, root: Path, database: Database, backup: Path | None = None) -> None:
        self.root = root
        self.backup = backup
        self._database = database
        self.documents = DocumentRepository(database)
        self.pages = PageRepository(database)
        self.labels = LabelRepository(database)
        self.runs = RunRepository(database)
        self.page_cache = PageCache(root / PAGES)

    @classmethod
    def create(cls, root: Path) -> Self:
        """Make a new workspace in a folder that is missing or empty.

        Raises:
            WorkspaceError: The folder has something in it, or cannot be written.
        """
        root = root.absolute()
        if is_workspace(root):
            raise WorkspaceError(f"The folder {root} is a workspace already.", "Open it instead.")
        try:
            _require_free(root)
            _make_folders(root)
        except OSError as error:
            raise WorkspaceError(
                f"The workspace {root} cannot be created: {error.strerror}.",
                "Choose a folder that you may write in.",
            ) from error
        return cls._connect(root, create=True)

    @classmethod
    def open(cls, root: Path) -> Self:
        """Open a workspace; one of an earlier version is upgraded after a backup was made.

        Raises:
            WorkspaceError: It is not a workspace, or is read-only, locked, damaged or of a newer version.
        """
        root = root.absolute()
        try:
            root.stat()
        except FileNotFoundError:
            raise WorkspaceError(f"There is no folder {root}.", "Check the path of the workspace.") from None
        except OSError as error:
            raise WorkspaceError(
                f"The workspace {root} cannot be opened: {error.strerror}.",
                "Check the path and its permissions.",
            ) from error
        if not is_workspace(root):
            raise WorkspaceError(
                f"The folder {root} is not a workspace: it has no {DATABASE_NAME}.",
                "Make one with `ocrstudio workspace new`, or choose another folder.",
            )
        if not (os.access(root, os.W_OK) and os.access(root / DATABASE_NAME, os.W_OK)):
            raise WorkspaceError(
                f"The workspace {root} is read-only.",
                "Copy it to a place where you may write, and open the copy.",
            )
        return cls._connect(root, create=False)

    @classmethod
    def _connect(cls, root: Path, *, create: bool) -> Self:
        database = Database(root / DATABASE_NAME, create=create)
        try:
            backup = upgrade(database)
            _make_folders(root)  # a copy or an archive may have dropped the empty ones
        except BaseException:
            database.close()
            raise
        return cls(root, database, backup)

    @property
    def documents_folder(self) -> Path:
        """Copies of the imported sources."""
        return self.root / DOCUMENTS

    @property
    def runs_folder(self) -> Path:
        """A folder for each run."""
        return self.root / RUNS

    @property
    def exports_folder(self) -> Path:
        """Where datasets go by default."""
        return self.root / EXPORTS

    def transaction(self) -> AbstractContextManager[None]:
        """A block whose writes are committed together or not at all; see `Database.transaction`."""
        return self._database.transaction()

    def change_count(self) -> int:
        """A number that differs from the last call's when another connection has changed the database."""
        return self._database.integer("PRAGMA data_version") or 0

    def check_integrity(self) -> list[str]:
        """Read the whole database and return what is wrong with it; empty when nothing is."""
        problems = [str(row[0]) for row in self._database.rows("PRAGMA integrity_check")]
        problems = [] if problems == ["ok"] else problems
        broken = self._database.rows("PRAGMA foreign_key_check")
        return problems + [f"row {row[1]} of {row[0]} refers to a missing row of {row[2]}" for row in broken]

    def size_bytes(self) -> int:
        """Size of the database, without what is still in the write-ahead log."""
        return (self.root / DATABASE_NAME).stat().st_size

    def close(self) -> None:
        """Close the database; the workspace cannot be used after that."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _require_free(root: Path) -> None:
    if root.exists() and not root.is_dir():
        raise WorkspaceError(f"{root} is a file.", "Choose a new name for a workspace.")
    if root.exists() and any(root.iterdir()):
        raise WorkspaceError(
            f"The folder {root} is not empty.", "Choose a new name or an empty folder for a workspace."
        )


def _make_folders(root: Path) -> None:
    for name in (DOCUMENTS, PAGES, RUNS, EXPORTS):
        (root / name).mkdir(parents=True, exist_ok=True)
