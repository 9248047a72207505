"""The M of the connected workbook runs against the live service and gives the reference's rows, typed."""

import re
from pathlib import Path

import httpx
import pytest
from e2e.test_reference import SPANS, expected
from m_queries import faults_for_microsoft, in_m, kind_of, run_m
from pqtools import check
from pyopenvba import PowerQueryWorkbook
from service import A_GAS, B_ELECTRICITY, Running
from shell import Shell

from app.domain.aggregates import Aggregate
from app.formats.power_query import power_query
from app.query import Layout, Query

CASES = [
    ("long", "none", SPANS["London's clocks go back, and a half-hour stands twice"]),
    ("long", "hour", SPANS["forward, two meters"]),
    ("long", "day", SPANS["two whole days are missing"]),
    ("long", "profile", SPANS["one half-hour is missing"]),
    ("wide", "none", SPANS["back, two meters"]),
    ("wide", "week", SPANS["home A's first day"]),
    ("grid", "none", SPANS["London's clocks go forward"]),
]
EMPTY = SPANS["no data at all"]
KINDS = {"none": "datetime", "hour": "datetime", "profile": "time"}


def query_of(service: Running, folder: Path, asked: str) -> str:
    """The M that pyOpenVBA finds in the workbook of a link."""
    answer = service.get(f"/connected.xlsx?{asked}")
    assert answer.status_code == 200, answer.text
    (folder / "connected.xlsx").write_bytes(answer.content)
    return str(PowerQueryWorkbook(folder / "connected.xlsx").query("usage").formula)


def asked_for(layout: str, aggregate: str, span: tuple[str, str]) -> str:
    return f"layout={layout}&aggregate={aggregate}&start={span[0]}&end={span[1]}"


@pytest.mark.parametrize("source", ["csv", "json"])
@pytest.mark.parametrize(("layout", "aggregate", "span"), CASES)
def test_the_query_of_the_workbook_gives_the_references_rows(
    homes: Running, tmp_path: Path, layout: str, aggregate: str, span: tuple[str, str], source: str
) -> None:
    text = query_of(homes, tmp_path, f"{asked_for(layout, aggregate, span)}&format={source}")
    assert f'RelativePath = "usage.{source}"' in text
    table = run_m(text, homes.http)
    rows, header = expected(layout, aggregate, "Europe/London", span, "energy_kwh")
    assert table.columns == header
    assert rows
    assert table.rows == [[in_m(row[name]) for name in header] for row in rows]


@pytest.mark.parametrize("source", ["csv", "json"])
@pytest.mark.parametrize(("layout", "aggregate", "span"), CASES)
def test_every_column_has_one_type(
    homes: Running, tmp_path: Path, layout: str, aggregate: str, span: tuple[str, str], source: str
) -> None:
    table = run_m(query_of(homes, tmp_path, f"{asked_for(layout, aggregate, span)}&format={source}"), homes.http)
    label = KINDS.get(aggregate, "date")
    known = {"time": label, "date": "date", "time_utc": "datetime", "meter": "text"}
    for name in table.columns:
        assert {kind_of(cell) for cell in table.column(name)} <= {known.get(name, "number"), "null"}, name
    assert kind_of(table.rows[0][0]) == ("date" if layout == "grid" else label)


@pytest.mark.parametrize("source", ["csv", "json"])
def test_no_rows_are_a_table_of_the_same_columns(homes: Running, tmp_path: Path, source: str) -> None:
    table = run_m(query_of(homes, tmp_path, f"{asked_for('long', 'none', EMPTY)}&format={source}"), homes.http)
    assert table.columns == expected("long", "none", "Europe/London", EMPTY, "energy_kwh")[1]
    assert table.rows == []


def test_several_meters_are_a_list(homes: Running, tmp_path: Path) -> None:
    asked = f"meter={A_GAS}&meter={B_ELECTRICITY}&period=2013-02-01&aggregate=day"
    text = query_of(homes, tmp_path, asked)
    assert f'meter = {{"{A_GAS}", "{B_ELECTRICITY}"}}' in text
    assert [row[4] for row in run_m(text, homes.http).rows] == [B_ELECTRICITY]


def test_a_relative_period_stays_relative(homes: Running, tmp_path: Path) -> None:
    text = query_of(homes, tmp_path, "period=last-month")
    assert 'period = "last-month"' in text
    assert not re.search(r"\d{4}-\d{2}", text)


def test_errors_never_come_as_rows(homes: Running, tmp_path: Path) -> None:
    text = query_of(homes, tmp_path, "period=2021-06-01&errors=cell&bom=1")
    assert "errors" not in text
    assert "bom" not in text


def test_a_column_that_joins_later_comes_through() -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"time,energy_kwh,tariff\r\n2021-06-01 00:00:00,0.5,night\r\n")

    text = power_query(Query("usage"), "http://127.0.0.1:8000").text
    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        table = run_m(text, http)
    assert table.columns == ["time", "energy_kwh", "tariff"]
    assert [kind_of(cell) for cell in table.rows[0]] == ["datetime", "number", "text"]


QUERIES = [
    Query("usage"),
    Query("usage", meter=("gas", 'a "quoted", #(lf) name'), period="2021", aggregate=Aggregate.DAY),
    Query("usage", layout=Layout.WIDE, aggregate=Aggregate.PROFILE),
    Query("usage", layout=Layout.GRID, columns=("date", "00:00")),
    Query("meters"),
    Query("compare", periods=("2021-06", "2022-06"), aggregate=Aggregate.PROFILE),
    Query("compare", periods=("2021-06", "2022-06"), aggregate=Aggregate.DAY),
    Query("gaps"),
    Query("status"),
]


def every_text(shell: Shell) -> list[str]:
    return [linked(shell, *words) for words in LINKS] + [
        power_query(query, "https://sheets.example.org", source, key=key, asks_for_key=asks, columns=columns).text
        for query in QUERIES
        for source, key, asks, columns in (("csv", None, True, ()), ("json", "pss_x", False, ("time", "energy_kwh")))
    ]


LINKS = [
    ("usage", "--period", "last-month", "--aggregate", "day"),
    ("usage", "--layout", "grid", "--key", "pss_x"),
    ("meters", "--format", "json"),
]


def linked(shell: Shell, *words: str) -> str:
    """The M that `link` prints."""
    return shell.out("link", *words).partition("Power Query:\n")[2].partition("\n\n")[0]


@pytest.mark.usefixtures("mquery_node")
def test_pqtools_finds_no_fault_in_any_query(shell: Shell) -> None:
    for text in every_text(shell):
        assert [one.code for one in check(text) if one.severity != "info"] == [], text


@pytest.mark.powerquery_parser
def test_microsofts_parser_finds_no_fault_in_any_query(shell: Shell, powerquery_parser: Path) -> None:
    texts = every_text(shell)
    assert faults_for_microsoft(texts, powerquery_parser) == [None] * len(texts)
    assert faults_for_microsoft(["let a = in a"], powerquery_parser) != [None]


def test_what_link_prints_gives_the_references_rows(homes: Running, shell: Shell) -> None:
    text = linked(shell, "usage", "--period", "2021-06-01", "--aggregate", "day")
    table = run_m(text.replace("http://127.0.0.1:8000", homes.address), homes.http)
    rows, header = expected("long", "day", "Europe/London", ("2021-06-01", "2021-06-01"), "energy_kwh")
    assert table.rows == [[in_m(row[name]) for name in header] for row in rows]


def test_gaps_and_status_come_typed(homes: Running) -> None:
    gaps = run_m(power_query(Query("gaps", period="2012-11"), homes.address).text, homes.http)
    assert [kind_of(cell) for cell in gaps.rows[0]] == [
        "text",
        "datetime",
        "datetime",
        "number",
        "datetime",
        "datetime",
    ]
    from_json = run_m(power_query(Query("gaps", period="2012-11"), homes.address, "json").text, homes.http)
    assert from_json.rows == gaps.rows
    status = run_m(power_query(Query("status"), homes.address).text, homes.http)
    assert status.columns == ["name", "value"]
    assert {kind_of(row[0]) for row in status.rows} == {"text"}


def test_an_odd_text_reaches_the_service_as_it_is(homes: Running) -> None:
    odd = 'a "quoted", #(lf) name'
    requests: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request.url)
        return httpx.Response(200, content=b"time\r\n")

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        run_m(power_query(Query("usage", meter=(odd,)), homes.address).text, http)
    assert requests[0].params.get_list("meter") == [odd]
