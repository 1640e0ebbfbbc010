"""The schema and its history: numbered scripts under migrations/, counted by PRAGMA user_version."""

import sqlite3
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from ocrstudio.domain.errors import WorkspaceError
from ocrstudio.store.database import Database

APPLICATION_ID = 0x4F435253  # "OCRS": marks the file as ours


def scripts() -> list[tuple[int, str]]:
    """All migrations as (version reached, SQL), oldest first."""
    folder = resources.files("ocrstudio.store") / "migrations"
    found = [entry for entry in folder.iterdir() if entry.name.endswith(".sql")]
    return sorted((int(entry.name.split("_")[0]), entry.read_text("utf-8")) for entry in found)


def newest_version() -> int:
    """The version that this program writes."""
    return scripts()[-1][0]


def upgrade(database: Database) -> Path | None:
    """Bring a database to the newest version, all steps in one transaction.

    Args:
        database: A new, empty database or one of any earlier version.

    Returns:
        The backup of the database as it was, or None when it was new or current.

    Raises:
        WorkspaceError: The database was written by a newer program or is not a workspace.
    """
    version = _checked_version(database)
    if version == newest_version():
        return None
    backup = None
    with database.transaction():
        version = _checked_version(database)  # another process may have been faster
        if version:
            backup = _back_up(database, version)
        for number, script in scripts():
            if number > version:
                for statement in _statements(script):
                    database.write(statement)
        database.write(f"PRAGMA application_id = {APPLICATION_ID}")
        database.write(f"PRAGMA user_version = {newest_version()}")
        if database.rows("PRAGMA foreign_key_check"):
            raise WorkspaceError(
                f"The database {database.path} has rows that refer to nothing; it was not changed.",
                "Restore workspace.db from a backup.",
            )
    return backup


def _checked_version(database: Database) -> int:
    version = database.integer("PRAGMA user_version") or 0
    if version > newest_version():
        raise WorkspaceError(
            f"The workspace {database.path.parent} was written by a newer OCR Studio "
            f"(format {version}; this program knows up to {newest_version()}).",
            "Update OCR Studio.",
        )
    is_new = version == 0 and database.integer("SELECT count(*) FROM sqlite_schema") == 0
    if not is_new and database.integer("PRAGMA application_id") != APPLICATION_ID:
        raise WorkspaceError(
            f"The file {database.path} is a database of another program.", "Choose another folder."
        )
    return version


def _back_up(database: Database, version: int) -> Path:
    """Copy the committed state through a second connection, while this one keeps others from writing."""
    target = database.path.with_name(f"{database.path.stem}.v{version}.backup.db")
    partial = target.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    reader = Database(database.path)
    try:
        reader.copy_to(partial)
    finally:
        reader.close()
    partial.replace(target)
    return target


def _statements(script: str) -> Iterator[str]:
    """Split a script; `executescript` would commit the transaction that it should be part of."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
