"""Rows of a sheet as SpreadsheetML: a table's by byte matrices, others cell by cell; texts are shared strings.

ECMA-376 part 1, 18.3.1.4 (c), 18.3.1.73 (row), 18.4 (shared strings), 22.9.2.19 (ST_Xstring and its escapes).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np
from openpyxl.utils import get_column_letter

from app.formats.rows import ROWS_AT_ONCE, Characters, Spelling, cells, number_text, same, text_of
from app.tables import Cell, Clock, Column, Dates, Labels, Numbers, Table
from app.tables.columns import Flags, Integers

ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML 1.0 doesn't have."""
LOOKS_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
"""An underline that Excel would take for the start of an escape."""
LONGEST_TEXT = 32_767
"""UTF-16 units of an Excel cell."""
NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


class Strings:
    """The shared strings of a workbook, each once."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, text: str) -> int:
        """Where `text` stands; it is added if it is new."""
        return self._places.setdefault(text, len(self._places))

    def xml(self) -> Iterator[bytes]:
        """The part."""
        yield f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<sst xmlns="{NAMESPACE}">'.encode()
        for text in self._places:
            yield f'<si><t xml:space="preserve">{xml_text(text)}</t></si>'.encode()
        yield b"</sst>"


@dataclass(frozen=True, slots=True)
class Loose:
    """A cell outside of tables: its value (None is blank), the number of its style, and the formula that gives it."""

    value: Cell | None
    style: int = 0
    formula: str = ""


def cleaned(text: str) -> str:
    """`text` as a cell of Excel can hold it."""
    units = ILLEGAL.sub("", text).encode("utf-16-le")[: 2 * LONGEST_TEXT]
    return units.decode("utf-16-le", "ignore")


def xml_text(text: str) -> str:
    """A cleaned text between tags."""
    return LOOKS_ESCAPED.sub("_x005F_", escape(text))


def dimension(columns: int, last_row: int) -> str:
    """The area from A1 to the last cell."""
    return f"A1:{get_column_letter(columns)}{last_row}"


def loose_row(number: int, row: Sequence[Loose | None], strings: Strings, height: float | None = None) -> bytes:
    """A row of cells that stand by themselves, from column A on; None is no cell. `height` is in points."""
    shown = [_loose(f"{get_column_letter(i)}{number}", cell, strings) for i, cell in enumerate(row, 1) if cell]
    tall = "" if height is None else f' ht="{height:g}" customHeight="1"'
    return f'<row r="{number}"{tall}>{"".join(shown)}</row>'.encode()


def _loose(place: str, cell: Loose, strings: Strings) -> str:
    start, formula = f'<c r="{place}" s="{cell.style}"', f"<f>{escape(cell.formula)}</f>" if cell.formula else ""
    match cell.value:
        case None:
            return f'{start} t="str">{formula}<v></v></c>' if formula else f"{start}/>"
        case bool():
            return f'{start} t="b">{formula}<v>{int(cell.value)}</v></c>'
        case str() if formula:
            return f'{start} t="str">{formula}<v>{xml_text(cleaned(cell.value))}</v></c>'
        case str():
            return f'{start} t="s"><v>{strings.place(cleaned(cell.value))}</v></c>'
    return f"{start}>{formula}<v>{cell.value!r}</v></c>"


def table_rows(
    table: Table, first_row: int, styles: Sequence[int], strings: Strings, heights: Integers | None = None
) -> Iterator[bytes]:
    """The rows of a table from `first_row` on, a few thousand at a time.

    `styles` has a number a column, `heights` points a row, for texts that take several lines.
    """
    done = 0
    while done < table.rows:
        row = first_row + done
        longer = 10 ** len(str(row))  # up to here a row's number has as many digits as the first one's
        rows = min(ROWS_AT_ONCE, table.rows - done, longer - row)
        at = slice(done, done + rows)
        yield _rows(table.take(at), row, styles, strings, None if heights is None else heights[at])
        done += rows


def _rows(table: Table, first_row: int, styles: Sequence[int], strings: Strings, heights: Integers | None) -> bytes:
    number = _row_numbers(first_row, table.rows)
    parts = [same(b'<row r="', table.rows), number]
    if heights is not None:
        tall = Numbers("height", heights, np.ones(table.rows, dtype=np.bool_), 0)
        plain = Spelling(blank=b"", quote=b"", cell=lambda _: b"")
        parts += [same(b'" customHeight="1" ht="', table.rows), cells(tall, plain)]
    parts.append(same(b'">', table.rows))
    for i, (column, style) in enumerate(zip(table.columns, styles, strict=True), 1):
        parts += _cells(column, f'<c r="{get_column_letter(i)}'.encode(), number, style, strings)
    return text_of([*parts, same(b"</row>", table.rows)])


def _row_numbers(first: int, rows: int) -> Characters:
    digits = np.arange(first, first + rows)[:, None] // 10 ** np.arange(len(str(first)))[::-1] % 10
    return Characters((digits + ord("0")).astype(np.uint8), np.ones(digits.shape, dtype=np.bool_))


def _cells(column: Column, start: bytes, number: Characters, style: int, strings: Strings) -> list[Characters]:
    """The parts of a column's cells; a blank is no cell at all."""
    rows = len(number.byte)

    def tail(value: Cell) -> bytes:
        if isinstance(value, str):
            text = cleaned(value)
            return b'" s="%d" t="s"><v>%d</v></c>' % (style, strings.place(text)) if text else b'" s="%d"/>' % style
        kind = b' t="b"' if isinstance(value, bool) else b""
        number = int(value) if isinstance(value, bool) else value
        return b'" s="%d"%b><v>%b</v></c>' % (style, kind, number_text(number).encode())

    spelled = cells(column, Spelling(blank=b"", quote=b"", cell=tail, serial=True))
    parts = [same(start, rows), number, spelled]
    if not isinstance(column, Labels):
        parts[2:] = [same(b'" s="%d"><v>' % style, rows), spelled, same(b"</v></c>", rows)]
    there = _there(column)
    if there is None or there.all():
        return parts
    return [Characters(part.byte, part.counts & there[:, None]) for part in parts]


def _there(column: Column) -> Flags | None:
    """Which cells aren't blank; None if all are there."""
    match column:
        case Dates() | Clock():
            return None
        case Labels():
            return np.asarray(column.codes >= 0)
    return column.present
