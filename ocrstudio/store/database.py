"""One connection to workspace.db: how it is opened, and what a transaction is."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ocrstudio.store.errors import translated

BUSY_TIMEOUT_S = 10.0

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",  # readers never wait for the writer
    "PRAGMA synchronous = FULL",  # a commit that returned survives a power failure
    "PRAGMA fullfsync = ON",  # macOS: fsync alone does not reach the disk
    "PRAGMA checkpoint_fullfsync = ON",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cell_size_check = ON",  # notice a damaged page when it is read, not after it was used
    "PRAGMA trusted_schema = OFF",  # a workspace may come from a stranger
)


class Database:
    """A connection that belongs to the thread that opened it.

    Args:
        path: The database file; it must exist unless `create` is set.
        create: Whether a missing file is created.

    Raises:
        WorkspaceError: The file cannot be opened; see `ocrstudio.store.errors`.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self._root = path.parent
        mode = "rwc" if create else "rw"
        with translated(self._root):
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode={mode}",
                uri=True,
                timeout=BUSY_TIMEOUT_S,
                isolation_level=None,  # transactions are begun and ended here, never implicitly
            )
            try:
                for pragma in _PRAGMAS:
                    self._connection.execute(pragma)
            except sqlite3.Error:
                self._connection.close()
                raise

    def close(self) -> None:
        """Close the connection; the last one to close tidies the write-ahead log into the database."""
        self._connection.close()

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a query and return all its rows."""
        with translated(self._root):
            return self._connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...] | None:
        """Run a query and return its first row, or None."""
        with translated(self._root):
            found: tuple[Any, ...] | None = self._connection.execute(sql, parameters).fetchone()
            return found

    def integer(self, sql: str, parameters: Sequence[Any] = ()) -> int | None:
        """Run a query for one whole number; None when there is no row."""
        found = self.row(sql, parameters)
        return None if found is None else int(found[0])

    def write(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Run one INSERT, UPDATE or DELETE in a transaction.

        Returns:
            The id of the inserted row, or the number of changed rows.
        """
        with self.transaction(), translated(self._root):
            cursor = self._connection.execute(sql, parameters)
        inserted = sql.lstrip()[:6].upper() == "INSERT"
        return (cursor.lastrowid or 0) if inserted else cursor.rowcount

    def write_many(self, sql: str, parameters: Iterable[Sequence[Any]]) -> None:
        """Run one statement for many rows in a transaction."""
        with self.transaction(), translated(self._root):
            self._connection.executemany(sql, parameters)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All writes of the block are committed together, or none is; an inner block joins the outer one.

        The write lock is taken at the start, so that what the block reads cannot change before it writes.

        Raises:
            WorkspaceError: Another process kept the lock longer than `BUSY_TIMEOUT_S`, or the disk is full.
        """
        if self._connection.in_transaction:
            yield
            return
        with translated(self._root):
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            with translated(self._root):
                self._connection.execute("COMMIT")
        finally:
            # Still open: the block or the commit failed. A full disk may have rolled back by itself.
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def copy_to(self, target: Path) -> None:
        """Write a consistent copy of the committed state, also while others write.

        Raises:
            WorkspaceError: The copy cannot be written.
        """
        with translated(self._root):
            copy = sqlite3.connect(target)
            try:
                self._connection.backup(copy)
            finally:
                copy.close()
