"""XLSX of a month and of five years beside openpyxl's write-only mode.

Ours begins with a table's arrays and makes typed cells with number formats, an Excel table and the sheet `about`;
openpyxl begins with ready Python values and makes bare cells.
"""

import io
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import numpy as np
from openpyxl import LXML, Workbook
from rounds import measure, show

from app.domain.aggregates import Aggregate
from app.domain.halfhours import HalfHours
from app.formats import About, xlsx
from app.tables import Labels, Measured, Numbers, Times, usage_long

LONDON = ZoneInfo("Europe/London")
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock
FIRST = 50 * 365 * 48
OURS, RIVAL = "ours", f"openpyxl write-only{' with lxml' if LXML else ''}"
COLUMNS = ["time", "energy_kwh", "carbon_kg", "error_count", "meter", "time_utc"]
"""Six columns, as the measurements that the targets stem from had."""


def half_hours(days: int) -> HalfHours:
    """Made up, but shaped like a home's: three decimals of energy, six of carbon, one in fifty missing."""
    random = np.random.default_rng(7)
    n = 48 * days
    present = random.random(n) > 0.02
    micro_kwh = np.where(present, random.integers(40, 1500, n) * 1000, 0)
    micro_kg = np.where(present, micro_kwh * random.integers(90_000, 280_000, n) // 1_000_000, 0)
    return HalfHours(FIRST, micro_kwh, micro_kg, present, present.copy(), ~present)


def by_openpyxl(header: tuple[str, ...], rows: list[tuple[object, ...]]) -> bytes:
    """The same cells and types in openpyxl's fastest mode; its rows are made ready before the clock runs."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("usage")
    sheet.append(header)
    for row in rows:
        sheet.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def values_of(column: object) -> list[object]:
    """A column's cells as openpyxl takes them."""
    match column:
        case Numbers():
            scale = 10**column.decimals
            numbers = zip(column.scaled.tolist(), column.present.tolist(), strict=True)
            return [number / scale if there else None for number, there in numbers]
        case Times():
            return [EPOCH + timedelta(seconds=second) for second in column.clock.tolist()]
        case Labels():
            return [column.values[code] for code in column.codes.tolist()]
    raise TypeError(column)


def main() -> None:
    """Prints a table a case."""
    about = About("usage", (("meter", "electricity"), ("period", "all")))
    for title, days, rounds in (("a month", 31, 25), ("five years", 1826, 5)):
        measured = [Measured("electricity", half_hours(days))]
        table = usage_long(measured, Aggregate.NONE, LONDON).select(COLUMNS)
        size = len(xlsx.write(table, about))
        rows = list(zip(*(values_of(column) for column in table.columns), strict=True))
        ways = {
            OURS: partial(xlsx.write, table, about),
            RIVAL: partial(by_openpyxl, table.header, rows),
        }
        show(f"XLSX of {title}: {table.rows:,} rows, {size / 1e6:.2f} MB", measure(ways, rounds), OURS)


main()
