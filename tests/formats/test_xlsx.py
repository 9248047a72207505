"""The workbook as Excel needs it: sheet, table, types, number formats, and the sheet `about`."""

import io
import zipfile
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest
from formats.filled_tables import Moment, clocks, dates, filled_tables, numbers, times
from formats.readers import read_xlsx, sheet_of
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.cell.cell import Cell

from app.formats import FORMATS, About
from app.tables import Column, Labels, Table

MIDSUMMER = datetime(2021, 6, 21, 13, 30)  # noqa: DTZ001 - a wall clock
ABOUT = About(
    "usage",
    facts=(("meter", "gas"), ("period", "2021-06-21 to 2021-06-21"), ("address", "=http://localhost/usage.xlsx")),
)


def usage(name: str = "usage") -> Table:
    columns: list[Column] = [
        times("time", [Moment(MIDSUMMER, timedelta(hours=1), is_utc=False), None], is_utc=False),
        numbers("energy_kwh", [Decimal("0.3"), None], 6),
        numbers("error_count", [Decimal(0), Decimal(1)], 0),
        Labels.of("meter", ["gas", "gas"]),
        dates("date", [date(2021, 6, 21), date(2021, 6, 22)]),
        clocks("clock", [time(0), time(23, 30)]),
        numbers("coverage_pct", [Decimal("97.9"), Decimal(100)], 1),
    ]
    return Table(name, tuple(columns), 2)


def xlsx_of(table: Table, about: About = ABOUT) -> bytes:
    return FORMATS["xlsx"].write(table, about)


def texts_table(*texts: str) -> Table:
    return Table("usage", (Labels.of("text", list(texts)),), len(texts))


@pytest.mark.parametrize("name", ["usage", "meters"])
def test_the_sheet_and_its_excel_table_have_the_tables_name(name: str) -> None:
    book = load_workbook(io.BytesIO(xlsx_of(usage(name))))
    assert book.sheetnames == [name, "about"]
    assert book.active is not None
    assert book.active.title == name
    tables = book[name].tables
    assert list(tables) == [name]
    assert (tables[name].displayName, tables[name].headerRowCount) == (name, 1)


@given(filled_tables())
def test_the_excel_table_lies_exactly_over_the_data(filled: tuple[Table, object]) -> None:
    table, _ = filled
    sheet = sheet_of(xlsx_of(table))
    excel_table = sheet.tables["usage"]
    area = sheet[excel_table.ref]
    assert area[0][0].coordinate == "A1"
    assert (len(area), len(area[0])) == (1 + max(1, table.rows), len(table.columns))
    assert [cell.value for cell in area[0]] == [column.name for column in excel_table.tableColumns]
    assert sheet.max_row == len(area)
    assert sheet.max_column == len(area[0])
    assert excel_table.autoFilter.ref == excel_table.ref


def test_a_table_without_rows_has_one_blank_row_under_its_header() -> None:
    empty = usage().take(slice(0, 0))
    sheet = sheet_of(xlsx_of(empty))
    assert sheet.tables["usage"].ref == "A1:G2"
    assert [cell.value for cell in sheet[1]] == list(empty.header)
    assert all(cell.value is None for cell in sheet[2])


def test_the_header_row_is_frozen() -> None:
    assert sheet_of(xlsx_of(usage())).freeze_panes == "A2"


def test_cells_are_real_dates_times_and_numbers() -> None:
    _, (first, second) = read_xlsx(xlsx_of(usage()))
    assert first == [MIDSUMMER, 0.3, 0, "gas", datetime(2021, 6, 21), time(0), 97.9]  # noqa: DTZ001 - as Excel has it
    assert second == [None, None, 1, "gas", datetime(2021, 6, 22), time(23, 30), 100]  # noqa: DTZ001 - as Excel has it


def test_every_kind_of_cell_has_a_number_format_that_shows_it() -> None:
    first = sheet_of(xlsx_of(usage()))[2]
    assert [isinstance(cell, Cell) and cell.is_date for cell in first] == [True, False, False, False, True, True, False]
    formats = dict(zip(usage().header, (cell.number_format for cell in first), strict=True))
    assert formats["time"].startswith("yyyy-mm-dd hh:mm")
    assert formats["date"] == "yyyy-mm-dd"
    assert formats["clock"] == "hh:mm"
    assert formats["energy_kwh"].startswith("#,##0.0")
    assert formats["error_count"] == "0"
    assert formats["coverage_pct"] == "0.0"


def test_a_blank_is_an_empty_cell() -> None:
    blank = sheet_of(xlsx_of(usage()))["B3"]
    assert (blank.value, blank.data_type) == (None, "n")


def test_columns_are_wide_enough_for_their_names_and_cells() -> None:
    sheet = sheet_of(xlsx_of(usage()))
    shown = [16, 8, 1, 3, 10, 5, 4]
    for i, (column, cell) in enumerate(zip(usage().columns, shown, strict=True)):
        assert sheet.column_dimensions["ABCDEFG"[i]].width >= max(len(column.name) + 2, cell)


@pytest.mark.parametrize(
    "text", ["=1+1", "=", "+1", "-1", "@x", "\tx", "'=1", "#N/A", "TRUE", "1.5", "2021-06-21", "007"]
)
def test_a_text_stays_a_text(text: str) -> None:
    sheet = sheet_of(xlsx_of(texts_table(text)))
    assert (sheet["A2"].value, sheet["A2"].data_type) == (text, "s")


def test_no_cell_of_the_whole_workbook_is_a_formula() -> None:
    body = xlsx_of(texts_table("=1+1", "{=1}"), About("=1+1", facts=(("=2", "=3"),)))
    book = load_workbook(io.BytesIO(body))
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert "f" not in kinds


@given(st.text(max_size=20))
def test_control_characters_are_dropped_and_all_else_is_kept(text: str) -> None:
    dropped = {*map(chr, range(32)), *map(chr, range(0xD800, 0xE000)), "\ufffe", "\uffff"} - {"\t", "\n", "\r"}
    kept = "".join(letter for letter in text if letter not in dropped)
    sheet = sheet_of(xlsx_of(texts_table(f"<{text}>")))
    assert sheet["A2"].value == f"<{kept}>".replace("\r\n", "\n").replace("\r", "\n")


def test_a_text_is_cut_to_what_a_cell_of_excel_holds() -> None:
    assert len(str(sheet_of(xlsx_of(texts_table("x" * 40_000)))["A2"].value)) == 32_767


def test_about_says_the_facts_as_texts() -> None:
    sheet = sheet_of(xlsx_of(usage()), "about")
    rows = [tuple(str(value) for value in row if value is not None) for row in sheet.iter_rows(values_only=True)]
    for fact in ABOUT.facts:
        assert fact in rows


def test_about_without_facts_still_opens() -> None:
    assert sheet_of(xlsx_of(usage(), About("usage")), "about").max_row >= 1


def test_every_part_is_well_formed_and_every_relationship_points_to_one() -> None:
    with zipfile.ZipFile(io.BytesIO(xlsx_of(usage()))) as package:
        names = set(package.namelist())
        assert len(names) == len(package.namelist())
        for name in names:
            root = ET.fromstring(package.read(name))  # noqa: S314 - our own file
            if name.endswith(".rels"):
                folder = name.replace("_rels/", "").rpartition("/")[0]
                for target in (element.attrib["Target"] for element in root):
                    assert resolved(folder, target) in names


def resolved(folder: str, target: str) -> str:
    if target.startswith("/"):
        return target[1:]
    parts = folder.split("/") if folder else []
    for step in target.split("/"):
        parts = parts[:-1] if step == ".." else [*parts, step]
    return "/".join(parts)
