"""The table `usage` in its three layouts, against the plain reference, in zones that are not London's too."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from domain.half_hour_cells import Cell, half_hours_of, random_half_hours
from hypothesis import given
from hypothesis import strategies as st
from reference import ReferenceMeter, Row, as_csv, as_json, grid_rows, long_rows, wide_rows
from tables.reference_meters import reference_meter

from app.domain.aggregates import Aggregate
from app.domain.spans import Span, midnight
from app.domain.weekdays import parse_weekdays
from app.formats import FORMATS, About
from app.tables import Measured, Table, usage_grid, usage_long, usage_wide

HEADER = ["time", "energy_kwh", "carbon_kg", "error_count", "meter", "time_utc", "coverage_pct"]
ZONES = ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo"]
DAYS = ["weekday", "weekend", "mon", "tue,thu", "sun,mon"]
QUANTITIES = ["energy_kwh", "carbon_kg", "error_count"]
CHANGES = [date(2013, 3, 31), date(2013, 10, 27), date(2013, 11, 3), date(2013, 4, 7), date(2012, 10, 21)]
firsts = st.one_of(
    st.dates(date(2011, 1, 1), date(2024, 12, 31)),
    st.builds(lambda day, back: day - timedelta(days=back), st.sampled_from(CHANGES), st.integers(0, 3)),
)
Asked = tuple[list[Measured], list[ReferenceMeter], date, date, str]


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    """Up to three meters whose ranges begin and end somewhere in the local days from one date to another."""
    first, zone = draw(firsts), draw(st.sampled_from(ZONES))
    last = first + timedelta(days=draw(st.integers(0, 9)))
    tz = ZoneInfo(zone)
    span = Span(midnight(first, tz), midnight(last + timedelta(days=1), tz))
    measured, plain = [], []
    for name in draw(st.sampled_from([[], ["gas"], ["electricity", "gas"], ["a-1", "b-2", "c-3"]])):
        begin = draw(st.integers(span.first, span.stop - 1))
        end = draw(st.integers(begin + 1, span.stop))
        half_hours = random_half_hours(begin, end - begin, draw(st.integers(0, 2**32)))
        measured.append(Measured(name, half_hours))
        plain.append(reference_meter(name, half_hours))
    return measured, plain, first, last, zone


def same(table: Table, rows: list[Row], header: list[str]) -> None:
    """The table is the reference's rows, as CSV and as JSON."""
    about = About("usage")
    assert FORMATS["csv"].write(table, about).decode() == as_csv(rows, header)
    assert json.loads(FORMATS["json"].write(table, about)) == as_json(rows, header)


@pytest.mark.parametrize("aggregate", list(Aggregate))
@given(asked())
def test_long_is_the_references(aggregate: Aggregate, question: Asked) -> None:
    measured, plain, first, last, zone = question
    rows = [row for _, row in long_rows(plain, first, last, zone, aggregate)]
    same(usage_long(measured, aggregate, ZoneInfo(zone)), rows, HEADER)


@given(asked(), st.sampled_from(DAYS), st.sampled_from(QUANTITIES))
def test_a_profile_of_some_days_of_the_week_is_the_references(question: Asked, days: str, value: str) -> None:
    measured, plain, first, last, zone = question
    weekdays = parse_weekdays(days)
    rows = long_rows(plain, first, last, zone, "profile", days)
    same(usage_long(measured, Aggregate.PROFILE, ZoneInfo(zone), weekdays), [row for _, row in rows], HEADER)
    names = [one.meter for one in measured]
    wide = usage_wide(measured, Aggregate.PROFILE, ZoneInfo(zone), value, weekdays)
    same(wide, wide_rows(rows, names, value), ["time", "time_utc", *(f"{name}_{value}" for name in names)])


@pytest.mark.parametrize("aggregate", list(Aggregate))
@given(asked(), st.sampled_from(QUANTITIES))
def test_wide_is_the_references(aggregate: Aggregate, question: Asked, value: str) -> None:
    measured, plain, first, last, zone = question
    names = [one.meter for one in measured]
    rows = wide_rows(long_rows(plain, first, last, zone, aggregate), names, value)
    header = ["time", "time_utc", *(f"{name}_{value}" for name in names)]
    same(usage_wide(measured, aggregate, ZoneInfo(zone), value), rows, header)


@given(asked(), st.sampled_from(["energy_kwh", "error_count"]))
def test_grid_is_the_references(question: Asked, value: str) -> None:
    measured, plain, first, last, zone = question
    labels = [f"{hour:02}:{minute}" for hour in range(24) for minute in ("00", "30")]
    rows = grid_rows(long_rows(plain, first, last, zone, "none"), value)
    same(usage_grid(measured, ZoneInfo(zone), value), rows, ["date", "meter", *labels])


def csv_rows(table: Table) -> list[dict[str, str]]:
    header, *lines = FORMATS["csv"].write(table, About("usage")).decode().splitlines()
    return [dict(zip(header.split(","), line.split(","), strict=True)) for line in lines]


@given(asked(), st.sampled_from(Aggregate))
def test_rows_are_ordered_by_utc_then_meter(question: Asked, aggregate: Aggregate) -> None:
    measured, _, _, _, zone = question
    rows = csv_rows(usage_long(measured, aggregate, ZoneInfo(zone)))
    order = [(row["time"] if aggregate is Aggregate.PROFILE else row["time_utc"], row["meter"]) for row in rows]
    assert order == sorted(order)
    assert len(set(order)) == len(order)


def long_october_night(*cells: Cell) -> Measured:
    """Half-hours from 01:00 of London's summer time on, in the night in which that hour comes twice."""
    first = int(datetime(2013, 10, 27, tzinfo=UTC).timestamp()) // 1800
    return Measured("gas", half_hours_of(first, cells))


def grid_of(measured: Measured, value: str) -> dict[str, str]:
    (row,) = csv_rows(usage_grid([measured], ZoneInfo("Europe/London"), value))
    return row


def test_a_grid_sums_the_half_hours_that_fall_on_one_label() -> None:
    night = long_october_night(Cell(1_391_000, 1), Cell(1_404_000, 1), Cell(1_135_000, 2), Cell(38_000, 3))
    energy, carbon = grid_of(night, "energy_kwh"), grid_of(night, "carbon_kg")
    assert (energy["01:00"], energy["01:30"], energy["02:00"]) == ("2.526", "1.442", "")
    assert (carbon["01:00"], carbon["01:30"]) == ("0.000003", "0.000004")


def test_a_grid_leaves_carbon_blank_where_a_half_hour_with_energy_lacks_it() -> None:
    night = long_october_night(Cell(1, 1), Cell(1, 1), Cell(1), Cell(None))
    carbon = grid_of(night, "carbon_kg")
    assert (carbon["01:00"], carbon["01:30"]) == ("", "0.000001")


def test_a_grid_counts_errors_of_both_half_hours_of_a_label() -> None:
    errors = grid_of(long_october_night(Cell(None), Cell(1), Cell(None), Cell(None)), "error_count")
    assert (errors["01:00"], errors["01:30"], errors["02:00"]) == ("2", "1", "")


@pytest.mark.parametrize("make", [usage_long, usage_wide])
def test_no_meters_are_a_header(make: Any) -> None:
    more = ("energy_kwh",) if make is usage_wide else ()
    table = make([], Aggregate.DAY, ZoneInfo("UTC"), *more)
    assert table.rows == 0
    assert list(table.header) == (["time", "time_utc"] if make is usage_wide else HEADER)
