"""What a period comes to for one meter: its total, its ordinary day, its nights, its peak, and how much is known."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from app.domain.aggregates import Integers, mean
from app.domain.halfhours import HalfHours
from app.domain.spans import DAY_SECONDS, ONE_DAY, day_of, local_seconds, midnight, utc_offsets

NIGHT_ENDS = 6 * 3600
"""A night is what of a local day lies before 06:00."""
SMALLEST_NIGHT = 10
"""Half-hours of the night in which the clocks go forward."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Millionths of a kWh and a kg; None is not known.

    `daily_mean` is over the `complete_days`: local days all of whose half-hours are present. `base_load` is the
    median of the lowest half-hours of the `complete_nights` (domain.md), in millionths of a kWh per half-hour.
    `peak_at` is the first half-hour with the most, counted from 1970-01-01 UTC.
    """

    micro_kwh: int | None
    micro_kg: int | None
    complete_days: int
    daily_mean: int | None
    complete_nights: int
    base_load: int | None
    peak: int | None
    peak_at: int | None
    expected: int
    missing: int

    @property
    def coverage_tenths(self) -> int | None:
        """Tenths of a per cent of the expected half-hours that are present, rounded down."""
        return 1000 * (self.expected - self.missing) // self.expected if self.expected else None


def summary(half_hours: HalfHours, tz: ZoneInfo) -> Summary:
    """The summary of all of `half_hours`, every one of which is expected."""
    present = half_hours.present
    count = int(present.sum())
    local = local_seconds(half_hours.first + np.arange(len(half_hours)), utc_offsets(half_hours.span, tz))
    day_totals, night_lows = _complete_days(half_hours, local, tz), _complete_nights(half_hours, local)
    peak_at = int(np.argmax(np.where(present, half_hours.micro_kwh, np.iinfo(np.int64).min))) if count else None
    knows_carbon = count > 0 and bool(half_hours.has_carbon[present].all())
    return Summary(
        micro_kwh=int(half_hours.micro_kwh.sum()) if count else None,
        micro_kg=int(half_hours.micro_kg.sum()) if knows_carbon else None,
        complete_days=len(day_totals),
        daily_mean=_mean(day_totals),
        complete_nights=len(night_lows),
        base_load=_median(night_lows),
        peak=None if peak_at is None else int(half_hours.micro_kwh[peak_at]),
        peak_at=None if peak_at is None else half_hours.first + peak_at,
        expected=len(half_hours),
        missing=len(half_hours) - count,
    )


def _complete_days(half_hours: HalfHours, local: Integers, tz: ZoneInfo) -> Integers:
    """The totals of the local days all of whose half-hours are present."""
    days, day_at = np.unique(local // DAY_SECONDS, return_inverse=True)
    starts = [midnight(day_of(int(day)), tz) for day in days]
    ends = [midnight(day_of(int(day)) + ONE_DAY, tz) for day in days]
    lengths = np.array(ends, dtype=np.int64) - np.array(starts, dtype=np.int64)
    counts = np.bincount(day_at, weights=half_hours.present, minlength=len(days)).astype(np.int64)
    totals = np.zeros(len(days), dtype=np.int64)
    np.add.at(totals, day_at, half_hours.micro_kwh)
    return np.asarray(totals[counts == lengths])


def _complete_nights(half_hours: HalfHours, local: Integers) -> Integers:
    """The lowest half-hour of each night that has all of its half-hours."""
    at_night = local % DAY_SECONDS < NIGHT_ENDS
    nights, night_at = np.unique(local[at_night] // DAY_SECONDS, return_inverse=True)
    present = half_hours.present[at_night]
    missing = np.bincount(night_at, weights=~present, minlength=len(nights))
    counts = np.bincount(night_at, minlength=len(nights))
    lows = np.full(len(nights), np.iinfo(np.int64).max)
    np.minimum.at(lows, night_at, half_hours.micro_kwh[at_night])
    return np.asarray(lows[(missing == 0) & (counts >= SMALLEST_NIGHT)])


def _mean(values: Integers) -> int | None:
    return int(mean(values.sum(keepdims=True), np.array([len(values)]))[0]) if len(values) else None


def _median(values: Integers) -> int | None:
    middle = np.sort(values)[(len(values) - 1) // 2 : len(values) // 2 + 1]
    return _mean(middle)
