"""Answers over HTTP: formats, errors in each of them, methods and addresses."""

import io
import json
import re

import openpyxl
import pytest
from service import Running

BAD = "/usage.{}?period=nonsense"


@pytest.mark.parametrize(
    ("extension", "media_type"),
    [
        ("csv", "text/csv; charset=utf-8"),
        ("json", "application/json"),
        ("html", "text/html; charset=utf-8"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ],
)
@pytest.mark.parametrize("table", ["meters", "usage"])
def test_head_says_all_that_get_says_but_the_body(homes: Running, table: str, extension: str, media_type: str) -> None:
    path = f"{homes.address}/{table}.{extension}"
    homes.http.get(path)
    got, head = homes.http.get(path), homes.http.head(path)
    assert (head.status_code, head.content) == (200, b"")
    volatile = {"date", "x-request-id"}
    assert {k: v for k, v in head.headers.items() if k not in volatile} == {
        k: v for k, v in got.headers.items() if k not in volatile
    }
    assert got.headers["content-type"] == media_type
    assert got.headers["content-disposition"] == f'inline; filename="{table}.{extension}"'
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", got.headers["x-data-as-of"])
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["referrer-policy"] == "no-referrer"


def test_an_error_as_csv_is_a_header_and_a_row(homes: Running) -> None:
    answer = homes.get(BAD.format("csv"))
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.startswith("error,remedy\r\n")
    assert answer.text.count("\r\n") == 2


def test_an_error_as_json_is_a_problem_with_a_remedy(homes: Running) -> None:
    answer = homes.get(BAD.format("json"))
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert set(problem) == {"type", "title", "status", "detail", "remedy"}
    assert problem["status"] == answer.status_code == 400


def test_an_error_as_html_is_a_page(homes: Running) -> None:
    answer = homes.get(BAD.format("html"))
    assert answer.status_code == 400
    assert "<h1>" in answer.text
    assert "Use one of today" in answer.text


@pytest.mark.parametrize("path", [BAD.format("xlsx"), "/usage.pdf", "/usage", "/nothing/here.csv", "/usage.csv/"])
def test_an_error_of_a_workbook_or_an_unknown_format_is_plain_text(homes: Running, path: str) -> None:
    answer = homes.get(path)
    assert answer.status_code == (400 if "xlsx" in path else 404)
    kind = "text/csv" if path.endswith(".csv") else "text/plain"
    assert answer.headers["content-type"].startswith(kind)
    assert answer.text.strip()


@pytest.mark.parametrize("path", ["/usages.csv", "/statuses.csv", "/a.b.csv", "/<b>.html"])
def test_a_table_that_is_not_there_is_not_found(homes: Running, path: str) -> None:
    answer = homes.get(path)
    assert answer.status_code == 404
    assert "The tables are meters, usage, compare, gaps, status" in answer.text
    assert "<b>" not in answer.text


def test_with_errors_cell_an_error_is_a_table_with_status_200(homes: Running) -> None:
    asked = "?period=nonsense&errors=cell"
    as_csv = homes.get(f"/usage.csv{asked}")
    assert as_csv.status_code == 200
    assert as_csv.text.startswith("error,remedy\r\nThe parameter period is not")
    (row,) = homes.get(f"/usage.json{asked}").json()
    assert list(row) == ["error", "remedy"]
    assert '<table id="usage">' in homes.text(f"/usage.html{asked}")
    book = openpyxl.load_workbook(io.BytesIO(homes.get(f"/usage.xlsx{asked}").content))
    cells = list(book["usage"].values)
    assert cells[0] == ("error", "remedy")
    assert cells[1] == (row["error"], row["remedy"])
    assert homes.get(f"/usage.csv{asked}&aggregate=nonsense").headers["cache-control"] == "no-store"
    assert homes.get("/nothing.csv?errors=cell").status_code == 200
    assert homes.get("/usage.csv?errors=cell&meter=nobody").status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_only_get_and_head_are_answered(homes: Running, method: str) -> None:
    answer = homes.http.request(method, f"{homes.address}/usage.csv")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].replace(" ", "").split(",")) == {"GET", "HEAD", "OPTIONS"}
    assert answer.text.startswith("error,remedy")


def test_a_bom_comes_only_when_it_is_asked_for(homes: Running) -> None:
    assert homes.get("/meters.csv?bom=1").content == b"\xef\xbb\xbf" + homes.get("/meters.csv").content


def test_columns_come_in_the_order_asked_for(homes: Running) -> None:
    rows = homes.rows("/usage.csv?period=2021-06-01&meter=gas&columns=meter,energy_kwh,time")
    assert rows[0] == ["meter", "energy_kwh", "time"]
    assert rows[1] == ["gas", "0.0056", "2021-06-01 00:00:00"]


def test_wide_has_a_column_for_every_meter_asked_for_also_without_rows(homes: Running) -> None:
    rows = homes.rows("/usage.csv?period=2013-10&aggregate=month&layout=wide&value=error_count")
    assert rows[0] == [
        "time",
        "time_utc",
        "electricity-5f1c9a52_error_count",
        "electricity-b27d04e6_error_count",
        "gas_error_count",
    ]
    assert rows[1:] == [["2013-10-01", "2013-09-30 23:00:00", "", "0", ""]]


@pytest.mark.parametrize(
    "selector",
    ["gas", "5f1c9a52-3c1e-4d0b-9a77-0d2f6b1e8a41/gas", "gas&meter=gas"],
)
def test_a_meter_can_be_named_in_every_way(homes: Running, selector: str) -> None:
    rows = homes.rows(f"/usage.csv?period=2021-06&aggregate=month&meter={selector}")
    assert [row[4] for row in rows[1:]] == ["gas"]


def test_a_consent_or_a_type_means_all_its_meters(homes: Running) -> None:
    by_consent = homes.rows("/meters.csv?meter=5f1c9a52-3c1e-4d0b-9a77-0d2f6b1e8a41&columns=meter")
    assert by_consent[1:] == [["electricity-5f1c9a52"], ["gas"]]
    by_type = homes.rows("/meters.csv?meter=electricity&columns=meter")
    assert by_type[1:] == [["electricity-5f1c9a52"], ["electricity-b27d04e6"]]


def test_one_end_alone_runs_to_the_end_or_from_the_start_of_the_data(homes: Running) -> None:
    until = homes.rows("/usage.csv?meter=gas&end=2020-04-03&aggregate=day&columns=time")
    assert until[1:] == [["2020-04-01"], ["2020-04-02"], ["2020-04-03"]]
    since = homes.rows("/usage.csv?meter=gas&start=2022-12-05&aggregate=day&columns=time")
    assert since[1:] == [["2022-12-05"], ["2022-12-06"]]


def test_the_meters_table_shows_what_upstream_lists_and_flattens_the_rest(homes: Running) -> None:
    rows = json.loads(homes.text("/meters.json"))
    assert [row["meter"] for row in rows] == ["electricity-5f1c9a52", "electricity-b27d04e6", "gas"]
    gas = rows[2]
    assert list(gas) == [
        "meter",
        "type",
        "consent_uuid",
        "status",
        "earliest",
        "latest",
        "days_since_latest",
        "links_records",
        "mpan_last_four",
        "note",
    ]
    assert (gas["earliest"], gas["latest"]) == ("2020-04-01T02:00:00+01:00", "2022-12-06T12:30:00+00:00")
    assert gas["days_since_latest"] == 14


def test_the_front_page_lists_the_meters_and_links_that_work(homes: Running) -> None:
    page = homes.text("/")
    for name in ("electricity-5f1c9a52", "electricity-b27d04e6", "gas"):
        assert f"<code>{name}</code>" in page
    links = {link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+)"', page)}
    assert len(links) >= 20
    for link in sorted(links):
        assert homes.get(link).status_code == 200, link
    assert f"{homes.address}/usage.csv?period=last-month&amp;aggregate=day" in page


def test_every_example_of_the_docs_page_has_rows(homes: Running) -> None:
    examples = re.findall(r'<td class="wrap"><a href="(/[^"]+)">', homes.text("/docs"))
    assert len(examples) >= 8
    for path in (example.replace("&amp;", "&") for example in examples):
        assert not re.search(r"[0-9]{4}", path), "a year is one that many a meter has nothing of"
        answer = homes.get(path)
        assert answer.status_code == 200, path
        assert len(answer.content) > 100, path


def test_the_about_sheet_says_where_the_rows_come_from(homes: Running) -> None:
    answer = homes.get("/usage.xlsx?meter=gas&period=2021-06&aggregate=day&nocache=3")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    facts = {row[0]: row[1] for row in book["about"].iter_rows(min_row=2, max_col=2, values_only=True)}
    assert facts["meter"] == "gas"
    assert facts["period"] == "2021-06-01 to 2021-06-30 (2021-06)"
    assert facts["time zone"] == "Europe/London"
    assert facts["last confirmed"] == answer.headers["x-data-as-of"]
    assert facts["coverage"] == "100 % (1,440 of 1,440 half-hours)"
    assert facts["address"] == f"{homes.address}/usage.xlsx?meter=gas&period=2021-06&aggregate=day"
