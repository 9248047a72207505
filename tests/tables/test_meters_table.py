"""The table `meters`: our seven columns, then whatever else PowerShaper says of a meter."""

import json
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from tables.made_meters import meter

from app.domain.meters import Meter
from app.domain.spans import Span, half_hour_of
from app.formats import FORMATS, About
from app.tables import meters_table

OURS = ["meter", "type", "consent_uuid", "status", "earliest", "latest", "days_since_latest"]
LONDON = ZoneInfo("Europe/London")
TODAY = date(2022, 7, 10)


def rows_of(*meters: Meter, tz: ZoneInfo = LONDON, today: date = TODAY) -> list[dict[str, Any]]:
    rows = json.loads(FORMATS["json"].write(meters_table(meters, tz, today), About("meters")))
    assert isinstance(rows, list)
    return rows


def summer_span() -> Span:
    first, latest = (
        datetime.fromisoformat(text) for text in ("2021-12-31T00:00:00+00:00", "2022-07-08T23:30:00+01:00")
    )
    return Span(half_hour_of(first), half_hour_of(latest) + 1)


def test_a_meter_is_a_row_of_the_contracts_columns() -> None:
    assert rows_of(meter(span=summer_span())) == [
        {
            "meter": "gas",
            "type": "gas",
            "consent_uuid": "5f1c9a52",
            "status": "active",
            "earliest": "2021-12-31T00:00:00+00:00",
            "latest": "2022-07-08T23:30:00+01:00",
            "days_since_latest": 2,
        }
    ]


def test_earliest_and_latest_are_local_in_the_zone_asked_for() -> None:
    (row,) = rows_of(meter(span=summer_span()), tz=ZoneInfo("Asia/Kathmandu"))
    assert (row["earliest"], row["latest"]) == ("2021-12-31T05:45:00+05:45", "2022-07-09T04:15:00+05:45")
    assert row["days_since_latest"] == 1
    body = FORMATS["csv"].write(meters_table([meter(span=summer_span())], LONDON, TODAY), About("meters"))
    assert b",2021-12-31 00:00:00,2022-07-08 23:30:00,2\r\n" in body


def test_a_meter_without_a_range_has_blanks() -> None:
    (row,) = rows_of(meter())
    assert (row["earliest"], row["latest"], row["days_since_latest"]) == (None, None, None)


def test_a_meter_that_is_no_longer_listed_is_withdrawn() -> None:
    assert rows_of(meter(is_listed=False))[0]["status"] == "withdrawn"


def test_no_meters_are_a_header() -> None:
    table = meters_table([], LONDON, TODAY)
    assert (list(table.header), table.rows) == (OURS, 0)


def test_further_keys_are_flattened_and_sorted_behind_ours() -> None:
    further = {"tariff": {"name": "Go", "rates": [7.5, 30]}, "links": {"records": "/r", "self": None}, "active": True}
    (row,) = rows_of(meter(further=further))
    assert list(row) == [
        *OURS,
        "active",
        "links_records",
        "links_self",
        "tariff_name",
        "tariff_rates_0",
        "tariff_rates_1",
    ]
    assert (row["active"], row["links_records"], row["links_self"], row["tariff_name"]) == (True, "/r", None, "Go")
    assert row["tariff_rates_1"] == 30


def test_a_further_key_that_collides_gets_upstream_before_it() -> None:
    (row,) = rows_of(meter(further={"meter": "theirs", "Latest": "x", "upstream_meter": "y"}))
    assert row["meter"] == "gas"
    assert {row[name] for name in set(row) - set(OURS)} == {"theirs", "x", "y"}
    assert "upstream_meter" in row
    assert "upstream_Latest" in row


def test_two_further_keys_that_flatten_to_one_name_are_both_shown() -> None:
    (row,) = rows_of(meter(further={"links_records": "flat", "links": {"records": "nested"}}))
    assert {row[name] for name in set(row) - set(OURS)} == {"flat", "nested"}


def test_a_key_that_only_one_meter_has_is_blank_for_the_others() -> None:
    first, second = rows_of(meter("a", further={"mpan": "1"}), meter("b", further={"mprn": "2"}))
    assert (first["mpan"], first["mprn"], second["mpan"], second["mprn"]) == ("1", None, None, "2")


def test_a_whole_number_that_a_spreadsheet_would_round_is_text() -> None:
    (row,) = rows_of(meter(further={"exact": 2**53, "serial": 2**53 + 1, "negative": -(2**60)}))
    assert (row["exact"], row["serial"], row["negative"]) == (2**53, str(2**53 + 1), str(-(2**60)))


leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5))
keys = st.one_of(
    st.sampled_from([*OURS, *map(str.upper, OURS), "a", "A", "é", "upstream_meter"]), st.text(min_size=1, max_size=4)
)
nested = st.recursive(
    leaves, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)), max_leaves=6
)


@given(st.lists(st.dictionaries(keys, nested, max_size=5), max_size=3))
def test_headers_are_ascii_and_unique_whatever_their_case(furthers: list[dict[str, Any]]) -> None:
    table = meters_table([meter(further=further) for further in furthers], LONDON, TODAY)
    assert list(table.header[:7]) == OURS
    assert len({name.casefold() for name in table.header}) == len(table.header)
    header = FORMATS["csv"].write(table, About("meters")).split(b"\r\n")[0].decode("ascii")
    assert header.split(",") == list(table.header)


@given(st.lists(st.dictionaries(keys, leaves, max_size=5), min_size=1, max_size=3))
def test_every_further_value_stands_in_its_meters_row(furthers: list[dict[str, Any]]) -> None:
    rows = rows_of(*(meter(further=further) for further in furthers))
    for row, further in zip(rows, furthers, strict=True):
        shown = [str(row[name]) for name in list(row)[7:] if row[name] is not None]
        assert sorted(shown) == sorted(str(value) for value in further.values() if value is not None)
