"""The table `gaps` against the plain reference, cell by cell."""

import json
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from domain.half_hour_cells import GAP, Cell, half_hours_of, random_half_hours
from hypothesis import given
from hypothesis import strategies as st
from reference import as_csv, as_json, gap_rows
from tables.reference_meters import reference_meter

from app.domain.gaps import missing_runs
from app.domain.spans import Span, midnight
from app.formats import FORMATS, About
from app.tables import Runs, gaps_table

HEADER = ["meter", "start", "end", "half_hours", "start_utc", "end_utc"]
ZONES = ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
CHANGES = [date(2013, 3, 30), date(2013, 10, 26), date(2013, 11, 2), date(2013, 4, 6), date(2013, 10, 5)]
ABOUT = About("gaps")


@given(
    st.one_of(st.sampled_from(CHANGES), st.dates(date(2011, 1, 1), date(2024, 12, 31))),
    st.integers(0, 4),
    st.sampled_from(ZONES),
    st.sampled_from([[], ["gas"], ["electricity", "gas"], ["a-1", "b-2", "c-3"]]),
    st.integers(0, 2**32),
)
def test_it_is_the_references(first: date, more: int, zone: str, names: list[str], seed: int) -> None:
    tz, last = ZoneInfo(zone), first + timedelta(days=more)
    asked = Span(midnight(first, tz), midnight(last + timedelta(days=1), tz))
    held = {name: random_half_hours(asked.first + 7 * i - 20, len(asked) + 9, seed + i) for i, name in enumerate(names)}
    runs = [Runs(name, missing_runs(one.between(one.span & asked))) for name, one in held.items()]
    rows = gap_rows([reference_meter(name, one) for name, one in held.items()], first, last, zone, {})
    table = gaps_table(runs, tz)
    assert FORMATS["csv"].write(table, ABOUT).decode() == as_csv(rows, HEADER)
    assert json.loads(FORMATS["json"].write(table, ABOUT)) == as_json(rows, HEADER)


def test_each_end_has_the_offset_of_its_own_moment() -> None:
    night = half_hours_of(midnight(date(2021, 3, 28), ZoneInfo("UTC")), [GAP, GAP, GAP, Cell(1)])
    table = gaps_table([Runs("gas", missing_runs(night))], ZoneInfo("Europe/London"))
    assert json.loads(FORMATS["json"].write(table, ABOUT)) == [
        {
            "meter": "gas",
            "start": "2021-03-28T00:00:00+00:00",
            "end": "2021-03-28T02:30:00+01:00",
            "half_hours": 3,
            "start_utc": "2021-03-28T00:00:00Z",
            "end_utc": "2021-03-28T01:30:00Z",
        }
    ]


def test_no_runs_are_a_header() -> None:
    for found in ([], [Runs("gas", [])]):
        table = gaps_table(found, ZoneInfo("Europe/London"))
        assert (list(table.header), table.rows) == (HEADER, 0)
