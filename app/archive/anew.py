"""A damaged archive is set aside, never deleted, and a new one starts with what readers' links depend on."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.archive.copies import being_made, flush_folder, free_name, link, place
from app.archive.faults import errors
from app.archive.rows import key_of_row, meter_of_row
from app.archive.sqlite_file import BESIDE
from app.archive.versions import bring_forward
from app.domain.errors import ArchiveDamaged, BadParameter
from app.domain.meters import checked_name

log = logging.getLogger(__name__)
METERS = "SELECT id, name, is_listed, consent_uuid, type, status, earliest, latest, further, first_seen_at FROM meters"
KEYS = "SELECT id, name, sha256, scope, created_at, expires_on, last_used_at, revoked_at FROM keys"
ORDERS = (" ORDER BY rowid", " ORDER BY rowid DESC")
"""Read from both ends, what lies behind a damaged page is found too."""
LONGEST_WAIT_SECONDS = 10


def start_anew(path: Path, damage: ArchiveDamaged) -> None:
    """Sets the archive at `path` aside with what SQLite keeps beside it, and makes a new one in its place.

    The new one has the meters with their ids and names, and the access keys, as far as they can still be read; the
    half-hours are to be fetched again. ArchiveError if that can't be written; the archive then is where it was.
    """
    path = path.resolve()  # SQLite keeps what is beside a file where the file is, not where a link to it is
    identity = path.stat().st_ino
    with errors("The archive is damaged, and a new one can't be made"), being_made(path) as part, _locked(path):
        if path.stat().st_ino != identity:
            return  # another process was first
        meters, keys = _readable(path)
        with closing(sqlite3.connect(part, isolation_level=None)) as db:
            bring_forward(db, part)
            _fill(db, meters, keys)
        aside = free_name(path.with_name(f"{path.name}.damaged-{datetime.now(tz=UTC):%Y%m%dT%H%M%SZ}"))
        _set_aside(path, aside)
        if path.exists():
            part.replace(path)
        else:
            place(part, path)
        flush_folder(path.parent)
    log.error(
        "%s It was moved to %s and left as it is. The new archive begins with the names of %d meters and %d access "
        "keys; the half-hours are fetched again when they are asked for, or by `powershaper-sheets sync`.",
        damage,
        aside,
        len(meters),
        len(keys),
    )


def _set_aside(path: Path, aside: Path) -> None:
    """Another name for the file, and what belongs to it along with it: a new file must not find an old journal."""
    link(path, aside)
    for ending in BESIDE:
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).rename(aside.with_name(aside.name + ending))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keeps others from writing to the damaged file meanwhile, if it can still be locked; it can be read."""
    db = sqlite3.connect(path, timeout=LONGEST_WAIT_SECONDS, isolation_level=None)
    with closing(db):
        try:
            if db.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
                db.close()  # when it is closed SQLite removes the log of whatever is at the path then
            else:
                db.execute("BEGIN IMMEDIATE")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
                raise
        yield


def _readable(path: Path) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Rows of meters and of access keys that make sense. The file stays as it is."""
    meters, keys = [], []
    for mode in ("mode=ro", "immutable=1"):
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True)) as db:
            db.text_factory = _text
            meters = [row for row in _rows(db, METERS) if _is_meter(row)]
            keys = [row for row in _rows(db, KEYS) if _is_key(row)]
        if meters or keys:
            break
    return meters, keys


def _rows(db: sqlite3.Connection, query: str) -> list[tuple[Any, ...]]:
    rows: dict[Any, tuple[Any, ...]] = {}
    for order in ORDERS:
        with suppress(sqlite3.Error):
            for row in db.execute(query + order):
                rows.setdefault(row[0], row)
    return list(rows.values())


def _text(raw: bytes) -> str:
    """A row whose text is damaged must not hide the next ones."""
    return raw.decode("utf-8", "replace")


def _is_meter(row: tuple[Any, ...]) -> bool:
    try:
        meter = meter_of_row((*row[:9], None, None))
        checked_name(meter.name)
    except (ArchiveDamaged, BadParameter, TypeError):
        return False
    return all(isinstance(text, str) and "\ufffd" not in text for text in (*row[3:5], row[9]))


def _is_key(row: tuple[Any, ...]) -> bool:
    try:
        key_of_row(row)
    except ArchiveDamaged:
        return False
    return True


def _fill(db: sqlite3.Connection, meters: list[tuple[Any, ...]], keys: list[tuple[Any, ...]]) -> None:
    db.execute("BEGIN")
    db.executemany(
        "INSERT OR IGNORE INTO meters (id, name, is_listed, consent_uuid, type, status, earliest, latest, further,"
        " first_seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        meters,
    )
    db.executemany("INSERT OR IGNORE INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?)", keys)
    db.execute("COMMIT")
