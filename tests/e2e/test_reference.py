"""The service over HTTP agrees, cell by cell, with a reference that shares no code with it."""

from collections.abc import Iterator
from datetime import date
from functools import cache
from itertools import product
from typing import Any

import pytest
from e2e.reference_homes import NAMES, ZONES, reference_meters
from reference import Row, as_csv, as_json, grid_rows, long_rows, wide_rows
from service import A_GAS, AFTER_THE_DATA, B_ELECTRICITY, Running, SetClock, running

from app.demo import DemoUpstream, Missing, Numbers, Times

AGGREGATES = ["none", "hour", "day", "week", "month", "year", "profile"]
LONG = ["time", "energy_kwh", "carbon_kg", "error_count", "meter", "time_utc", "coverage_pct"]
SPANS = {
    "London's clocks go forward": ("2013-03-30", "2013-04-01"),
    "London's clocks go back, and a half-hour stands twice": ("2013-10-26", "2013-10-28"),
    "forward, two meters": ("2021-03-27", "2021-03-29"),
    "back, two meters": ("2021-10-30", "2021-11-01"),
    "New York goes forward": ("2013-03-09", "2013-03-11"),
    "New York goes back": ("2013-11-02", "2013-11-04"),
    "Lord Howe goes back by 30 minutes": ("2013-04-06", "2013-04-08"),
    "Lord Howe goes forward by 30 minutes": ("2013-10-05", "2013-10-07"),
    "two whole days are missing": ("2012-11-16", "2012-11-20"),
    "one half-hour is missing": ("2013-03-26", "2013-03-26"),
    "a half-hour stands twice": ("2012-03-17", "2012-03-17"),
    "home B's first day": ("2012-02-19", "2012-02-21"),
    "home B's last day": ("2014-02-27", "2014-03-01"),
    "home A's first day": ("2020-03-31", "2020-04-02"),
    "home A's last day": ("2022-12-05", "2022-12-07"),
    "no data at all": ("2016-05-01", "2016-05-02"),
}
VARIANTS = list(product(Missing, Numbers, Times))


@cache
def expected(layout: str, aggregate: str, zone: str, span: tuple[str, str], value: str) -> tuple[list[Row], list[str]]:
    """The reference's rows and header."""
    rows = long_rows(reference_meters(), date.fromisoformat(span[0]), date.fromisoformat(span[1]), zone, aggregate)
    if layout == "wide":
        return wide_rows(rows, NAMES, value), ["time", "time_utc", *(f"{name}_{value}" for name in NAMES)]
    if layout == "grid":
        header = ["date", "meter", *(f"{i // 2:02}:{i % 2 * 30:02}" for i in range(48))]
        return grid_rows(rows, value), header
    return [row for _, row in rows], LONG


@cache
def expected_csv(*arguments: Any) -> str:
    return as_csv(*expected(*arguments))


def questions(values: list[str]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Every question as a query string, with the arguments of `expected`."""
    for zone, span in product(ZONES, SPANS.values()):
        for layout, aggregate in [*product(["long", "wide"], AGGREGATES), ("grid", "none")]:
            for value in ["energy_kwh"] if layout == "long" else values:
                asked = f"start={span[0]}&end={span[1]}&tz={zone}&aggregate={aggregate}&layout={layout}&value={value}"
                yield asked, (layout, aggregate, zone, span, value)


@pytest.mark.parametrize("variant", VARIANTS, ids="-".join)
def test_csv_equals_the_reference_for_every_question(
    variant: tuple[Missing, Numbers, Times], tmp_path_factory: pytest.TempPathFactory
) -> None:
    missing, numbers, times = variant
    clock = SetClock(AFTER_THE_DATA.timestamp())
    upstream = DemoUpstream(missing=missing, numbers=numbers, times=times, moved=False, clock=clock)
    asked_for = 0
    with running(tmp_path_factory.mktemp("variant"), upstream=upstream) as service:
        for asked, arguments in questions(["energy_kwh"]):
            assert service.text(f"/usage.csv?{asked}") == expected_csv(*arguments), asked
            asked_for += 1
    assert asked_for == len(ZONES) * len(SPANS) * (2 * len(AGGREGATES) + 1)


def test_json_equals_the_reference_for_every_question_and_value(homes: Running) -> None:
    for asked, arguments in questions(["energy_kwh", "carbon_kg", "error_count"]):
        assert homes.get(f"/usage.json?{asked}").json() == as_json(*expected(*arguments)), asked


def test_the_reference_sees_what_the_spans_promise() -> None:
    def halves(name: str, span: str) -> int:
        rows, _ = expected("long", "none", "Europe/London", SPANS[span], "energy_kwh")
        return len([row for row in rows if row["meter"] == name])

    assert halves(B_ELECTRICITY, "London's clocks go forward") == 48 + 46 + 48
    assert halves(B_ELECTRICITY, "London's clocks go back, and a half-hour stands twice") == 48 + 50 + 48
    assert halves(B_ELECTRICITY, "home B's first day") == 22 + 48
    assert halves(B_ELECTRICITY, "home B's last day") == 48 + 1
    assert halves(A_GAS, "no data at all") == 0
    rows, _ = expected("long", "none", "Europe/London", SPANS["two whole days are missing"], "energy_kwh")
    assert sum(row["error_count"] for row in rows) == 96
