"""compare, gaps, and first and last of every table, over HTTP: what a sheet gets, and what it costs upstream."""

import io
from collections.abc import Callable
from datetime import time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from formats.readers import read_csv, read_html, read_json, read_xlsx
from service import A_GAS, B_ELECTRICITY, HOME_A, Running, failing_when, running

JANUARY_AND_JULY = "/compare.{}?meter=gas&period=2021-01&period=2021-07"
DAYS = "/compare.{}?meter=gas&period=2021-02&period=2021-03&aggregate=day"
GAPS = "/gaps.{}?period=2012-11&meter=" + B_ELECTRICITY
TABLES = {
    "/usage.{}?meter=gas&period=2021-06-01": 48,
    "/usage.{}?meter=gas&period=2021-06&layout=grid": 30,
    JANUARY_AND_JULY: 48,
    "/gaps.{}?period=all": 19,
    "/meters.{}?": 3,
}
READERS: dict[str, Callable[[bytes, str], tuple[list[str], list[list[Any]]]]] = {
    "csv": lambda body, _: read_csv(body),
    "json": lambda body, _: read_json(body),
    "html": read_html,
    "xlsx": read_xlsx,
}
ONE_CONSENT, TWO_METERS = f"meter={HOME_A}", f"meter={A_GAS}&meter={B_ELECTRICITY}"


def test_the_mean_day_of_january_stands_beside_julys_with_one_formula(homes: Running) -> None:
    header, *rows = homes.rows(JANUARY_AND_JULY.format("csv"))
    assert header == ["time", "2021-01", "2021-07"]
    for month in ("2021-01", "2021-07"):
        asked = f"/usage.csv?meter=gas&period={month}&aggregate=profile&columns=time,energy_kwh"
        assert homes.rows(asked)[1:] == [[row[0], row[header.index(month)]] for row in rows]
    assert [row[0] for row in rows] == [f"{i // 2:02}:{i % 2 * 30:02}" for i in range(48)]


def test_times_and_places_have_their_types_in_a_workbook(homes: Running) -> None:
    _, rows = read_xlsx(homes.get(JANUARY_AND_JULY.format("xlsx")).content, "compare")
    assert [row[0] for row in rows[:2]] == [time(0, 0), time(0, 30)]
    header, rows = read_xlsx(homes.get(DAYS.format("xlsx")).content, "compare")
    assert header == ["time", "2021-02", "2021-03"]
    assert [row[0] for row in rows] == list(range(1, 32))
    assert all(type(row[0]) is int for row in rows)
    assert [row[1] is None for row in rows] == [False] * 28 + [True] * 3


def test_gaps_have_real_times_in_a_workbook(homes: Running) -> None:
    book = openpyxl.load_workbook(io.BytesIO(homes.get(GAPS.format("xlsx")).content))
    header, row = book["gaps"].values
    assert header == ("meter", "start", "end", "half_hours", "start_utc", "end_utc")
    assert [str(cell) for cell in row] == [
        B_ELECTRICITY, "2012-11-17 00:00:00", "2012-11-19 00:00:00", "96", "2012-11-17 00:00:00", "2012-11-19 00:00:00",
    ]  # fmt: skip
    about = {str(name): str(fact) for name, fact, *_ in book["about"].iter_rows(min_row=2, values_only=True)}
    assert about["period"] == "2012-11-01 to 2012-11-30 (2012-11)"


def test_the_difference_is_the_last_period_less_the_first_and_blank_where_one_is(homes: Running) -> None:
    header, *rows = homes.rows(
        "/compare.csv?meter=gas&period=2021-01&period=2021-06&period=2021-02&aggregate=day&difference=1"
    )
    assert header == ["time", "2021-01", "2021-06", "2021-02", "difference"]
    for row in rows:
        if row[3]:
            assert round(float(row[4]) * 1_000_000) == round((float(row[3]) - float(row[1])) * 1_000_000)
        else:
            assert row[4] == ""
    assert [row[3] == "" for row in rows] == [False] * 28 + [True] * 3


@pytest.mark.parametrize("extension", READERS)
@pytest.mark.parametrize("path", TABLES)
def test_the_first_and_the_last_rows_are_those_of_the_whole_table(homes: Running, path: str, extension: str) -> None:
    table = path.split(".", maxsplit=1)[0][1:]
    separator = "" if path.endswith("?") else "&"

    def rows(asked: str) -> list[list[Any]]:
        body = homes.get(path.format(extension) + separator + asked).content
        header, found = READERS[extension](body, table)
        assert header
        return found

    whole = rows("")
    assert len(whole) == TABLES[path]
    assert rows("first=1") == whole[:1]
    assert rows("last=2") == whole[-2:]
    assert rows("first=999999999") == rows("last=999999999") == whole


def test_columns_are_chosen_by_the_names_of_periods(homes: Running) -> None:
    asked = JANUARY_AND_JULY.format("csv") + "&difference=1&columns=difference,2021-07"
    assert homes.rows(asked)[0] == ["difference", "2021-07"]
    answer = homes.get(JANUARY_AND_JULY.format("json") + "&columns=energy_kwh")
    assert answer.status_code == 400
    assert "The columns are time, 2021-01, 2021-07" in answer.json()["remedy"]


@pytest.mark.parametrize("meter", ["", "meter=electricity", ONE_CONSENT, TWO_METERS])
def test_several_meters_can_not_be_compared(homes: Running, meter: str) -> None:
    before = list(homes.calls)
    answer = homes.get(f"/compare.json?period=2021-01&period=2021-07&{meter}")
    assert answer.status_code == 400
    assert "takes one meter" in answer.json()["detail"]
    assert "meter=" in answer.json()["remedy"]
    assert homes.calls == before


def test_the_only_meter_of_a_key_need_not_be_named(homes: Running) -> None:
    key = homes.make_key(frozenset({(HOME_A, "gas")}))
    asked = "/compare.csv?period=2021-01&period=2021-07"
    assert homes.text(f"{asked}&key={key}") == homes.text(JANUARY_AND_JULY.format("csv"))
    assert homes.get(f"{asked}&meter={B_ELECTRICITY}&key={key}").status_code == 404
    assert homes.rows(f"/gaps.csv?period=all&key={key}")[1:] == []


def test_a_compare_of_one_year_costs_one_call_and_what_is_held_none(fresh: Running) -> None:
    fresh.text(JANUARY_AND_JULY.format("csv"))
    assert [call.partition("?")[2] for call in fresh.calls[1:]] == [
        "start=2021-01-01&end=2021-07-31&aggregate=none&tz=UTC"
    ]
    before = list(fresh.calls)
    fresh.text(JANUARY_AND_JULY.format("json") + "&aggregate=week&difference=1&value=error_count")
    fresh.text("/compare.csv?meter=gas&period=2021-05&period=2021-Q2&aggregate=month")
    fresh.text("/gaps.csv?meter=gas&period=2021-04")
    assert fresh.calls == before


def test_periods_years_apart_are_not_fetched_across_the_years_between(fresh: Running) -> None:
    fresh.text("/compare.csv?meter=gas&period=2020-06&period=2022-06&aggregate=day")
    assert sorted(call.partition("?")[2] for call in fresh.calls[1:]) == [
        "start=2020-05-31&end=2020-06-30&aggregate=none&tz=UTC",
        "start=2022-05-31&end=2022-06-30&aggregate=none&tz=UTC",
    ]


def test_without_upstream_there_is_an_error_and_never_an_empty_comparison(tmp_path: Path) -> None:
    with running(tmp_path, wrap=lambda app: failing_when(lambda asked: "start" in asked, 503, app)) as service:
        for path in (JANUARY_AND_JULY, DAYS, GAPS):
            answer = service.get(path.format("csv"))
            assert answer.status_code == 503
            assert answer.text.startswith("error,remedy")


def test_names_of_compare_and_gaps_are_safe_and_whole(homes: Running) -> None:
    for path, name in ((JANUARY_AND_JULY, "compare"), (GAPS, "gaps")):
        answer = homes.get(path.format("csv"))
        assert answer.headers["content-disposition"] == f'inline; filename="{name}.csv"'
        assert homes.get(path.format("csv"), headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
