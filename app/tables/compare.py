"""The table `compare`: periods of one meter side by side, matched by time of day or by place in the period."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np

from app.domain.aggregates import Aggregate, buckets, places
from app.domain.halfhours import HalfHours
from app.domain.spans import day_number
from app.tables.columns import Clock, Column, Integers, Numbers, Table
from app.tables.usage import DECIMALS, quantity


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A period: its name, its first local day (None: that of the data), and its half-hours."""

    name: str
    first_day: date | None
    half_hours: HalfHours


def compare_table(
    compared: Sequence[Compared],
    aggregate: Aggregate,
    tz: ZoneInfo,
    value: str,
    *,
    weekdays: tuple[int, ...] = (),
    difference: bool = False,
) -> Table:
    """A row a time of day or, counted from 1, a place; a column a period, blank where it has no such place.

    The column `difference` is the last period less the first, blank where either is.
    """
    parts = [buckets(one.half_hours, aggregate, tz, weekdays) for one in compared]
    rows_of = [
        places(part, aggregate, None if one.first_day is None else day_number(one.first_day))
        for one, part in zip(compared, parts, strict=True)
    ]
    times = np.unique(np.concatenate(rows_of))
    shown = []
    for one, part, rows in zip(compared, parts, rows_of, strict=True):
        scaled, present = np.zeros(len(times), dtype=np.int64), np.zeros(len(times), dtype=np.bool_)
        at = np.searchsorted(times, rows)
        scaled[at], present[at] = quantity(part, value)
        shown.append(Numbers(one.name, scaled, present, DECIMALS[value]))
    columns: list[Column] = [_time_column(aggregate, times), *shown]
    if difference:
        columns.append(_difference(shown[0], shown[-1]))
    return Table("compare", tuple(columns), len(times))


def _difference(first: Numbers, last: Numbers) -> Numbers:
    present = first.present & last.present
    return Numbers("difference", np.where(present, last.scaled - first.scaled, 0), present, first.decimals)


def _time_column(aggregate: Aggregate, times: Integers) -> Column:
    if aggregate is Aggregate.PROFILE:
        return Clock("time", times)
    return Numbers("time", times, np.ones(len(times), dtype=np.bool_), 0)
