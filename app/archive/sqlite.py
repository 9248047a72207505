"""The archive in an SQLite file: its SQL."""

import sqlite3
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TypeVar

from app.archive.checks import KEYS, METERS
from app.archive.copies import copy_whole
from app.archive.faults import parsing
from app.archive.rows import (
    day_rows,
    days_of_rows,
    ends_of,
    half_hour_text,
    key_of_row,
    key_row,
    listed_row,
    meter_of_row,
    moment_seconds,
    moment_text,
)
from app.archive.sqlite_file import SqliteFile
from app.domain.days import Days
from app.domain.errors import BadParameter, NotFound
from app.domain.halfhours import HalfHours
from app.domain.keys import AccessKey
from app.domain.meters import ListedMeter, Meter, checked_name, names_for
from app.domain.spans import Span, day_of

T = TypeVar("T")


def path_of(url: str) -> Path:
    """The file that a URL `sqlite:///…` means."""
    return Path(url.removeprefix("sqlite:///"))


class SqliteArchive:
    """See Archive for what each method does."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path)

    @classmethod
    def at(cls, url: str) -> "SqliteArchive":
        """The archive at `sqlite:///relative/path.db` or `sqlite:////absolute/path.db`."""
        return cls(path_of(url))

    def meters(self) -> list[Meter]:
        """All meters that were ever listed."""
        with self._file.reading() as db:
            return _meters(db)

    def listed(self) -> tuple[int, int] | None:
        """When the list of meters was last fetched and last changed."""
        with self._file.reading() as db, parsing():
            facts = dict(db.execute("SELECT name, value FROM facts"))
            if "meters_listed_at" not in facts:
                return None
            return moment_seconds(facts["meters_listed_at"]), moment_seconds(facts["meters_changed_at"])

    def remember(self, listed: Sequence[ListedMeter], now: int) -> list[Meter]:
        """Keeps a list of meters and names the newcomers."""
        by_key = {meter.key: meter for meter in listed}
        with self._file.writing() as db:
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
                [listed_row(meter) for meter in by_key.values()],
            )
            meters = _meters(db)
            db.execute("INSERT OR REPLACE INTO facts VALUES ('meters_listed_at', ?)", (moment_text(now),))
            change = "INSERT OR REPLACE" if meters != known or not meters else "INSERT OR IGNORE"
            db.execute(f"{change} INTO facts VALUES ('meters_changed_at', ?)", (moment_text(now),))
            return meters

    def rename(self, old: str, new: str) -> None:
        """Gives a meter another short name."""
        checked_name(new)
        with self._file.writing() as db:
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
        with self._file.reading() as db:
            return _days(db, meter_id, first_day, last_day)

    def store(self, meter_id: int, fetched: HalfHours, now: int) -> None:
        """Lays whole days over what is held."""
        first_day, last_day = fetched.span.first_day, fetched.span.last_day
        with self._file.writing() as db:
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

    def fact(self, name: str) -> str | None:
        """A fact's text."""
        with self._file.reading() as db:
            row = db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def change_fact(self, name: str, change: Callable[[str | None], tuple[str, T]]) -> T:
        """Replaces a fact in one transaction."""
        with self._file.writing() as db:
            row = db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
            text, given = change(row[0] if row else None)
            if row is None or row[0] != text:  # a write wears the disk, and has other processes read everything again
                db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, text))
        return given

    def asked(self, meter_ids: Collection[int], now: int) -> None:
        """Keeps when meters were last asked for."""
        with self._file.writing() as db:
            db.executemany(
                "UPDATE meters SET last_asked_at = ? WHERE id = ?", [(moment_text(now), known) for known in meter_ids]
            )

    def asked_since(self, since: int) -> set[int]:
        """Meters that were asked for."""
        with self._file.reading() as db:
            return {
                row[0] for row in db.execute("SELECT id FROM meters WHERE last_asked_at >= ?", (moment_text(since),))
            }

    def held(self) -> dict[int, int]:
        """How many half-hours have a value."""
        with self._file.reading() as db:
            rows = db.execute(
                "SELECT meter_id, sum(48 - (length(energy_kwh) - length(replace(energy_kwh, 'null', ''))) / 4)"
                " FROM days GROUP BY meter_id"
            ).fetchall()
        return dict(rows)

    def size_bytes(self) -> int:
        """The size on the disk."""
        return self._file.size_bytes()

    def integrity(self) -> list[str]:
        """What is wrong with the file."""
        return self._file.integrity()

    def backup(self, path: Path) -> None:
        """Makes a copy."""
        with self._file.reading() as db:
            copy_whole(db, path)

    def try_to_read(self) -> None:
        """Reads a little."""
        self._file.try_to_read()

    def try_to_write(self) -> None:
        """Writes what is there already."""
        self._file.write_header_again()

    def keys(self) -> list[AccessKey]:
        """All access keys."""
        with self._file.reading() as db:
            return [key_of_row(row) for row in db.execute(KEYS)]

    def add_key(self, key: AccessKey) -> None:
        """Keeps a new access key."""
        with self._file.writing() as db:
            db.execute("INSERT INTO keys VALUES (?, ?, ?, ?, ?, ?, ?, ?)", key_row(key))

    def revoke_key(self, key_id: str, now: int) -> bool:
        """Revokes an access key."""
        with self._file.writing() as db:
            revoked = db.execute(
                "UPDATE keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (moment_text(now), key_id)
            )
            return revoked.rowcount == 1

    def key_used(self, key_id: str, now: int) -> None:
        """Keeps when an access key was last used."""
        with self._file.writing() as db:
            db.execute("UPDATE keys SET last_used_at = ? WHERE id = ?", (moment_text(now), key_id))

    def version(self) -> int:
        """Changes when another connection has written; to be asked on the thread that writes."""
        return self._file.version()

    def close(self) -> None:
        """Closes all connections."""
        self._file.close()


def _meters(db: sqlite3.Connection) -> list[Meter]:
    return [meter_of_row(row) for row in db.execute(METERS)]


def _days(db: sqlite3.Connection, meter_id: int, first_day: int, last_day: int) -> Days:
    rows = db.execute(
        "SELECT day, energy_kwh, carbon_kg, error_count, fetched_at, changed_at, checks FROM days"
        " WHERE meter_id = ? AND day BETWEEN ? AND ?",
        (meter_id, day_of(first_day).isoformat(), day_of(last_day).isoformat()),
    ).fetchall()
    return days_of_rows(rows, first_day, last_day)


def _widen(db: sqlite3.Connection, meter_id: int, held: Span) -> None:
    """Times of one form compare as texts."""
    first, last = ends_of(held)
    db.execute(
        "UPDATE meters SET held_first = min(coalesce(held_first, ?1), ?1), held_last = max(coalesce(held_last, ?2), ?2)"
        " WHERE id = ?3",
        (first, last, meter_id),
    )
