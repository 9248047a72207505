"""Every word of a period, checked against walks over a plain calendar."""

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import BadParameter
from app.domain.periods import LocalDays, named_period, parse_day

todays = st.dates(date(1950, 1, 1), date(2150, 12, 31))
years = st.integers(1900, 2199)


def days_where(holds: Callable[[date], bool], around: date, reach: int) -> LocalDays:
    """The first and the last day that `holds` of, found by looking at every day near `around`."""
    found = [day for i in range(-reach, reach + 1) if holds(day := around + timedelta(days=i))]
    assert found[-1] - found[0] == timedelta(days=len(found) - 1)
    return LocalDays(found[0], found[-1])


def month_count(day: date) -> int:
    return day.year * 12 + day.month


def week_count(day: date) -> int:
    """Weeks since one that began on a Monday."""
    return (day - date(1900, 1, 1)).days // 7


@given(todays)
def test_today_and_yesterday_are_one_day_each(today: date) -> None:
    before = date.fromordinal(today.toordinal() - 1)
    assert named_period("today", today) == LocalDays(today, today)
    assert named_period("yesterday", today) == LocalDays(before, before)


@given(todays, st.integers(1, 9999))
def test_the_last_n_days_are_n_days_and_end_yesterday(today: date, n: int) -> None:
    days = named_period(f"last-{n}-days", today)
    assert days.first is not None
    assert days.last is not None
    assert days.last.toordinal() == today.toordinal() - 1
    assert days.last.toordinal() - days.first.toordinal() + 1 == n


@given(todays)
def test_this_week_runs_from_its_monday_through_today(today: date) -> None:
    asked = named_period("this-week", today)
    assert asked == days_where(lambda day: week_count(day) == week_count(today) and day <= today, today, 8)


@given(todays)
def test_the_last_week_is_the_whole_one_before_monday_to_sunday(today: date) -> None:
    asked = named_period("last-week", today)
    assert asked == days_where(lambda day: week_count(day) == week_count(today) - 1, today, 15)
    assert asked.first is not None
    assert asked.last is not None
    assert (asked.first.isoweekday(), asked.last.isoweekday()) == (1, 7)


@given(todays)
def test_this_month_runs_from_its_first_through_today(today: date) -> None:
    asked = named_period("this-month", today)
    assert asked == days_where(lambda day: month_count(day) == month_count(today) and day <= today, today, 32)


@given(todays)
def test_the_last_month_is_whole(today: date) -> None:
    asked = named_period("last-month", today)
    assert asked == days_where(lambda day: month_count(day) == month_count(today) - 1, today, 63)


@given(todays, st.integers(1, 40))
def test_the_last_n_months_are_the_whole_ones_before_this(today: date, n: int) -> None:
    asked = named_period(f"last-{n}-months", today)
    assert asked == days_where(lambda day: 0 < month_count(today) - month_count(day) <= n, today, 31 * (n + 2))


@given(todays, st.integers(1, 999))
def test_many_months_begin_that_many_months_ago_on_a_first(today: date, n: int) -> None:
    asked = named_period(f"last-{n}-months", today)
    assert asked.first is not None
    assert asked.first.day == 1
    assert month_count(today) - month_count(asked.first) == n
    assert asked.last == named_period("last-month", today).last


@given(todays)
def test_this_year_runs_through_today_and_the_last_is_whole(today: date) -> None:
    this, last = named_period("this-year", today), named_period("last-year", today)
    assert this == days_where(lambda day: day.year == today.year and day <= today, today, 366)
    assert last == days_where(lambda day: day.year == today.year - 1, today, 732)


@given(todays)
def test_all_is_open_at_both_ends(today: date) -> None:
    assert named_period("all", today) == LocalDays(None, None)


@given(todays, years)
def test_a_year_is_all_of_it_whatever_today_is(today: date, year: int) -> None:
    assert named_period(f"{year}", today) == days_where(lambda day: day.year == year, date(year, 7, 1), 200)


@given(todays, years, st.integers(1, 4))
def test_a_quarter_is_three_whole_months(today: date, year: int, quarter: int) -> None:
    months = {1: (1, 2, 3), 2: (4, 5, 6), 3: (7, 8, 9), 4: (10, 11, 12)}[quarter]
    asked = named_period(f"{year}-Q{quarter}", today)
    assert asked == days_where(lambda day: day.year == year and day.month in months, date(year, months[1], 15), 60)


@given(todays, years, st.integers(1, 12))
def test_a_month_is_all_of_it(today: date, year: int, month: int) -> None:
    asked = named_period(f"{year}-{month:02}", today)
    assert asked == days_where(lambda day: (day.year, day.month) == (year, month), date(year, month, 15), 20)


@given(todays, st.dates(date(1901, 1, 1), date(2198, 12, 31)))
def test_an_iso_week_is_the_seven_days_that_carry_its_number(today: date, inside: date) -> None:
    year, week, _ = inside.isocalendar()
    asked = named_period(f"{year}-W{week:02}", today)
    assert asked == days_where(lambda day: day.isocalendar()[:2] == (year, week), inside, 7)


@given(todays, st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_a_day_is_that_day(today: date, day: date) -> None:
    assert named_period(day.isoformat(), today) == LocalDays(day, day)
    assert parse_day(day.isoformat(), "start") == day


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("last-month", "2024-02-01", "2024-02-29"),
        ("last-3-months", "2023-12-01", "2024-02-29"),
        ("last-week", "2024-03-18", "2024-03-24"),
        ("this-week", "2024-03-25", "2024-03-31"),
        ("last-7-days", "2024-03-24", "2024-03-30"),
        ("2021-Q1", "2021-01-01", "2021-03-31"),
        ("2021-W07", "2021-02-15", "2021-02-21"),
        ("2020-W53", "2020-12-28", "2021-01-03"),
        ("2100-02", "2100-02-01", "2100-02-28"),
    ],
)
def test_periods_on_easter_sunday_2024(text: str, first: str, last: str) -> None:
    assert named_period(text, date(2024, 3, 31)) == LocalDays(date.fromisoformat(first), date.fromisoformat(last))


NO_PERIODS = (
    "", " ", "Today", "to-day", "tomorrow", "last-days", "last--days", "last-0-days", "last-0-months", "last--7-days",
    "last-7-day", "last-7-weeks", "last-1.5-days", "last-99999999999999999999-days", "last-99999999999999999999-months",
    "last-٣-days", "２０２１", "21", "20210", "2021-", "2021-13", "2021-00", "2021-6", "2021-Q0", "2021-Q5", "2021-Q",
    "2021-W00", "2021-W53", "2021-W54", "2021-W7", "2021-02-29", "2021-06-31", "2021-6-30", "2021/06/30", "30-06-2021",
    "0000", "0000-01", "0000-00-00", "2021\n", "all ", " all", "2021-06-30T00:00",
)  # fmt: skip


@pytest.mark.parametrize("text", NO_PERIODS)
def test_what_is_no_period_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(BadParameter, match="period") as raised:
        named_period(text, date(2022, 5, 5))
    assert "last-31-days" in raised.value.remedy


SHAPES = re.compile(
    r"today|yesterday|all|this-(week|month|year)|last-(week|month|year)|last-\d+-(days|months)"
    r"|\d{4}|\d{4}-(Q\d|W\d\d|\d\d|\d\d-\d\d)",
    re.ASCII,
)


@given(st.text(), todays)
def test_no_text_of_another_shape_is_a_period(text: str, today: date) -> None:
    if not SHAPES.fullmatch(text):
        with pytest.raises(BadParameter, match="period"):
            named_period(text, today)


@given(st.from_regex(SHAPES, fullmatch=True), todays)
def test_a_text_of_the_right_shape_is_a_period_or_refused(text: str, today: date) -> None:
    try:
        days = named_period(text, today)
    except BadParameter:
        return
    assert (days.first is None) == (days.last is None) == (text == "all")
    assert days.first is None or days.last is None or days.first <= days.last


@pytest.mark.parametrize("text", ["", "2021", "2021-02-30", "2021-2-03", "20210203", "2021-02-03 ", "1899-12-31", "x"])
@pytest.mark.parametrize("parameter", ["start", "end"])
def test_what_is_no_day_is_refused_by_its_parameters_name(text: str, parameter: str) -> None:
    with pytest.raises(BadParameter, match=parameter) as raised:
        parse_day(text, parameter)
    assert f"{parameter}=2021-06-30" in raised.value.remedy
