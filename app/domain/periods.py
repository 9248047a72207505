"""Named periods: the words of a link ("last-month", "2021-Q1") and the local days that they mean."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from app.domain.errors import BadParameter
from app.domain.spans import ONE_DAY

FIRST_YEAR, LAST_YEAR = 1900, 2199
MOST_DAYS, MOST_MONTHS = 9999, 999
WORDS = (
    "today", "yesterday", "last-7-days", "last-31-days", "this-week", "last-week", "this-month", "last-month",
    "last-12-months", "this-year", "last-year", "all", "2021", "2021-Q1", "2021-06", "2021-W07", "2021-06-30",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LocalDays:
    """Local days from `first` to `last`, both included; None is the start or the end of the data."""

    first: date | None
    last: date | None


def parse_day(text: str, parameter: str) -> date:
    """The day written `YYYY-MM-DD`, from 1900 to 2199 (Excel's calendar begins in 1900); BadParameter otherwise."""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            day = date.fromisoformat(text)
            if FIRST_YEAR <= day.year <= LAST_YEAR:
                return day
    except ValueError:
        pass
    raise BadParameter(
        f"The parameter {parameter} is not a day of the calendar.",
        remedy=f"Write it as YYYY-MM-DD, from {FIRST_YEAR} to {LAST_YEAR}, for example {parameter}=2021-06-30.",
    )


def named_period(text: str, today: date) -> LocalDays:
    """The local days that a period's words mean on the local day `today`; BadParameter if they mean none."""
    for pattern, meaning in _MEANINGS:
        if match := re.fullmatch(pattern, text, re.ASCII):
            try:
                return meaning(today, *(int(group) for group in match.groups()))
            except (ValueError, OverflowError):
                break
    raise BadParameter(
        "The parameter period is not a period that is known.",
        remedy=f"Use one of {', '.join(WORDS)}; N in last-N-days is 1 to {MOST_DAYS}, "
        f"in last-N-months 1 to {MOST_MONTHS}.",
    )


def _month(year: int, month: int) -> LocalDays:
    """A whole month; months past 12 or before 1 count on into the years beside."""
    years, month0 = divmod(month - 1, 12)
    first = date(year + years, month0 + 1, 1)
    return LocalDays(first, (first + timedelta(days=31)).replace(day=1) - ONE_DAY)


def _days_before(today: date, days: int) -> LocalDays:
    _check(1 <= days <= MOST_DAYS)
    return LocalDays(today - days * ONE_DAY, today - ONE_DAY)


def _months_before(today: date, months: int) -> LocalDays:
    _check(1 <= months <= MOST_MONTHS)
    return LocalDays(_month(today.year, today.month - months).first, today.replace(day=1) - ONE_DAY)


def _week(monday: date) -> LocalDays:
    return LocalDays(monday, monday + 6 * ONE_DAY)


def _monday(day: date) -> date:
    return day - day.weekday() * ONE_DAY


def _year(_today: date, year: int) -> LocalDays:
    _check(FIRST_YEAR <= year <= LAST_YEAR)
    return LocalDays(date(year, 1, 1), date(year, 12, 31))


def _quarter(_today: date, year: int, quarter: int) -> LocalDays:
    _year(_today, year)
    return LocalDays(_month(year, 3 * quarter - 2).first, _month(year, 3 * quarter).last)


def _named_month(_today: date, year: int, month: int) -> LocalDays:
    _year(_today, year)
    _check(1 <= month <= 12)  # noqa: PLR2004 - a year has 12 months
    return _month(year, month)


def _iso_week(_today: date, year: int, week: int) -> LocalDays:
    _year(_today, year)
    return _week(date.fromisocalendar(year, week, 1))


def _day(_today: date, year: int, month: int, day: int) -> LocalDays:
    _year(_today, year)
    return LocalDays(date(year, month, day), date(year, month, day))


def _check(holds: bool) -> None:  # noqa: FBT001 - a condition is what it takes
    if not holds:
        raise ValueError


_MEANINGS: list[tuple[str, Callable[..., LocalDays]]] = [
    (r"today", lambda today: LocalDays(today, today)),
    (r"yesterday", lambda today: LocalDays(today - ONE_DAY, today - ONE_DAY)),
    (r"last-([0-9]{1,4})-days", _days_before),
    (r"this-week", lambda today: LocalDays(_monday(today), today)),
    (r"last-week", lambda today: _week(_monday(today) - 7 * ONE_DAY)),
    (r"this-month", lambda today: LocalDays(today.replace(day=1), today)),
    (r"last-month", lambda today: _month(today.year, today.month - 1)),
    (r"last-([0-9]{1,3})-months", _months_before),
    (r"this-year", lambda today: LocalDays(date(today.year, 1, 1), today)),
    (r"last-year", lambda today: _year(today, today.year - 1)),
    (r"all", lambda _today: LocalDays(None, None)),
    (r"([0-9]{4})", _year),
    (r"([0-9]{4})-Q([1-4])", _quarter),
    (r"([0-9]{4})-([0-9]{2})", _named_month),
    (r"([0-9]{4})-W([0-9]{2})", _iso_week),
    (r"([0-9]{4})-([0-9]{2})-([0-9]{2})", _day),
]
