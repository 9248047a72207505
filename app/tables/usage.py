"""The table `usage` in its three layouts: half-hours of meters, in buckets of a time zone, as typed columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from app.domain.aggregates import Aggregate, Buckets, buckets, floored_to_half_hour, joined_buckets
from app.domain.halfhours import HalfHours
from app.domain.spans import DAY_SECONDS, HALF_HOUR_SECONDS, HALF_HOURS_A_DAY, Span
from app.tables.columns import Clock, Column, Dates, Flags, Integers, Labels, Numbers, Table, Times

DECIMALS = {"energy_kwh": 6, "carbon_kg": 6, "error_count": 0}
NOTHING = HalfHours.missing(Span(0, 0))


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A meter's name and its half-hours in the span asked for, every one of which is expected of it."""

    meter: str
    half_hours: HalfHours


def usage_long(
    measured: Sequence[Measured], aggregate: Aggregate, tz: ZoneInfo, weekdays: tuple[int, ...] = ()
) -> Table:
    """A row a bucket and meter, ordered by `time_utc` (profiles by time of day), then meter. `measured` by name.

    With `weekdays` (Monday is 0) only those days count.
    """
    rows, meter = _buckets_of_all(measured, aggregate, tz, weekdays)
    always = np.ones(len(rows), dtype=np.bool_)
    columns: list[Column] = [
        _time_column(aggregate, rows.label, rows.offset),
        Numbers("energy_kwh", rows.micro_kwh, rows.present, 6),
        Numbers("carbon_kg", rows.micro_kg, rows.has_carbon, 6),
        Numbers("error_count", rows.missing, always, 0),
        Labels("meter", meter, tuple(one.meter for one in measured)),
        _utc_column(aggregate, rows.first),
        Numbers("coverage_pct", rows.coverage_tenths, always, 1),
    ]
    order = np.lexsort((meter, rows.label if aggregate is Aggregate.PROFILE else rows.first))
    return Table("usage", tuple(columns), len(rows)).take(order)


def usage_wide(
    measured: Sequence[Measured], aggregate: Aggregate, tz: ZoneInfo, value: str, weekdays: tuple[int, ...] = ()
) -> Table:
    """A row a bucket, a column `<meter>_<value>` a meter in the order given; `time_utc` is the earliest of them.

    With `weekdays` (Monday is 0) only those days count.
    """
    rows, meter = _buckets_of_all(measured, aggregate, tz, weekdays)
    _, at, line_of = np.unique(rows.key, return_index=True, return_inverse=True)
    first = np.full(len(at), np.iinfo(np.int64).max)
    np.minimum.at(first, line_of, rows.first)
    columns: list[Column] = [_time_column(aggregate, rows.label[at], rows.offset[at]), _utc_column(aggregate, first)]
    shown, known = quantity(rows, value)
    for i, one in enumerate(measured):
        its = meter == i
        scaled, present = np.zeros(len(at), dtype=np.int64), np.zeros(len(at), dtype=np.bool_)
        scaled[line_of[its]], present[line_of[its]] = shown[its], known[its]
        columns.append(Numbers(f"{one.meter}_{value}", scaled, present, DECIMALS[value]))
    order = np.argsort(rows.label[at] if aggregate is Aggregate.PROFILE else first, kind="stable")
    return Table("usage", tuple(columns), len(at)).take(order)


def usage_grid(measured: Sequence[Measured], tz: ZoneInfo, value: str) -> Table:
    """A row a local day and meter, ordered so, a column a half-hour of the day from 00:00 to 23:30.

    Half-hours that fall on one label are summed; a label that the day doesn't have is blank.
    """
    rows, meter = _buckets_of_all(measured, Aggregate.NONE, tz)
    scaled, known = quantity(rows, value)
    meters = max(1, len(measured))
    lines, line_of = np.unique(rows.label // DAY_SECONDS * meters + meter, return_inverse=True)
    place = line_of, floored_to_half_hour(rows.label) // HALF_HOUR_SECONDS
    shape = (len(lines), HALF_HOURS_A_DAY)
    sums, filled, unknown = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=int), np.zeros(shape, dtype=int)
    np.add.at(sums, place, scaled)
    np.add.at(filled, place, known)
    if value == "carbon_kg":  # blank if any half-hour that is present lacks it
        np.add.at(unknown, place, rows.present & ~known)
    present = (filled > 0) & (unknown == 0)
    columns: list[Column] = [
        Dates("date", lines // meters),
        Labels("meter", lines % meters, tuple(one.meter for one in measured)),
    ]
    columns += [
        Numbers(f"{i // 2:02}:{i % 2 * 30:02}", sums[:, i], present[:, i], DECIMALS[value])
        for i in range(HALF_HOURS_A_DAY)
    ]
    return Table("usage", tuple(columns), len(sums))


def quantity(part: Buckets, value: str) -> tuple[Integers, Flags]:
    """The scaled numbers of a column by its name, and where they are present."""
    if value == "energy_kwh":
        return part.micro_kwh, part.present
    if value == "carbon_kg":
        return part.micro_kg, part.has_carbon
    return part.missing, np.ones(len(part), dtype=np.bool_)


def _buckets_of_all(
    measured: Sequence[Measured], aggregate: Aggregate, tz: ZoneInfo, weekdays: tuple[int, ...] = ()
) -> tuple[Buckets, Integers]:
    """The buckets of all meters one after another, and the place of each one's meter in `measured`."""
    parts = [buckets(one.half_hours, aggregate, tz, weekdays) for one in measured]
    parts = parts or [buckets(NOTHING, aggregate, tz)]
    return joined_buckets(parts), np.repeat(np.arange(len(parts)), [len(part) for part in parts])


def _time_column(aggregate: Aggregate, label: Integers, offset: Integers) -> Column:
    if aggregate is Aggregate.PROFILE:
        return Clock("time", label)
    if aggregate in (Aggregate.NONE, Aggregate.HOUR):
        return Times("time", label, offset, np.ones(len(label), dtype=np.bool_))
    return Dates("time", label // DAY_SECONDS)


def _utc_column(aggregate: Aggregate, first: Integers) -> Times:
    shown = np.full(len(first), aggregate is not Aggregate.PROFILE, dtype=np.bool_)
    return Times("time_utc", first * HALF_HOUR_SECONDS, np.zeros(len(first), dtype=np.int64), shown, is_utc=True)
