"""What a reader of each format sees: the header and the rows of cells. None of them is the app's."""

import csv
import io
import json
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

GUARDED = ("=", "+", "-", "@", "\t", "\r")
Rows = list[list[Any]]


def read_csv(body: bytes) -> tuple[list[str], Rows]:
    """Cells as texts, the apostrophe before a formula taken off."""
    header, *rows = csv.reader(io.StringIO(body.decode("utf-8"), newline=""), strict=True)
    return header, [[_unguarded(cell) for cell in row or [""]] for row in rows]


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(GUARDED) else cell


def read_json(body: bytes) -> tuple[list[str], Rows]:
    """Cells as JSON has them, fractions exact; the header is the keys, the same in every row."""
    rows = json.loads(body, parse_float=Decimal)
    assert isinstance(rows, list)
    keys = list(rows[0]) if rows else []
    assert all(list(row) == keys for row in rows)
    return keys, [list(row.values()) for row in rows]


class _TableReader(HTMLParser):
    """The header and the cells of the one table of a page, and its id."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str | None] = []
        self.rows: Rows = []
        self.header: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("meta", "link", "br"):
            return
        self.open.append(tag)
        if tag == "table":
            self.ids.append(dict(attrs).get("id"))
        if tag == "tr" and "tbody" in self.open:
            self.rows.append([])
        if tag == "td":
            self.rows[-1].append("")
        if tag == "th":
            assert "thead" in self.open
            self.header.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["td"]:
            self.rows[-1][-1] += data
        if self.open[-1:] == ["th"]:
            self.header[-1] += data


def read_html(body: bytes, table: str = "usage") -> tuple[list[str], Rows]:
    """Cells as texts; every tag must be closed, and the page's only table have its id."""
    reader = _TableReader()
    reader.feed(body.decode("utf-8"))
    reader.close()
    assert reader.ids == [table]
    assert reader.open == []
    return reader.header, reader.rows


def sheet_of(body: bytes, name: str = "usage") -> Worksheet:
    """A sheet of a workbook."""
    sheet = load_workbook(io.BytesIO(body))[name]
    assert isinstance(sheet, Worksheet)
    return sheet


def read_xlsx(body: bytes, table: str = "usage") -> tuple[list[str], Rows]:
    """Cells as openpyxl gives them, of the area of the Excel table."""
    sheet = sheet_of(body, table)
    header, *rows = sheet[sheet.tables[table].ref]
    return [cell.value for cell in header], [[cell.value for cell in row] for row in rows]
