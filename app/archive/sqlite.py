"""The archive in an SQLite file. A connection belongs to one thread; writes begin by taking the write lock."""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson

from app.archive.rows import (
    day_rows,
    days_of_rows,
    half_hour_number,
    half_hour_text,
    moment_seconds,
    moment_text,
)
from app.domain.days import Days
from app.domain.errors import ArchiveError, BadParameter, NotFound
from app.domain.halfhours import HalfHours
from app.domain.meters import ListedMeter, Meter, checked_name, names_for
from app.domain.spans import Span, day_of

SCHEMA_VERSION = 1
APPLICATION_ID = 0x50535348
"""'PSSH', in the file's header, so that `file` and we know whose it is."""
BUSY_SECONDS = 10
SAFE_WAL = (3, 51, 3)
"""The write-ahead log of older SQLite can corrupt a file with several writers (sqlite.org/wal.html)."""


class SqliteArchive:
    """See Archive for what each method does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        try:
            with _errors(path):
                _make_private(path)
                _refuse_foreign(path)
                self._connection()
        except BaseException:
            self.close()
            raise

    @classmethod
    def at(cls, url: str) -> "SqliteArchive":
        """The archive at `sqlite:///relative/path.db` or `sqlite:////absolute/path.db`."""
        return cls(Path(url.removeprefix("sqlite:///")))

    def meters(self) -> list[Meter]:
        """All meters that were ever listed."""
        with self._reading() as db:
            return _meters(db)

    def listed_at(self) -> int | None:
        """When the list of meters was last fetched."""
        with self._reading() as db:
            row = db.execute("SELECT value FROM facts WHERE name = 'meters_listed_at'").fetchone()
        return moment_seconds(row[0]) if row else None

    def remember(self, listed: Sequence[ListedMeter], now: int) -> list[Meter]:
        """Keeps a list of meters and names the newcomers."""
        by_key = {meter.key: meter for meter in listed}
        with self._writing() as db:
            known = _meters(db)
            known_keys = {meter.listed.key for meter in known}
            newcomers = [meter for key, meter in by_key.items() if key not in known_keys]
            db.execute("UPDATE meters SET is_listed = 0")
            db.executemany(
                "INSERT INTO meters (name, consent_uuid, type, further, is_listed, first_seen_at)"
                " VALUES (?, ?, ?, '{}', 1, ?)",
                [
                    (name, meter.consent_uuid, meter.type, moment_text(now))
                    for name, meter in zip(names_for(newcomers, known), newcomers, strict=True)
                ],
            )
            db.executemany(
                "UPDATE meters SET status = ?, earliest = ?, latest = ?, further = ?, is_listed = 1"
                " WHERE consent_uuid = ? AND type = ?",
                [_listed_row(meter) for meter in by_key.values()],
            )
            db.execute("INSERT OR REPLACE INTO facts VALUES ('meters_listed_at', ?)", (moment_text(now),))
            return _meters(db)

    def rename(self, old: str, new: str) -> None:
        """Gives a meter another short name."""
        checked_name(new)
        with self._writing() as db:
            names = {meter.name for meter in _meters(db)}
            if old not in names:
                raise NotFound(
                    "No meter has that name.",
                    remedy="`powershaper-sheets meters` lists the names of all meters.",
                )
            if new in names - {old}:
                raise BadParameter("Another meter has that name.", remedy="Choose a name that no meter has.")
            db.execute("UPDATE meters SET name = ? WHERE name = ?", (new, old))

    def days(self, meter_id: int, first_day: int, last_day: int) -> Days:
        """Days of a meter."""
        with self._reading() as db:
            return _days(db, meter_id, first_day, last_day)

    def store(self, meter_id: int, fetched: HalfHours, now: int) -> None:
        """Lays whole days over what is held."""
        first_day, last_day = fetched.span.first_day, fetched.span.last_day
        with self._writing() as db:
            days, revisions = _days(db, meter_id, first_day, last_day).refreshed(fetched, now)
            db.executemany(
                "INSERT OR REPLACE INTO days VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(meter_id, *row) for row in day_rows(days)],
            )
            db.executemany(
                "INSERT INTO revisions (meter_id, time_utc, old_energy_kwh, new_energy_kwh, old_carbon_kg,"
                " new_carbon_kg, seen_at) VALUES (?, ?, ? / 1e6, ? / 1e6, ? / 1e6, ? / 1e6, ?)",
                [
                    (
                        meter_id,
                        half_hour_text(revision.half_hour),
                        revision.old_micro_kwh,
                        revision.new_micro_kwh,
                        revision.old_micro_kg,
                        revision.new_micro_kg,
                        moment_text(now),
                    )
                    for revision in revisions
                ],
            )
            if (held := days.half_hours.present_span) is not None:
                _widen(db, meter_id, held)

    def count(self) -> int:
        """How many half-hours have a value."""
        with self._reading() as db:
            row = db.execute(
                "SELECT sum(48 - (length(energy_kwh) - length(replace(energy_kwh, 'null', ''))) / 4) FROM days"
            ).fetchone()
        return int(row[0] or 0)

    def version(self) -> int:
        """Changes when another connection has written; to be asked on the thread that writes."""
        with self._reading() as db:
            return int(db.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Closes the connections of all threads."""
        with self._lock:
            while self._open:
                self._open.pop().close()
        self._local = threading.local()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with _errors(self._path):
            yield self._connection()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with _errors(self._path):
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
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise ArchiveError(
            f"The archive {path} can't be used: {error}.",
            remedy="Check that its folder exists, can be written and has space, then try again.",
        ) from error


def _meters(db: sqlite3.Connection) -> list[Meter]:
    rows = db.execute(
        "SELECT id, name, is_listed, consent_uuid, type, status, earliest, latest, further, held_first, held_last"
        " FROM meters ORDER BY name"
    )
    return [
        Meter(
            id=row[0],
            name=row[1],
            is_listed=bool(row[2]),
            listed=ListedMeter(row[3], row[4], row[5], _span(row[6], row[7]), orjson.loads(row[8])),
            held=_span(row[9], row[10]),
        )
        for row in rows
    ]


def _span(first: str | None, last: str | None) -> Span | None:
    begin, end = half_hour_number(first), half_hour_number(last)
    return None if begin is None or end is None else Span(begin, end + 1)


def _ends(span: Span | None) -> tuple[str | None, str | None]:
    return (half_hour_text(span.first), half_hour_text(span.stop - 1)) if span is not None else (None, None)


def _listed_row(meter: ListedMeter) -> tuple[Any, ...]:
    further = orjson.dumps(meter.further).decode()
    return (meter.status, *_ends(meter.span), further, meter.consent_uuid, meter.type)


def _days(db: sqlite3.Connection, meter_id: int, first_day: int, last_day: int) -> Days:
    rows = db.execute(
        "SELECT day, energy_kwh, carbon_kg, error_count, fetched_at, changed_at, checks FROM days"
        " WHERE meter_id = ? AND day BETWEEN ? AND ?",
        (meter_id, day_of(first_day).isoformat(), day_of(last_day).isoformat()),
    ).fetchall()
    return days_of_rows(rows, first_day, last_day)


def _widen(db: sqlite3.Connection, meter_id: int, held: Span) -> None:
    """Times of one form compare as texts."""
    first, last = _ends(held)
    db.execute(
        "UPDATE meters SET held_first = min(coalesce(held_first, ?1), ?1), held_last = max(coalesce(held_last, ?2), ?2)"
        " WHERE id = ?3",
        (first, last, meter_id),
    )
