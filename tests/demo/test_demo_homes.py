"""The demonstration's homes: the packaged measurements, moved by whole years of 52 weeks, with gaps that are known."""

import csv
import gzip
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import app.demo
from app.demo import DemoMeter, demo_meters
from app.demo.homes import REMOVED

HALF_HOUR = timedelta(minutes=30)
LACKING = {datetime(2012, 5, 25, 16), datetime(2013, 3, 26, 21, 30), datetime(2013, 5, 8, 5, 30)}  # noqa: DTZ001 - as in the source
ANY_DAYS = [date(2022, 12, 6), date(2022, 12, 7), date(2023, 12, 5), date(2026, 3, 1), date(2052, 2, 29)]


def packaged(name: str) -> list[tuple[datetime, float]]:
    """The rows of a packaged file."""
    assert app.demo.__file__
    with gzip.open(Path(app.demo.__file__).parent / "data" / f"{name}.csv.gz", "rt") as lines:
        rows = list(csv.reader(lines))[1:]
    return [(datetime.fromisoformat(at).replace(tzinfo=UTC), float(kwh)) for at, kwh in rows]


def homes(moved_to: date | None = None) -> tuple[DemoMeter, DemoMeter, DemoMeter]:
    electricity, gas, night_storage = demo_meters(moved_to)
    return electricity, gas, night_storage


@pytest.mark.parametrize(("meter", "name"), [(0, "home-a-electricity-hourly"), (1, "home-a-gas-hourly")])
def test_home_as_hours_are_halved_into_two_half_hours(meter: int, name: str) -> None:
    rows = homes()[meter].rows
    hours = packaged(name)
    assert rows[::2] == [(at, kwh / 2) for at, kwh in hours]
    assert rows[1::2] == [(at + HALF_HOUR, kwh / 2) for at, kwh in hours]
    assert len(rows) == 2 * 23_508


def test_home_b_is_what_was_measured_but_for_the_gaps_that_are_known() -> None:
    rows = homes()[2].rows
    source = packaged("home-b-electricity-half-hourly")
    removed = {at for at, _ in source if any(first <= f"{at:%Y-%m-%d %H:%M}" < end for first, end in REMOVED)}
    present = [(at, kwh) for at, kwh in rows if kwh is not None]
    assert present == [(at, kwh) for at, kwh in source if at not in removed]
    lacking = {at.replace(tzinfo=UTC) for at in LACKING}
    assert {at for at, kwh in rows if kwh is None} == removed | lacking
    assert len(rows) == len(source) + len(lacking) == 35_471


def test_every_span_that_is_taken_out_is_taken_out_whole() -> None:
    missing = Counter(at for at, kwh in homes()[2].rows if kwh is None)
    for first, end in REMOVED:
        at, stop = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (first, end))
        while at < stop:
            assert at in missing
            at += HALF_HOUR


def test_home_b_has_every_half_hour_and_24_of_them_twice() -> None:
    rows = homes()[2].rows
    starts = Counter(at for at, _ in rows)
    first, last = rows[0][0], rows[-1][0]
    assert (first, last) == (datetime(2012, 2, 20, 13, tzinfo=UTC), datetime(2014, 2, 28, tzinfo=UTC))
    assert set(starts) == {first + i * HALF_HOUR for i in range((last - first) // HALF_HOUR + 1)}
    assert Counter(starts.values()) == {1: len(starts) - 24, 2: 24}
    for meter in homes():
        assert [at for at, _ in meter.rows] == sorted(at for at, _ in meter.rows)


@pytest.mark.parametrize("yesterday", ANY_DAYS)
def test_homes_are_moved_by_the_fewest_whole_years_of_52_weeks(yesterday: date) -> None:
    for moved, measured in zip(homes(yesterday), homes(), strict=True):
        moves = {after[0] - before[0] for after, before in zip(moved.rows, measured.rows, strict=True)}
        assert len(moves) == 1
        move = moves.pop()
        assert move % timedelta(days=364) == timedelta(0)
        assert move >= timedelta(0)
        last = moved.rows[-1][0].date()
        assert yesterday <= last
        assert last - timedelta(days=364) < yesterday or move == timedelta(0)
        assert moved.rows[0][0].weekday() == measured.rows[0][0].weekday()
        assert [kwh for _, kwh in moved.rows] == [kwh for _, kwh in measured.rows]


def test_a_day_before_the_data_ends_moves_nothing() -> None:
    assert homes(date(2012, 1, 1))[2].rows == homes()[2].rows


@pytest.mark.parametrize("yesterday", ANY_DAYS)
def test_a_home_is_cut_after_a_day(yesterday: date) -> None:
    for meter in homes(yesterday):
        rows = meter.until(yesterday)
        assert rows == meter.rows[: len(rows)]
        assert rows[-1][0].date() == yesterday
        assert all(at.date() > yesterday for at, _ in meter.rows[len(rows) :])


def test_only_gas_has_no_carbon() -> None:
    assert [(meter.type, meter.has_carbon) for meter in homes()] == [
        ("electricity", True),
        ("gas", False),
        ("electricity", True),
    ]
