"""A day as a row of text that people can read, and back: arrays of 48 numbers in JSON, moments in ISO 8601."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from app.archive.faults import parsing
from app.domain.days import Days
from app.domain.halfhours import MILLION
from app.domain.keys import AccessKey
from app.domain.meters import ListedMeter, Meter
from app.domain.spans import HALF_HOURS_A_DAY, Span, day_number, day_of, half_hour_of, starts_at_utc

HASH_BYTES = 32
DayRow = tuple[str, str, str, str, str, str, int]
"""day, energy_kwh, carbon_kg, error_count, fetched_at, changed_at, checks"""
KeyRow = tuple[str, str, bytes, str | None, str, str | None, str | None, str | None]
"""id, name, sha256, scope, created_at, expires_on, last_used_at, revoked_at"""
MeterRow = tuple[int, str, int, str, str, str | None, str | None, str | None, str, str | None, str | None]
"""id, name, is_listed, consent_uuid, type, status, earliest, latest, further, held_first, held_last"""


def day_rows(days: Days) -> Iterator[DayRow]:
    """A row for each held day, in their order."""
    half_hours = days.half_hours
    energy = _spelled(half_hours.micro_kwh / MILLION, half_hours.present)
    carbon = _spelled(half_hours.micro_kg / MILLION, half_hours.has_carbon)
    errors = _spelled(half_hours.flagged.astype(np.int64), half_hours.present | half_hours.flagged)
    for i in np.flatnonzero(days.held).tolist():
        yield (
            day_of(days.first_day + i).isoformat(),
            energy[i],
            carbon[i],
            errors[i],
            moment_text(int(days.fetched_at[i])),
            moment_text(int(days.changed_at[i])),
            int(days.checks[i]),
        )


@parsing()
def days_of_rows(rows: Sequence[DayRow], first_day: int, last_day: int) -> Days:
    """The days `first_day` to `last_day`; those without a row are not held. ArchiveDamaged."""
    days = Days.none_held(first_day, last_day)
    if not rows:
        return days
    at = np.array([day_number(date.fromisoformat(row[0])) - first_day for row in rows])
    if (at < 0).any() or (at >= len(days)).any() or len(np.unique(at)) < len(at):
        raise ValueError("days that were not asked for")
    days.fetched_at[at] = [moment_seconds(row[4]) for row in rows]
    days.changed_at[at] = [moment_seconds(row[5]) for row in rows]
    days.checks[at] = [row[6] for row in rows]
    energy, carbon, errors = (_array(texts) for texts in list(zip(*rows, strict=True))[1:4])
    places = (at[:, None] * HALF_HOURS_A_DAY + np.arange(HALF_HOURS_A_DAY)).ravel()
    half_hours = days.half_hours
    half_hours.present[places] = ~np.isnan(energy)
    half_hours.has_carbon[places] = ~np.isnan(carbon)
    half_hours.flagged[places] = errors > 0
    half_hours.micro_kwh[places] = _millionths(energy)
    half_hours.micro_kg[places] = _millionths(carbon)
    return days


def key_row(key: AccessKey) -> KeyRow:
    """An access key as a row; its scope is JSON pairs of consent and type."""
    return (
        key.id,
        key.name,
        key.sha256,
        None if key.scope is None else orjson.dumps(sorted(key.scope)).decode(),
        moment_text(key.created_at),
        None if key.expires_on is None else key.expires_on.isoformat(),
        None if key.last_used_at is None else moment_text(key.last_used_at),
        None if key.revoked_at is None else moment_text(key.revoked_at),
    )


@parsing()
def key_of_row(row: KeyRow) -> AccessKey:
    """The access key of a row. ArchiveDamaged."""
    key_id, name, sha256, scope, created_at, expires_on, last_used_at, revoked_at = row
    if len(memoryview(sha256)) != HASH_BYTES:
        raise ValueError("a hash of another length")
    return AccessKey(
        key_id,
        name,
        sha256,
        None if scope is None else frozenset((consent, kind) for consent, kind in orjson.loads(scope)),
        moment_seconds(created_at),
        None if expires_on is None else date.fromisoformat(expires_on),
        None if last_used_at is None else moment_seconds(last_used_at),
        None if revoked_at is None else moment_seconds(revoked_at),
    )


@parsing()
def meter_of_row(row: MeterRow) -> Meter:
    """The meter of a row. ArchiveDamaged."""
    further = orjson.loads(row[8])
    if not isinstance(further, dict):
        raise TypeError("further keys that are no object")
    return Meter(
        id=row[0],
        name=row[1],
        is_listed=bool(row[2]),
        listed=ListedMeter(row[3], row[4], row[5], _span(row[6], row[7]), further),
        held=_span(row[9], row[10]),
    )


def listed_row(meter: ListedMeter) -> tuple[str | None, str | None, str | None, str, str, str]:
    """status, earliest, latest, further, consent_uuid, type"""
    further = orjson.dumps(meter.further).decode()
    return (meter.status, *ends_of(meter.span), further, meter.consent_uuid, meter.type)


def ends_of(span: Span | None) -> tuple[str | None, str | None]:
    """The first half-hour of a span and its last one, included."""
    return (half_hour_text(span.first), half_hour_text(span.stop - 1)) if span is not None else (None, None)


def moment_text(seconds: int) -> str:
    """UTC seconds as `2021-06-01T00:00:00Z`."""
    return datetime.fromtimestamp(seconds, tz=UTC).isoformat().replace("+00:00", "Z")


def moment_seconds(text: str) -> int:
    """UTC seconds of `2021-06-01T00:00:00Z`."""
    return int(datetime.fromisoformat(text).timestamp())


def half_hour_text(half_hour: int | None) -> str | None:
    """The start of a half-hour as `2021-06-01T00:00:00Z`."""
    return None if half_hour is None else moment_text(int(starts_at_utc(half_hour).timestamp()))


def half_hour_number(text: str | None) -> int | None:
    """The half-hour that starts at `2021-06-01T00:00:00Z`."""
    return None if text is None else half_hour_of(datetime.fromisoformat(text))


def _span(first: str | None, last: str | None) -> Span | None:
    begin, end = half_hour_number(first), half_hour_number(last)
    return None if begin is None or end is None else Span(begin, end + 1)


def _spelled(numbers: Any, present: Any) -> list[str]:
    """48 numbers a day as JSON, null where they aren't present."""
    shape = (-1, HALF_HOURS_A_DAY)
    cells = np.asarray(np.where(present, numbers, None)).reshape(shape).tolist()
    return [orjson.dumps(day).decode() for day in cells]


def _array(texts: Sequence[Any]) -> NDArray[np.float64]:
    """All numbers of the days one after another; null is NaN. ValueError if a day hasn't 48 of them."""
    numbers = np.array(orjson.loads("[" + ",".join(texts) + "]"), dtype=np.float64)
    if numbers.shape != (len(texts), HALF_HOURS_A_DAY):
        raise ValueError("a day that has not 48 half-hours")
    return numbers.ravel()


def _millionths(numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """Exact for what was written: a float holds 15 digits, a half-hour at most 13 (see wire)."""
    return np.asarray(np.rint(np.nan_to_num(numbers) * MILLION), dtype=np.int64)
