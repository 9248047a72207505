"""One table in four formats: the same cells in each, whatever is in them."""

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from formats.filled_tables import Moment, Value, filled_tables, times
from formats.readers import read_csv, read_html, read_json, read_xlsx, sheet_of
from hypothesis import given

from app.domain.errors import TooLarge
from app.formats import FORMATS, About
from app.tables import Dates, Labels, Numbers, Table

ABOUT = About("usage")
Filled = tuple[Table, list[list[Value]]]


def written(table: Table, extension: str) -> bytes:
    return FORMATS[extension].write(table, ABOUT)


def as_text(value: Value) -> str:
    """As the contract prints a cell where all cells are text."""
    match value:
        case bool() | None:
            return {None: "", True: "true", False: "false"}[value]
        case Decimal():
            text = f"{value:f}"
            return text.rstrip("0").rstrip(".") if "." in text else text
        case Moment():
            return value.clock.strftime("%Y-%m-%d %H:%M:%S")
        case time():
            return value.strftime("%H:%M")
        case date():
            return value.isoformat()
    return str(value)


def same_in_json(cell: Any, value: Value) -> bool:
    match value:
        case Moment():
            moment = datetime.fromisoformat(cell)
            zone = cell.endswith("Z") == value.is_utc and moment.utcoffset() == value.offset and "-00:00" not in cell
            return zone and moment.replace(tzinfo=None) == value.clock
        case bool() | str() | None:
            return type(cell) is type(value) and cell == value
        case Decimal() | int():
            return isinstance(cell, int | Decimal) and not isinstance(cell, bool) and cell == value
    return bool(cell == as_text(value))


def same_in_xlsx(cell: Any, value: Value) -> bool:
    match value:
        case "" | None:
            return cell is None
        case Moment():
            return isinstance(cell, datetime) and cell == value.clock
        case Decimal():
            return isinstance(cell, int | float) and not isinstance(cell, bool) and cell == float(value)
        case date():
            return isinstance(cell, datetime) and cell == datetime(value.year, value.month, value.day)  # noqa: DTZ001
        case str():
            return isinstance(cell, str) and cell == value.replace("\r\n", "\n").replace("\r", "\n")
    return type(cell) is type(value) and cell == value


@given(filled_tables())
def test_csv_and_html_hold_every_cell(filled: Filled) -> None:
    table, rows = filled
    expected = [[as_text(value) for value in row] for row in rows]
    assert read_csv(written(table, "csv")) == (list(table.header), expected)
    assert read_html(written(table, "html")) == (list(table.header), expected)


@given(filled_tables())
def test_json_holds_every_cell_with_its_type(filled: Filled) -> None:
    table, rows = filled
    keys, cells = read_json(written(table, "json"))
    assert keys == (list(table.header) if rows else [])
    assert len(cells) == len(rows)
    for got, row in zip(cells, rows, strict=True):
        for cell, value in zip(got, row, strict=True):
            assert same_in_json(cell, value), (cell, value)


@given(filled_tables())
def test_xlsx_holds_every_cell_with_its_type(filled: Filled) -> None:
    table, rows = filled
    header, cells = read_xlsx(written(table, "xlsx"))
    blank_row: list[Value] = [None] * len(header)
    assert header == list(table.header)
    for got, row in zip(cells, rows or [blank_row], strict=True):
        for cell, value in zip(got, row, strict=True):
            assert same_in_xlsx(cell, value), (cell, value)


def long_table(rows: int) -> Table:
    """Rows of which each holds its number, every seventh of them blank, and a word."""
    count = np.arange(rows, dtype=np.int64)
    always = np.ones(rows, dtype=np.bool_)
    columns = (
        Numbers("number", count, always, 0),
        Numbers("tenth", count - 5, count % 7 > 0, 1),
        Dates("date", count),
        Labels("word", count % 3 - 1, ("odd", "even")),
    )
    return Table("usage", columns, rows)


@pytest.mark.parametrize("rows", [0, 1, 2, 8191, 8192, 8193, 16_384, 16_385])
def test_no_row_is_lost_or_doubled_where_the_writing_is_cut(rows: int) -> None:
    table = long_table(rows)
    expected = [
        [
            str(i),
            "" if i % 7 == 0 else as_text(Decimal(i - 5) / 10),
            (date(1970, 1, 1) + timedelta(days=i)).isoformat(),
            ["", "odd", "even"][i % 3],
        ]
        for i in range(rows)
    ]
    assert read_csv(written(table, "csv"))[1] == expected
    assert read_html(written(table, "html"))[1] == expected
    _, cells = read_json(written(table, "json"))
    assert [["" if cell is None else str(cell) for cell in row] for row in cells] == expected


@pytest.mark.parametrize("rows", [1, 8191, 8192, 8193])
def test_no_row_is_lost_or_doubled_in_a_workbook(rows: int) -> None:
    table = long_table(rows).select(["number", "word"])
    sheet = sheet_of(written(table, "xlsx"))
    assert sheet.tables["usage"].ref == f"A1:B{rows + 1}"
    assert [row[0] for row in sheet.iter_rows(min_row=2, values_only=True)] == list(range(rows))


def test_a_table_without_rows_is_a_header_and_nothing_else() -> None:
    table = long_table(0)
    assert written(table, "csv") == b"number,tenth,date,word\r\n"
    assert json.loads(written(table, "json")) == []
    assert read_html(written(table, "html")) == (["number", "tenth", "date", "word"], [])
    assert read_xlsx(written(table, "xlsx")) == (["number", "tenth", "date", "word"], [[None] * 4])


def wordy(rows: int, letters: int) -> Table:
    """A table that is `rows` × `letters` bytes and little more."""
    return Table("usage", (Labels("text", np.zeros(rows, dtype=np.int64), ("x" * letters,)),), rows)


@pytest.mark.parametrize("extension", ["csv", "json", "html"])
def test_a_table_of_more_than_64_mb_is_refused_with_a_remedy(extension: str) -> None:
    with pytest.raises(TooLarge, match="64 MB") as raised:
        written(wordy(16_384, 4096), extension)
    assert "shorter period" in raised.value.remedy


@pytest.mark.parametrize("extension", ["csv", "json", "html"])
def test_a_table_of_a_little_less_than_64_mb_is_written(extension: str) -> None:
    body = written(wordy(16_000, 4096), extension)
    assert 16_000 * 4096 < len(body) < 64 * 1024 * 1024


@pytest.mark.parametrize("rows", [1_048_576, 2_000_000])
def test_a_table_of_more_rows_than_a_sheet_of_excel_is_refused_before_it_is_written(rows: int) -> None:
    unreadable = Numbers("number", np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_), 6)
    with pytest.raises(TooLarge, match="1,048,575") as raised:
        written(Table("usage", (unreadable,), rows), "xlsx")
    assert "CSV" in raised.value.remedy


def test_half_hours_are_iso_8601_in_json_with_their_offset_and_utc_with_z() -> None:
    moment = datetime(2021, 5, 31, 23, tzinfo=UTC)
    summer = Moment(moment.replace(tzinfo=None) + timedelta(hours=1), timedelta(hours=1), is_utc=False)
    utc = Moment(moment.replace(tzinfo=None), timedelta(), is_utc=True)
    table = Table("usage", (times("time", [summer], is_utc=False), times("time_utc", [utc], is_utc=True)), 1)
    row = {"time": "2021-06-01T00:00:00+01:00", "time_utc": "2021-05-31T23:00:00Z"}
    assert json.loads(written(table, "json")) == [row]
    assert written(table, "csv") == b"time,time_utc\r\n2021-06-01 00:00:00,2021-05-31 23:00:00\r\n"
