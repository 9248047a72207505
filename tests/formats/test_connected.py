"""The connected workbook as Excel needs it: bound to its address, whole, and with the cells of the ordinary one."""

import io
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest
from e2e.test_real_clients import converted
from formats.readers import read_csv, read_xlsx, sheet_of
from formats.test_xlsx import resolved
from openpyxl import load_workbook
from pyopenvba import PowerQueryWorkbook
from pyopenvba.integrity import check_file
from service import Running
from shell import Shell

JUNE = "period=2021-06&aggregate=day"
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
VARIANTS = ["", "&chart=1", "&format=json", "&layout=wide", "&meter=gas&aggregate=none", "&period=2016-05-01"]


def workbook(service: Running, asked: str) -> httpx.Response:
    # a later parameter takes the place of an earlier one of that name
    pairs = dict(pair.split("=", 1) for pair in asked.split("&"))
    answer = service.get("/connected.xlsx", params=pairs)
    assert answer.status_code == 200, answer.text
    return answer


@pytest.fixture(params=VARIANTS)
def body(request: pytest.FixtureRequest, homes: Running) -> bytes:
    return workbook(homes, JUNE + request.param).content


def parts(body: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(body)) as package:
        assert len(set(package.namelist())) == len(package.namelist())
        return {name: package.read(name) for name in package.namelist()}


def saved(body: bytes, folder: Path) -> Path:
    path = folder / "connected.xlsx"
    path.write_bytes(body)
    return path


def test_pyopenvba_finds_the_query_its_table_and_its_refreshes(body: bytes, tmp_path: Path) -> None:
    book = PowerQueryWorkbook(saved(body, tmp_path))
    (query,) = book.queries()
    assert (query.name, query.load_target, query.load_enabled, query.target_name) == ("usage", "table", True, "usage")
    assert (query.refresh.on_open, query.refresh.enabled, query.refresh.in_refresh_all) == (True, True, True)
    assert query.refresh.keep_data, "the rows of today stay in the file"
    assert query.steps[0] == "Source"
    assert [item.parts[2] for item in book.metadata.steps_of("usage")] == query.steps
    assert book.mashup.bindings == b""
    assert {part.name for part in book.mashup.package.parts} == {
        *("Config/Package.xml", "[Content_Types].xml", "Formulas/Section1.m")
    }
    section = book.section_text()
    assert section.startswith("section Section1;\r\n\r\nshared usage = let\r\n")
    assert "\n" not in section.replace("\r\n", "")


def test_every_part_is_whole_and_known(body: bytes, tmp_path: Path) -> None:
    report = check_file(saved(body, tmp_path))
    assert (report.complete, report.issues) == (True, ())
    found = parts(body)
    types = ET.fromstring(found["[Content_Types].xml"])  # noqa: S314 - our own file
    overrides = {one.attrib["PartName"][1:] for one in types if "PartName" in one.attrib}
    defaults = {one.attrib["Extension"] for one in types if "Extension" in one.attrib}
    assert overrides <= set(found)
    targets = set()
    for name, part in found.items():
        assert name in overrides or name.rpartition(".")[2] in defaults
        if name.endswith(".rels"):
            folder = name.replace("_rels/", "").rpartition("/")[0]
            rows = list(ET.fromstring(part))  # noqa: S314 - our own file
            assert len({row.attrib["Id"] for row in rows}) == len(rows)
            targets |= {resolved(folder, row.attrib["Target"]) for row in rows}
    assert targets == {name for name in found if not name.endswith(".rels")} - {"[Content_Types].xml"}


def test_the_query_table_lies_over_the_table(body: bytes) -> None:
    found = parts(body)
    (table_part,) = (name for name in found if name.startswith("xl/tables/table"))
    table = ET.fromstring(found[table_part])  # noqa: S314 - our own file
    query_table = ET.fromstring(found["xl/queryTables/queryTable1.xml"])  # noqa: S314 - our own file
    assert (table.attrib["tableType"], table.attrib["name"]) == ("queryTable", "usage")
    columns = list(table.iter(f"{MAIN}tableColumn"))
    fields = list(query_table.iter(f"{MAIN}queryTableField"))
    assert [(c.attrib["queryTableFieldId"], c.attrib["id"], c.attrib["name"]) for c in columns] == [
        (f.attrib["id"], f.attrib["tableColumnId"], f.attrib["name"]) for f in fields
    ]
    assert all(column.attrib["uniqueName"] for column in columns)
    names = load_workbook(io.BytesIO(body))["usage"].defined_names
    first, last = table.attrib["ref"].split(":")
    area = names["ExternalData_1"]
    assert area.hidden
    assert area.attr_text is not None
    assert area.attr_text.replace("'", "").replace("$", "") == f"usage!{first}:{last}"
    connection = ET.fromstring(found["xl/connections.xml"])[0]  # noqa: S314 - our own file
    assert connection.attrib["id"] == query_table.attrib["connectionId"]
    assert connection.attrib["refreshOnLoad"] == "1"


def test_the_query_is_utf_16_with_its_mark(body: bytes) -> None:
    item = parts(body)["customXml/item1.xml"]
    assert item.startswith(b"\xff\xfe<\x00")
    assert item.decode("utf-16").startswith('<?xml version="1.0" encoding="utf-16"?><DataMashup xmlns=')


@pytest.mark.parametrize("asked", ["", "&layout=wide", "&meter=gas&aggregate=none", "&aggregate=profile", "&chart=1"])
def test_cells_are_those_of_the_ordinary_workbook_and_of_the_csv(homes: Running, asked: str) -> None:
    answer = workbook(homes, JUNE + asked)
    pairs = dict(pair.split("=", 1) for pair in (JUNE + asked.replace("&chart=1", "&layout=wide")).split("&"))
    assert read_xlsx(answer.content) == read_xlsx(homes.get("/usage.xlsx", params=pairs).content)
    header, rows = read_csv(homes.get("/usage.csv", params=pairs).content)
    assert read_xlsx(answer.content)[0] == header
    shown = [[as_text(cell, csv) for cell, csv in zip(row, line, strict=True)]
             for row, line in zip(read_xlsx(answer.content)[1], rows, strict=True)]  # fmt: skip
    assert shown == rows


def as_text(cell: Any, like: str) -> str:
    """A cell as the CSV writes it."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")[: len(like)]
    if isinstance(cell, time | date):
        return cell.isoformat()[: len(like)]
    return f"{cell:.6f}".rstrip("0").rstrip(".") if isinstance(cell, float) else str(cell)


def test_about_says_what_refreshes_it(homes: Running) -> None:
    sheet = sheet_of(workbook(homes, f"{JUNE}&format=json").content, "about")
    facts = {str(row[0]): row[1] for row in sheet.iter_rows(values_only=True, max_col=2)}
    assert facts["address"] == f"{homes.address}/connected.xlsx?{JUNE}&format=json"
    assert facts["refreshed from"] == f"{homes.address}/usage.json?{JUNE}"
    assert "access key" not in facts


def test_the_answer_is_cached_like_others(homes: Running) -> None:
    answer = workbook(homes, JUNE)
    assert answer.headers["content-disposition"] == 'inline; filename="connected.xlsx"'
    assert answer.headers["cache-control"].startswith("private, max-age=")
    assert answer.headers["content-type"] == homes.get(f"/usage.xlsx?{JUNE}").headers["content-type"]
    again = homes.get(f"/connected.xlsx?{JUNE}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = workbook(homes, f"{JUNE}&format=json")
    assert other.headers["etag"] != answer.headers["etag"]


@pytest.mark.parametrize("extension", ["csv", "json", "html", "pdf"])
def test_there_is_no_other_format(homes: Running, extension: str) -> None:
    answer = homes.get(f"/connected.{extension}?{JUNE}")
    assert answer.status_code == 404
    assert "/connected.xlsx" in answer.text


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("format=xlsx", "format is none of csv, json"),
        ("format=csv&format=csv", "format stands there twice"),
        ("chart=", "chart is none of 1"),
        ("chart=1&layout=long", "no layout but wide"),
        ("chart=1&columns=time", "no time or no number"),
        ("chart=1&columns=gas_energy_kwh", "no time or no number"),
        ("formt=json", "Did you mean format=?"),
        ("embedkey=1", "Did you mean embed_key=?"),
        ("agregate=day", "Did you mean aggregate=?"),
        ("embed_key=1", "this one came without"),
        ("period=nonsense", "parameter period"),
        ("columns=nothing", "parameter columns"),
    ],
)
def test_what_cant_be_is_refused_and_says_why(homes: Running, asked: str, said: str) -> None:
    answer = homes.get(f"/connected.xlsx?{asked}")
    assert answer.status_code == 400, answer.text
    assert said in answer.text


def test_an_error_can_come_as_a_cell(homes: Running) -> None:
    answer = homes.get("/connected.xlsx?period=nonsense&errors=cell")
    assert answer.status_code == 200
    assert read_xlsx(answer.content, "connected")[0] == ["error", "remedy"]


@pytest.mark.parametrize("asked", ["", "&aggregate=none&meter=gas", "&aggregate=profile", "&value=error_count"])
def test_the_chart_stands_over_the_columns_of_the_table(homes: Running, asked: str) -> None:
    body = workbook(homes, f"{JUNE}&chart=1{asked}").content
    book = load_workbook(io.BytesIO(body))
    assert book.sheetnames == ["usage", "chart", "about"]
    (chart,) = book["chart"]._charts  # type: ignore[attr-defined]  # noqa: SLF001 - openpyxl reads charts into it
    rows = book["usage"].max_row
    header, _ = read_xlsx(body)
    drawn = [(series.tx.strRef.f, series.cat.numRef.f, series.val.numRef.f) for series in chart.series]
    letters = "ABCDEFG"[: len(header)]
    assert drawn == [
        (f"'usage'!${letter}$1", f"'usage'!$A$2:$A${rows}", f"'usage'!${letter}$2:${letter}${rows}")
        for letter, name in zip(letters, header, strict=True)
        if name not in ("time", "time_utc")
    ]
    assert drawn
    assert book.active is not None
    assert book.active.title == "usage"


@pytest.mark.parametrize(("aggregate", "most"), [("none", 8), ("day", 16)])
def test_labels_under_the_chart_are_few_enough_to_be_read(homes: Running, aggregate: str, most: int) -> None:
    book = load_workbook(io.BytesIO(workbook(homes, f"{JUNE}&chart=1&aggregate={aggregate}").content))
    (chart,) = book["chart"]._charts  # type: ignore[attr-defined]  # noqa: SLF001 - openpyxl reads charts into it
    assert (book["usage"].max_row - 1) / chart.x_axis.tickLblSkip <= most


def test_a_key_that_is_given_where_none_is_needed_is_not_in_the_file(homes: Running, tmp_path: Path) -> None:
    key = homes.make_key()
    answer = homes.get(f"/connected.xlsx?{JUNE}&key={key}")
    text = PowerQueryWorkbook(saved(answer.content, tmp_path)).section_text()
    assert key not in text
    assert 'ApiKeyName = "key"' in text


def test_it_can_be_made_without_a_server(shell: Shell) -> None:
    words = ["export", "connected", "--format", "xlsx", "--period", "2021-06", "-o", "mine.xlsx"]
    shell.env["POWERSHAPER_PUBLIC_URL"] = "https://sheets.example.org"
    shell.out(*words, "--embed_key", "1", "--key", "pss_mine")
    text = PowerQueryWorkbook(shell.folder / "mine.xlsx").section_text()
    assert 'Web.Contents("https://sheets.example.org", [RelativePath = "usage.csv"' in text
    assert 'key = "pss_mine"' in text
    assert "came without" in shell.fails(*words, "--embed_key", "1")


def cells(path: Path) -> Iterator[tuple[Any, ...]]:
    return load_workbook(path)["usage"].iter_rows(values_only=True)


@pytest.mark.libreoffice
def test_libreoffice_opens_it_with_the_cells_of_the_csv(soffice: str, homes: Running, tmp_path: Path) -> None:
    file = converted(soffice, tmp_path, f"{homes.address}/connected.xlsx?{JUNE}&chart=1")
    header, rows = read_csv(homes.get(f"/usage.csv?{JUNE}&layout=wide").content)
    first, *shown = cells(file)
    assert list(first) == header
    assert [[as_text(cell, csv) for cell, csv in zip(row, line, strict=True)]
            for row, line in zip(shown, rows, strict=True)] == rows  # fmt: skip
    (chart,) = load_workbook(file)["chart"]._charts  # type: ignore[attr-defined]  # noqa: SLF001 - openpyxl's own
    assert len(chart.series) == len(header) - 2
