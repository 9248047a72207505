"""A file that something happened to: said plainly, set aside by what serves, never a wrong number."""

import sqlite3
import stat
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from archive.old_archives import PAGE, filled_with_zeros, root_of, truncated
from archive.stores import CONSENT_B, DAY, GAS, NOON, at_random, measured, same
from service import A_ELECTRICITY, Running, running

from app.access import access_key, new_key
from app.archive import SqliteArchive, open_archive
from app.domain.errors import ArchiveDamaged, ArchiveError
from app.domain.meters import ListedMeter

JUNE = datetime(2021, 6, 15, 12, tzinfo=UTC)
QUESTION = "/usage.csv?period=2021-04&aggregate=day&meter="


def filled(path: Path) -> None:
    """An archive of two meters, one renamed, with ten months and an access key."""
    with closing(SqliteArchive(path)) as archive:
        first, second = archive.remember([GAS, ListedMeter(CONSENT_B, "electricity", "ended", None)], NOON)
        archive.rename("gas", "boiler")
        for meter in (first, second):
            archive.store(meter.id, at_random(DAY, 300, meter.id), NOON)
        archive.add_key(access_key(new_key(), "sheets", frozenset({GAS.key}), None, NOON))


def without_the_first_page_of_days(path: Path) -> None:
    filled_with_zeros(path, root_of(path, "days"))


def without_its_middle(path: Path) -> None:
    filled_with_zeros(path, path.stat().st_size // PAGE // 2, 50)


def with_noise(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xff\x00noise" * 2000)


DAMAGES = [truncated, without_its_middle, without_the_first_page_of_days, with_noise]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_refused_and_left_alone(path: Path, damage: Callable[[Path], None]) -> None:
    filled(path)
    damage(path)
    before = path.read_bytes()
    with pytest.raises(ArchiveDamaged, match="damaged") as caught:
        SqliteArchive(path)
    assert "serve" in caught.value.remedy
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("damage", [without_its_middle, without_the_first_page_of_days, with_noise])
def test_one_is_set_aside_and_what_links_depend_on_is_kept(
    path: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    filled(path)
    with closing(SqliteArchive(path)) as archive:
        meters, keys = archive.meters(), archive.keys()
    damage(path)
    before = path.read_bytes()
    with closing(open_archive(f"sqlite:///{path}", anew_if_damaged=True)) as archive:
        kept = archive.meters()
        assert [(meter.id, meter.name, meter.listed) for meter in kept] == [
            (meter.id, meter.name, meter.listed) for meter in meters
        ]
        assert [meter.held for meter in kept] == [None, None]
        assert archive.keys() == keys
        assert (archive.held(), archive.listed(), archive.integrity()) == ({}, None, [])
        archive.store(kept[0].id, measured(), NOON)
    (aside,) = [file for file in path.parent.iterdir() if file != path]
    assert aside.name.startswith("archive.db.damaged-20")
    assert aside.read_bytes() == before
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    (record,) = caplog.records
    assert str(aside) in record.getMessage()
    assert "2 meters and 1 access keys" in record.getMessage()


def test_a_key_that_is_just_being_revoked_is_revoked_in_the_new_one(path: Path) -> None:
    filled(path)
    without_its_middle(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other, ThreadPoolExecutor(1) as opener:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE keys SET revoked_at = '2021-06-03 12:00:00'")
        opening = opener.submit(open_archive, f"sqlite:///{path}", anew_if_damaged=True)
        time.sleep(1)  # it has seen the damage, and waits for the lock
        assert not opening.done()
        other.execute("COMMIT")
        with closing(opening.result()) as archive:
            (key,) = archive.keys()
            assert key.revoked_at == NOON


def test_a_truncated_file_is_set_aside_and_another_begun(path: Path) -> None:
    filled(path)
    truncated(path)
    before = path.read_bytes()
    with closing(open_archive(f"sqlite:///{path}", anew_if_damaged=True)) as archive:
        assert archive.held() == {}
        archive.remember([GAS], NOON)
    (aside,) = [file for file in path.parent.iterdir() if file != path]
    assert aside.read_bytes() == before


def test_behind_a_link_it_is_set_aside_where_it_is(path: Path, tmp_path: Path) -> None:
    filled(path)
    without_its_middle(path)
    before = path.read_bytes()
    linked = tmp_path / "elsewhere" / "linked.db"
    linked.parent.mkdir()
    linked.symlink_to(path)
    with closing(open_archive(f"sqlite:///{linked}", anew_if_damaged=True)) as archive:
        assert len(archive.meters()) == 2
    assert linked.is_symlink()
    assert [file.name for file in linked.parent.iterdir()] == [linked.name]
    (aside,) = path.parent.glob("archive.db.damaged-*")
    assert not aside.is_symlink()
    assert aside.read_bytes() == before
    assert path.read_bytes() != before


def test_what_is_set_aside_is_never_written_over(path: Path) -> None:
    for attempt in range(3):
        filled(path)
        truncated(path)
        with closing(open_archive(f"sqlite:///{path}", anew_if_damaged=True)) as archive:
            assert archive.held() == {}, attempt
        path.unlink()
    assert len(list(path.parent.iterdir())) == 3


def test_a_file_without_its_header_is_refused_also_by_what_serves(path: Path) -> None:
    filled(path)
    filled_with_zeros(path, 1)
    before = path.read_bytes()
    with pytest.raises(ArchiveError, match="or its beginning is damaged") as caught:
        open_archive(f"sqlite:///{path}", anew_if_damaged=True)
    assert "backup" in caught.value.remedy
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_another_process_that_has_it_open_goes_on_with_the_new_one(path: Path) -> None:
    filled(path)
    with closing(SqliteArchive(path)) as other:
        version = other.version()
        without_its_middle(path)
        with closing(open_archive(f"sqlite:///{path}", anew_if_damaged=True)) as archive:
            assert other.version() != version
            other.store(other.meters()[0].id, measured(), NOON)
            assert archive.held() == other.held() == {1: 48} or archive.held() == {2: 48}
            assert archive.integrity() == []


TEXTS = [
    "[0.1,", "", "null", "[0.5]", "[" + "0.1," * 46 + "0.1]", "[" + "0.1," * 48 + "0.1]", '{"a": 1}', "\x00" * 200,
    "[" + '"x",' * 47 + "1]", "[[1]" + ",1" * 47 + "]",
]  # fmt: skip


@pytest.mark.parametrize("column", ["energy_kwh", "carbon_kg", "error_count"])
@pytest.mark.parametrize("text", TEXTS)
def test_a_damaged_row_is_no_number(path: Path, column: str, text: str) -> None:
    filled(path)
    with closing(SqliteArchive(path)) as archive:
        with closing(sqlite3.connect(path)) as db:
            db.execute(f"UPDATE days SET {column} = ? WHERE meter_id = 1 AND day = '2021-06-05'", (text,))
            db.commit()
        with pytest.raises(ArchiveDamaged):
            archive.days(1, DAY, DAY + 9)
        assert same(archive.days(2, DAY, DAY + 9).half_hours, at_random(DAY, 300, 2).between(
            archive.days(2, DAY, DAY + 9).half_hours.span
        ))  # fmt: skip
        (fault,) = archive.integrity()
        assert "day 2021-06-05 of meter 1" in fault
    with pytest.raises(ArchiveDamaged):
        SqliteArchive(path)  # it was met, so all is looked at


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE meters SET further = '{'",
        "UPDATE meters SET held_first = 'yesterday'",
        "UPDATE keys SET sha256 = x'00'",
        "UPDATE keys SET scope = '[1]'",
        "UPDATE keys SET created_at = 'x'",
        "UPDATE days SET fetched_at = '' WHERE day = '2021-06-05'",
        "UPDATE days SET energy_kwh = CAST(x'ff' AS TEXT) WHERE day = '2021-06-05'",
        "UPDATE facts SET value = '?' WHERE name = 'meters_listed_at'",
    ],
)
def test_no_damaged_row_is_a_fault_of_the_program(path: Path, statement: str) -> None:
    filled(path)
    with closing(SqliteArchive(path)) as archive:
        with closing(sqlite3.connect(path)) as db:
            db.execute(statement)
            db.commit()
        with pytest.raises(ArchiveDamaged):
            (archive.meters(), archive.keys(), archive.listed(), archive.days(1, DAY, DAY + 9))


def test_damage_that_was_mended_meanwhile_is_forgotten(path: Path) -> None:
    filled(path)
    with closing(SqliteArchive(path)) as archive, closing(sqlite3.connect(path)) as db:
        (whole,) = db.execute("SELECT energy_kwh FROM days WHERE meter_id = 1 AND day = '2021-06-05'").fetchone()
        change = "UPDATE days SET energy_kwh = ? WHERE meter_id = 1 AND day = '2021-06-05'"
        db.execute(change, ("[",))
        db.commit()
        with pytest.raises(ArchiveDamaged):
            archive.days(1, DAY, DAY + 9)
        db.execute(change, (whole,))
        db.commit()
    SqliteArchive(path).close()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM facts WHERE name LIKE 'damage%'").fetchone() == (0,)


def test_a_service_that_meets_damage_says_so_and_one_started_again_has_all_half_hours(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    with running(tmp_path, now=JUNE) as service:
        right = {meter: service.text(QUESTION + meter) for meter in (A_ELECTRICITY, "gas")}
        key = service.make_key()
    with running(tmp_path, now=JUNE) as service:
        with closing(sqlite3.connect(path)) as db:
            db.execute("UPDATE days SET energy_kwh = substr(energy_kwh, 1, 90) WHERE day = '2021-04-07'")
            db.commit()
        refused = service.get(QUESTION + "gas")
        assert refused.status_code == 503
        assert "damaged" in refused.text
        assert "serve" in refused.text
        cell = service.text(QUESTION + "gas&errors=cell")
        assert cell.startswith("error,remedy")
        assert service.calls == []
        assert (service.get("/readyz").status_code, service.get("/healthz").status_code) == (503, 200)
        assert "damaged" in service.text("/status.csv")
    with running(tmp_path, now=JUNE) as service:
        assert service.get("/readyz").text == "ready\n"
        for meter, rows in right.items():
            assert service.text(QUESTION + meter) == rows
        assert len(service.calls) == 3
        assert service.get("/meters.csv", params={"key": key}).status_code == 200
    assert len(list(tmp_path.glob("archive.db.damaged-*"))) == 1


def test_a_service_starts_on_a_damaged_file(tmp_path: Path) -> None:
    with running(tmp_path, now=JUNE) as service:
        right = service.text(QUESTION + "gas")
        calls = names_asked(service)
    without_its_middle(tmp_path / "archive.db")
    with running(tmp_path, now=JUNE) as service:
        assert service.text(QUESTION + "gas") == right
        assert names_asked(service) == calls


def names_asked(service: Running) -> list[str]:
    return [call.split("?")[0] for call in service.calls]
