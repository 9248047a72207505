"""What a period comes to for a meter: total, ordinary day, base load, peak, coverage."""

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np

from app.domain.halfhours import HalfHours
from app.domain.spans import HALF_HOURS_A_DAY, ONE_DAY, Span, midnight
from app.domain.summaries import summary

LONDON, UTC = ZoneInfo("Europe/London"), ZoneInfo("UTC")
WATT_HOURS = 1000
"""Millionths of a kWh."""


def days_of(first: date, count: int, tz: ZoneInfo) -> HalfHours:
    """Whole local days, a half-hour of 100 Wh each, without carbon."""
    span = Span(midnight(first, tz), midnight(first + count * ONE_DAY, tz))
    made = HalfHours.missing(span)
    made.present[:] = True
    made.micro_kwh[:] = 100 * WATT_HOURS
    return made


def test_a_period_is_the_sum_of_its_half_hours_and_its_days() -> None:
    found = summary(days_of(date(2021, 6, 1), 30, LONDON), LONDON)
    assert found.micro_kwh == 30 * 48 * 100 * WATT_HOURS
    assert (found.complete_days, found.daily_mean) == (30, 48 * 100 * WATT_HOURS)
    assert (found.missing, found.coverage_tenths) == (0, 1000)


def test_days_and_nights_with_a_gap_count_for_neither_mean_nor_base_load() -> None:
    half_hours = days_of(date(2021, 6, 1), 3, UTC)
    half_hours.present[5] = False  # 02:30 of the first day
    half_hours.micro_kwh[5] = 0
    half_hours.present[48 + 30] = False  # 15:00 of the second
    half_hours.micro_kwh[48 + 30] = 0
    found = summary(half_hours, UTC)
    assert (found.complete_days, found.complete_nights) == (1, 2)
    assert found.daily_mean == 48 * 100 * WATT_HOURS
    assert found.base_load == 100 * WATT_HOURS
    assert found.coverage_tenths == 986


def test_the_base_load_is_the_median_of_the_nights_lowest_half_hours() -> None:
    half_hours = days_of(date(2021, 6, 1), 4, UTC)
    for day, low in enumerate((10, 30, 40, 90)):
        half_hours.micro_kwh[48 * day + 7] = low * WATT_HOURS
    half_hours.micro_kwh[40] = 0  # an evening
    assert summary(half_hours, UTC).base_load == 35 * WATT_HOURS


def test_the_days_when_clocks_change_are_complete_with_46_and_50_half_hours() -> None:
    for day, length in ((date(2013, 3, 31), 46), (date(2013, 10, 27), 50)):
        found = summary(days_of(day, 1, LONDON), LONDON)
        assert (found.complete_days, found.complete_nights) == (1, 1)
        assert found.daily_mean == length * 100 * WATT_HOURS


def test_the_peak_is_the_first_half_hour_with_the_most() -> None:
    half_hours = days_of(date(2021, 6, 1), 2, UTC)
    half_hours.micro_kwh[[20, 60]] = 2_000_000
    found = summary(half_hours, UTC)
    assert (found.peak, found.peak_at) == (2_000_000, half_hours.first + 20)


def test_carbon_is_known_only_if_every_present_half_hour_has_it() -> None:
    half_hours = days_of(date(2021, 6, 1), 1, UTC)
    half_hours.has_carbon[:] = True
    half_hours.micro_kg[:] = 7
    assert summary(half_hours, UTC).micro_kg == 7 * HALF_HOURS_A_DAY
    half_hours.has_carbon[3] = False
    assert summary(half_hours, UTC).micro_kg is None


def test_of_nothing_nothing_is_known() -> None:
    for nothing in (HalfHours.missing(Span(0, 0)), HalfHours.missing(Span(0, 48))):
        found = summary(nothing, LONDON)
        assert (found.micro_kwh, found.micro_kg, found.daily_mean, found.base_load, found.peak) == (None,) * 5
        assert found.coverage_tenths == (0 if len(nothing) else None)
    assert not np.any(HalfHours.missing(Span(0, 48)).present)
