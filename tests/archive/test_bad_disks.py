"""A full disk and one that can only be read, as they are met by those who ask over HTTP."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from archive.disks import full, make_read_only, small_disk
from archive.old_archives import made_by_version_1
from archive.stores import DAY, NOON, measured, one_meter, same
from service import A_ELECTRICITY, Running, eventually, running
from shell import Shell

from app.archive import SqliteArchive, Threads
from app.domain.errors import ArchiveError
from app.readthrough import Memory

JUNE = datetime(2021, 6, 15, 12, tzinfo=UTC)
HELD = "/usage.csv?meter=gas&period=2021-03&aggregate=day&tz=UTC"
COLD = "/usage.csv?meter=gas&period=2020&aggregate=month&tz=UTC"
OTHER = f"/usage.csv?meter={A_ELECTRICITY}&period=2021-03&aggregate=day&tz=UTC"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB."""
    with small_disk(tmp_path / "disk", 3000) as folder:
        yield folder


def days_in(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT count(*) FROM days").fetchone()[0])


def answers(service: Running) -> list[str]:
    return [service.text(question) for question in (HELD, COLD, OTHER, "/meters.csv")]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], int]:
    """The same answers of a service with a good disk, and the days that it has then."""
    folder = tmp_path_factory.mktemp("good")
    with running(folder, now=JUNE) as service:
        return answers(service), days_in(folder / "archive.db")


@pytest.fixture
def right(good: tuple[list[str], int]) -> list[str]:
    """The right answers."""
    return good[0]


@pytest.fixture
def days(good: tuple[list[str], int]) -> int:
    """How many days they need."""
    return good[1]


def test_what_a_full_disk_does_not_take_is_answered_kept_and_written_when_space_returns(
    disk: Path, right: list[str], days: int
) -> None:
    path = disk / "archive.db"
    with running(disk, now=JUNE) as service:
        assert service.text(HELD) == right[0]
        before = days_in(path)
        with full(disk):
            assert answers(service) == right
            calls = list(service.calls)
            service.clock.now += 26 * 3600  # the list of meters is due, and can't be written either
            for _ in range(3):
                assert service.get(COLD).text == right[1]
                assert service.get(OTHER).text == right[2]
            eventually(lambda: any(call.endswith("/meters/") for call in service.calls[len(calls) :]))
            assert [call for call in service.calls[len(calls) :] if "2020" in call] == []
            assert days_in(path) == before
            assert service.get("/readyz").text == "degraded\n"
            assert "archive_trouble,The archive can't be used: the disk is full." in service.text("/status.csv")
            again = list(service.calls)
            assert service.get("/meters.csv").status_code == service.get(COLD).status_code == 200
            assert service.calls == again
        eventually(lambda: days_in(path) >= days)
        eventually(lambda: service.get("/readyz").text == "ready\n")
        assert service.text(COLD) == right[1]
        assert service.calls == again
    with closing(SqliteArchive(path)) as archive:
        assert archive.integrity() == []
    with running(disk, clock=service.clock) as service:
        assert [service.text(question) for question in (HELD, COLD, OTHER)] == right[:3]
        assert service.calls == []


def test_a_first_list_of_meters_that_can_not_be_written_is_answered_and_asked_for_once(
    disk: Path, right: list[str], days: int
) -> None:
    path = disk / "archive.db"
    SqliteArchive(path).close()
    with running(disk, now=JUNE) as service:
        with full(disk):
            assert answers(service) == right
            calls = list(service.calls)
            assert answers(service) == right
            assert service.calls == calls
            assert days_in(path) == 0
        eventually(lambda: days_in(path) == days)
        assert answers(service) == right
        assert service.calls == calls


def test_a_disk_that_is_read_only_answers_what_is_held_and_takes_keys(disk: Path, right: list[str], days: int) -> None:
    path = disk / "archive.db"
    with running(disk, now=JUNE) as service:
        assert service.text(HELD) == right[0]
        key = service.make_key()
    make_read_only(disk)
    with running(disk, now=JUNE, more={"public_url": "https://sheets.example.org"}) as service:
        headers = {"Authorization": f"Bearer {key}"}
        assert service.get(HELD).status_code == 401
        assert service.get(HELD, headers=headers).text == right[0]
        assert service.get(COLD, headers=headers).text == right[1]
        calls = list(service.calls)
        assert service.get(COLD, headers=headers).text == right[1]
        assert service.calls == calls
        make_read_only(disk, read_only=False)
        eventually(lambda: days_in(path) == days - 31)
        assert service.get(COLD, headers=headers).text == right[1]
        assert service.calls == calls


def test_a_read_only_archive_with_a_write_ahead_log_or_of_an_older_version_is_read(disk: Path) -> None:
    path = disk / "archive.db"
    made_by_version_1(path)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = WAL")
    make_read_only(disk)
    with closing(SqliteArchive(path)) as archive:
        assert sum(archive.held().values()) == 480
        with pytest.raises(ArchiveError, match="Read-only file system"):
            archive.store(1, measured(DAY + 20), NOON)
        make_read_only(disk, read_only=False)
        archive.store(1, measured(DAY + 20), NOON)
        assert sum(archive.held().values()) == 480 + 48
        assert archive.integrity() == []


def test_an_archive_whose_damage_was_mended_is_read_where_nothing_can_be_written(disk: Path) -> None:
    path = disk / "archive.db"
    with closing(SqliteArchive(path)) as archive:
        archive.store(one_meter(archive).id, measured(), NOON)
    with closing(sqlite3.connect(path)) as db:
        db.execute("INSERT INTO facts VALUES ('damage_seen', '1')")
        db.commit()
    with full(disk), closing(SqliteArchive(path)) as archive:
        assert sum(archive.held().values()) == 48
    make_read_only(disk)
    with closing(SqliteArchive(path)) as archive:
        assert sum(archive.held().values()) == 48


def test_no_archive_can_begin_on_a_full_or_read_only_disk_and_that_is_said(disk: Path, shell: Shell) -> None:
    shell.env["POWERSHAPER_ARCHIVE_URL"] = f"sqlite:///{disk}/archive.db"
    with full(disk):
        assert "The archive can't be used: the disk is full." in shell.fails("meters")
    (disk / "archive.db").unlink()
    make_read_only(disk)
    said = shell.fails("meters")
    assert "The archive can't be used: Read-only file system." in said
    assert "check that the archive's folder exists, can be written and has space" in said


def test_a_sync_that_can_not_write_ends_and_says_so(disk: Path, shell: Shell) -> None:
    path = disk / "archive.db"
    shell.env["POWERSHAPER_ARCHIVE_URL"] = f"sqlite:///{path}"
    shell.out("meters")
    with full(disk):
        failed = shell.run("sync", "--since", "2022-06-01")
        assert failed.exit_code == 1
        assert "the disk is full" in failed.stderr
    shell.out("sync", "--since", "2022-06-01")
    assert days_in(path) > 0


def test_a_backup_that_has_no_space_leaves_nothing(disk: Path, path: Path) -> None:
    with closing(SqliteArchive(path)) as archive:
        archive.store(one_meter(archive).id, measured(DAY, 100), NOON)
        with full(disk), pytest.raises(ArchiveError, match="can't be written: the disk is full"):
            archive.backup(disk / "copy.db")
        assert list(disk.iterdir()) == []
        archive.backup(disk / "copy.db")


def test_an_older_archive_on_a_full_disk_is_read_as_it_is_and_brought_forward_when_space_returns(disk: Path) -> None:
    path = disk / "archive.db"
    made_by_version_1(path)
    with full(disk), closing(SqliteArchive(path)) as archive:
        assert sum(archive.held().values()) == 480
        assert sorted(file.name for file in disk.iterdir()) == ["archive.db", "ballast"]
    with closing(SqliteArchive(path)) as archive:
        archive.asked([1], NOON)
    assert len(list(disk.glob("archive.db.v1-*"))) == 1


def test_memory_tells_its_trouble_until_all_is_written(disk: Path) -> None:
    archive = SqliteArchive(disk / "archive.db")
    meter = one_meter(archive)

    async def told() -> list[str | None]:
        threads = Threads(archive)
        memory = Memory(threads, most_bytes=10**6)
        troubles = [memory.trouble]
        with full(disk):
            await memory.store(meter, measured(DAY, 300), NOON)
            troubles.append(memory.trouble)
            kept = await memory.days(meter, DAY, DAY + 299)
            assert same(kept.half_hours, measured(DAY, 300))
        await memory.write_what_waits()
        troubles.append(memory.trouble)
        await memory.aclose()
        threads.close()
        return troubles

    assert asyncio.run(told()) == [None, "The archive can't be used: the disk is full.", None]
    with closing(SqliteArchive(disk / "archive.db")) as again:
        assert again.held() == {meter.id: 300 * 48}


def test_what_waits_is_bounded_and_then_nothing_is_asked_for(disk: Path) -> None:
    archive = SqliteArchive(disk / "archive.db")
    meter = one_meter(archive)

    async def refused() -> None:
        threads = Threads(archive)
        memory = Memory(threads, most_bytes=10**6)
        with full(disk):
            for year in range(100):
                await memory.store(meter, measured(DAY + year * 366, 366), NOON)
            with pytest.raises(ArchiveError, match="too much waits") as caught:
                memory.make_sure_of_room(DAY, DAY + 365)
            assert "the disk is full" in str(caught.value)
            await memory.aclose()
        threads.close()

    asyncio.run(refused())
