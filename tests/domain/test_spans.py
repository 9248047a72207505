"""Local days as half-hours of UTC, in zones whose clocks do everything that clocks do."""

import calendar
import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.spans import Span, day_number, day_of, half_hour_of, local_seconds, midnight, starts_at_utc, utc_offsets

ZONES = (
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Asia/Beirut",
    "Africa/Casablanca",
)
ONE_DAY = timedelta(days=1)
zones = st.sampled_from(ZONES).map(ZoneInfo)
days = st.dates(date(1990, 1, 1), date(2037, 12, 30))
half_hours = st.integers(0, 48 * 366 * 70)


def day_span(day: date, tz: ZoneInfo) -> Span:
    return Span(midnight(day, tz), midnight(day + ONE_DAY, tz))


def starts_in(day: date, tz: ZoneInfo) -> list[int]:
    """The half-hours whose start the local calendar counts to `day`, found by asking each one nearby."""
    around = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) // 1800
    candidates = range(around - 60, around + 110)
    return [i for i in candidates if datetime.fromtimestamp(i * 1800, tz).date() == day]


def days_of_change(tz: ZoneInfo) -> list[date]:
    """The days since 2000 whose noon has another offset than the noon before."""
    noons = [datetime(2000, 1, 1, 12, tzinfo=tz) + i * ONE_DAY for i in range(25 * 365)]
    pairs = itertools.pairwise(noons)
    return [noon.date() for before, noon in pairs if noon.utcoffset() != before.utcoffset()]


@given(days, zones)
@example(date(2011, 12, 30), ZoneInfo("Pacific/Apia"))
def test_a_local_day_is_the_half_hours_that_start_in_it(day: date, tz: ZoneInfo) -> None:
    span = day_span(day, tz)
    assert list(range(span.first, span.stop)) == starts_in(day, tz)


@pytest.mark.parametrize("zone", ZONES)
def test_days_around_a_change_of_the_clock_are_the_half_hours_that_start_in_them(zone: str) -> None:
    tz = ZoneInfo(zone)
    for change in days_of_change(tz):
        for day in (change - ONE_DAY, change, change + ONE_DAY):
            span = day_span(day, tz)
            assert list(range(span.first, span.stop)) == starts_in(day, tz)


@given(days, st.integers(1, 400), zones)
def test_consecutive_days_tile_time(first: date, count: int, tz: ZoneInfo) -> None:
    spans = [day_span(first + i * ONE_DAY, tz) for i in range(count)]
    tiled = [half_hour for span in spans for half_hour in range(span.first, span.stop)]
    assert tiled == list(range(midnight(first, tz), midnight(first + count * ONE_DAY, tz)))


def test_the_day_that_samoa_left_out_has_no_half_hours() -> None:
    tz = ZoneInfo("Pacific/Apia")
    lengths = [len(day_span(date(2011, 12, day), tz)) for day in (29, 30, 31)]
    assert lengths == [48, 0, 48]


def test_a_day_of_lord_howe_is_half_an_hour_shorter_or_longer() -> None:
    tz = ZoneInfo("Australia/Lord_Howe")
    lengths = {len(day_span(date(2022, 1, 1) + i * ONE_DAY, tz)) for i in range(365)}
    assert lengths == {47, 48, 49}


@pytest.mark.parametrize("year", range(1996, 2038))
def test_londons_days_have_46_48_or_50_half_hours(year: int) -> None:
    tz = ZoneInfo("Europe/London")
    march, october = (
        max(day for day in range(1, 32) if date(year, month, day).weekday() == calendar.SUNDAY) for month in (3, 10)
    )
    expected = {date(year, 3, march): 46, date(year, 10, october): 50}
    for i in range(366 if calendar.isleap(year) else 365):
        day = date(year, 1, 1) + i * ONE_DAY
        assert len(day_span(day, tz)) == expected.get(day, 48)


@given(half_hours, st.integers(0, 1000), zones)
@example(0, 0, ZoneInfo("Europe/London"))
def test_offsets_are_those_of_the_zone_at_every_half_hour(first: int, length: int, tz: ZoneInfo) -> None:
    offsets = utc_offsets(Span(first, first + length), tz)
    moments = [datetime.fromtimestamp(i * 1800, UTC).astimezone(tz) for i in range(first, first + length)]
    assert offsets.tolist() == [(moment.utcoffset() or timedelta()).total_seconds() for moment in moments]


@pytest.mark.parametrize("zone", ZONES)
def test_offsets_of_25_years_are_those_of_the_zone(zone: str) -> None:
    tz = ZoneInfo(zone)
    span = Span.of_utc_days(day_number(date(2000, 6, 1)), day_number(date(2024, 6, 1)))
    offsets = utc_offsets(span, tz)
    changes = [span.first, *(span.first + 1 + np.flatnonzero(np.diff(offsets))).tolist()]
    near = sorted({i + j for i in changes for j in range(-3, 4) if i + j in range(span.first, span.stop)})
    for i in near:
        offset = datetime.fromtimestamp(i * 1800, tz).utcoffset()
        assert offset is not None
        assert offsets[i - span.first] == offset.total_seconds()


@given(half_hours, st.integers(1, 200), zones)
def test_the_local_clock_is_the_zones_wall_clock(first: int, length: int, tz: ZoneInfo) -> None:
    starts = np.arange(first, first + length)
    clock = local_seconds(starts, utc_offsets(Span(first, first + length), tz))
    walls = [datetime.fromtimestamp(i * 1800, tz).replace(tzinfo=None) for i in range(first, first + length)]
    assert clock.tolist() == [(wall - datetime(1970, 1, 1)).total_seconds() for wall in walls]  # noqa: DTZ001 - a wall clock


@given(half_hours, st.integers(0, 1_799_999_999))
def test_a_half_hour_holds_every_moment_from_its_start_to_its_end(half_hour: int, microseconds: int) -> None:
    start = starts_at_utc(half_hour)
    assert start.utcoffset() == timedelta()
    assert half_hour_of(start + timedelta(microseconds=microseconds)) == half_hour
    assert half_hour_of(start - timedelta(microseconds=1)) == half_hour - 1


@given(st.dates())
def test_a_day_and_its_number_are_two_forms_of_one_value(day: date) -> None:
    assert day_of(day_number(day)) == day


@given(st.integers(-50, 50), st.integers(0, 60), st.integers(-50, 50), st.integers(0, 60))
def test_what_two_spans_share_is_in_both(first: int, length: int, other_first: int, other_length: int) -> None:
    span, other = Span(first, first + length), Span(other_first, other_first + other_length)
    shared = span & other
    both = set(range(span.first, span.stop)) & set(range(other.first, other.stop))
    assert set(range(shared.first, shared.stop)) == both
    assert len(shared) == len(both)


@given(st.integers(-1000, 1000), st.integers(1, 200))
def test_a_spans_days_are_the_utc_days_that_it_touches(first: int, length: int) -> None:
    span = Span(first, first + length)
    touched = sorted({i // 48 for i in range(first, first + length)})
    assert list(range(span.first_day, span.last_day + 1)) == touched
    whole = Span.of_utc_days(span.first_day, span.last_day)
    assert whole & span == span
    assert len(whole) == 48 * len(touched)
