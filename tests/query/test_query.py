"""A link and a query are two forms of one value; and what no link can ask for is refused with a remedy."""

from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.aggregates import Aggregate
from app.domain.errors import BadParameter, NotFound
from app.domain.periods import LocalDays
from app.query import COMPARED, PARAMETERS, REPORTS, TABLES, Kind, Layout, Quantity, Query, cell_errors_asked_for

Pairs = list[tuple[str, str]]
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
zones = st.sampled_from(sorted(available_timezones()))
periods = st.sampled_from(
    ["today", "yesterday", "last-7-days", "last-31-days", "this-week", "last-12-months", "all", "2021", "2021-Q1",
     "2021-06", "2021-W07", "2021-06-30"]
)  # fmt: skip
days = st.dates(date(1900, 1, 1), date(2199, 12, 31))
columns = st.lists(words.filter(lambda name: "," not in name), max_size=4, unique=True).map(tuple)
meters = st.lists(words, max_size=3, unique=True).map(tuple)
NOTHING: dict[str, Any] = {}


@st.composite
def times(draw: st.DrawFn) -> dict[str, Any]:
    """Nothing, a period, or one or both of start and end."""
    first, last = sorted([draw(days), draw(days)])
    choices = [NOTHING, {"period": draw(periods)}, {"start": first}, {"end": last}, {"start": first, "end": last}]
    return draw(st.sampled_from(choices))


@st.composite
def queries(draw: st.DrawFn) -> Query:
    """Any query that a link can ask for."""
    common: dict[str, Any] = {
        "meter": draw(meters),
        "tz": draw(st.one_of(st.none(), zones)),
        "columns": draw(columns),
        "errors": draw(st.sampled_from([None, "cell"])),
        **draw(st.sampled_from([NOTHING, {"first": 3}, {"last": 12}, {"first": 999_999_999}])),
        "bom": draw(st.booleans()),
    }
    table = draw(st.sampled_from(TABLES))
    if table == "status":
        return Query(table, **{name: value for name, value in common.items() if name not in {"meter", "tz"}})
    if table == "meters":
        return Query(table, **common)
    if table == "gaps":
        return Query(table, **common, kind=draw(st.sampled_from(Kind)), **draw(times()))
    layout = Layout.LONG if table == "compare" else draw(st.sampled_from(Layout))
    aggregates = COMPARED if table == "compare" else [Aggregate.NONE] if layout is Layout.GRID else list(Aggregate)
    aggregate = draw(st.sampled_from(aggregates))
    further: dict[str, Any] = {"layout": layout, "aggregate": aggregate, "value": draw(st.sampled_from(Quantity))}
    if aggregate is Aggregate.PROFILE:
        further["days"] = draw(st.lists(st.integers(0, 6), max_size=6, unique=True).map(sorted).map(tuple))
    if table == "usage":
        return Query(table, **common, **further, **draw(times()))
    compared = draw(st.lists(periods, min_size=2, max_size=4, unique=True).map(tuple))
    return Query(table, **common, **further, periods=compared, difference=draw(st.booleans()))


def pairs_of(link: str) -> Pairs:
    return parse_qsl(urlsplit(link).query, keep_blank_values=True, strict_parsing="?" in link)


def usage(*pairs: tuple[str, str]) -> Query:
    return Query.parse("usage", pairs)


@given(queries(), st.sampled_from(["csv", "xlsx", "json", "html"]))
def test_a_link_reads_back_as_the_query_that_made_it(query: Query, extension: str) -> None:
    link = query.link(extension)
    assert urlsplit(link).path == f"/{query.table}.{extension}"
    assert link.isascii()
    assert " " not in link
    assert Query.parse(query.table, pairs_of(link)) == query


@given(queries())
def test_a_link_names_no_default(query: Query) -> None:
    aggregate = Aggregate.PROFILE if query.table == "compare" else Aggregate.NONE
    default = Query(query.table, aggregate=aggregate)
    for name, _ in pairs_of(query.link("csv")):
        field = "periods" if name == "period" and query.table == "compare" else name
        assert getattr(query, field) != getattr(default, field)


@pytest.mark.parametrize("table", ["usage", "meters", "gaps", "status"])
def test_a_table_without_parameters_has_the_shortest_link(table: str) -> None:
    assert Query.parse(table, []).link("csv") == f"/{table}.csv"


def test_defaults_that_are_written_out_are_left_out_of_links() -> None:
    query = usage(("aggregate", "none"), ("layout", "long"), ("value", "energy_kwh"))
    assert query == usage()
    assert query.link("json") == "/usage.json"


def test_a_link_is_readable() -> None:
    query = usage(("meter", "gas"), ("meter", "electricity-5f1c9a52"), ("period", "2021-06"), ("columns", "time,meter"))
    expected = "/usage.csv?meter=gas&meter=electricity-5f1c9a52&period=2021-06&columns=time,meter"
    assert query.link("csv") == expected


def test_the_order_of_parameters_does_not_matter_but_for_columns() -> None:
    one = usage(("period", "2021"), ("aggregate", "day"), ("tz", "Asia/Kathmandu"))
    other = usage(("tz", "Asia/Kathmandu"), ("aggregate", "day"), ("period", "2021"))
    assert one == other
    assert usage(("columns", "meter,time")).columns == ("meter", "time")


def test_a_plus_in_the_name_of_a_zone_may_be_written_plainly() -> None:
    assert Query.parse("usage", parse_qsl("tz=Etc/GMT+1")).tz == "Etc/GMT+1"


def test_a_table_that_does_not_exist_is_not_found() -> None:
    with pytest.raises(NotFound) as raised:
        Query.parse("usages", [])
    assert "usage" in raised.value.remedy


def test_without_a_period_the_last_31_days_are_meant() -> None:
    assert usage().local_days(date(2021, 2, 10)) == LocalDays(date(2021, 1, 10), date(2021, 2, 9))


@given(days, days, days)
def test_start_and_end_are_the_local_days_and_one_alone_is_open(today: date, one: date, other: date) -> None:
    first, last = sorted([one, other])
    start, end = ("start", first.isoformat()), ("end", last.isoformat())
    assert usage(start, end).local_days(today) == LocalDays(first, last)
    assert usage(start).local_days(today) == LocalDays(first, None)
    assert usage(end).local_days(today) == LocalDays(None, last)


def test_the_zone_asked_for_goes_before_the_default() -> None:
    assert usage(("tz", "Asia/Kathmandu")).zone("Europe/London").key == "Asia/Kathmandu"
    assert usage().zone("Europe/London").key == "Europe/London"


REFUSED = [
    ("period", [("period", "2021-13")]),
    ("start", [("start", "2021-02-30")]),
    ("end", [("end", "yesterday")]),
    ("aggregate", [("aggregate", "weekly")]),
    ("aggregate", [("aggregate", "Day")]),
    ("layout", [("layout", "tall")]),
    ("value", [("value", "kwh")]),
    ("tz", [("tz", "London")]),
    ("tz", [("tz", "../../etc/passwd")]),
    ("errors", [("errors", "1")]),
    ("bom", [("bom", "yes")]),
    ("days", [("days", "workday"), ("aggregate", "profile")]),
    ("days", [("days", "Mon"), ("aggregate", "profile")]),
    ("days", [("days", "mon,"), ("aggregate", "profile")]),
    ("days", [("days", "mon,mon"), ("aggregate", "profile")]),
    ("days", [("days", "weekend")]),
    ("days", [("days", "weekend"), ("aggregate", "day")]),
    ("days", [("days", "mon"), ("layout", "grid")]),
    *((name, [(name, text)]) for name in ("first", "last") for text in ("0", "-1", "1.5", "ten", "٣", "1e3", "9" * 10)),
    ("first and last", [("first", "1"), ("last", "1")]),
    ("columns", [("columns", "time,")]),
    ("columns", [("columns", "time,meter,time")]),
    ("period", [("period", "2021"), ("start", "2021-01-01")]),
    ("period", [("period", "2021"), ("end", "2021-01-01")]),
    ("start", [("start", "2021-01-02"), ("end", "2021-01-01")]),
    *(
        ("grid", [("layout", "grid"), ("aggregate", one)])
        for one in ("hour", "day", "week", "month", "year", "profile")
    ),
]


@pytest.mark.parametrize(("named", "pairs"), REFUSED)
def test_what_can_not_be_is_refused_by_name_with_a_remedy(named: str, pairs: Pairs) -> None:
    with pytest.raises(BadParameter, match=named) as raised:
        Query.parse("usage", pairs)
    assert raised.value.remedy


EXAMPLES = {
    "period": "2021", "start": "2021-01-01", "end": "2021-01-01", "aggregate": "day", "tz": "UTC", "layout": "wide",
    "value": "carbon_kg", "columns": "time", "errors": "cell", "bom": "1", "first": "1", "last": "1",
}  # fmt: skip


@pytest.mark.parametrize("name", [*EXAMPLES, "meter"])
def test_an_empty_value_is_refused(name: str) -> None:
    with pytest.raises(BadParameter, match=name):
        usage((name, ""))


@pytest.mark.parametrize(("name", "text"), EXAMPLES.items())
def test_a_repeated_parameter_is_refused_even_with_the_same_value(name: str, text: str) -> None:
    assert usage((name, text)) is not None
    with pytest.raises(BadParameter, match=name):
        usage((name, text), (name, text))


def test_only_meters_may_be_repeated() -> None:
    assert usage(("meter", "b"), ("meter", "a"), ("meter", "b")).meter == ("b", "a")


REFUSED_OF_COMPARE = [
    ("period twice or more", []),
    ("period twice or more", [("period", "2021")]),
    ("same days", [("period", "2021"), ("period", "2021")]),
    ("same days", [("period", "2020"), ("period", "2021"), ("period", "2020")]),
    ("same days", [("period", "last-month"), ("period", "last-1-months")]),
    ("same days", [("period", "yesterday"), ("period", "last-1-days")]),
    ("same days", [("period", "last-7-days"), ("period", "last-07-days")]),
    ("period is empty", [("period", "2021"), ("period", "")]),
    ("period is not", [("period", "2021"), ("period", "2022-13")]),
    ("no parameter start", [("start", "2021-01-01"), ("period", "2021"), ("period", "2020")]),
    ("no parameter end", [("period", "2021"), ("period", "2020"), ("end", "2021-01-01")]),
    ("difference", [("period", "2021"), ("period", "2020"), ("difference", "yes")]),
    ("days", [("period", "2021"), ("period", "2020"), ("aggregate", "day"), ("days", "mon")]),
    *(
        ("aggregate of compare", [("period", "2021"), ("period", "2020"), ("aggregate", one)])
        for one in ("none", "hour", "year")
    ),
]


@pytest.mark.parametrize(("named", "pairs"), REFUSED_OF_COMPARE)
def test_what_can_not_be_compared_is_refused_with_a_remedy(named: str, pairs: Pairs) -> None:
    with pytest.raises(BadParameter, match=named) as raised:
        Query.parse("compare", pairs)
    assert raised.value.remedy


@pytest.mark.parametrize(
    ("one", "other"),
    [("today", "2021-07-14"), ("this-week", "this-month"), ("last-31-days", "last-month"), ("last-year", "2021"),
     ("this-month", "this-year"), ("last-7-days", "last-week"), ("last-12-months", "last-year")],
)  # fmt: skip
def test_periods_that_are_the_same_on_some_days_only_can_be_compared_on_all(one: str, other: str) -> None:
    """A formula that worked on Sunday works on Monday too."""
    assert Query.parse("compare", [("period", one), ("period", other)]).periods == (one, other)


def test_profiles_are_compared_unless_something_else_is_asked_for() -> None:
    periods = [("period", "2021-01"), ("period", "2021-07")]
    query = Query.parse("compare", periods)
    assert query.aggregate is Aggregate.PROFILE
    assert query.link("csv") == "/compare.csv?period=2021-01&period=2021-07"
    assert Query.parse("compare", [*periods, ("aggregate", "profile")]) == query


def test_all_seven_days_are_all_days() -> None:
    query = usage(("aggregate", "profile"), ("days", "weekday,weekend"))
    assert query == usage(("aggregate", "profile"))


@pytest.mark.parametrize(
    ("text", "shortest"),
    [("fri,thu,wed,tue,mon", "weekday"), ("sun,sat", "weekend"), ("tue,mon", "mon,tue"), ("wed", "wed"),
     ("weekday,sat", "mon,tue,wed,thu,fri,sat")],
)  # fmt: skip
def test_a_link_names_days_as_briefly_as_can_be(text: str, shortest: str) -> None:
    query = usage(("aggregate", "profile"), ("days", text))
    assert query.link("csv") == f"/usage.csv?aggregate=profile&days={shortest}"


def test_gaps_are_missing_half_hours_unless_suspect_ones_are_asked_for() -> None:
    assert Query.parse("gaps", []).kind is Kind.MISSING
    assert Query.parse("gaps", [("kind", "suspect")]).kind is Kind.SUSPECT
    with pytest.raises(BadParameter, match="kind is none of missing, suspect") as raised:
        Query.parse("gaps", [("kind", "suspekt")])
    assert "Did you mean kind=suspect?" in raised.value.remedy


def test_every_parameter_is_some_tables_and_every_table_takes_the_common_ones() -> None:
    for name, parameter in PARAMETERS.items():
        assert parameter.tables, name
        assert set(parameter.tables) <= {*TABLES, *REPORTS, "connected"}, name
    for name in ("columns", "first", "last", "errors", "bom", "key"):
        assert set(PARAMETERS[name].tables) >= set(TABLES), name


@pytest.mark.parametrize(("table", "name"), [("meters", "period"), ("meters", "days"), ("gaps", "value"),
    ("compare", "layout"), ("usage", "kind"), ("usage", "difference")])  # fmt: skip
def test_a_parameter_of_another_table_is_ignored(table: str, name: str) -> None:
    pairs = [("period", "2021"), ("period", "2020")] if table == "compare" else []
    assert Query.parse(table, [*pairs, (name, "x")]) == Query.parse(table, pairs)


@pytest.mark.parametrize(
    ("pairs", "asked"),
    [
        ([("errors", "cell")], True),
        ([("nonsense", ""), ("errors", "cell"), ("period", "x")], True),
        ([("errors", "on")], False),
        ([], False),
    ],
)
def test_errors_as_cells_are_asked_for_however_wrong_the_rest_is(pairs: Pairs, asked: bool) -> None:  # noqa: FBT001
    assert cell_errors_asked_for(pairs) == asked
