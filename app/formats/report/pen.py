"""A workbook being written: what openpyxl makes of a sheet, and its rows as XML beside it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.filters import AutoFilter
from openpyxl.worksheet.worksheet import Worksheet

from app.domain.errors import TooLarge
from app.formats.looks import GREY, INDENTED, RIGHT, Kind, Look, excel_table, header_look, kind_of
from app.formats.sheets import Loose, Strings, dimension, loose_row, table_rows
from app.formats.workbook import Rows, Shell
from app.tables import Column, Dates, Labels, Numbers, Table

MOST_ROWS = 1_048_576
TITLE_ROW, NOTE_ROW, HEADER_ROW = 1, 2, 4
HEADER_HEIGHT = 33
NUMBER_WIDTH = 13
FONT = "Calibri"
TITLE = Look(font=Font(name=FONT, size=16, bold=True))
NOTE = Look(font=Font(name=FONT, size=10, color=GREY))
PLAIN = Look()
RULE = Border(top=Side(style="thin", color=GREY))


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a table stands: its sheet and the numbers of its header's row and its first and last row of cells."""

    sheet: Worksheet
    table: Table
    header: int
    first: int
    last: int


class Pen:
    """Collects sheets; `packed` is the file."""

    def __init__(self) -> None:
        self.book = Workbook()
        self.book.remove(self.book.worksheets[0])
        self.strings = Strings()
        self._rows: dict[str, Rows] = {}

    def sheet(self, title: str) -> Worksheet:
        """A new sheet, without the lines between cells."""
        made: Worksheet = self.book.create_sheet(title)
        made.sheet_view.showGridLines = False
        return made

    def pour(self, sheet: Worksheet, area: str, chunks: Iterator[bytes]) -> None:
        """Gives a sheet its rows."""
        self._rows[sheet.title] = Rows(area, chunks)

    def table(self, title: str, heading: str, note: str, table: Table, decimals: int, *, totals: bool) -> Placed:
        """A sheet with a heading, a note, and an Excel table; `decimals` of energy and carbon are shown. TooLarge.

        With `totals` a last row sums what is shown of each column; a column some of whose values aren't known, though
        its meter measured, has no total.
        """
        if table.rows + HEADER_ROW + 1 > MOST_ROWS:
            raise TooLarge(
                f"The report's sheet {title} would have {table.rows:,} rows; a sheet of Excel holds fewer.",
                remedy="Ask for a shorter period, or for the table usage as CSV.",
            )
        sheet = self.sheet(title)
        kinds = [_kind(column, decimals) for column in table.columns]
        for i, kind in enumerate(kinds, 1):
            sheet.column_dimensions[get_column_letter(i)].width = kind.width
        sheet.freeze_panes = f"B{HEADER_ROW + 1}"
        first, last = HEADER_ROW + 1, HEADER_ROW + max(table.rows, 1)
        has_totals = totals and table.rows > 0
        sums = [_total(column, table) if has_totals else None for column in table.columns]
        made = excel_table(table.name, table.header, HEADER_ROW, table.rows + has_totals)
        made.autoFilter = AutoFilter(ref=f"A{HEADER_ROW}:{get_column_letter(len(kinds))}{last}")
        if has_totals:
            made.totalsRowCount = 1
            made.tableColumns[0].totalsRowLabel = "Total"
            for column, total in zip(made.tableColumns, sums, strict=True):
                column.totalsRowFunction = "sum" if total is not None else None
        sheet.add_table(made)
        placed = Placed(sheet, table, HEADER_ROW, first, last)
        rows = self._table_rows(placed, kinds, (heading, note), sums if has_totals else None)
        self.pour(sheet, dimension(len(kinds), last + has_totals), rows)
        return placed

    def _table_rows(
        self, placed: Placed, kinds: Sequence[Kind], top: tuple[str, str], sums: Sequence[int | float | None] | None
    ) -> Iterator[bytes]:
        sheet, table, strings = placed.sheet, placed.table, self.strings
        styles = [Look(kind.number_format, kind.alignment).style(sheet) for kind in kinds]
        heads = [header_look(_head(kind)).style(sheet) for kind in kinds]
        bold = Font(name=FONT, size=11, bold=True)
        ends = [Look(kind.number_format, kind.alignment, bold, border=RULE).style(sheet) for kind in kinds]
        texts = [
            loose_row(TITLE_ROW, [Loose(top[0], TITLE.style(sheet))], strings, 24),
            loose_row(NOTE_ROW, [Loose(top[1], NOTE.style(sheet))], strings),
        ]
        header = [Loose(name, head) for name, head in zip(table.header, heads, strict=True)]
        texts.append(loose_row(placed.header, header, strings, HEADER_HEIGHT))
        blank = loose_row(placed.first, [Loose(None, style) for style in styles], strings)
        end: list[Loose | None] = []
        if sums:
            end = [
                Loose(total, style, "" if total is None else f"SUBTOTAL(109,{table.name}[{column.name}])")
                for column, total, style in zip(table.columns, sums, ends, strict=True)
            ]
            end[0] = Loose("Total", Look(alignment=INDENTED, font=bold, border=RULE).style(sheet))

        def chunks() -> Iterator[bytes]:
            yield from texts
            if not table.rows:
                yield blank
            yield from table_rows(table, placed.first, styles, strings)
            if end:
                yield loose_row(placed.last + 1, end, strings)

        return chunks()

    def packed(self) -> bytes:
        """The workbook. TooLarge past 64 MB."""
        return Shell.of(self.book).filled(self._rows, self.strings, {})


def _kind(column: Column, decimals: int) -> Kind:
    """A column's look: fewer decimals than plain tables show, and a name that may take two lines."""
    width = max(NUMBER_WIDTH, *(len(word) + 4 for word in column.name.split()))
    match column:
        case Numbers(decimals=6):
            return Kind("#,##0." + "0" * decimals, width)
        case Numbers():
            return Kind("#,##0", width)
        case Dates(name="month"):
            return Kind("mmm yyyy", width, INDENTED)
        case Labels():
            return kind_of(column)
    shown = kind_of(column)
    return Kind(shown.number_format, max(width, 18 if "hh" in shown.number_format else 0), INDENTED)


def _head(kind: Kind) -> Alignment:
    horizontal = "left" if kind.alignment is INDENTED else RIGHT.horizontal
    return Alignment(horizontal=horizontal, vertical="center", wrap_text=True, indent=int(horizontal == "left"))


def _total(column: Column, table: Table) -> int | float | None:
    """The sum of a column of numbers; None if it isn't one, or if it is of carbon that isn't known throughout."""
    if not isinstance(column, Numbers) or not column.present.any():
        return None
    energy = column.name.replace("kg CO2e", "kWh")
    measured = [other.present for other in table.columns if isinstance(other, Numbers) and other.name == energy]
    if measured and bool(np.any(measured[0] & ~column.present)):
        return None
    total = int(column.scaled[column.present].sum())
    return total / 10**column.decimals if column.decimals else total
