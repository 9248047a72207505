"""kill -9 in the middle of writes, of a backup and of a change of version; `--rounds 300` does it more often."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from archive.old_archives import made_by_version_1
from archive.stores import DAY, GAS, NOON
from archive.writers import (
    DAYS_A_SPAN,
    SPANS,
    Writers,
    back_up_until_killed,
    bring_forward,
    numbers_in,
    store_until_killed,
)
from service import eventually

from app.archive import Archive, SqliteArchive
from app.domain.meters import ListedMeter

WRITERS = 4


@pytest.fixture(scope="module")
def processes() -> Iterator[Writers]:
    """Starts processes and kills them."""
    with closing(Writers()) as writers:
        yield writers


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How often it is done."""
    return int(request.config.getoption("--rounds"))


def wait_for(*files: Path) -> None:
    """Until every process has said something."""
    eventually(lambda: all(map(numbers_in, files)), 60)


def assert_whole(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert not list(path.parent.glob("*.damaged-*"))


def test_what_was_said_to_be_kept_is_kept_and_no_span_is_half_there(
    archive: Archive, path: Path, rounds: int, processes: Writers
) -> None:
    meters = archive.remember([GAS, ListedMeter("b", "electricity", None, None)], NOON)
    archive.close()
    moments = np.random.default_rng(1)
    kept = 0
    for attempt in range(rounds):
        begins = [(meters[i % 2].id, DAY + (attempt * 2 + i // 2) * SPANS * DAYS_A_SPAN) for i in range(WRITERS)]
        files = [path.with_name(f"said-{attempt}-{i}") for i in range(WRITERS)]
        started = [
            processes.start(store_until_killed, said, path, *begin) for said, begin in zip(files, begins, strict=True)
        ]
        wait_for(*files)
        time.sleep(moments.uniform(0, 0.25))
        for process in started:
            processes.kill(process)
        said = [numbers_in(file) for file in files]
        assert_whole(path)
        with closing(SqliteArchive(path)) as opened:
            for (meter_id, first), numbers in zip(begins, said, strict=True):
                assert numbers == list(range(len(numbers)))
                kept += len(numbers)
                assert_spans(opened, meter_id, first, len(numbers))
    assert kept >= rounds * WRITERS


def assert_spans(archive: Archive, meter_id: int, first_day: int, said: int) -> None:
    """All that was said is there, and perhaps one span more that was written and not yet said; each of them whole."""
    days = archive.days(meter_id, first_day, first_day + SPANS * DAYS_A_SPAN - 1)
    spans = days.half_hours.micro_kwh.reshape(SPANS, -1)
    assert (spans == spans[:, :1]).all()
    assert (days.half_hours.present.reshape(SPANS, -1) == (spans > 0)).all()
    assert spans[:, 0].tolist() in (after(said), after(said + 1))


def after(stores: int) -> list[int]:
    """The values of all spans after so many stores."""
    values = [0] * SPANS
    for i in range(max(0, stores - SPANS), stores):
        values[i % SPANS] = i + 1
    return values


def test_a_killed_backup_leaves_no_copy_or_a_whole_one(
    archive: Archive, path: Path, rounds: int, processes: Writers
) -> None:
    archive.remember([GAS, ListedMeter("b", "electricity", None, None)], NOON)
    moments = np.random.default_rng(2)
    made = 0
    for attempt in range(rounds):
        folder = path.parent / str(attempt)
        folder.mkdir()
        written, copied = folder / "written", folder / "copied"
        writer = processes.start(store_until_killed, written, path, 1, DAY)
        copier = processes.start(back_up_until_killed, copied, path, folder)
        wait_for(written, copied)
        time.sleep(moments.uniform(0, 0.1))
        processes.kill(copier)
        processes.kill(writer)
        for copy in folder.glob("copy*.db"):
            assert_whole(copy)
            with closing(sqlite3.connect(copy)) as db:
                query = "SELECT count(*), count(DISTINCT energy_kwh) * 3 FROM days"
                days, days_of_whole_spans = db.execute(query).fetchone()
            assert days == days_of_whole_spans
            made += 1
        assert {folder / f"copy{number}.db" for number in numbers_in(copied)} <= set(folder.iterdir())
    assert made >= rounds
    assert_whole(path)


def test_a_killed_change_of_version_leaves_the_old_one_or_the_new_one(
    path: Path, rounds: int, processes: Writers
) -> None:
    old = path.with_name("old.db")
    rows = made_by_version_1(old, 1500)
    content = old.read_bytes()
    moments = np.random.default_rng(3)
    versions = []
    for attempt in range(rounds):
        folder = path.parent / str(attempt)
        folder.mkdir()
        archive = folder / "archive.db"
        said = folder / "said"
        process = processes.start(bring_forward, said, archive)
        wait_for(said)
        part = folder / "part"
        part.write_bytes(content)
        part.rename(archive)
        time.sleep(moments.uniform(0, 0.12))
        processes.kill(process)
        with closing(sqlite3.connect(archive)) as db:
            (version,) = db.execute("PRAGMA user_version").fetchone()
            columns = [row[1] for row in db.execute("PRAGMA table_info(meters)")]
            assert db.execute("SELECT * FROM days ORDER BY day").fetchall() == rows
        versions.append(version)
        assert ("last_asked_at" in columns) == (version == 2)
        copies = list(folder.glob("archive.db.v1-*.db"))
        assert copies or version == 1, "the copy comes first"
        for copy in [archive, *copies]:
            assert_whole(copy)
        with closing(SqliteArchive(archive)) as opened:
            assert opened.integrity() == []
            opened.asked([1], NOON)
    assert set(versions) <= {1, 2}
    assert len(versions) == rounds
