"""CSV: UTF-8, comma, CRLF, minimal quoting; a text that a spreadsheet would run as a formula gets an apostrophe."""

from app.formats.about import About
from app.formats.rows import Spelling, number_text, text_of_rows
from app.tables import Cell, Table

BOM = b"\xef\xbb\xbf"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write(table: Table, about: About) -> bytes:
    """The table as RFC 4180 has it, with a header."""
    header = b",".join(_text(name) for name in table.header) + b"\r\n"
    between = [b"", *[b","] * (len(table.columns) - 1), b"\r\n"]
    blank = b"" if len(table.columns) > 1 else b'""'  # a line of nothing would be no row to some readers
    rows = text_of_rows(table, between, Spelling(blank=blank, quote=b"", cell=_cell))
    return (BOM if about.bom else b"") + header + rows


def _cell(value: Cell) -> bytes:
    if isinstance(value, bool):
        return b"true" if value else b"false"
    return _text(value) if isinstance(value, str) else number_text(value).encode()


def _text(text: str) -> bytes:
    if text.startswith(FORMULA_STARTS):
        text = f"'{text}"
    if any(mark in text for mark in ',"\r\n'):
        text = '"' + text.replace('"', '""') + '"'
    return text.encode("utf-8", "replace")
