"""Versions of the archive's tables: one script each in `versions/`, run in their order, never backwards."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from app.archive.copies import copy_whole, free_name
from app.domain.errors import ArchiveError

SCHEMA_VERSION = 2
APPLICATION_ID = 0x50535348
"""'PSSH', in the file's header, so that `file` and we know whose it is."""
LONGEST_WAIT_SECONDS = 60
"""How long a process waits while another brings the same file forward, its copy included."""


def bring_forward(db: sqlite3.Connection, path: Path) -> None:
    """Makes the tables in an empty file, and those of this version in an older one; nothing if they are there.

    One transaction, and before it a copy of the older file as it was. Of several processes one does it. A failure
    leaves the file as it was. ArchiveError, sqlite3.Error.
    """
    if version_of(db, path) == SCHEMA_VERSION:
        return
    (patience,) = db.execute("PRAGMA busy_timeout").fetchone()
    db.execute(f"PRAGMA busy_timeout = {LONGEST_WAIT_SECONDS * 1000}")
    copy: Path | None = None
    try:
        db.execute("BEGIN IMMEDIATE")
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()  # a connection remembers tables as they were
        version = version_of(db, path)  # another process may have been first
        if 0 < version < SCHEMA_VERSION:
            copy = _copy_of(path, version)
        for number in range(version + 1, SCHEMA_VERSION + 1):
            for statement in _statements(files("app.archive").joinpath(f"versions/{number}.sql").read_text("utf-8")):
                db.execute(statement)
        if version < SCHEMA_VERSION:
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        if copy is not None:
            copy.unlink(missing_ok=True)  # the file itself is still what the copy is
        raise
    finally:
        db.execute(f"PRAGMA busy_timeout = {patience}")


def version_of(db: sqlite3.Connection, path: Path) -> int:
    """The version of a file's tables, 0 if it has none. ArchiveError if it is one that is not known yet."""
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise ArchiveError(
            f"The archive {path} was made by a newer powershaper-sheets.",
            remedy="Update powershaper-sheets, or set POWERSHAPER_ARCHIVE_URL to another file.",
        )
    return version


def _copy_of(path: Path, version: int) -> Path:
    """A copy beside a file that nobody else can write to now."""
    today = datetime.now(tz=UTC).date()
    copy = free_name(path.with_name(f"{path.name}.v{version}-{today}.db"))
    with closing(sqlite3.connect(path)) as reader:
        copy_whole(reader, copy)
    return copy


def _statements(script: str) -> Iterator[str]:
    """The statements of a script one by one, so that they run inside our own transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
