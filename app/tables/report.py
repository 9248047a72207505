"""The tables of the ready-made report, their columns named for people, and the summary of each meter."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import numpy as np

from app.domain.aggregates import Aggregate, buckets
from app.domain.gaps import missing_runs
from app.domain.spans import HALF_HOUR_SECONDS, HALF_HOURS_A_DAY, Span, utc_offsets
from app.domain.summaries import Summary, summary
from app.tables.columns import Clock, Column, Dates, Numbers, Table
from app.tables.gaps import Runs, gaps_table
from app.tables.usage import Measured, usage_grid, usage_wide

WEEKDAYS, WEEKEND = (0, 1, 2, 3, 4), (5, 6)
MOST_HEAT_ROWS = 366
KWH, KG, MISSING = "kWh", "kg CO2e", "missing"
UNITS = {"energy_kwh": KWH, "carbon_kg": KG, "error_count": MISSING}
"""What stands behind a meter's name in the header of a column."""


@dataclass(frozen=True, slots=True, eq=False)
class OfMeter:
    """One meter in the report: its heat map is `date` and a column a half-hour, its last days of `heat_days`.

    `peak_clock` is the local wall clock of its peak, in seconds from 1970-01-01 00:00.
    """

    name: str
    type: str
    summary: Summary
    peak_clock: int | None
    heat: Table
    heat_days: int


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """All that the report shows. The tables are `usage_wide` with other names of columns (see UNITS), and `gaps`."""

    meters: tuple[OfMeter, ...]
    days: Table
    months: Table
    profile: Table
    half_hours: Table
    gaps: Table


def report(measured: Sequence[Measured], types: Sequence[str], tz: ZoneInfo) -> Report:
    """The report on meters side by side, by name; `types` are theirs, in the same order."""
    return Report(
        meters=tuple(_of_meter(one, its_type, tz) for one, its_type in zip(measured, types, strict=True)),
        days=_sums("days", "date", measured, Aggregate.DAY, tz),
        months=_sums("months", "month", measured, Aggregate.MONTH, tz),
        profile=_profile(measured, tz),
        half_hours=_half_hours(measured, tz),
        gaps=gaps_table([Runs(one.meter, missing_runs(one.half_hours)) for one in measured], tz),
    )


def _of_meter(one: Measured, its_type: str, tz: ZoneInfo) -> OfMeter:
    found = summary(one.half_hours, tz)
    at = found.peak_at
    clock = None if at is None else at * HALF_HOUR_SECONDS + int(utc_offsets(Span(at, at + 1), tz)[0])
    grid = usage_grid([one], tz, "energy_kwh")
    heat = Table("heat", (grid.columns[0], *grid.columns[2:]), grid.rows)
    shown = heat.take(slice(max(0, grid.rows - MOST_HEAT_ROWS), grid.rows))
    return OfMeter(one.meter, its_type, found, clock, shown, grid.rows)


def _wide(measured: Sequence[Measured], aggregate: Aggregate, tz: ZoneInfo, value: str) -> list[Numbers]:
    """A column a meter, named for people."""
    table = usage_wide(measured, aggregate, tz, value)
    named = zip(table.columns[2:], measured, strict=True)
    return [replace(column, name=f"{one.meter} {UNITS[value]}") for column, one in named if isinstance(column, Numbers)]


def _sums(name: str, first: str, measured: Sequence[Measured], aggregate: Aggregate, tz: ZoneInfo) -> Table:
    """Days or months: energy of all meters, then carbon where it is known at all, then missing half-hours."""
    table = usage_wide(measured, aggregate, tz, "energy_kwh")
    time = table.columns[0]
    columns: list[Column] = [replace(time, name=first) if isinstance(time, Dates) else time]
    columns += _wide(measured, aggregate, tz, "energy_kwh")
    columns += [column for column in _wide(measured, aggregate, tz, "carbon_kg") if column.present.any()]
    columns += _wide(measured, aggregate, tz, "error_count")
    return Table(name, tuple(columns), table.rows)


def _half_hours(measured: Sequence[Measured], tz: ZoneInfo) -> Table:
    table = usage_wide(measured, Aggregate.NONE, tz, "energy_kwh")
    time, time_utc = table.columns[:2]
    columns: list[Column] = [time, *_wide(measured, Aggregate.NONE, tz, "energy_kwh")]
    columns += [column for column in _wide(measured, Aggregate.NONE, tz, "carbon_kg") if column.present.any()]
    return Table("half_hours", (*columns, time_utc), table.rows)


def _profile(measured: Sequence[Measured], tz: ZoneInfo) -> Table:
    """The mean weekday and weekend day of each meter, kWh a half-hour, a row a half-hour of the day."""
    columns: list[Column] = [Clock("time of day", HALF_HOUR_SECONDS * np.arange(HALF_HOURS_A_DAY))]
    for one in measured:
        for name, days in (("weekday", WEEKDAYS), ("weekend", WEEKEND)):
            rows = buckets(one.half_hours, Aggregate.PROFILE, tz, days)
            at = rows.label // HALF_HOUR_SECONDS
            scaled, present = np.zeros(HALF_HOURS_A_DAY, dtype=np.int64), np.zeros(HALF_HOURS_A_DAY, dtype=np.bool_)
            scaled[at], present[at] = rows.micro_kwh, rows.present
            columns.append(Numbers(f"{one.meter} {name}", scaled, present, 6))
    return Table("profile", tuple(columns), HALF_HOURS_A_DAY)
