"""XLSX: a typed sheet with an Excel table, and a sheet `about`."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any, NamedTuple

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.filters import AutoFilter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.table import Table as ExcelTable
from openpyxl.worksheet.table import TableColumn, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from app.domain.errors import TooLarge
from app.domain.spans import EPOCH
from app.formats.about import About
from app.formats.rows import LARGEST_TEXT, chunks
from app.tables import Clock, Column, Dates, Labels, Numbers, Table, Times

MOST_ROWS = 1_048_576
"""Rows of an Excel sheet, the header's among them."""
ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML 1.0 doesn't have."""
LONGEST_TEXT = 32_767
"""Characters of an Excel cell."""
GREEN = "0A7D55"
HEADER_FONT = Font(name="Calibri", size=11, bold=True, color="FFFFFF")
RIGHT, INDENTED = Alignment(horizontal="right"), Alignment(horizontal="left", indent=1)
WIDE = 9
"""Columns from which on a sheet is printed in landscape."""


class Kind(NamedTuple):
    """A column's number format in Excel's own notation, its width in characters, and the alignment of its name."""

    number_format: str
    width: int
    alignment: Alignment = RIGHT


def write(table: Table, about: About) -> bytes:
    """A workbook: sheet and Excel table named after the table, header frozen; a second sheet `about`."""
    if table.rows >= MOST_ROWS:
        raise TooLarge(
            f"The table has {table.rows:,} rows; a sheet of Excel holds {MOST_ROWS - 1:,} below the header.",
            remedy="Ask for a shorter period, one meter or a coarser aggregate, or for CSV.",
        )
    book = Workbook(write_only=True)
    _write_table(book, table)
    _write_about(book, about)
    file = io.BytesIO()
    book.save(file)
    if file.tell() > LARGEST_TEXT:
        raise TooLarge("The workbook is larger than 64 MB.", remedy="Ask for a shorter period, or for CSV.")
    return file.getvalue()


def _write_table(book: Workbook, table: Table) -> None:
    sheet = book.create_sheet(table.name)
    kinds = [_kind(column) for column in table.columns]
    sheet.freeze_panes = "A2"
    sheet.print_title_rows = "1:1"
    sheet.page_setup.orientation = "portrait" if len(kinds) < WIDE else "landscape"
    sheet.page_setup.paperSize = Worksheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    for i, kind in enumerate(kinds, 1):
        sheet.column_dimensions[get_column_letter(i)].width = kind.width
    header = [_text_cell(sheet, name) for name in table.header]
    for cell, kind in zip(header, kinds, strict=True):
        cell.font = HEADER_FONT
        cell.fill = PatternFill("solid", fgColor=GREEN)  # the table's own style shows in Excel alone
        cell.alignment = kind.alignment
    sheet.append(header)
    for row in _rows(sheet, table, kinds):
        sheet.append(row)
    if not table.rows:
        sheet.append([None] * len(header))  # a table without a row under its header is repaired by Excel
    sheet.tables.add(_excel_table(table))


def _excel_table(table: Table) -> ExcelTable:
    ref = f"A1:{get_column_letter(len(table.columns))}{max(table.rows, 1) + 1}"
    made = ExcelTable(displayName=table.name, name=table.name, ref=ref, autoFilter=AutoFilter(ref=ref))
    made.tableColumns = [TableColumn(id=i, name=name) for i, name in enumerate(table.header, 1)]
    made.tableStyleInfo = TableStyleInfo(name="TableStyleMedium4", showRowStripes=True)
    return made


def _rows(sheet: Any, table: Table, kinds: list[Kind]) -> Iterator[list[Any]]:
    formats = [kind.number_format for kind in kinds]
    for part in chunks(table):
        for values in zip(*(_values(column) for column in part.columns), strict=True):
            yield [_styled(sheet, value, form) for value, form in zip(values, formats, strict=True)]


def _values(column: Column) -> list[Any]:
    """A column's cells as the types that openpyxl writes: numbers, dates, times, texts; None is blank."""
    match column:
        case Numbers():
            scale = 10**column.decimals
            numbers = column.scaled.tolist()
            if column.decimals:
                numbers = [number / scale for number in numbers]
            return [n if there else None for n, there in zip(numbers, column.present.tolist(), strict=True)]
        case Times():
            moments = [_moment(second) for second in column.clock.tolist()]
            return [m if there else None for m, there in zip(moments, column.present.tolist(), strict=True)]
        case Dates():
            return [EPOCH + timedelta(days=day) for day in column.days.tolist()]
        case Clock():
            return [time(second // 3600, second // 60 % 60) for second in column.seconds.tolist()]
        case Labels():
            return [column.values[code] if code >= 0 else None for code in column.codes.tolist()]


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, tz=UTC).replace(tzinfo=None)


def _styled(sheet: Any, value: Any, number_format: str) -> Any:
    if value is None:
        return None
    if isinstance(value, str):
        cell = _text_cell(sheet, value)
        cell.alignment = INDENTED
        return cell
    cell = WriteOnlyCell(sheet, value)
    cell.number_format = number_format
    return cell


def _text_cell(sheet: Any, text: str) -> Any:
    """A cell that holds a text as a text, whatever it starts with."""
    cell = WriteOnlyCell(sheet, ILLEGAL.sub("", text)[:LONGEST_TEXT])
    cell.data_type = "s"
    return cell


def _kind(column: Column) -> Kind:  # noqa: PLR0911 - one a kind of column
    name = len(column.name) + 4  # the header shows a button beside the name
    match column:
        case Numbers(decimals=6):
            return Kind("#,##0.000", max(12, name))
        case Numbers(decimals=1):
            return Kind("0.0", max(9, name))
        case Numbers():
            return Kind("0", max(9, name))
        case Times():
            return Kind("yyyy-mm-dd hh:mm", max(18, name))
        case Dates():
            return Kind("yyyy-mm-dd", max(12, name))
        case Clock():
            return Kind("hh:mm", max(8, name))
        case Labels():
            longest = max((len(str(value)) for value in column.values), default=0)
            return Kind("General", min(60, max(longest + 3, name)), INDENTED)


def _write_about(book: Workbook, about: About) -> None:
    sheet = book.create_sheet("about")
    sheet.column_dimensions["A"].width = 18
    sheet.column_dimensions["B"].width = 90
    title = _text_cell(sheet, about.title)
    title.font = Font(name="Calibri", size=14, bold=True)
    sheet.append([title])
    for name, fact in about.facts:
        label = _text_cell(sheet, name)
        label.font = Font(name="Calibri", size=11, color="666666")
        text = _text_cell(sheet, fact)
        text.alignment = Alignment(wrap_text=True, vertical="top")
        sheet.append([label, text])
