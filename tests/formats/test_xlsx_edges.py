"""Workbooks at their edges: forbidden names, escapes, wrapped texts, the last row of a sheet, the same bytes twice."""

import io
import re
import zipfile

import numpy as np
import pytest
from formats.filled_tables import filled_tables
from formats.packages import assert_sound
from formats.readers import sheet_of
from hypothesis import given
from openpyxl import load_workbook

from app.domain.errors import BadParameter, TooLarge
from app.formats import FORMATS, About
from app.formats.looks import column_names, sheet_name, table_name
from app.formats.xlsx import MOST_ROWS
from app.tables import Labels, Numbers, Table, error_table

ABOUT = About("usage", (("meter", "gas"),))


def written(table: Table, about: About = ABOUT) -> bytes:
    return FORMATS["xlsx"].write(table, about)


def words(name: str, *texts: str | None) -> Table:
    return Table(name, (Labels.of("text", list(texts)),), len(texts))


@given(filled_tables())
def test_every_workbook_is_a_sound_package(filled: tuple[Table, object]) -> None:
    assert_sound(written(filled[0]))


@pytest.mark.parametrize(
    "name", ["c", "r", "R1C1", "ab12", "about", "history", "true", "a/b[c]:*?\\'", "x" * 300, "1a"]
)
def test_names_that_excel_forbids_are_made_fit(name: str) -> None:
    body = written(words(name, "x"))
    assert_sound(body)
    book = load_workbook(io.BytesIO(body))
    (table,) = book.worksheets[0].tables.values()
    assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", table.displayName)
    assert not re.fullmatch(r"(?i)[a-z]{1,3}[0-9]+|r|c|r[0-9]+c[0-9]+|true|false", table.displayName)
    titles = [sheet.title for sheet in book.worksheets]
    assert len({title.lower() for title in titles}) == 2
    assert all(1 <= len(title) <= 31 and not re.search(r"[\[\]:*?/\\]", title) for title in titles)
    assert "history" not in [title.lower() for title in titles]


def test_sheets_never_share_a_name_and_columns_neither() -> None:
    assert sheet_name("About", ["about"]) != "About"
    assert sheet_name("", []) == "sheet"
    names = column_names(["a", "A", "", "x" * 300, "x" * 299, "line\nbreak"])
    assert len({name.lower() for name in names}) == 6
    assert all(0 < len(name) <= 255 and "\n" not in name for name in names)
    assert table_name("usage") == "usage"


def test_a_text_that_looks_like_an_escape_is_escaped() -> None:
    body = written(words("usage", "_x0041_", "_x41_", "a_x000D_b"))
    with zipfile.ZipFile(io.BytesIO(body)) as package:
        texts = package.read("xl/sharedStrings.xml").decode()
    assert ">_x005F_x0041_<" in texts
    assert ">_x41_<" in texts
    assert ">a_x005F_x000D_b<" in texts


def test_a_meters_name_with_marks_of_xml_and_controls_is_text() -> None:
    body = written(words("usage", 'a<b>&"c"\x00\x1b', "\x01", ""))
    assert_sound(body)
    sheet = sheet_of(body)
    assert [sheet[f"A{row}"].value for row in (2, 3, 4)] == ['a<b>&"c"', None, None]


def test_an_error_is_wrapped_and_its_row_tall_enough_to_be_read() -> None:
    error = BadParameter("It is wrong.", remedy="Do this, and that. " * 12)
    body = written(error_table("usage", error))
    assert_sound(body)
    sheet = sheet_of(body)
    assert sheet["B2"].value == error.remedy
    assert sheet["B2"].alignment.wrap_text
    assert sheet.column_dimensions["B"].width == 60
    assert sheet.row_dimensions[2].height >= 15 * len(error.remedy) / 60
    assert sheet.page_setup.fitToWidth in (None, 1)


def counted(rows: int) -> Table:
    order = np.arange(rows, dtype=np.int64)
    return Table("usage", (Numbers("n", order, np.ones(rows, dtype=np.bool_), 0),), rows)


def test_a_sheet_is_filled_to_its_last_row_and_no_further() -> None:
    body = written(counted(MOST_ROWS - 1))
    with zipfile.ZipFile(io.BytesIO(body)) as package:
        sheet, table = package.read("xl/worksheets/sheet1.xml"), package.read("xl/tables/table1.xml")
    assert b'<dimension ref="A1:A1048576"/>' in sheet
    assert b'ref="A1:A1048576"' in table
    assert sheet.count(b"<row ") == MOST_ROWS
    assert sheet.rindex(b'<row r="1048576"><c r="A1048576" s="') > sheet.rindex(b'<row r="1048575">')
    assert b"<v>1048574</v></c></row></sheetData>" in sheet
    with pytest.raises(TooLarge) as raised:
        written(counted(MOST_ROWS))
    assert "CSV" in raised.value.remedy


def test_the_same_table_has_the_same_bytes() -> None:
    assert written(counted(10)) == written(counted(10))
