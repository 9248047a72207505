"""An SQLite file: opened with care, a connection a thread, writes that begin by taking the write lock."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from app.domain.errors import ArchiveError

SCHEMA_VERSION = 1
APPLICATION_ID = 0x50535348
"""'PSSH', in the file's header, so that `file` and we know whose it is."""
BUSY_SECONDS = 10
SAFE_WAL = (3, 51, 3)
"""The write-ahead log of older SQLite can corrupt a file with several writers (sqlite.org/wal.html)."""


class SqliteFile:
    """The file at `path`, made if it isn't there. ArchiveError if it can't be used or is another program's."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        try:
            with _errors():
                _make_private(path)
                _refuse_foreign(path)
                self._connection()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Closes the connections of all threads."""
        with self._lock:
            while self._open:
                self._open.pop().close()
        self._local = threading.local()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection. ArchiveError."""
        with _errors():
            yield self._connection()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection in a transaction that is kept whole or not at all. ArchiveError."""
        with _errors():
            db = self._connection()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def _connection(self) -> sqlite3.Connection:
        if not hasattr(self._local, "db"):
            db = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            with self._lock:
                self._open.append(db)
            _set_up(db, self._path)
            self._local.db = db
        connection: sqlite3.Connection = self._local.db
        return connection


def _set_up(db: sqlite3.Connection, path: Path) -> None:
    """Makes the schema in an empty file, then how the file is written; a file that isn't ours stays untouched."""
    db.execute("PRAGMA foreign_keys = ON")
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise ArchiveError(
            f"The archive {path} was made by a newer powershaper-sheets.",
            remedy="Update powershaper-sheets, or set POWERSHAPER_ARCHIVE_URL to another file.",
        )
    if version == 0:
        _make_schema(db)
    safe = sqlite3.sqlite_version_info >= SAFE_WAL
    db.execute(f"PRAGMA journal_mode = {'WAL' if safe else 'DELETE'}")
    db.execute(f"PRAGMA synchronous = {'FULL' if safe else 'EXTRA'}")


def _make_schema(db: sqlite3.Connection) -> None:
    db.execute("BEGIN IMMEDIATE")
    if int(db.execute("PRAGMA user_version").fetchone()[0]) == 0:  # else another process was first
        for statement in _statements(files("app.archive").joinpath("schema.sql").read_text("utf-8")):
            db.execute(statement)
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    db.execute("COMMIT")


def _refuse_foreign(path: Path) -> None:
    """Looks at the header of a file (sqlite.org/fileformat.html) without opening it as a database."""
    with path.open("rb") as file:
        header = file.read(72)
    if header and not (header.startswith(b"SQLite format 3\0") and header[68:] == APPLICATION_ID.to_bytes(4)):
        raise ArchiveError(
            f"{path} is not an archive of powershaper-sheets.",
            remedy="Set POWERSHAPER_ARCHIVE_URL to a file of its own; this one was left as it is.",
        )


def _make_private(path: Path) -> None:
    """The file 0600, its folder 0700 if it is new: half-hours tell when people are at home."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o600))


def _statements(script: str) -> Iterator[str]:
    """The statements of a script one by one, so that they run inside our own transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise ArchiveError(
            f"The archive can't be used: {getattr(error, 'strerror', None) or error}.",
            remedy="Whoever runs this service: check that the archive's folder exists, can be written and has space.",
        ) from error
