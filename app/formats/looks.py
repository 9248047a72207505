"""How workbooks look: fonts, fills, number formats and widths, and names that Excel takes."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from textwrap import wrap
from typing import NamedTuple

import numpy as np
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Border, Font, PatternFill
from openpyxl.worksheet.filters import AutoFilter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.table import Table as ExcelTable
from openpyxl.worksheet.table import TableColumn, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from app.formats.sheets import cleaned, dimension
from app.tables import Clock, Column, Dates, Labels, Numbers, Table, Times
from app.tables.columns import Integers

GREEN, GREY = "0A7D55", "666666"
RIGHT, INDENTED = Alignment(horizontal="right"), Alignment(horizontal="left", vertical="top", indent=1)
WRAPPED = Alignment(horizontal="left", vertical="top", indent=1, wrap_text=True)
WIDEST_TEXT = 60
LINE_HEIGHT, TALLEST_ROW, ROOM_OF_A_LINE = 15, 405, 8
"""Points of a line and of the tallest row of Excel (409); characters that a line is shorter than its column."""
LONGEST_SHEET_NAME, LONGEST_TABLE_NAME, LONGEST_COLUMN_NAME = 31, 255, 255


@dataclass(frozen=True, slots=True)
class Look:
    """How a cell looks, in openpyxl's terms; `number_format` is in Excel's own notation."""

    number_format: str = "General"
    alignment: Alignment = field(default_factory=Alignment)
    font: Font = field(default_factory=lambda: Font(name="Calibri", size=11))
    fill: PatternFill = field(default_factory=PatternFill)
    border: Border = field(default_factory=Border)

    def style(self, sheet: Worksheet) -> int:
        """The number of this style in the workbook of `sheet`, which knows it from now on."""
        cell = WriteOnlyCell(sheet)
        cell.number_format, cell.alignment, cell.font = self.number_format, self.alignment, self.font
        cell.fill, cell.border = self.fill, self.border
        return int(cell.style_id)


def header_look(alignment: Alignment, fill: str = GREEN) -> Look:
    """A table's header; it is filled here because a table's own style shows in Excel alone."""
    font = Font(name="Calibri", size=11, bold=True, color="FFFFFF")
    return Look(alignment=alignment, font=font, fill=PatternFill("solid", fgColor=fill))


TITLE = Look(font=Font(name="Calibri", size=14, bold=True))
LABEL = Look(font=Font(name="Calibri", size=11, color=GREY), alignment=Alignment(vertical="top"))
FACT = Look(alignment=Alignment(wrap_text=True, vertical="top"))


class Kind(NamedTuple):
    """A column's number format, its width in characters, and the alignments of its cells and its name."""

    number_format: str
    width: int
    alignment: Alignment = RIGHT


def kind_of(column: Column) -> Kind:  # noqa: PLR0911 - one a kind of column
    """How a column of a plain table is shown."""
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
            longest = max((len(str(value)) for value in column.values), default=0) + 3
            if longest > WIDEST_TEXT and name < WIDEST_TEXT:
                return Kind("General", WIDEST_TEXT, WRAPPED)
            return Kind("General", max(longest, name), INDENTED)


def height_of(text: str, width: int) -> int:
    """The points that `text` needs in a column of `width` characters."""
    lines = sum(max(1, len(wrap(line, width - ROOM_OF_A_LINE))) for line in text.split("\n"))
    return min(LINE_HEIGHT * lines, TALLEST_ROW)


def heights_of(table: Table) -> Integers | None:
    """The points of each row of a plain table; None if none has a text that is wrapped."""
    tall = [column for column in table.columns if isinstance(column, Labels) and kind_of(column).alignment is WRAPPED]
    if not tall:
        return None
    heights = np.full(table.rows, LINE_HEIGHT, dtype=np.int64)
    for column in tall:
        of_values = [height_of(cleaned(str(value)), WIDEST_TEXT) for value in column.values]
        heights = np.maximum(heights, np.array([*of_values, LINE_HEIGHT])[column.codes])  # the last is for -1, a blank
    return heights


def sheet_name(text: str, taken: Collection[str] = ()) -> str:
    """`text` as Excel takes it for a sheet: without its forbidden marks, 31 characters, and no other's name."""
    name = re.sub(r"[\[\]:*?/\\]", "-", cleaned(text)).strip("' ")[:LONGEST_SHEET_NAME].strip("' ") or "sheet"
    if name.lower() == "history":
        name += "-"
    known = {other.lower() for other in taken}
    if name.lower() not in known:
        return name
    numbered = (f"{name[: LONGEST_SHEET_NAME - 5]} ({n})" for n in range(2, len(known) + 3))
    return next(other for other in numbered if other.lower() not in known)


def table_name(text: str) -> str:
    """`text` as Excel takes it for a table: letters, digits and `_`, and nothing that is the place of a cell."""
    name = re.sub(r"\W", "_", text, flags=re.ASCII)[: LONGEST_TABLE_NAME - 1] or "_"
    is_place = re.fullmatch(r"[a-z]{1,3}[0-9]+|r[0-9]*(c[0-9]*)?|c[0-9]*|true|false", name, re.IGNORECASE)
    return f"_{name}" if is_place or name[0].isdigit() else name


def column_names(names: Collection[str]) -> list[str]:
    """The names of columns as a table's header can hold them: texts of at most 255 characters, all different."""
    taken: set[str] = set()
    made = []
    for i, name in enumerate(names, 1):
        fitting = cleaned(name).replace("\n", " ").replace("\r", " ")[:LONGEST_COLUMN_NAME] or f"column {i}"
        if fitting.lower() in taken:
            fitting = f"{fitting[: LONGEST_COLUMN_NAME - 8]} {i}"
        taken.add(fitting.lower())
        made.append(fitting)
    return made


def excel_table(name: str, columns: Collection[str], first_row: int, rows: int) -> ExcelTable:
    """A table of Excel from column A on, its header in `first_row`, with at least one row below it."""
    last = dimension(len(columns), first_row + max(rows, 1)).removeprefix("A1")
    made = ExcelTable(displayName=name, name=name, ref=f"A{first_row}{last}")
    made.autoFilter = AutoFilter(ref=made.ref)
    made.tableColumns = [TableColumn(id=i, name=column) for i, column in enumerate(columns, 1)]
    made.tableStyleInfo = TableStyleInfo(name="TableStyleMedium4", showRowStripes=True)
    return made


def print_on_a4(sheet: Worksheet, *, landscape: bool, title_rows: str | None = None, one_page: bool = False) -> None:
    """Prints as wide as a page of A4, `title_rows` on every page, the page's number at its foot."""
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.page_setup.paperSize = Worksheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 1 if one_page else 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = title_rows
    if (footer := sheet.oddFooter) is not None:  # blank, it is false
        footer.left.text, footer.right.text = "&A", "&P / &N"
