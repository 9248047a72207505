"""The workbook in other people's readers: calamine, pandas and LibreOffice see the cells that openpyxl sees."""

import io
import subprocess
import zipfile
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from formats.filled_tables import Moment, clocks, dates, filled_tables, numbers, times
from formats.readers import read_xlsx
from hypothesis import given
from python_calamine import CalamineWorkbook

from app.formats import FORMATS, About
from app.tables import Labels, Numbers, Table, Times

ABOUT = About("usage", (("meter", "gas"),))


def written(table: Table) -> bytes:
    return FORMATS["xlsx"].write(table, ABOUT)


def as_one_kind(cell: Any) -> Any:
    """A cell whatever its reader makes of blanks, dates at midnight and whole numbers."""
    match cell:
        case "" | None:
            return None
        case datetime():
            return cell
        case date():
            return datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001 - cells have no zone
        case timedelta():
            return (datetime(1970, 1, 1) + cell).time()  # noqa: DTZ001 - cells have no zone
        case int() if not isinstance(cell, bool):
            return float(cell)
    return cell


def calamine_rows(body: bytes, width: int) -> list[list[Any]]:
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(body)).get_sheet_by_name("usage")
    rows = sheet.to_python(skip_empty_area=False)
    return [[as_one_kind(cell) for cell in [*row, *[""] * (width - len(row))]] for row in rows]


@given(filled_tables())
def test_calamine_reads_the_cells_that_openpyxl_reads(filled: tuple[Table, object]) -> None:
    table, _ = filled
    body = written(table)
    header, rows = read_xlsx(body)
    seen = calamine_rows(body, len(header))
    assert seen[0] == header
    expected = [[as_one_kind(cell) for cell in row] for row in rows]
    blank = [None] * len(header)
    assert [*seen[1:], *[blank] * (len(expected) - len(seen[1:]))] == expected


def half_hours_of(first: datetime, count: int) -> Table:
    """Every half-hour from a wall clock on, numbered in millionths, a few of them blank."""
    start = (first - datetime(1970, 1, 1)) // timedelta(seconds=1)  # noqa: DTZ001 - a wall clock
    order = np.arange(count, dtype=np.int64)
    always = np.ones(count, dtype=np.bool_)
    columns = (
        Times("time", start + 1800 * order, np.zeros(count, dtype=np.int64), always),
        Numbers("energy_kwh", order * 1_000_003 % 9_999_991, order % 50 > 0, 6),
        Labels("meter", order % 2, ("gas", "electricity")),
    )
    return Table("usage", columns, count)


@pytest.mark.parametrize("first", [datetime(1900, 3, 1), datetime(2021, 3, 27), datetime(2199, 12, 1)])  # noqa: DTZ001
@pytest.mark.parametrize("engine", ["openpyxl", "calamine"])
def test_half_hours_are_exact_in_openpyxl_calamine_and_pandas(first: datetime, engine: Any) -> None:
    table = half_hours_of(first, 1400)
    expected = [first + timedelta(minutes=30 * i) for i in range(1400)]
    body = written(table)
    assert [row[0] for row in read_xlsx(body)[1]] == expected
    assert [row[0] for row in calamine_rows(body, 3)[1:]] == expected
    frame = pd.read_excel(io.BytesIO(body), sheet_name="usage", engine=engine)
    assert frame["time"].tolist() == [pd.Timestamp(moment) for moment in expected]
    assert frame["energy_kwh"].isna().sum() == 28
    assert frame["energy_kwh"][1] == 1.000003


@pytest.mark.parametrize("day", [date(1990, 1, 1), date(2013, 10, 27), date(2026, 11, 24), date(2079, 1, 1)])
def test_a_half_hour_equals_what_excel_adds_up_itself(day: date) -> None:
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall clock
    serial = (midnight - datetime(1899, 12, 30)).days  # noqa: DTZ001 - Excel's own first day
    body = written(half_hours_of(midnight, 48))
    cells = pd.read_excel(io.BytesIO(without_formats(body)), sheet_name="usage", engine="openpyxl")["time"]
    assert cells.tolist() == [serial + i / 48 for i in range(48)]


def without_formats(body: bytes) -> bytes:
    """The same workbook with dates shown as the numbers that they are."""
    plain = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(body)) as before, zipfile.ZipFile(plain, "w") as after:
        for name in before.namelist():
            after.writestr(name, before.read(name).replace(b"yyyy-mm-dd hh:mm", b"0.0"))
    return plain.getvalue()


@pytest.mark.libreoffice
def test_libreoffice_reads_every_kind_of_cell(soffice: str, tmp_path: Path) -> None:
    moment = Moment(datetime(2013, 10, 27, 1, 30), timedelta(hours=1), is_utc=False)  # noqa: DTZ001 - a wall clock
    table = Table(
        "usage",
        (
            times("time", [moment, None], is_utc=False),
            numbers("energy_kwh", [Decimal("0.000001"), None], 6),
            dates("date", [date(2013, 10, 27), date(2100, 2, 28)]),
            clocks("clock", [time(23, 30), time(0)]),
            Labels.of("text", ["_x0041_ <&> é😀", "=1+1"]),
            Labels.of("more", [True, 12]),
        ),
        2,
    )
    (tmp_path / "a.xlsx").write_bytes(written(table))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    options = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false"
    command = [soffice, profile, "--headless", "--convert-to", options, "--outdir", str(tmp_path), f"{tmp_path}/a.xlsx"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert (tmp_path / "a.csv").exists(), done.stderr
    lines = (tmp_path / "a.csv").read_text("utf-8").splitlines()
    assert lines == [
        "time,energy_kwh,date,clock,text,more",
        "2013-10-27 01:30:00,0.000001,2013-10-27,11:30:00 PM,_x0041_ <&> é😀,TRUE",
        ",,2100-02-28,12:00:00 AM,=1+1,12",
    ]
