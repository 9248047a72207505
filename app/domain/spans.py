"""Time: half-hours are counted from 1970-01-01 00:00 UTC, and local days become spans of them here."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

HALF_HOUR_SECONDS = 1800
HALF_HOURS_A_DAY = 48
DAY_SECONDS = 86_400
ONE_DAY = timedelta(days=1)
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Span:
    """Half-hours from `first` (included) to `stop` (excluded), counted from 1970-01-01 00:00 UTC."""

    first: int
    stop: int

    def __len__(self) -> int:
        return max(0, self.stop - self.first)

    def __and__(self, other: "Span") -> "Span":
        first = max(self.first, other.first)
        return Span(first, max(first, min(self.stop, other.stop)))

    @property
    def first_day(self) -> int:
        """The UTC day of the first half-hour, counted from 1970-01-01."""
        return self.first // HALF_HOURS_A_DAY

    @property
    def last_day(self) -> int:
        """The UTC day of the last half-hour, counted from 1970-01-01; before `first_day` if the span is empty."""
        return (self.stop - 1) // HALF_HOURS_A_DAY

    @classmethod
    def of_utc_days(cls, first_day: int, last_day: int) -> "Span":
        """All half-hours of the UTC days `first_day` to `last_day`, both included, counted from 1970-01-01."""
        return cls(first_day * HALF_HOURS_A_DAY, (last_day + 1) * HALF_HOURS_A_DAY)


def day_number(day: date) -> int:
    """`day` counted from 1970-01-01."""
    return (day - EPOCH).days


def day_of(number: int) -> date:
    """The day that is `number` days after 1970-01-01."""
    return EPOCH + number * ONE_DAY


def half_hour_of(moment: datetime) -> int:
    """The half-hour that `moment` (with a zone) lies in."""
    return int(moment.timestamp() // HALF_HOUR_SECONDS)


def starts_at_utc(half_hour: int) -> datetime:
    """The start of a half-hour, in UTC."""
    return datetime.fromtimestamp(half_hour * HALF_HOUR_SECONDS, tz=UTC)


def midnight(day: date, tz: ZoneInfo) -> int:
    """The first half-hour that starts in the local `day`, or, if the day has none, in the next.

    A day that begins twice begins the first time; one whose midnight is skipped begins at the change.
    """
    start = datetime(day.year, day.month, day.day, tzinfo=tz).timestamp()
    return int(-(-start // HALF_HOUR_SECONDS))


def local_seconds(half_hours: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """The local wall clock at the start of each half-hour, in seconds from 1970-01-01 00:00 local."""
    return half_hours * HALF_HOUR_SECONDS + offsets


def utc_offsets(span: Span, tz: ZoneInfo) -> NDArray[np.int64]:
    """Seconds that the local clock is ahead of UTC at the start of each half-hour of `span`."""
    if not len(span):
        return np.empty(0, dtype=np.int64)
    years = range(day_of(span.first_day).year, day_of(span.last_day).year + 1)
    offsets = np.concatenate([_offsets_of_year(year, tz) for year in years])
    skipped = span.first - _first_half_hour(years[0])
    return offsets[skipped : skipped + len(span)]


def _first_half_hour(utc_year: int) -> int:
    return day_number(date(utc_year, 1, 1)) * HALF_HOURS_A_DAY


@lru_cache(maxsize=256)
def _offsets_of_year(utc_year: int, tz: ZoneInfo) -> NDArray[np.int64]:
    """The offsets of one UTC year; a day is looked at half-hour by half-hour only where its ends differ."""
    first = _first_half_hour(utc_year)
    days = (_first_half_hour(utc_year + 1) - first) // HALF_HOURS_A_DAY
    at_midnight = [_offset(first + day * HALF_HOURS_A_DAY, tz) for day in range(days + 1)]
    offsets = np.repeat(np.array(at_midnight[:-1], dtype=np.int64), HALF_HOURS_A_DAY)
    for day in range(days):
        if at_midnight[day] != at_midnight[day + 1]:
            at = day * HALF_HOURS_A_DAY
            offsets[at : at + HALF_HOURS_A_DAY] = [_offset(first + at + i, tz) for i in range(HALF_HOURS_A_DAY)]
    offsets.flags.writeable = False
    return offsets


def _offset(half_hour: int, tz: ZoneInfo) -> int:
    offset = starts_at_utc(half_hour).astimezone(tz).utcoffset()
    return int(offset.total_seconds()) if offset else 0
