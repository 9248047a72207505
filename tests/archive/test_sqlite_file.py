"""The SQLite file itself: what other programs see of it, who may read it, and what is left alone."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from archive.stores import DAY, GAS, HOUR, NOON, measured, one_meter, same_days, storing, url_of

from app.archive import Archive, SqliteArchive
from app.domain.errors import ArchiveError


def sql(path: Path, *statements: str) -> list[tuple[Any, ...]]:
    """Runs statements as another program would; the rows of the last."""
    with closing(sqlite3.connect(path)) as db:
        for statement in statements[:-1]:
            db.execute(statement)
        rows = db.execute(statements[-1]).fetchall()
        db.commit()
    return rows


def test_a_day_is_a_row_that_people_can_read(archive: Archive, path: Path) -> None:
    meter = one_meter(archive)
    archive.store(meter.id, measured(micro_kwh=123_456, missing=tuple(range(2, 47)), flagged=(1,)), NOON)
    nulls = ",null" * 45
    assert sql(path, "SELECT * FROM days") == [
        (
            meter.id,
            "2021-06-01",
            f"[0.123456,null{nulls},0.123456]",
            f"[0.05,null{nulls},0.05]",
            f"[0,1{nulls},0]",
            "2021-06-03T12:00:00Z",
            "2021-06-03T12:00:00Z",
            0,
        )
    ]


def test_the_view_unrolls_days_to_half_hours(archive: Archive, path: Path) -> None:
    meter = one_meter(archive)
    stored = measured(DAY, 2, missing=(3,), flagged=(95,), micro_kg=None)
    stored.micro_kwh[:] = [0 if i in {3, 95} else i * 1001 for i in range(96)]
    archive.store(meter.id, stored, NOON)
    rows = sql(path, "SELECT * FROM half_hours ORDER BY time_utc")
    assert len(rows) == 96
    assert rows[0] == ("gas", GAS.consent_uuid, "gas", "2021-06-01 00:00:00", 0.0, None, 0)
    assert rows[3][3:] == ("2021-06-01 01:30:00", None, None, None)
    assert rows[47][3:] == ("2021-06-01 23:30:00", 0.047047, None, 0)
    assert rows[48][3:] == ("2021-06-02 00:00:00", 0.048048, None, 0)
    assert rows[95][3:] == ("2021-06-02 23:30:00", None, None, 1)
    assert [row[4] for row in rows] == [None if i in {3, 95} else i * 1001 / 1e6 for i in range(96)]


def test_the_view_gives_carbon_to_its_own_half_hour(archive: Archive, path: Path) -> None:
    stored = measured()
    stored.micro_kg[:] = range(48)
    archive.store(one_meter(archive).id, stored, NOON)
    rows = sql(path, "SELECT carbon_kg FROM half_hours ORDER BY time_utc")
    assert [row[0] for row in rows] == [i / 1e6 for i in range(48)]


def test_a_value_that_became_another_is_kept_as_a_revision(archive: Archive, path: Path) -> None:
    meter = one_meter(archive)
    archive.store(meter.id, measured(missing=(9,)), NOON)
    changed = measured(missing=(20,), flagged=(21,))
    changed.micro_kwh[5], changed.micro_kg[6] = 300_000, 60_000
    archive.store(meter.id, changed, NOON + HOUR)
    archive.store(meter.id, changed, NOON + 2 * HOUR)
    seen = "2021-06-03T13:00:00Z"
    assert sql(path, "SELECT * FROM revisions ORDER BY id") == [
        (1, meter.id, "2021-06-01T02:30:00Z", 0.25, 0.3, 0.05, 0.05, seen),
        (2, meter.id, "2021-06-01T03:00:00Z", 0.25, 0.25, 0.05, 0.06, seen),
    ]


def test_a_revision_of_a_meter_without_carbon_has_none(archive: Archive, path: Path) -> None:
    meter = one_meter(archive)
    archive.store(meter.id, measured(micro_kg=None), NOON)
    archive.store(meter.id, measured(micro_kg=None, micro_kwh=1), NOON + HOUR)
    rows = sql(path, "SELECT old_energy_kwh, new_energy_kwh, old_carbon_kg, new_carbon_kg FROM revisions")
    assert rows == [(0.25, 0.000001, None, None)] * 48


def test_a_failure_in_the_middle_of_a_span_leaves_nothing_of_it(archive: Archive, path: Path) -> None:
    meter = one_meter(archive)
    archive.store(meter.id, measured(DAY, 4), NOON)
    before = archive.days(meter.id, DAY, DAY + 3)
    refuse = "BEFORE INSERT ON {} WHEN {} BEGIN SELECT RAISE(ABORT, 'no space'); END"
    for table, when in (("days", "NEW.day = '2021-06-03'"), ("revisions", "NEW.time_utc >= '2021-06-02T12'")):
        sql(path, f"CREATE TRIGGER refusing {refuse.format(table, when)}")
        with pytest.raises(ArchiveError):
            archive.store(meter.id, measured(DAY, 4, micro_kwh=9), NOON + HOUR)
        assert same_days(archive.days(meter.id, DAY, DAY + 3), before)
        assert sql(path, "SELECT count(*) FROM revisions") == [(0,)]
        sql(path, "DROP TRIGGER refusing")
    archive.store(meter.id, measured(DAY, 4, micro_kwh=9), NOON + HOUR)
    assert sql(path, "SELECT count(*) FROM revisions") == [(4 * 48,)]


def test_a_commit_that_fails_does_not_stop_the_next(archive: Archive, path: Path) -> None:
    meter = one_meter(archive)
    sql(
        path,
        "CREATE TABLE parents (id INTEGER PRIMARY KEY)",
        "CREATE TABLE children (id INTEGER REFERENCES parents DEFERRABLE INITIALLY DEFERRED)",
        "CREATE TRIGGER orphans AFTER INSERT ON days BEGIN INSERT INTO children VALUES (1); END",
    )
    with pytest.raises(ArchiveError):
        archive.store(meter.id, measured(), NOON)
    assert not any(archive.held().values())
    sql(path, "PRAGMA busy_timeout = 100", "DROP TRIGGER orphans")
    archive.store(meter.id, measured(), NOON)
    assert sql(path, "SELECT count(*) FROM days") == [(1,)]


FILLING = """
import resource, sys
from pathlib import Path
from archive.stores import DAY, NOON, measured
from app.archive import Archive, SqliteArchive
from app.domain.errors import ArchiveError

archive = SqliteArchive(Path(sys.argv[1]))
most = Path(sys.argv[1]).stat().st_size + 20_000
resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
try:
    archive.store(1, measured(DAY, 300, micro_kwh=9), NOON)
except ArchiveError as error:
    print(error)
else:
    sys.exit("It took more than the disk holds.")
print(sum(archive.held().values()))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
archive.store(1, measured(DAY, 300, micro_kwh=9), NOON)
print(sum(archive.held().values()))
archive.close()
"""


def test_a_full_disk_loses_nothing_and_the_archive_goes_on_when_space_returns(archive: Archive, path: Path) -> None:
    archive.store(one_meter(archive).id, measured(DAY, 10), NOON)
    tests = Path(__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tests.parent), str(tests)])}
    filled = subprocess.run(
        [sys.executable, "-c", FILLING, str(path)], env=environment, capture_output=True, text=True, check=False
    )
    assert filled.returncode == 0, filled.stderr
    message, during, after = filled.stdout.splitlines()
    assert "rollback" not in message
    assert (int(during), int(after)) == (10 * 48, 300 * 48)
    assert sql(path, "PRAGMA integrity_check") == [("ok",)]


def test_a_killed_process_leaves_whole_spans(archive: Archive, path: Path) -> None:
    meter = one_meter(archive)
    for attempt in range(4):
        first_day = DAY + attempt * 10_000
        writer = storing(url_of(path), meter.id, first_day, 2000, 5)
        while not archive.days(meter.id, first_day + 15 * (attempt + 1), first_day + 15 * (attempt + 1)).held.any():
            assert writer.exitcode is None
        os.kill(writer.pid or 0, signal.SIGKILL)
        writer.join()
        assert writer.exitcode == -signal.SIGKILL
        held = archive.days(meter.id, first_day, first_day + 9_999).held
        assert held.sum() % 5 == 0
        assert held[: held.sum()].all()
        assert sql(path, "PRAGMA integrity_check") == [("ok",)]
    archive.store(meter.id, measured(), NOON)


def test_the_file_and_a_new_folder_are_their_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        path = tmp_path / "new" / "archive.db"
        with closing(SqliteArchive(path)) as archive:
            archive.store(one_meter(archive).id, measured(), NOON)
            for file in path.parent.iterdir():
                assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    finally:
        os.umask(before)


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
@pytest.mark.parametrize("version", [0, 1, 2, 99])
def test_an_sqlite_file_of_another_program_is_refused_and_left_alone(path: Path, journal: str, version: int) -> None:
    sql(path, f"PRAGMA journal_mode = {journal}", f"PRAGMA user_version = {version}", "CREATE TABLE notes (text)")
    refused_and_left_alone(path)


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_an_archive_of_a_newer_version_is_refused_and_left_alone(path: Path, journal: str) -> None:
    with closing(SqliteArchive(path)) as archive:
        archive.store(one_meter(archive).id, measured(), NOON)
    sql(path, f"PRAGMA journal_mode = {journal}", "PRAGMA user_version = 1000")
    refused_and_left_alone(path)


NO_DATABASES = [b"meter,kwh\ngas,1\n" * 500, bytes(5000), b"notes\n", b"SQLite format 3\x00" + b"x" * 9000]


@pytest.mark.parametrize("content", NO_DATABASES)
def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    refused_and_left_alone(path)


def refused_and_left_alone(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(ArchiveError) as caught:
        SqliteArchive(path)
    assert str(path) in str(caught.value)
    assert caught.value.remedy
    assert path.read_bytes() == before


def test_a_folder_where_the_file_should_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError):
        SqliteArchive(tmp_path)
    with pytest.raises(ArchiveError):
        SqliteArchive(Path(__file__) / "archive.db")


def test_an_empty_file_becomes_an_archive(path: Path) -> None:
    path.touch()
    with closing(SqliteArchive(path)) as archive:
        assert not any(archive.held().values())


def test_another_program_may_read_while_the_archive_is_open(archive: Archive, path: Path) -> None:
    meter = one_meter(archive)
    archive.store(meter.id, measured(), NOON)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        assert db.execute("SELECT count(*), sum(energy_kwh) FROM half_hours").fetchone() == (48, 12.0)
        archive.store(meter.id, measured(DAY + 1), NOON)
        assert db.execute("SELECT count(*) FROM half_hours").fetchone() == (96,)


def test_a_closed_archive_leaves_one_file(archive: Archive, path: Path) -> None:
    archive.store(one_meter(archive).id, measured(), NOON)
    archive.close()
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert sql(path, "PRAGMA application_id") == [(int.from_bytes(b"PSSH"),)]
