"""What the tests of archives share: days to store, meters to list, and processes that write."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np

from app.archive import Archive, open_archive
from app.domain.days import Days
from app.domain.halfhours import HalfHours
from app.domain.meters import ListedMeter, Meter
from app.domain.spans import Span, day_number

DAY = day_number(date(2021, 6, 1))
NOON = int(datetime(2021, 6, 3, 12, tzinfo=UTC).timestamp())
HOUR, ONE_DAY = 3600, 86_400
CONSENT_A, CONSENT_B = "5f1c9a52-3c1e-4d0b-9a77-0d2f6b1e8a41", "b27d04e6-91f8-4c35-8e2a-6f4d9c0713ba"
Opened = Callable[[], Archive]
GAS = ListedMeter(CONSENT_A, "gas", "active", None)


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def one_meter(archive: Archive) -> Meter:
    """A meter that the archive has just learned of."""
    return archive.remember([GAS], NOON)[0]


def measured(
    first_day: int = DAY,
    days: int = 1,
    *,
    micro_kwh: int = 250_000,
    micro_kg: int | None = 50_000,
    missing: tuple[int, ...] = (),
    flagged: tuple[int, ...] = (),
) -> HalfHours:
    """Days whose half-hours are all alike but for those that are missing, and those that are missing and flagged."""
    half_hours = HalfHours.missing(Span.of_utc_days(first_day, first_day + days - 1))
    half_hours.present[:] = True
    half_hours.present[list(missing + flagged)] = False
    half_hours.flagged[list(flagged)] = True
    half_hours.micro_kwh[half_hours.present] = micro_kwh
    half_hours.has_carbon[:] = half_hours.present & (micro_kg is not None)
    half_hours.micro_kg[half_hours.has_carbon] = micro_kg or 0
    return half_hours


def at_random(first_day: int, days: int, seed: int) -> HalfHours:
    """Days of any values, some of them missing, flagged or without carbon."""
    random = np.random.default_rng(seed)
    half_hours = HalfHours.missing(Span.of_utc_days(first_day, first_day + days - 1))
    n = len(half_hours)
    half_hours.present[:] = random.random(n) < 0.8
    half_hours.flagged[:] = ~half_hours.present & (random.random(n) < 0.5)
    half_hours.has_carbon[:] = half_hours.present & (random.random(n) < 0.5)
    digits = random.integers(0, 14, n)
    half_hours.micro_kwh[:] = np.where(half_hours.present, random.integers(-(10**digits), 10**digits, n), 0)
    half_hours.micro_kg[:] = np.where(half_hours.has_carbon, random.integers(-(10**digits), 10**digits, n), 0)
    return half_hours


def same(one: HalfHours, other: HalfHours) -> bool:
    return one.span == other.span and not one.differs(other).any()


def same_days(one: Days, other: Days) -> bool:
    stamps = [(one.fetched_at, other.fetched_at), (one.changed_at, other.changed_at), (one.checks, other.checks)]
    return same(one.half_hours, other.half_hours) and all(bool((mine == its).all()) for mine, its in stamps)


def storing(url: str, meter_id: int, first_day: int, spans: int, days: int) -> BaseProcess:
    """A process that stores `spans` spans of so many days, one after another."""
    process = get_context("spawn").Process(target=_store, args=(url, meter_id, first_day, spans, days))
    process.start()
    return process


def _store(url: str, meter_id: int, first_day: int, spans: int, days: int) -> None:
    archive = open_archive(url)
    for i in range(spans):
        archive.store(meter_id, measured(first_day + i * days, days, micro_kwh=i), NOON)
    archive.close()
