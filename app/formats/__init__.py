"""One writer a format: a table and what is known about it -> bytes. FORMATS is the list of them."""

from collections.abc import Callable
from dataclasses import dataclass

from app.formats import csv, html, json, xlsx
from app.formats.about import About
from app.formats.report import write as write_report
from app.tables import Table

__all__ = ["FORMATS", "About", "Format", "write_report"]


@dataclass(frozen=True, slots=True)
class Format:
    """A format's media type, its writer (TooLarge for a table that doesn't fit), and whether it is a zip."""

    media_type: str
    write: Callable[[Table, About], bytes]
    is_packed: bool = False


FORMATS = {
    "csv": Format("text/csv; charset=utf-8", csv.write),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx.write, is_packed=True),
    "json": Format("application/json", json.write),
    "html": Format("text/html; charset=utf-8", html.write),
}
