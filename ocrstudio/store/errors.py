"""SQLite's error codes as sentences for the user."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ocrstudio.domain.errors import WorkspaceError

_PRIMARY_CODE = 0xFF  # extended result codes carry the primary one in the low byte

_SENTENCES = {
    sqlite3.SQLITE_BUSY: (
        "The workspace {root} is being written by another program.",
        "Wait until it is done, then try again.",
    ),
    sqlite3.SQLITE_LOCKED: (
        "The workspace {root} is being written by another program.",
        "Wait until it is done, then try again.",
    ),
    sqlite3.SQLITE_READONLY: (
        "The workspace {root} cannot be written.",
        "Check the permissions of the folder and of workspace.db in it.",
    ),
    sqlite3.SQLITE_PERM: (
        "The workspace {root} cannot be written.",
        "Check the permissions of the folder and of workspace.db in it.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "The database of the workspace {root} cannot be opened.",
        "Check that the folder exists and that you may write in it.",
    ),
    sqlite3.SQLITE_FULL: (
        "The disk is full: the last change to the workspace {root} was not saved; everything before it is.",
        "Free some space, then try again.",
    ),
    sqlite3.SQLITE_IOERR: (
        "Reading or writing the database of the workspace {root} failed ({detail}).",
        "Check the disk. A workspace must be on a local disk, not on a network share.",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "The database of the workspace {root} is damaged ({detail}).",
        "Make a copy of the folder first. `sqlite3 workspace.db .recover` can read what is left of it.",
    ),
    sqlite3.SQLITE_NOTADB: (
        "The file workspace.db in {root} is not a workspace database.",
        "Choose another folder, or restore workspace.db from a backup.",
    ),
}


@contextmanager
def translated(root: Path) -> Iterator[None]:
    """Turn failures of SQLite that a user can act on into a `WorkspaceError`.

    Violated constraints stay as they are: they are mistakes of the program, not of the user.

    Raises:
        WorkspaceError: The database is locked, read-only, full, damaged or not a database.
    """
    try:
        yield
    except sqlite3.Error as error:
        # Errors that Python itself raises (a closed connection, a wrong thread) have no code.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & _PRIMARY_CODE
        if code not in _SENTENCES:
            raise
        message, hint = _SENTENCES[code]
        raise WorkspaceError(message.format(root=root, detail=error), hint) from error
