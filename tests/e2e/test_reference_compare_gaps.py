"""compare, gaps and the profiles of some days over HTTP agree, cell by cell, with the reference."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from e2e.reference_homes import NAMES, ZONES, homes_upstream, reference_meters
from reference import ReferenceMeter, Row, as_csv, as_json, compare_rows, gap_rows, long_rows
from service import A_ELECTRICITY, A_GAS, B_ELECTRICITY, Running, running

DAYS = {
    "2012-02": ("2012-02-01", "2012-02-29"),
    "2013-02": ("2013-02-01", "2013-02-28"),
    "2013-03": ("2013-03-01", "2013-03-31"),
    "2012-04": ("2012-04-01", "2012-04-30"),
    "2012-10": ("2012-10-01", "2012-10-31"),
    "2013-10": ("2013-10-01", "2013-10-31"),
    "2012-11": ("2012-11-01", "2012-11-30"),
    "2013-03-31": ("2013-03-31", "2013-03-31"),
    "2013-10-27": ("2013-10-27", "2013-10-27"),
    "2013-W13": ("2013-03-25", "2013-03-31"),
    "2013-W43": ("2013-10-21", "2013-10-27"),
    "2012-Q4": ("2012-10-01", "2012-12-31"),
    "2013-Q1": ("2013-01-01", "2013-03-31"),
    "2014-Q1": ("2014-01-01", "2014-03-31"),
    "2015-Q1": ("2015-01-01", "2015-03-31"),
    "2021-01": ("2021-01-01", "2021-01-31"),
    "2021-02": ("2021-02-01", "2021-02-28"),
    "2021-07": ("2021-07-01", "2021-07-31"),
    "2022-02": ("2022-02-01", "2022-02-28"),
    "2020": ("2020-01-01", "2020-12-31"),
    "2022": ("2022-01-01", "2022-12-31"),
}
COMPARED = {
    "leap February, which the data begins in, and another": (B_ELECTRICITY, ["2012-02", "2013-02"]),
    "28, 31 and 30 days": (B_ELECTRICITY, ["2013-02", "2013-03", "2012-04"]),
    "the months in which London's clocks change": (B_ELECTRICITY, ["2013-03", "2013-10", "2012-10"]),
    "the days on which they do": (B_ELECTRICITY, ["2013-03-31", "2013-10-27"]),
    "the weeks in which they do": (B_ELECTRICITY, ["2013-W13", "2013-W43"]),
    "a month with days missing, and one without": (B_ELECTRICITY, ["2012-11", "2012-10"]),
    "a quarter and a month": (B_ELECTRICITY, ["2012-Q4", "2013-03", "2013-Q1"]),
    "a quarter in which the data ends, and one without any": (B_ELECTRICITY, ["2014-Q1", "2015-Q1"]),
    "January beside July, gas": (A_GAS, ["2021-01", "2021-07"]),
    "Februaries": (A_ELECTRICITY, ["2021-02", "2022-02"]),
    "years, both cut by the data": (A_GAS, ["2020", "2022"]),
}
AGGREGATES = ["profile", "day", "week", "month"]
SPANS = {
    "all of home B": ("2012-01-01", "2014-12-31"),
    "cut within a gap": ("2012-11-18", "2012-11-18"),
    "London's clocks change": ("2013-03-26", "2013-10-31"),
    "no gap at all": ("2021-03-27", "2021-03-29"),
    "no data at all": ("2016-05-01", "2016-05-02"),
}
GAPS = ["meter", "start", "end", "half_hours", "start_utc", "end_utc"]
MOST = {A_ELECTRICITY: Decimal("11.5"), B_ELECTRICITY: Decimal("11.5"), A_GAS: Decimal(34)}


@cache
def meters(times: int = 1) -> dict[str, ReferenceMeter]:
    return {meter.name: meter for meter in reference_meters(times)}


def days_of(first: str, last: str) -> tuple[date, date]:
    return date.fromisoformat(first), date.fromisoformat(last)


def comparisons(zone: str) -> Iterator[tuple[str, list[Row], list[str]]]:
    """Every question as a query string, with the reference's rows and header."""
    for (meter, names), aggregate in product(COMPARED.values(), AGGREGATES):
        header = ["time", *names, "difference"]
        asked = f"meter={meter}&tz={zone}&aggregate={aggregate}&difference=1&" + "&".join(f"period={n}" for n in names)
        for days in ["", "weekday", "weekend", "mon,thu"] if aggregate == "profile" else [""]:
            periods = {}
            for name in names:
                first, last = days_of(*DAYS[name])
                periods[name] = first, long_rows([meters()[meter]], first, last, zone, aggregate, days)
            chosen = f"&days={days}" if days else ""
            for value in ["energy_kwh"] if days else ["energy_kwh", "carbon_kg", "error_count"]:
                yield f"{asked}{chosen}&value={value}", compare_rows(periods, aggregate, value), header


@pytest.mark.parametrize("zone", ZONES)
def test_compare_equals_the_reference_for_every_question(homes: Running, zone: str) -> None:
    asked_for = 0
    for asked, rows, header in comparisons(zone):
        assert homes.text(f"/compare.csv?{asked}") == as_csv(rows, header), asked
        assert homes.get(f"/compare.json?{asked}").json() == as_json(rows, header), asked
        asked_for += 1
    assert asked_for == len(COMPARED) * (4 * 3 + 3)


@pytest.mark.parametrize("zone", ZONES)
def test_profiles_of_some_days_of_the_week_equal_the_reference(homes: Running, zone: str) -> None:
    header = ["time", "energy_kwh", "carbon_kg", "error_count", "meter", "time_utc", "coverage_pct"]
    for name, days in product(("2012-02", "2013-03", "2013-10", "2012-11", "2021-02"), ("weekday", "weekend", "sun")):
        first, last = days_of(*DAYS[name])
        rows = [row for _, row in long_rows(list(meters().values()), first, last, zone, "profile", days)]
        asked = f"/usage.csv?period={name}&tz={zone}&aggregate=profile&days={days}"
        assert homes.text(asked) == as_csv(rows, header), asked


@pytest.mark.parametrize("zone", ZONES)
def test_gaps_equal_the_reference(homes: Running, zone: str) -> None:
    for first, last in SPANS.values():
        rows = gap_rows(list(meters().values()), *days_of(first, last), zone, {})
        asked = f"start={first}&end={last}&tz={zone}"
        assert homes.text(f"/gaps.csv?{asked}") == as_csv(rows, GAPS), asked
        assert homes.get(f"/gaps.json?{asked}").json() == as_json(rows, GAPS), asked


def test_the_reference_sees_what_the_spans_promise() -> None:
    def runs(span: str) -> list[int]:
        rows = gap_rows([meters()[name] for name in NAMES], *days_of(*SPANS[span]), "Europe/London", {})
        return [row["half_hours"] for row in rows]

    assert len(runs("all of home B")) > 10
    assert runs("cut within a gap") == [48]
    assert runs("no gap at all") == runs("no data at all") == []


def test_suspect_half_hours_equal_the_reference(tmp_path: Path) -> None:
    """Homes that use twenty times as much: then some half-hours of both kinds are more than can be."""
    with running(tmp_path, upstream=homes_upstream(20)) as service:
        kinds = set()
        for zone, (first, last) in product(ZONES, [("2013-01-01", "2013-03-31"), ("2021-01-01", "2021-01-31")]):
            rows = gap_rows(list(meters(20).values()), *days_of(first, last), zone, MOST)
            kinds |= {row["meter"] for row in rows}
            asked = f"kind=suspect&start={first}&end={last}&tz={zone}"
            assert service.text(f"/gaps.csv?{asked}") == as_csv(rows, GAPS), asked
        assert kinds == {A_ELECTRICITY, B_ELECTRICITY, A_GAS}
