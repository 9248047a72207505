"""The table `gaps`: a row a run of half-hours that are missing, or that hold more than can be."""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from app.domain.spans import HALF_HOUR_SECONDS, Span, utc_offsets
from app.tables.columns import Integers, Labels, Numbers, Table, Times


@dataclass(frozen=True, slots=True)
class Runs:
    """A meter's name and its runs of half-hours."""

    meter: str
    runs: list[Span]


def gaps_table(found: Sequence[Runs], tz: ZoneInfo) -> Table:
    """A row a run, ordered by its start, then by the meter; `found` by name. `end` is the end of its last half-hour."""
    meter = np.repeat(np.arange(len(found)), [len(one.runs) for one in found])
    runs = [run for one in found for run in one.runs]
    first = np.array([run.first for run in runs], dtype=np.int64)
    stop = np.array([run.stop for run in runs], dtype=np.int64)
    columns = (
        Labels("meter", meter, tuple(one.meter for one in found)),
        _local("start", first, tz),
        _local("end", stop, tz),
        Numbers("half_hours", stop - first, np.ones(len(runs), dtype=np.bool_), 0),
        _utc("start_utc", first),
        _utc("end_utc", stop),
    )
    return Table("gaps", columns, len(runs)).take(np.lexsort((meter, first)))


def _local(name: str, half_hours: Integers, tz: ZoneInfo) -> Times:
    offsets = np.zeros(len(half_hours), dtype=np.int64)
    if len(half_hours):
        earliest = int(half_hours.min())
        offsets = utc_offsets(Span(earliest, int(half_hours.max()) + 1), tz)[half_hours - earliest]
    return Times(name, half_hours * HALF_HOUR_SECONDS + offsets, offsets, np.ones(len(half_hours), dtype=np.bool_))


def _utc(name: str, half_hours: Integers) -> Times:
    none = np.zeros(len(half_hours), dtype=np.int64)
    return Times(name, half_hours * HALF_HOUR_SECONDS, none, np.ones(len(half_hours), dtype=np.bool_), is_utc=True)
