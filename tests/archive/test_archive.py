"""Days in an archive, whichever database keeps it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from archive.stores import (
    CONSENT_B,
    DAY,
    GAS,
    HOUR,
    NOON,
    ONE_DAY,
    Opened,
    at_random,
    measured,
    one_meter,
    same,
    same_days,
    storing,
)

from app.archive import Archive
from app.domain.errors import ArchiveError
from app.domain.spans import Span


def test_a_new_archive_holds_nothing(archive: Archive) -> None:
    assert archive.meters() == []
    assert archive.listed() is None
    assert not any(archive.held().values())
    days = archive.days(1, DAY, DAY + 9)
    assert (len(days), days.first_day) == (10, DAY)
    assert not days.held.any()
    assert not days.half_hours.present.any()


@pytest.mark.parametrize("seed", range(5))
def test_days_come_back_exactly_as_they_were_stored(opened: Opened, seed: int) -> None:
    stored = at_random(DAY, 20, seed)
    archive = opened()
    meter = one_meter(archive)
    archive.store(meter.id, stored, NOON)
    for reader in (archive, opened()):
        days = reader.days(meter.id, DAY, DAY + 19)
        assert same(days.half_hours, stored)
        assert set(days.fetched_at) == set(days.changed_at) == {NOON}


def test_days_that_were_never_stored_are_not_held(archive: Archive) -> None:
    meter = one_meter(archive)
    archive.store(meter.id, measured(DAY), NOON)
    archive.store(meter.id, measured(DAY + 3), NOON)
    days = archive.days(meter.id, DAY - 1, DAY + 4)
    assert days.held.tolist() == [False, True, False, False, True, False]
    assert days.half_hours.present.sum() == 96
    assert days.fetched_at.tolist() == [0, NOON, 0, 0, NOON, 0]


def test_a_day_of_gaps_is_held(archive: Archive) -> None:
    meter = one_meter(archive)
    archive.store(meter.id, measured(DAY, missing=tuple(range(48))), NOON)
    assert archive.days(meter.id, DAY, DAY).held.tolist() == [True]
    assert not any(archive.held().values())
    assert archive.meters()[0].held is None


def test_a_meters_days_are_its_own(archive: Archive) -> None:
    first, second = archive.remember([GAS, replace(GAS, consent_uuid=CONSENT_B)], NOON)
    archive.store(first.id, measured(micro_kwh=1), NOON)
    archive.store(second.id, measured(micro_kwh=2), NOON)
    assert set(archive.days(first.id, DAY, DAY).half_hours.micro_kwh) == {1}
    assert set(archive.days(second.id, DAY, DAY).half_hours.micro_kwh) == {2}


def test_a_gap_never_overwrites_a_value(archive: Archive) -> None:
    meter = one_meter(archive)
    archive.store(meter.id, measured(), NOON)
    archive.store(meter.id, measured(missing=(3, 4), flagged=(5, 6)), NOON + HOUR)
    archive.store(meter.id, measured(missing=tuple(range(48))), NOON + 2 * HOUR)
    days = archive.days(meter.id, DAY, DAY)
    assert same(days.half_hours, measured())
    assert (days.fetched_at[0], days.changed_at[0]) == (NOON + 2 * HOUR, NOON)


def test_a_value_fills_a_gap_and_ends_its_flag(archive: Archive) -> None:
    meter = one_meter(archive)
    archive.store(meter.id, measured(missing=(3,), flagged=(5,)), NOON)
    archive.store(meter.id, measured(), NOON + HOUR)
    days = archive.days(meter.id, DAY, DAY)
    assert same(days.half_hours, measured())
    assert days.changed_at.tolist() == [NOON + HOUR]


def test_a_changed_value_overwrites(archive: Archive) -> None:
    meter = one_meter(archive)
    archive.store(meter.id, measured(DAY, 2), NOON)
    changed = measured(DAY, 2)
    changed.micro_kwh[50] = 7
    archive.store(meter.id, changed, NOON + HOUR)
    days = archive.days(meter.id, DAY, DAY + 1)
    assert same(days.half_hours, changed)
    assert days.changed_at.tolist() == [NOON, NOON + HOUR]
    assert days.fetched_at.tolist() == [NOON + HOUR, NOON + HOUR]


def test_what_is_confirmed_unchanged_keeps_when_it_changed(archive: Archive) -> None:
    meter = one_meter(archive)
    archive.store(meter.id, measured(flagged=(7,)), NOON)
    archive.store(meter.id, measured(flagged=(7,)), NOON + HOUR)
    days = archive.days(meter.id, DAY, DAY)
    assert (days.changed_at.tolist(), days.fetched_at.tolist()) == ([NOON], [NOON + HOUR])


def test_looks_at_old_days_are_counted_from_when_they_are_old(archive: Archive) -> None:
    meter = one_meter(archive)

    def checks_after(now: int, **values: Any) -> list[int]:
        archive.store(meter.id, measured(DAY, 2, **values), now)
        return [int(checks) for checks in archive.days(meter.id, DAY, DAY + 1).checks]

    midnight = DAY * ONE_DAY
    assert checks_after(midnight + 2 * ONE_DAY, missing=(3, 60)) == [0, 0]
    assert checks_after(midnight + 30 * ONE_DAY, missing=(3, 60)) == [0, 0]
    assert checks_after(midnight + 31 * ONE_DAY, missing=(3, 60)) == [1, 0]
    assert checks_after(midnight + 32 * ONE_DAY, missing=(3, 60)) == [2, 1]
    assert checks_after(midnight + 50 * ONE_DAY, missing=(3,)) == [3, 0]
    assert checks_after(midnight + 51 * ONE_DAY, missing=(3,)) == [4, 1]


def test_an_old_day_that_is_stored_for_the_first_time_was_not_looked_at_again(archive: Archive) -> None:
    meter = one_meter(archive)
    archive.store(meter.id, measured(), NOON + 400 * ONE_DAY)
    assert archive.days(meter.id, DAY, DAY).checks.tolist() == [0]


def test_a_failure_inside_a_store_leaves_nothing_of_it(archive: Archive) -> None:
    meter = one_meter(archive)
    archive.store(meter.id, measured(DAY, 3), NOON)
    before = archive.days(meter.id, DAY, DAY + 2)
    with pytest.raises(ArchiveError):
        archive.store(meter.id + 1, measured(DAY, 3, micro_kwh=9), NOON + HOUR)
    with pytest.raises((ArchiveError, ValueError)):
        archive.store(meter.id, measured(DAY, 3, micro_kwh=9).between(Span(DAY * 48, DAY * 48 + 140)), NOON + HOUR)
    assert same_days(archive.days(meter.id, DAY, DAY + 2), before)
    assert not archive.days(meter.id + 1, DAY, DAY + 2).held.any()
    archive.store(meter.id, measured(DAY, 3, micro_kwh=9), NOON + HOUR)
    assert set(archive.days(meter.id, DAY, DAY + 2).half_hours.micro_kwh) == {9}


def test_what_is_held_of_a_meter_widens(archive: Archive) -> None:
    meter = one_meter(archive)

    def held_after(first_day: int, missing: tuple[int, ...]) -> Span | None:
        archive.store(meter.id, measured(first_day, missing=missing), NOON)
        return archive.meters()[0].held

    day = DAY * 48
    assert held_after(DAY, (0, 1, 47)) == Span(day + 2, day + 47)
    assert held_after(DAY + 5, (47,)) == Span(day + 2, day + 5 * 48 + 47)
    assert held_after(DAY + 2, ()) == Span(day + 2, day + 5 * 48 + 47)
    assert held_after(DAY - 3, (0,)) == Span(day - 3 * 48 + 1, day + 5 * 48 + 47)
    assert held_after(DAY, ()) == Span(day - 3 * 48 + 1, day + 5 * 48 + 47)


def test_the_version_changes_when_another_writes_and_only_then(opened: Opened) -> None:
    archive = opened()
    meter = one_meter(archive)
    version = archive.version()
    archive.store(meter.id, measured(), NOON)
    archive.rename("gas", "boiler")
    assert archive.version() == version
    other = opened()
    other.held()
    assert archive.version() == version
    other.store(meter.id, measured(micro_kwh=1), NOON)
    assert archive.version() != version
    assert set(archive.days(meter.id, DAY, DAY).half_hours.micro_kwh) == {1}


def test_a_fact_that_stays_as_it_is_is_not_written(opened: Opened) -> None:
    one, other = opened(), opened()
    one.change_fact("state", lambda _: ("calm", None))
    before = other.version()
    for _ in range(10):
        assert one.change_fact("state", lambda text: (text or "", text)) == "calm"
    assert other.version() == before
    one.change_fact("state", lambda _: ("busy", None))
    assert other.version() != before


@pytest.mark.parametrize("seed", range(3))
def test_the_half_hours_that_have_a_value_are_counted(archive: Archive, seed: int) -> None:
    first, second = archive.remember([GAS, replace(GAS, type="electricity")], NOON)
    stored = [at_random(DAY, 7, seed), at_random(DAY + 3, 7, seed + 100)]
    archive.store(first.id, stored[0], NOON)
    archive.store(second.id, stored[1], NOON)
    assert sum(archive.held().values()) == sum(int(half_hours.present.sum()) for half_hours in stored)


def test_two_processes_that_store_at_once_lose_nothing(url: str, opened: Opened) -> None:
    archive = opened()
    electricity, gas = archive.remember([GAS, replace(GAS, type="electricity")], NOON)
    begins = [(gas.id, DAY), (electricity.id, DAY), (gas.id, DAY + 80)]
    writers = [storing(url, meter_id, first_day, 40, 2) for meter_id, first_day in begins]
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert sum(archive.held().values()) == 3 * 80 * 48
    held = {meter.name: meter.held for meter in archive.meters()}
    assert held == {"electricity": Span(DAY * 48, (DAY + 80) * 48), "gas": Span(DAY * 48, (DAY + 160) * 48)}
    assert archive.days(gas.id, DAY, DAY + 159).half_hours.micro_kwh[::96].tolist() == [*range(40), *range(40)]


def test_threads_read_whole_spans_while_another_stores(archive: Archive) -> None:
    meter = one_meter(archive)
    archive.store(meter.id, measured(DAY, 30, micro_kwh=0), NOON)

    def seen() -> set[int]:
        return {int(kwh) for kwh in archive.days(meter.id, DAY, DAY + 29).half_hours.micro_kwh}

    with ThreadPoolExecutor(4) as readers:
        found = [readers.submit(seen) for _ in range(100)]
        for kwh in range(1, 20):
            archive.store(meter.id, measured(DAY, 30, micro_kwh=kwh), NOON)
    assert {len(future.result()) for future in found} == {1}
    assert seen() == {19}
