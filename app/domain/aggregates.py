"""Buckets: half-hours summed by hour, day, week, month or year, or averaged by time of day, in a time zone."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from app.domain.halfhours import HalfHours
from app.domain.spans import DAY_SECONDS, HALF_HOUR_SECONDS, local_seconds, utc_offsets

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

OFFSET_ROOM = 4 * DAY_SECONDS
"""More than offsets can differ by, so that an hour and its offset fit one sortable integer."""


class Aggregate(StrEnum):
    """What a row of usage sums."""

    NONE = "none"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    PROFILE = "profile"


@dataclass(frozen=True, slots=True, eq=False)
class Buckets:
    """Buckets in the order of their keys; all arrays have one entry a bucket.

    `key` is the same for the same bucket of every meter, and for no other bucket. `label` is local seconds from
    1970-01-01 of the bucket's own start (of `none` and `hour`, the wall clock; of `day` to `year`, midnight of its
    first day), or seconds since midnight for `profile`. `offset` is the seconds that the local clock is ahead of UTC
    at `first`, the first half-hour counted. Energy and carbon are millionths of a kWh and a kg (sums; means for
    `profile`), 0 where `present` or `has_carbon` is False.
    """

    key: Integers
    label: Integers
    offset: Integers
    first: Integers
    micro_kwh: Integers
    present: Flags
    micro_kg: Integers
    has_carbon: Flags
    missing: Integers
    expected: Integers

    def __len__(self) -> int:
        return len(self.label)

    @property
    def coverage_tenths(self) -> Integers:
        """Tenths of a per cent of the expected half-hours that are present, rounded down."""
        return 1000 * (self.expected - self.missing) // self.expected


def buckets(half_hours: HalfHours, aggregate: Aggregate, tz: ZoneInfo, weekdays: tuple[int, ...] = ()) -> Buckets:
    """All of `half_hours` (every one counts as expected), each in the bucket in which it starts.

    With `weekdays` (Monday is 0) only those that start on such local days count.
    """
    starts = half_hours.first + np.arange(len(half_hours), dtype=np.int64)
    offsets = utc_offsets(half_hours.span, tz)
    local = local_seconds(starts, offsets)
    labels = _labels(local, aggregate)
    keys = labels * OFFSET_ROOM - offsets if aggregate is Aggregate.HOUR else labels
    if aggregate is Aggregate.NONE:
        keys = starts
    order = np.argsort(keys, kind="stable")
    if weekdays:
        order = order[np.isin(_weekdays(local // DAY_SECONDS), weekdays)[order]]
    sorted_keys = keys[order]
    begins = np.flatnonzero(np.diff(sorted_keys, prepend=sorted_keys[:1] - 1))
    if not len(begins):
        begins = np.empty(0, dtype=np.int64)

    def total(values: Integers | Flags) -> Integers:
        if not len(begins):
            return np.empty(0, dtype=np.int64)
        return np.add.reduceat(values[order].astype(np.int64), begins)

    expected, count = total(np.ones(len(starts), dtype=np.int64)), total(half_hours.present)
    has_carbon = (count > 0) & (total(half_hours.has_carbon) == count)
    micro_kwh = total(half_hours.micro_kwh)
    micro_kg = np.where(has_carbon, total(half_hours.micro_kg), 0)
    if aggregate is Aggregate.PROFILE:
        micro_kwh, micro_kg = mean(micro_kwh, count), mean(micro_kg, count)
    at = order[begins]
    return Buckets(
        key=keys[at],
        label=labels[at],
        offset=offsets[at],
        first=starts[at],
        micro_kwh=micro_kwh,
        present=count > 0,
        micro_kg=micro_kg,
        has_carbon=has_carbon,
        missing=expected - count,
        expected=expected,
    )


def places(part: Buckets, aggregate: Aggregate, first_day: int | None) -> Integers:
    """What matches each bucket with those of other periods: its place in its own period, counted from 1.

    For `profile` it is the time of day, in seconds since midnight. The period begins on the local day `first_day`,
    counted from 1970-01-01, or, with None, where `part` does.
    """
    if aggregate is Aggregate.PROFILE or not len(part):
        return part.label
    begins = part.label[:1] if first_day is None else np.array([first_day * DAY_SECONDS])
    counted = [_counted(labels // DAY_SECONDS, aggregate) for labels in (part.label, _labels(begins, aggregate))]
    return counted[0] - counted[1] + 1


def joined_buckets(parts: Sequence[Buckets]) -> Buckets:
    """The buckets of several meters one after another; at least one part."""
    names = [field.name for field in fields(Buckets)]
    return Buckets(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def mean(totals: Integers, counts: Integers) -> Integers:
    """`totals` ÷ `counts`, rounded half-even; 0 where the count is 0."""
    divisor = np.maximum(counts, 1)
    quotient, rest = np.divmod(totals, divisor)
    up = (2 * rest > divisor) | ((2 * rest == divisor) & (quotient % 2 == 1))
    return np.asarray(quotient + up)


def floored_to_half_hour(seconds: Integers) -> Integers:
    """The time of day of local seconds, floored to :00 or :30, in seconds since midnight."""
    return seconds % DAY_SECONDS // HALF_HOUR_SECONDS * HALF_HOUR_SECONDS


def _labels(local: Integers, aggregate: Aggregate) -> Integers:
    """The label of the bucket that each local second lies in (see Buckets)."""
    match aggregate:
        case Aggregate.NONE:
            return local
        case Aggregate.HOUR:
            return local // 3600 * 3600
        case Aggregate.PROFILE:
            return floored_to_half_hour(local)
    days = local // DAY_SECONDS
    match aggregate:
        case Aggregate.DAY:
            firsts = days
        case Aggregate.WEEK:
            firsts = days - _weekdays(days)
        case Aggregate.MONTH:
            firsts = _first_day(days, "M")
        case Aggregate.YEAR:
            firsts = _first_day(days, "Y")
    return firsts * DAY_SECONDS


def _counted(days: Integers, aggregate: Aggregate) -> Integers:
    """The number of the day, week or month of each day counted from 1970-01-01: neighbours differ by 1."""
    match aggregate:
        case Aggregate.WEEK:
            return (days - _weekdays(days)) // 7
        case Aggregate.MONTH:
            return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return days


def _weekdays(days: Integers) -> Integers:
    """The day of the week of days counted from 1970-01-01, which was a Thursday; Monday is 0."""
    return (days + 3) % 7


def _first_day(days: Integers, unit: str) -> Integers:
    return days.astype("datetime64[D]").astype(f"datetime64[{unit}]").astype("datetime64[D]").astype(np.int64)
