"""The table `compare` against the plain reference: short and long months, the clock changes, gaps, ranges that end."""

import json
from datetime import date, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from domain.half_hour_cells import Cell, half_hours_of, random_half_hours
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import ReferenceMeter, as_csv, as_json, compare_rows, long_rows
from tables.reference_meters import reference_meter

from app.domain.aggregates import Aggregate
from app.domain.halfhours import HalfHours
from app.domain.spans import Span, midnight
from app.domain.weekdays import parse_weekdays
from app.formats import FORMATS, About
from app.query import COMPARED, Quantity
from app.tables import Compared, Numbers, compare_table

UTC = ZoneInfo("UTC")
ZONES = ["Europe/London", "UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
MONTHS = {
    "2020-02": (date(2020, 2, 1), date(2020, 2, 29)),
    "2021-02": (date(2021, 2, 1), date(2021, 2, 28)),
    "2021-03": (date(2021, 3, 1), date(2021, 3, 31)),
    "2021-04": (date(2021, 4, 1), date(2021, 4, 30)),
    "2021-10": (date(2021, 10, 1), date(2021, 10, 31)),
    "2021-W13": (date(2021, 3, 29), date(2021, 4, 4)),
    "2021-Q1": (date(2021, 1, 1), date(2021, 3, 31)),
    "2021-03-28": (date(2021, 3, 28), date(2021, 3, 28)),
    "2021-10-31": (date(2021, 10, 31), date(2021, 10, 31)),
}
RANGES = [
    (date(2020, 1, 10), date(2021, 12, 20)),
    (date(2021, 2, 10), date(2021, 10, 20)),
    (date(2021, 3, 31), date(2021, 4, 1)),
]
SEEDS = range(4)
periods = st.lists(st.sampled_from(sorted(MONTHS)), min_size=2, max_size=4, unique=True)


def span_of(first: date, last: date, tz: ZoneInfo) -> Span:
    return Span(midnight(first, tz), midnight(last + timedelta(days=1), tz))


@cache
def held(limits: tuple[date, date], seed: int) -> tuple[HalfHours, ReferenceMeter]:
    """What a meter measured in a range of UTC days, twice."""
    span = span_of(*limits, UTC)
    half_hours = random_half_hours(span.first, len(span), seed)
    return half_hours, reference_meter("gas", half_hours)


@pytest.mark.parametrize("aggregate", COMPARED)
@settings(max_examples=40)
@given(
    periods,
    st.sampled_from(RANGES),
    st.sampled_from(ZONES),
    st.sampled_from(Quantity),
    st.sampled_from(["", "weekday", "weekend", "tue,thu"]),
    st.sampled_from(SEEDS),
)
def test_it_is_the_references(
    aggregate: Aggregate, names: list[str], limits: tuple[date, date], zone: str, value: Quantity, days: str, seed: int
) -> None:
    tz = ZoneInfo(zone)
    days = days if aggregate is Aggregate.PROFILE else ""
    half_hours, plain = held(limits, seed)
    asked = {name: MONTHS[name] for name in names}
    compared = [
        Compared(name, first, half_hours.between(span_of(first, last, tz) & half_hours.span))
        for name, (first, last) in asked.items()
    ]
    weekdays = parse_weekdays(days) if days else ()
    table = compare_table(compared, aggregate, tz, value, weekdays=weekdays, difference=True)
    plainly = {
        name: (first, long_rows([plain], first, last, zone, aggregate, days)) for name, (first, last) in asked.items()
    }
    rows = compare_rows(plainly, aggregate, value)
    header = ["time", *names, "difference"]
    about = About("compare")
    assert FORMATS["csv"].write(table, about).decode() == as_csv(rows, header)
    assert json.loads(FORMATS["json"].write(table, about)) == as_json(rows, header)


def test_a_period_that_begins_before_the_data_keeps_its_places() -> None:
    """The tenth of June stands beside the tenth of July, though nothing was measured before."""
    june, july = date(2021, 6, 1), date(2021, 7, 1)
    one = half_hours_of(midnight(date(2021, 6, 10), UTC), [Cell(1_000_000)])
    other = half_hours_of(midnight(date(2021, 7, 10), UTC), [Cell(3_000_000)])
    table = compare_table(
        [Compared("2021-06", june, one), Compared("2021-07", july, other)], Aggregate.DAY, UTC, "energy_kwh"
    )
    assert FORMATS["csv"].write(table, About("")).decode().splitlines() == ["time,2021-06,2021-07", "10,1,3"]


def test_a_period_without_a_beginning_begins_with_its_data() -> None:
    half_hours = half_hours_of(midnight(date(2021, 6, 10), UTC), [Cell(1)])
    table = compare_table(
        [Compared("all", None, half_hours), Compared("2021", date(2021, 1, 1), half_hours)],
        Aggregate.MONTH, UTC, "energy_kwh",
    )  # fmt: skip
    lines = FORMATS["csv"].write(table, About("")).decode().splitlines()
    assert lines == ["time,all,2021", "1,0.000001,", "6,,0.000001"]


def test_places_go_up_by_one_through_years_and_before_1970() -> None:
    first = date(1969, 12, 1)
    half_hours = HalfHours.missing(span_of(first, date(1971, 2, 1), UTC))
    for aggregate, many in ((Aggregate.DAY, 428), (Aggregate.WEEK, 62), (Aggregate.MONTH, 15)):
        table = compare_table([Compared("a", first, half_hours)], aggregate, UTC, "error_count")
        time = table.columns[0]
        assert isinstance(time, Numbers)
        assert time.scaled[0] == 1
        assert len(time.scaled) == many
        assert all(other - one == 1 for one, other in pairwise(time.scaled.tolist()))


def test_no_half_hours_are_a_header() -> None:
    nothing = HalfHours.missing(Span(0, 0))
    for aggregate in COMPARED:
        table = compare_table(
            [Compared("a", None, nothing), Compared("b", date(2021, 1, 1), nothing)],
            aggregate, UTC, "energy_kwh", difference=True,
        )  # fmt: skip
        assert (table.header, table.rows) == (("time", "a", "b", "difference"), 0)
