"""XLSX of one table: a typed sheet with an Excel table, and a sheet `about`."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from app.domain.errors import TooLarge
from app.formats.about import About
from app.formats.looks import (
    FACT,
    LABEL,
    TITLE,
    Kind,
    Look,
    column_names,
    excel_table,
    header_look,
    height_of,
    heights_of,
    kind_of,
    print_on_a4,
    sheet_name,
    table_name,
)
from app.formats.sheets import Loose, Strings, dimension, loose_row, table_rows
from app.formats.workbook import Rows, Shell
from app.tables import Table

MOST_ROWS = 1_048_576
"""Rows of an Excel sheet, the header's among them."""
WIDE = 9
"""Columns from which on a sheet is printed in landscape."""
TABLE_PART = "xl/tables/table1.xml"
ABOUT_WIDTHS = (18, 90)


def write(table: Table, about: About) -> bytes:
    """A workbook: sheet and Excel table named after the table, header frozen; a second sheet `about`. TooLarge."""
    if table.rows >= MOST_ROWS:
        raise TooLarge(
            f"The table has {table.rows:,} rows; a sheet of Excel holds {MOST_ROWS - 1:,} below the header.",
            remedy="Ask for a shorter period, one meter or a coarser aggregate, or for CSV.",
        )
    names = tuple(column_names(table.header))
    shell, styles = _shell(table.name, names, tuple(kind_of(column) for column in table.columns))
    strings = Strings()
    area = dimension(len(names), max(table.rows, 1) + 1)
    title, about_title = shell.sheets
    rows = {
        title: Rows(area, _rows(table, names, styles, strings)),
        about_title: Rows(dimension(2, 1 + len(about.facts)), about_rows(about, styles.about, strings)),
    }
    table_part = shell.parts[TABLE_PART].replace(dimension(len(names), 2).encode(), area.encode())
    return shell.filled(rows, strings, {TABLE_PART: table_part})


class Styles(NamedTuple):
    """The numbers of the styles of the header's and the columns' cells, and of the sheet `about`."""

    header: tuple[int, ...]
    columns: tuple[int, ...]
    about: tuple[int, int, int]


@lru_cache(maxsize=64)
def _shell(name: str, columns: tuple[str, ...], kinds: tuple[Kind, ...]) -> tuple[Shell, Styles]:
    """The workbook without its rows, as if it had one; made once for all tables of the same columns."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = sheet_name(name)
    sheet.freeze_panes = "A2"
    print_on_a4(sheet, landscape=len(columns) >= WIDE, title_rows="1:1")
    for i, kind in enumerate(kinds, 1):
        sheet.column_dimensions[get_column_letter(i)].width = kind.width
    sheet.add_table(excel_table(table_name(name), columns, 1, 1))
    styles = Styles(
        tuple(header_look(kind.alignment).style(sheet) for kind in kinds),
        tuple(Look(kind.number_format, kind.alignment).style(sheet) for kind in kinds),
        about_sheet(book),
    )
    return Shell.of(book), styles


def _rows(table: Table, names: Sequence[str], styles: Styles, strings: Strings) -> Iterator[bytes]:
    yield loose_row(1, [Loose(name, style) for name, style in zip(names, styles.header, strict=True)], strings)
    if not table.rows:  # a table without a row under its header is repaired by Excel
        yield loose_row(2, [Loose(None, style) for style in styles.columns], strings)
    yield from table_rows(table, 2, styles.columns, strings, heights_of(table))


def about_sheet(book: Workbook) -> tuple[int, int, int]:
    """Adds the sheet `about`, empty; the numbers of the styles of its title, its facts' names and its facts."""
    sheet: Worksheet = book.create_sheet(sheet_name("about", book.sheetnames))
    print_on_a4(sheet, landscape=False)
    for letter, width in zip("AB", ABOUT_WIDTHS, strict=True):
        sheet.column_dimensions[letter].width = width
    return TITLE.style(sheet), LABEL.style(sheet), FACT.style(sheet)


def about_rows(about: About, styles: tuple[int, int, int], strings: Strings) -> Iterator[bytes]:
    """The rows of the sheet `about`."""
    title, label, fact = styles
    yield loose_row(1, [Loose(about.title, title)], strings)
    for number, (name, text) in enumerate(about.facts, 2):
        height = height_of(text, ABOUT_WIDTHS[1])
        yield loose_row(number, [Loose(name, label), Loose(text, fact)], strings, height)
