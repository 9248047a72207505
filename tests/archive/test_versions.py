"""An archive of an older version is brought forward, whole or not at all, and a copy of it stays."""

import sqlite3
import stat
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from archive.old_archives import made_by_version_1
from archive.stores import DAY, NOON, measured

from app.archive import SqliteArchive
from app.archive.versions import SCHEMA_VERSION
from app.domain.errors import ArchiveError


def ask(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(query).fetchall()


def test_an_older_archive_is_brought_forward_and_a_copy_of_it_stays(path: Path) -> None:
    rows = made_by_version_1(path)
    with closing(SqliteArchive(path)) as archive:
        (meter,) = archive.meters()
        archive.asked([meter.id], NOON)
        assert archive.asked_since(NOON) == {meter.id}
        assert archive.integrity() == []
    assert ask(path, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert ask(path, "SELECT * FROM days ORDER BY day") == rows
    (copy,) = [file for file in path.parent.iterdir() if file != path]
    assert copy.name.startswith("archive.db.v1-20")
    assert copy.suffix == ".db"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert ask(copy, "PRAGMA user_version") == [(1,)]
    assert ask(copy, "SELECT * FROM days ORDER BY day") == rows
    SqliteArchive(path).close()
    assert len(list(path.parent.iterdir())) == 2, "nothing more is copied"


def test_an_archive_brought_forward_has_the_tables_of_a_new_one(path: Path) -> None:
    made_by_version_1(path)
    SqliteArchive(path).close()
    other = path.with_name("new.db")
    SqliteArchive(other).close()
    tables = "SELECT type, name, sql FROM sqlite_master ORDER BY name"
    assert ask(path, tables) == ask(other, tables)
    assert ask(path, "PRAGMA application_id") == ask(other, "PRAGMA application_id")


def test_a_copy_of_the_same_day_is_not_written_over(path: Path) -> None:
    for days in (10, 5):
        made_by_version_1(path, days)
        SqliteArchive(path).close()
        path.unlink()
    copies = sorted(path.parent.iterdir(), key=lambda file: len(file.name))
    assert [ask(copy, "SELECT count(*) FROM days") for copy in copies] == [[(10,)], [(5,)]]


@pytest.mark.parametrize("trigger", ["VIEW last_asked_at AS SELECT 1", "TABLE meters_too (last_asked_at)"])
def test_others_tables_in_it_are_kept(path: Path, trigger: str) -> None:
    made_by_version_1(path)
    ask(path, f"CREATE {trigger}")
    SqliteArchive(path).close()
    assert ask(path, "PRAGMA user_version") == [(SCHEMA_VERSION,)]


def test_one_that_can_not_be_brought_forward_is_read_as_it_is(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = made_by_version_1(path)
    ask(path, "ALTER TABLE meters ADD COLUMN last_asked_at TEXT")  # so that adding it fails
    with closing(SqliteArchive(path)) as archive:
        assert "read as they are" in caplog.text
        assert sum(archive.held().values()) == 10 * 48
        with pytest.raises(ArchiveError, match="duplicate column"):
            archive.store(1, measured(DAY + 20), NOON)
        assert ask(path, "PRAGMA user_version") == [(1,)]
        assert ask(path, "SELECT * FROM days ORDER BY day") == rows
        assert [file.name for file in path.parent.iterdir()] == [path.name], "no copy of what is still there"
        ask(path, "ALTER TABLE meters DROP COLUMN last_asked_at")
        archive.store(1, measured(DAY + 20), NOON)
        assert sum(archive.held().values()) == 11 * 48
    assert ask(path, "PRAGMA user_version") == [(SCHEMA_VERSION,)]


def test_processes_that_start_at_once_bring_it_forward_once(path: Path) -> None:
    rows = made_by_version_1(path, 200)
    processes = [get_context("spawn").Process(target=_open, args=(path, 300 + i)) for i in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    assert ask(path, "SELECT * FROM days WHERE day < '2022-01-01' ORDER BY day") == rows
    assert ask(path, "SELECT count(*) FROM days") == [(204,)]
    assert len(list(path.parent.glob("*.v1-*"))) == 1
    assert ask(path, "PRAGMA integrity_check") == [("ok",)]


def _open(path: Path, day: int) -> None:
    with closing(SqliteArchive(path)) as archive:
        archive.store(1, measured(DAY + day), NOON)
