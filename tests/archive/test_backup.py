"""Copies of an archive: whole, private, never over another file."""

import sqlite3
import stat
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest
from archive.old_archives import filled_with_zeros
from archive.stores import DAY, NOON, Opened, measured, one_meter, same_days, storing

from app.archive import Archive, open_archive
from app.archive.copies import copy_whole
from app.domain.errors import ArchiveDamaged, ArchiveError


def test_a_backup_is_an_archive_that_holds_the_same(archive: Archive, path: Path) -> None:
    meter = one_meter(archive)
    archive.store(meter.id, measured(DAY, 40), NOON)
    copy = path.with_name("copy.db")
    archive.backup(copy)
    archive.store(meter.id, measured(DAY, 40, micro_kwh=9), NOON)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert {file.name for file in path.parent.iterdir()} == {"archive.db", "copy.db"}
    with closing(open_archive(f"sqlite:///{copy}")) as copied:
        assert copied.integrity() == []
        assert [known.name for known in copied.meters()] == ["gas"]
        assert set(copied.days(meter.id, DAY, DAY + 39).half_hours.micro_kwh) == {250_000}


def test_a_backup_while_others_write_holds_whole_spans(archive: Archive, url: str, path: Path) -> None:
    meter = one_meter(archive)
    writers = [storing(url, meter.id, DAY + 1000 * i, 60, 5) for i in range(2)]
    numbers = count()
    copies = []
    while any(writer.is_alive() for writer in writers):
        copies.append(path.with_name(f"copy{next(numbers)}.db"))
        archive.backup(copies[-1])
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert len(copies) > 2
    for copy in copies:
        with closing(sqlite3.connect(copy)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert db.execute("SELECT count(*) % 5 FROM days").fetchone() == (0,)


@pytest.mark.parametrize("content", [b"", b"meter,kwh\n"])
def test_a_file_that_is_there_is_not_written_over(archive: Archive, path: Path, content: bytes) -> None:
    copy = path.with_name("copy.db")
    copy.write_bytes(content)
    with pytest.raises(ArchiveError, match="exists already") as caught:
        archive.backup(copy)
    assert caught.value.remedy
    assert copy.read_bytes() == content
    assert len(list(path.parent.iterdir())) == 2


def test_a_place_that_can_not_be_written_is_said(archive: Archive, path: Path) -> None:
    with pytest.raises(ArchiveError, match="can't be written: No such file or directory") as caught:
        archive.backup(path.parent / "nowhere" / "copy.db")
    assert "place" in caught.value.remedy


def test_a_damaged_archive_gives_no_backup(archive: Archive, path: Path) -> None:
    archive.store(one_meter(archive).id, measured(DAY, 400), NOON)
    filled_with_zeros(path, path.stat().st_size // 4096 // 2, 3)
    with closing(sqlite3.connect(path)) as db, pytest.raises(ArchiveDamaged):
        copy_whole(db, path.with_name("copy.db"))
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_backup_that_takes_the_archives_place_is_used_at_once(opened: Opened, path: Path) -> None:
    archive = opened()
    meter = one_meter(archive)
    archive.store(meter.id, measured(), NOON)
    copy = path.with_name("copy.db")
    archive.backup(copy)
    before, version = archive.days(meter.id, DAY, DAY), archive.version()
    archive.store(meter.id, measured(micro_kwh=9), NOON)
    copy.replace(path)
    assert archive.version() != version
    assert same_days(archive.days(meter.id, DAY, DAY), before)
    archive.store(meter.id, measured(DAY + 1), NOON)
    assert sum(opened().held().values()) == 96
