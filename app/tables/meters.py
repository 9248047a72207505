"""The table `meters`: a row a meter, upstream's own further keys flattened behind ours."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from app.domain.meters import Meter
from app.domain.spans import DAY_SECONDS, HALF_HOUR_SECONDS, Span, day_number, utc_offsets
from app.tables.columns import Cell, Column, Labels, Numbers, Table, Times

LARGEST_EXACT = 2**53
"""Numbers beyond it aren't exact in a spreadsheet or in JavaScript: they become text."""


def meters_table(meters: Sequence[Meter], tz: ZoneInfo, today: date) -> Table:
    """One row a meter, in the order given; `earliest` and `latest` are local labels of half-hours in `tz`."""
    spans = [meter.span for meter in meters]
    latest = _labels("latest", [None if span is None else span.stop - 1 for span in spans], tz)
    columns: list[Column] = [
        Labels.of("meter", [meter.name for meter in meters]),
        Labels.of("type", [meter.type for meter in meters]),
        Labels.of("consent_uuid", [meter.consent_uuid for meter in meters]),
        Labels.of("status", [meter.status for meter in meters]),
        _labels("earliest", [None if span is None else span.first for span in spans], tz),
        latest,
        Numbers("days_since_latest", day_number(today) - latest.clock // DAY_SECONDS, latest.present, 0),
    ]
    columns += _further_columns([meter.listed.further for meter in meters], [column.name for column in columns])
    return Table("meters", tuple(columns), len(meters))


def _labels(name: str, half_hours: Sequence[int | None], tz: ZoneInfo) -> Times:
    filled = [half_hour or 0 for half_hour in half_hours]
    offsets = [int(utc_offsets(Span(half_hour, half_hour + 1), tz)[0]) for half_hour in filled]
    clock = np.array(filled, dtype=np.int64) * HALF_HOUR_SECONDS + np.array(offsets, dtype=np.int64)
    present = np.array([half_hour is not None for half_hour in half_hours], dtype=np.bool_)
    return Times(name, clock, np.array(offsets, dtype=np.int64), present)


def _further_columns(objects: Sequence[Mapping[str, Any]], taken: Sequence[str]) -> list[Column]:
    rows = [dict(_flattened((), item)) for item in objects]
    names = set(taken)
    columns: list[Column] = []
    for path in sorted({path for row in rows for path in row}, key=lambda path: ("_".join(path), path)):
        name = re.sub(r"[^0-9A-Za-z_]", "_", "_".join(path)) or "_"
        while name.lower() in names:
            name = f"upstream_{name}"
        names.add(name.lower())
        columns.append(Labels.of(name, [row.get(path) for row in rows]))
    return columns


def _flattened(path: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], Cell | None]]:
    """A nested value as pairs of the keys that lead to it and a cell; places of a list are counted from 0."""
    if isinstance(value, Mapping):
        inner = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list):
        inner = [(str(place), item) for place, item in enumerate(value)]
    else:
        yield path, _cell(value)
        return
    for key, item in inner:
        yield from _flattened((*path, key), item)


def _cell(value: Any) -> Cell | None:
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float) and abs(value) <= LARGEST_EXACT:
        return value
    return str(value)
