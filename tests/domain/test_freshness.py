"""When a day is looked at again: the table of reliability.md, within the ten per cent that are each meter's own."""

import numpy as np
import pytest
from domain.half_hour_cells import BAD, GAP, Cell, half_hours_of
from hypothesis import given
from hypothesis import strategies as st

from app.domain.days import Days
from app.domain.freshness import Freshness
from app.domain.meters import ListedMeter, Meter
from app.domain.spans import Span

TODAY = 18_000
NOW = TODAY * 86_400 + 50_000
HOURS, DAYS = 3600, 86_400
EVER = Span(0, 10**6)
VALUE = Cell(100, 10)
COMPLETE, INCOMPLETE, EMPTY, NONE_LISTED = [VALUE] * 48, [VALUE] * 47 + [BAD], [BAD] * 48, [GAP] * 48


def meter(consent: str = "5f1c9a52", span: Span | None = EVER) -> Meter:
    return Meter(1, "electricity", ListedMeter(consent, "electricity", "active", span), is_listed=True, held=None)


def one_day(age: int, cells: list[Cell], waited: int, checks: int = 0) -> Days:
    """A day that is `age` days before today and was confirmed `waited` seconds ago."""
    fetched_at = np.array([NOW - waited])
    return Days(half_hours_of((TODAY - age) * 48, cells), fetched_at, fetched_at, np.array([checks]))


def is_due(age: int, cells: list[Cell], waited: float, checks: int = 0, of: Meter | None = None) -> bool:
    return bool(one_day(age, cells, int(waited), checks).due(of or meter(), NOW, Freshness())[0])


SCHEDULE = [
    *((age, cells, 1 * HOURS) for age in (0, 1, 2) for cells in (COMPLETE, INCOMPLETE, EMPTY, NONE_LISTED)),
    *((age, COMPLETE, 24 * HOURS) for age in (3, 7)),
    *((age, cells, 6 * HOURS) for age in (3, 7) for cells in (INCOMPLETE, EMPTY, NONE_LISTED)),
    *((age, cells, 7 * DAYS) for age in (8, 30) for cells in (COMPLETE, INCOMPLETE, EMPTY)),
    *((age, NONE_LISTED, 6 * HOURS) for age in (8, 30, 31, 400)),
    *((age, cells, 1 * DAYS) for age in (31, 400) for cells in (INCOMPLETE, EMPTY)),
]


@pytest.mark.parametrize(("age", "cells", "wait"), SCHEDULE)
def test_a_day_is_due_after_the_wait_of_its_age(age: int, cells: list[Cell], wait: int) -> None:
    for consent in ("5f1c9a52", "b27d04e6", "c", "d"):
        assert not is_due(age, cells, 0.9 * wait - 1, of=meter(consent))
        assert is_due(age, cells, 1.1 * wait + 1, of=meter(consent))
    assert one_day(age, cells, 0).rechecked(meter(), NOW, Freshness()).tolist() == [True]


@pytest.mark.parametrize("cells", [COMPLETE, INCOMPLETE, EMPTY, NONE_LISTED])
def test_a_day_that_is_years_ahead_is_not_looked_at_before_it_comes_nearer(cells: list[Cell]) -> None:
    assert not is_due(-367, cells, 10_000 * DAYS)
    assert is_due(-366, cells, 1.1 * HOURS + 1), "the clock may be behind"


@given(st.integers(31, 10_000), st.integers(0, 10), st.integers(0, 10**9))
def test_an_old_complete_day_stays(age: int, checks: int, waited: int) -> None:
    assert not is_due(age, COMPLETE, waited, checks)
    assert not one_day(age, COMPLETE, waited, checks).rechecked(meter(), NOW, Freshness())[0]


def test_an_old_incomplete_day_is_looked_at_after_1_2_4_8_16_and_32_days_then_never() -> None:
    answer = half_hours_of(TODAY * 48 - 48 * 100, INCOMPLETE)
    days, _ = Days.none_held(TODAY - 100, TODAY - 100).refreshed(answer, NOW)
    now = NOW
    for wait in (1, 2, 4, 8, 16, 32):
        assert not days.due(meter(), int(now + 0.9 * wait * DAYS - 1), Freshness())[0]
        now += int(1.1 * wait * DAYS) + 1
        assert days.due(meter(), now, Freshness())[0]
        days, _ = days.refreshed(answer, now)
    assert not days.due(meter(), now + 10_000 * DAYS, Freshness())[0]
    assert not days.rechecked(meter(), now, Freshness())[0]


def test_an_old_day_that_changes_is_looked_at_as_often_again() -> None:
    answer = half_hours_of(TODAY * 48 - 48 * 100, INCOMPLETE)
    days = one_day(100, INCOMPLETE, 40 * DAYS, checks=6)
    assert not days.due(meter(), NOW, Freshness())[0]
    changed, _ = days.refreshed(half_hours_of(answer.first, [Cell(101, 10), *INCOMPLETE[1:]]), NOW)
    assert changed.due(meter(), int(NOW + 1.1 * DAYS + 1), Freshness())[0]


def test_looks_at_a_young_day_are_not_counted() -> None:
    days = one_day(5, INCOMPLETE, 0)
    for i in range(20):
        days, _ = days.refreshed(half_hours_of(days.half_hours.first, INCOMPLETE), NOW + i * HOURS)
    assert days.due(meter(), int(NOW + 60 * DAYS), Freshness())[0]
    assert days.checks.tolist() == [0]


def test_a_day_that_is_not_held_is_not_due_and_not_rechecked() -> None:
    days = Days.none_held(TODAY - 50, TODAY)
    assert not days.due(meter(), NOW, Freshness()).any()
    assert not days.rechecked(meter(), NOW, Freshness()).any()


def test_what_lies_outside_the_meters_range_is_not_incomplete() -> None:
    begins_late = meter(span=Span((TODAY - 100) * 48 + 20, TODAY * 48))
    cells = [GAP] * 20 + [VALUE] * 28
    assert is_due(100, cells, 2 * DAYS)
    assert not is_due(100, cells, 2 * DAYS, of=begins_late)
    assert not is_due(100, NONE_LISTED, 2 * DAYS, of=meter(span=None))
    assert not is_due(100, NONE_LISTED, 2 * DAYS, of=meter(span=Span(0, 48)))


@given(st.uuids().map(str))
def test_a_meter_waits_within_ten_per_cent_and_always_the_same(consent: str) -> None:
    waits = [wait for wait in range(21 * HOURS, 27 * HOURS, 60) if is_due(5, COMPLETE, wait, of=meter(consent))]
    assert 0.9 * 24 * HOURS - 60 <= waits[0] <= 1.1 * 24 * HOURS + 60
    assert waits == list(range(waits[0], 27 * HOURS, 60))


def test_not_all_meters_are_due_at_one_moment() -> None:
    due = [is_due(5, COMPLETE, 24 * HOURS, of=meter(f"consent-{i}")) for i in range(100)]
    assert 20 < sum(due) < 80
