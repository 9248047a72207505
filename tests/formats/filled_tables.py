"""Tables of every kind of column, beside the values that are in them."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
from hypothesis import strategies as st

from app.tables import Clock, Column, Dates, Labels, Numbers, Table, Times


@dataclass(frozen=True)
class Moment:
    """A wall clock and how far it is ahead of UTC."""

    clock: datetime
    offset: timedelta
    is_utc: bool


Value = Decimal | Moment | date | time | str | int | bool | None

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - a wall clock has no zone
GUARDED = ("=", "+", "-", "@", "\t", "\r")
texts = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=12),
    st.text("\",;\n\r\t =+-@é€😀<>&'0", max_size=8),
    st.sampled_from(
        ["=1+1", "+44 20", "-1", "@x", "\tx", "\rx", "=", "true", "1.50", "007", "1e5", "2021-01-01", "null", "#N/A"]
    ),
).filter(lambda text: not text.startswith(tuple(f"'{start}" for start in GUARDED)))


def numbers(name: str, values: list[Decimal | None], decimals: int) -> Numbers:
    """A column of `values`, each a multiple of 10^-decimals."""
    scaled = [0 if value is None else int(value.scaleb(decimals)) for value in values]
    present = [value is not None for value in values]
    return Numbers(name, np.array(scaled, dtype=np.int64), np.array(present, dtype=np.bool_), decimals)


def times(name: str, values: list[Moment | None], *, is_utc: bool) -> Times:
    """A column of moments."""
    shown = [value or Moment(EPOCH, timedelta(), is_utc) for value in values]
    second = timedelta(seconds=1)
    return Times(
        name,
        np.array([(moment.clock - EPOCH) // second for moment in shown], dtype=np.int64),
        np.array([moment.offset // second for moment in shown], dtype=np.int64),
        np.array([value is not None for value in values], dtype=np.bool_),
        is_utc,
    )


def dates(name: str, values: list[date]) -> Dates:
    """A column of days."""
    return Dates(name, np.array([(value - EPOCH.date()).days for value in values], dtype=np.int64))


def clocks(name: str, values: list[time]) -> Clock:
    """A column of times of day."""
    return Clock(name, np.array([value.hour * 3600 + value.minute * 60 for value in values], dtype=np.int64))


@st.composite
def decimals_columns(draw: st.DrawFn, name: str, rows: int) -> tuple[Column, list[Value]]:
    places = draw(st.sampled_from([0, 1, 6]))
    whole = st.one_of(st.integers(-(10**12), 10**12), st.integers(-12, 12), st.sampled_from([10, 100, 10**6, -(10**6)]))
    one = st.one_of(st.none(), whole.map(lambda scaled: Decimal(scaled).scaleb(-places)))
    values = draw(st.lists(one, min_size=rows, max_size=rows))
    return numbers(name, values, places), list(values)


@st.composite
def times_columns(draw: st.DrawFn, name: str, rows: int) -> tuple[Column, list[Value]]:
    is_utc = draw(st.booleans())
    seconds = st.just(0) if is_utc else st.sampled_from([0, 3600, 20_700, -12_600, 50_400, -1521, 37_800, -75])
    clock = st.datetimes(datetime(1900, 3, 1), datetime(2199, 12, 31)).map(lambda at: at.replace(microsecond=0))  # noqa: DTZ001
    moment = st.builds(Moment, clock, seconds.map(lambda n: timedelta(seconds=n)), st.just(is_utc))
    values = draw(st.lists(st.one_of(st.none(), moment), min_size=rows, max_size=rows))
    return times(name, values, is_utc=is_utc), list(values)


@st.composite
def dates_columns(draw: st.DrawFn, name: str, rows: int) -> tuple[Column, list[Value]]:
    values = draw(st.lists(st.dates(date(1900, 3, 1), date(2199, 12, 31)), min_size=rows, max_size=rows))
    return dates(name, values), list(values)


@st.composite
def clock_columns(draw: st.DrawFn, name: str, rows: int) -> tuple[Column, list[Value]]:
    one = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
    values = draw(st.lists(one, min_size=rows, max_size=rows))
    return clocks(name, values), list(values)


@st.composite
def labels_columns(draw: st.DrawFn, name: str, rows: int) -> tuple[Column, list[Value]]:
    one = st.one_of(st.none(), texts, st.integers(-(2**53), 2**53), st.booleans())
    values = draw(st.lists(one, min_size=rows, max_size=rows))
    return Labels.of(name, values), list(values)


@st.composite
def repeated_columns(draw: st.DrawFn, name: str, rows: int) -> tuple[Column, list[Value]]:
    """Few labels that repeat, as the names of meters do."""
    known = draw(st.lists(texts, min_size=1, max_size=3))
    codes = draw(st.lists(st.integers(-1, len(known) - 1), min_size=rows, max_size=rows))
    values: list[Value] = [known[code] if code >= 0 else None for code in codes]
    return Labels(name, np.array(codes, dtype=np.int64), tuple(known)), values


KINDS = (decimals_columns, times_columns, dates_columns, clock_columns, labels_columns, repeated_columns)


@st.composite
def filled_tables(draw: st.DrawFn) -> tuple[Table, list[list[Value]]]:
    """A table, and its values row by row."""
    rows = draw(st.integers(0, 6))
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=6))
    filled = [draw(kind(f"column_{i}", rows)) for i, kind in enumerate(kinds)]
    table = Table("usage", tuple(column for column, _ in filled), rows)
    return table, [[values[i] for _, values in filled] for i in range(rows)]
