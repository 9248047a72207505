"""The queries and the script for Excel work as they are given out, but for the address."""

import json
import subprocess
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from e2e.reference_homes import reference_meters
from e2e.test_reference import expected
from m_queries import faults_for_microsoft, in_m, kind_of, run_m
from pqtools import check
from reference import compare_rows, long_rows
from service import A_GAS, Running

EXCELS_DAY_0 = datetime(1899, 12, 30)  # noqa: DTZ001 - cells have no zone
TEMPLATES = Path(__file__).parents[3] / "sheets_templates" / "excel"
QUERIES = sorted(TEMPLATES.glob("*.pq"))
NOVEMBER = (date(2022, 11, 1), date(2022, 11, 30))
ADDRESSES = ("http://127.0.0.1:8000", "https://sheets.example.org")
SPANS = {"last-month": ("2022-11-01", "2022-11-30"), "last-7-days": ("2022-12-13", "2022-12-19")}
LABELS = {"none": "datetime", "hour": "datetime", "profile": "time"}


def text_of(name: str, service: Running) -> str:
    """A query as a user changes it: with the address of the service."""
    text = (TEMPLATES / name).read_text("utf-8")
    for address in ADDRESSES:
        text = text.replace(address, service.address)
    return text


def test_every_query_that_was_promised_is_there() -> None:
    names = {path.name for path in QUERIES}
    assert names == {"usage-csv.pq", "usage-json.pq", "meters.pq", "compare.pq", "power-bi-usage.pq"}


@pytest.mark.usefixtures("mquery_node")
@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path.name)
def test_pqtools_finds_no_fault(path: Path) -> None:
    assert [one.code for one in check(path.read_text("utf-8"), path.name) if one.severity != "info"] == []


@pytest.mark.powerquery_parser
def test_microsofts_parser_finds_no_fault(powerquery_parser: Path) -> None:
    texts = [path.read_text("utf-8") for path in QUERIES]
    assert faults_for_microsoft(texts, powerquery_parser) == [None] * len(QUERIES)


@pytest.mark.parametrize("name", ["usage-csv.pq", "usage-json.pq"])
@pytest.mark.parametrize("aggregate", ["none", "hour", "day", "week", "month", "profile"])
def test_usage_gives_the_references_rows_whatever_a_row_is(homes: Running, name: str, aggregate: str) -> None:
    text = text_of(name, homes)
    given = 'Aggregate = "day"' if name == "usage-csv.pq" else 'Aggregate = "none"'
    assert given in text
    text = text.replace(given, f'Aggregate = "{aggregate}"').replace("last-7-days", "2022-11-30")
    span = ("2022-11-30", "2022-11-30") if name == "usage-json.pq" else SPANS["last-month"]
    if aggregate in ("none", "hour"):
        text = text.replace("last-month", "2022-11-30")
        span = ("2022-11-30", "2022-11-30")
    table = run_m(text, homes.http)
    rows, header = expected("long", aggregate, "Europe/London", span, "energy_kwh")
    assert rows
    assert table.columns == header
    assert table.rows == [[in_m(row[column]) for column in header] for row in rows]
    assert kind_of(table.rows[0][0]) == LABELS.get(aggregate, "date")


def test_json_without_rows_is_a_table_of_the_same_columns(homes: Running) -> None:
    text = text_of("usage-json.pq", homes).replace("last-7-days", "2016-05-01")
    assert (
        run_m(text, homes.http).columns
        == expected("long", "none", "Europe/London", ("2016-05-01", "2016-05-01"), "energy_kwh")[1]
    )


def test_power_bi_gets_the_last_twelve_months_with_a_key(homes: Running) -> None:
    text = text_of("power-bi-usage.pq", homes)
    table = run_m(text, homes.http, key=homes.make_key())
    rows, _ = expected("long", "day", "Europe/London", ("2021-12-01", "2022-11-30"), "energy_kwh")
    assert [row[:2] for row in table.rows] == [[in_m(row["time"]), in_m(row["energy_kwh"])] for row in rows]
    assert len(rows) > 700


def test_meters_are_those_of_the_service(homes: Running) -> None:
    table = run_m(text_of("meters.pq", homes), homes.http)
    as_csv = homes.rows("/meters.csv")
    assert table.columns == as_csv[0]
    assert [[row[0], row[1]] for row in table.rows] == [row[:2] for row in as_csv[1:]]
    kinds = dict(zip(table.columns, map(kind_of, table.rows[0]), strict=True))
    assert (kinds["earliest"], kinds["latest"], kinds["days_since_latest"]) == ("datetime", "datetime", "number")


@pytest.mark.parametrize("aggregate", ["profile", "day", "week", "month"])
def test_compare_gives_the_references_rows_whatever_a_row_is(homes: Running, aggregate: str) -> None:
    text = text_of("compare.pq", homes)
    assert 'Aggregate = "profile"' in text
    table = run_m(text.replace('Aggregate = "profile",', f'Aggregate = "{aggregate}",'), homes.http)
    spans = {"last-month": NOVEMBER, "this-month": (date(2022, 12, 1), date(2022, 12, 20))}
    (gas,) = (meter for meter in reference_meters() if meter.name == A_GAS)
    periods = {
        name: (first, long_rows([gas], first, last, "Europe/London", aggregate))
        for name, (first, last) in spans.items()
    }
    header = ["time", *spans]
    rows = compare_rows(periods, aggregate, "energy_kwh")
    assert table.columns == header
    assert table.rows == [[in_m(row[name]) for name in header] for row in rows]
    assert len(rows) == {"profile": 48, "day": 30, "week": 5, "month": 1}[aggregate]
    assert kind_of(table.rows[0][0]) == ("time" if aggregate == "profile" else "number")


def run_script(node: Path, address: str, key: str, asked: str, *before: str) -> dict[str, Any]:
    """What stands in the workbook after the Office Script."""
    runner, script = Path(__file__).parent / "office_script.mjs", TEMPLATES / "usage.ts"
    command: list[str | Path] = [node, "--no-warnings", runner, script, address, key, asked, *before]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    book: dict[str, Any] = json.loads(done.stdout)
    return book


@pytest.mark.parametrize("aggregate", ["none", "day", "profile"])
def test_the_script_fills_a_table_with_the_references_rows(homes: Running, node: Path, aggregate: str) -> None:
    asked = f"period=2022-11-30&aggregate={aggregate}"
    book = run_script(node, homes.address, homes.make_key(), asked)
    rows, header = expected("long", aggregate, "Europe/London", ("2022-11-30", "2022-11-30"), "energy_kwh")
    sheet = book["sheets"]["usage"]
    assert sheet["values"][0] == header
    shown = [[in_sheet(row[column]) for column in header] for row in rows]
    assert sheet["values"][1:] == [pytest.approx(row, abs=1e-9) for row in shown]
    assert book["tables"] == {"usage": {"where": [0, 0, len(rows) + 1, len(header)], "hasHeader": True}}
    formats = {"none": "yyyy-mm-dd hh:mm", "day": "yyyy-mm-dd", "profile": "General"}
    assert sheet["formats"]["0"] == formats[aggregate]


def test_the_scripts_key_goes_into_the_header_and_nowhere_else(homes: Running, node: Path) -> None:
    """Excel's browser asks first whether it may send one; a sample does the same in Chromium, in another test."""
    key = homes.make_key()
    asked = "period=2022-11-30&aggregate=day"
    assert run_script(node, homes.address, key, asked)["asked"] == [
        {"url": f"{homes.address}/usage.json?{asked}", "headers": {"Authorization": f"Bearer {key}"}}
    ]


def in_sheet(cell: Any) -> Any:
    """A cell of the reference as Excel's own value."""
    plain = in_m(cell) if not isinstance(cell, str) else cell
    if isinstance(plain, datetime):
        return (plain - EXCELS_DAY_0) / timedelta(days=1)
    if isinstance(plain, date):
        return (plain - EXCELS_DAY_0.date()).days
    return "" if plain is None else plain


def test_the_script_takes_the_place_of_its_own_table(homes: Running, node: Path) -> None:
    book = run_script(node, homes.address, homes.make_key(), "period=2022-11-30&aggregate=day", "before")
    assert book["deleted"] == ["usage"]
    assert list(book["tables"]) == ["usage"]


@pytest.mark.parametrize("asked", ["period=2016-05-01", "period=nonsense"])
def test_the_script_leaves_the_sheet_alone_when_there_is_nothing_to_show(
    homes: Running, node: Path, asked: str
) -> None:
    book = run_script(node, homes.address, homes.make_key(), asked, "before")
    assert book["deleted"] == []
    assert book["sheets"]["usage"]["values"] == []
    assert "no rows" in book["error"] or "parameter period" in book["error"]


def test_a_wrong_key_is_said_in_words(homes: Running, node: Path) -> None:
    book = run_script(node, homes.address, "pss_wrong", "period=2022-11-30")
    assert "access key is wrong" in book["error"]
