"""An SQLite file: opened with care, a connection a thread, writes that begin by taking the write lock."""

import logging
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from app.archive.checks import check, exposed, faults_of, remember_damage
from app.archive.faults import damaged, errors
from app.archive.versions import APPLICATION_ID, SCHEMA_VERSION, bring_forward, version_of
from app.domain.errors import ArchiveDamaged, ArchiveError

log = logging.getLogger(__name__)
BUSY_SECONDS = 10
SAFE_WAL = (3, 51, 3)
"""The write-ahead log of older SQLite can corrupt a file with several writers (sqlite.org/wal.html)."""
BESIDE = ("-journal", "-wal", "-shm")
"""What SQLite appends to a file's name for those that it keeps beside it."""
Identity = tuple[int, int, bool]
"""The disk, the file on it, and whether that disk can only be read now."""


class SqliteFile:
    """The file at `path`, made if it isn't there. ArchiveError if it can't be used or is another program's.

    ArchiveDamaged if it is ours and holds what was never written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._damaged: Identity | None = None
        try:
            with errors():
                _make_private(path)
                _refuse_foreign(path)
                check(self._connection())
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
        """This thread's connection. ArchiveError, ArchiveDamaged."""
        with self._noticing_damage(), errors():
            yield self._connection()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection in a transaction that is kept whole or not at all. ArchiveError, ArchiveDamaged."""
        with self._noticing_damage(), errors(), self._opening_again_if_read_only():
            db = self._begun()
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    def version(self) -> int:
        """A number that changes when another connection has written, or when another file took this one's place."""
        with self.reading() as db:
            written = int(db.execute("PRAGMA data_version").fetchone()[0])
        return int(self._local.opened) << 32 | written

    def write_header_again(self) -> None:
        """Writes a page as it is: whether the file can be written shows in nothing less. ArchiveError."""
        with self.writing() as db:
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    def try_to_read(self) -> None:
        """Reads a little. ArchiveError if that can't be, ArchiveDamaged if damage was met anywhere in the file."""
        with self.reading() as db:
            db.execute("SELECT count(*) FROM facts").fetchone()
            if self._damaged == self._local.identity:
                raise damaged("some of it could not be read")

    def integrity(self) -> list[str]:
        """What is wrong with the file. Damage that is found is found again by the next start."""
        with self.reading() as db:
            faults = faults_of(db)
            if faults:
                with suppress(sqlite3.Error):
                    remember_damage(db)
            return faults + exposed(self._path)

    def size_bytes(self) -> int:
        """The size of the file and of those beside it."""
        with errors():
            size = self._path.stat().st_size
            for ending in BESIDE:
                with suppress(FileNotFoundError):  # each write makes a journal and takes it away
                    size += self._path.with_name(self._path.name + ending).stat().st_size
            return size

    def _begun(self) -> sqlite3.Connection:
        """A transaction that has the write lock, on the file that is at the path now and has this version's tables."""
        db = self._connection()
        bring_forward(db, self._path)
        db.execute("BEGIN IMMEDIATE")
        if _identity(self._path) == self._local.identity:
            return db
        db.execute("ROLLBACK")  # while this waited for the lock, another file took its place
        return self._begun()

    def _connection(self) -> sqlite3.Connection:
        """This thread's connection to the file that is at the path now: a backup may have taken its place."""
        identity = _identity(self._path)
        if getattr(self._local, "identity", None) != identity:
            self._drop()
            db = _connect(self._path)
            with self._lock:
                self._open.append(db)
            self._local.db = db
            _set_up(db, self._path)
            self._local.identity = identity
            self._local.opened = getattr(self._local, "opened", 0) + 1
        connection: sqlite3.Connection = self._local.db
        return connection

    def _drop(self) -> None:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is not None:
            with self._lock, suppress(ValueError):
                self._open.remove(db)
            db.close()
            self._local.db = self._local.identity = None

    @contextmanager
    def _opening_again_if_read_only(self) -> Iterator[None]:
        """A connection that was opened while nothing could be written never could write: the next try has another."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY:
                self._drop()
            raise

    @contextmanager
    def _noticing_damage(self) -> Iterator[None]:
        """Damage that is met is kept in mind in the file itself, so that the next start looks at all of it."""
        try:
            yield
        except ArchiveDamaged:
            with suppress(sqlite3.Error, OSError):
                if self._damaged != (identity := _identity(self._path)):
                    self._damaged = identity
                    with closing(_connect(self._path, patience=1)) as db:
                        remember_damage(db)
            raise


def _identity(path: Path) -> Identity:
    status = path.stat()
    return status.st_dev, status.st_ino, _is_on_read_only_disk(path)


def _connect(path: Path, patience: float = BUSY_SECONDS) -> sqlite3.Connection:
    """A connection, also to a file with a write-ahead log on a disk that can only be read.

    SQLite would make the log's index beside it, and can't. Where nothing can be written nothing changes either.
    """
    wal = path.with_name(path.name + "-wal")
    fixed = _is_on_read_only_disk(path) and not wal.exists()
    address = f"{path.absolute().as_uri()}?mode=rw" + ("&immutable=1" if fixed else "")
    return sqlite3.connect(address, uri=True, timeout=patience, isolation_level=None, check_same_thread=False)


def _is_on_read_only_disk(path: Path) -> bool:
    return os.name == "posix" and bool(os.statvfs(path).f_flag & os.ST_RDONLY)


def _set_up(db: sqlite3.Connection, path: Path) -> None:
    """The tables of this version, and how the file is written; a file that isn't ours stays untouched."""
    db.execute("PRAGMA foreign_keys = ON")
    older = version_of(db, path) > 0
    if older and db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise _foreign(path)
    try:
        with errors():
            bring_forward(db, path)
    except ArchiveDamaged:
        raise
    except ArchiveError as error:
        if not older:
            raise
        log.warning("The archive's older tables are read as they are: %s", error)
    _set_journal(db)


def _set_journal(db: sqlite3.Connection) -> None:
    """A safe journal for this SQLite. What can't be written now keeps the journal that it has."""
    safe = sqlite3.sqlite_version_info >= SAFE_WAL
    db.execute(f"PRAGMA synchronous = {'FULL' if safe else 'EXTRA'}")
    wanted = "WAL" if safe else "DELETE"
    if db.execute("PRAGMA journal_mode").fetchone()[0] == wanted.lower():
        return
    try:
        db.execute(f"PRAGMA journal_mode = {wanted}")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY and not safe:
            raise ArchiveError(
                "A program with a newer SQLite has the archive open, in a way that this one can't share safely.",
                remedy="Run all that use the archive with the same Python, or stop the other program.",
            ) from error
        if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_FULL}:
            raise


def _refuse_foreign(path: Path) -> None:
    """Looks at the header of a file (sqlite.org/fileformat.html) without opening it as a database."""
    with path.open("rb") as file:
        header = file.read(72)
    if header and not (header.startswith(b"SQLite format 3\0") and header[68:] == APPLICATION_ID.to_bytes(4)):
        raise _foreign(path)


def _foreign(path: Path) -> ArchiveError:
    return ArchiveError(
        f"{path} is not an archive of powershaper-sheets, or its beginning is damaged.",
        remedy=(
            "If it never was one, set POWERSHAPER_ARCHIVE_URL to a file of its own. If it was, move it away, and put a "
            "backup in its place or start without one. It was left as it is."
        ),
    )


def _make_private(path: Path) -> None:
    """The file 0600, its folder 0700 if it is new: half-hours tell when people are at home.

    A file that others could read is closed to them, where that can be done; `integrity` says where it can't.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o600))
    for file in (path, *(path.with_name(path.name + ending) for ending in BESIDE)):
        with suppress(OSError):
            if file.stat().st_mode & 0o077:
                file.chmod(0o600)
