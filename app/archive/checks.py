"""Whether an SQLite file holds what was written: a quick look at each start, a long one when somebody asks."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path

from app.archive.faults import damaged, parsing
from app.archive.rows import DayRow, days_of_rows, key_of_row, meter_of_row
from app.domain.errors import ArchiveDamaged
from app.domain.spans import day_number

KEYS = (
    "SELECT id, name, sha256, scope, created_at, expires_on, last_used_at, revoked_at FROM keys ORDER BY created_at, id"
)
METERS = (
    "SELECT id, name, is_listed, consent_uuid, type, status, earliest, latest, further, held_first, held_last"
    " FROM meters ORDER BY name"
)
MOST_FAULTS = 20
DAMAGE_SEEN = "damage_seen"


def check(db: sqlite3.Connection) -> None:
    """A look that is quick enough for every start. ArchiveDamaged, sqlite3.Error.

    It walks every page but those that only carry on a long row. For ten meters over five years (27 MB) that takes 12
    ms, 40 from a cold disk; SQLite's own quick check 42 and 515. Damage that it can't see is met when the row is read,
    and is then remembered: the next start looks at everything.
    """
    for query in ("PRAGMA quick_check(meters)", "PRAGMA quick_check(keys)", "PRAGMA quick_check(facts)"):
        if (fault := db.execute(query).fetchone()[0]) != "ok":
            raise damaged(fault.splitlines()[-1])
    for query in ("SELECT count(*) FROM days", "SELECT count(*) FROM revisions"):
        db.execute(query).fetchone()
    if db.execute("SELECT 1 FROM facts WHERE name = ?", (DAMAGE_SEEN,)).fetchone() is None:
        return
    for fault in _faults(db):
        raise damaged(fault)
    with suppress(sqlite3.OperationalError):  # where nothing can be written now the next start looks again
        db.execute("DELETE FROM facts WHERE name = ?", (DAMAGE_SEEN,))


def remember_damage(db: sqlite3.Connection) -> None:
    """Has the next start look at everything. sqlite3.Error."""
    db.execute("INSERT OR REPLACE INTO facts VALUES (?, '1')", (DAMAGE_SEEN,))


def faults_of(db: sqlite3.Connection) -> list[str]:
    """What is wrong with what a file holds, a part of a sentence each and at most 20; it reads all of it."""
    found = []
    try:
        for fault in _faults(db):
            found.append(fault)
            if len(found) == MOST_FAULTS:
                break
    except sqlite3.Error as error:
        found.append(str(error))
    return found


def exposed(path: Path) -> list[str]:
    """Whether others than its owner can get at a file, as a part of a sentence or none."""
    mode = path.stat().st_mode & 0o777
    if os.name != "posix" or not mode & 0o077:
        return []
    return [f"others can get at {path} (mode {mode:04o}): close it with chmod 600"]


def _faults(db: sqlite3.Connection) -> Iterator[str]:
    for (line,) in db.execute(f"PRAGMA integrity_check({MOST_FAULTS})"):
        if line != "ok":
            yield str(line).removeprefix("*** in database main ***\n")
    for table, row_id, parent, _ in db.execute("PRAGMA foreign_key_check"):
        yield f"row {row_id} of {table} belongs to none of {parent}"
    yield from _unreadable(db)


def _unreadable(db: sqlite3.Connection) -> Iterator[str]:
    """Rows that SQLite gives and that can't be what was written."""
    for meter in db.execute(METERS):
        try:
            meter_of_row(meter)
        except ArchiveDamaged as error:
            yield f"meter {meter[0]} can't be read ({error.__cause__})"
    for key in db.execute(KEYS):
        try:
            key_of_row(key)
        except ArchiveDamaged as error:
            yield f"access key {key[0]} can't be read ({error.__cause__})"
    for meter_id, *values in db.execute(
        "SELECT meter_id, day, energy_kwh, carbon_kg, error_count, fetched_at, changed_at, checks FROM days"
    ):
        row: DayRow = tuple(values)
        try:
            with parsing():
                day = day_number(date.fromisoformat(row[0]))
            days_of_rows([row], day, day)
        except ArchiveDamaged as error:
            yield f"day {row[0]} of meter {meter_id} can't be read ({error.__cause__})"
