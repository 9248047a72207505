"""JSON: one array of flat objects, the same keys in every one; moments in ISO 8601."""

import orjson

from app.formats.about import About
from app.formats.rows import Spelling, number_text, text_of_rows
from app.tables import Cell, Table


def write(table: Table, _about: About) -> bytes:
    """The table as a top-level array, an object a row, a line each."""
    names = [orjson.dumps(name) + b":" for name in table.header]
    between = [b"{" + names[0], *(b"," + name for name in names[1:]), b"},\n"]
    rows = text_of_rows(table, between, Spelling(blank=b"null", quote=b'"', cell=_cell, iso=True))
    return b"[" + rows.removesuffix(b",\n") + b"]"


def _cell(value: Cell) -> bytes:
    if isinstance(value, str):
        value = value.encode("utf-8", "replace").decode()
    if isinstance(value, float):
        return number_text(value).encode()
    return orjson.dumps(value)
