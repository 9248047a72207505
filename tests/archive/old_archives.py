"""Archives as version 1 made them, and files that something happened to."""

import sqlite3
from contextlib import closing
from importlib.resources import files
from pathlib import Path

from archive.stores import DAY, GAS, NOON, measured

from app.archive import SqliteArchive
from app.archive.versions import APPLICATION_ID

PAGE = 4096


def made_by_version_1(path: Path, days: int = 10) -> list[tuple[object, ...]]:
    """An archive of version 1 with days of one meter; its rows of days."""
    newest = path.with_name(f"{path.name}.made")
    with closing(SqliteArchive(newest)) as archive:
        meter = archive.remember([GAS], NOON)[0]
        archive.store(meter.id, measured(DAY, days), NOON)
    columns = "id, consent_uuid, type, name, status, earliest, latest, further, is_listed, first_seen_at, held_first"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(files("app.archive").joinpath("versions/1.sql").read_text("utf-8"))
        db.execute("ATTACH ? AS newest", (str(newest),))
        db.execute(f"INSERT INTO meters ({columns}, held_last) SELECT {columns}, held_last FROM newest.meters")
        for table in ("days", "facts", "keys"):
            db.execute(f"INSERT INTO {table} SELECT * FROM newest.{table}")
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute("PRAGMA user_version = 1")
        db.commit()
        rows = db.execute("SELECT * FROM days ORDER BY day").fetchall()
    newest.unlink()
    path.chmod(0o600)
    return rows


def filled_with_zeros(path: Path, first_page: int, pages: int = 1) -> None:
    """Pages, counted from 1, that hold nothing any more."""
    with path.open("r+b") as file:
        file.seek((first_page - 1) * PAGE)
        file.write(bytes(pages * PAGE))


def truncated(path: Path) -> None:
    """The file's second half is gone."""
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // PAGE // 2 * PAGE)


def root_of(path: Path, table: str) -> int:
    """The first page of a table."""
    with closing(sqlite3.connect(path)) as db:
        return int(db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0])
