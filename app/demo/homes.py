"""Two homes: their measured half-hours, moved so that they reach yesterday, with gaps that are known."""

import csv
import gzip
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files

HALF_HOUR = timedelta(minutes=30)
CONSENT_A = "5f1c9a52-3c1e-4d0b-9a77-0d2f6b1e8a41"
CONSENT_B = "b27d04e6-91f8-4c35-8e2a-6f4d9c0713ba"
KG_A_KWH = 0.207074
"""Electricity generated, kg CO2e a kWh: UK Government greenhouse gas conversion factors for company reporting, 2023."""
MOVE = timedelta(days=364)
"""Data is moved by whole multiples of it: weekdays stay, and seasons nearly."""
REMOVED = [
    ("2012-03-14 09:00", "2012-03-14 12:00"),
    ("2012-05-09 00:00", "2012-05-09 06:30"),
    ("2012-06-18 17:30", "2012-06-19 08:00"),
    ("2012-08-21 14:00", "2012-08-21 14:30"),
    ("2012-10-03 02:00", "2012-10-03 05:00"),
    ("2012-11-17 00:00", "2012-11-19 00:00"),
    ("2013-01-09 18:00", "2013-01-10 07:30"),
    ("2013-02-12 11:00", "2013-02-12 13:30"),
    ("2013-04-16 20:00", "2013-04-16 23:00"),
    ("2013-06-11 05:00", "2013-06-12 05:00"),
    ("2013-07-23 10:00", "2013-07-23 10:30"),
    ("2013-09-05 03:00", "2013-09-05 09:00"),
    ("2013-11-12 00:00", "2013-11-13 00:00"),
    ("2013-12-17 15:30", "2013-12-17 19:00"),
    ("2014-01-21 06:00", "2014-01-21 11:30"),
    ("2014-02-11 22:00", "2014-02-12 04:00"),
]
"""Spans taken out of home B so that gaps can be seen: UTC before the move, end excluded. The source itself lacks
2012-05-25 16:00, 2013-03-26 21:30 and 2013-05-08 05:30."""


class Missing(StrEnum):
    """How a half-hour that is missing is reported."""

    FLAGGED = "flagged"
    NULL = "null"
    LEFT_OUT = "left-out"


@dataclass(frozen=True)
class DemoMeter:
    """A meter: what the list of meters says, and its rows, ascending, those that stand twice twice.

    A row is the UTC start of a half-hour and its kWh; None where home B's meter has nothing.
    """

    consent_uuid: str
    type: str
    mpan_last_four: str
    note: str
    has_carbon: bool
    rows: list[tuple[datetime, float | None]]

    def until(self, day: date) -> list[tuple[datetime, float | None]]:
        """The rows up to and with a UTC day."""
        end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
        return [row for row in self.rows if row[0] < end]


def demo_meters(moved_to: date | None) -> list[DemoMeter]:
    """Home A's electricity and gas and home B's electricity.

    Each home is moved by the smallest multiple of 364 days that reaches the day `moved_to`; None leaves it where it
    was measured.
    """
    halved = "hourly readings, each halved into two half-hours"
    return [
        _meter(CONSENT_A, "electricity", "1047", halved, _home_a("electricity"), moved_to),
        _meter(CONSENT_A, "gas", "6621", halved, _home_a("gas"), moved_to),
        _meter(CONSENT_B, "electricity", "3308", "half-hourly readings, some taken out", _home_b(), moved_to),
    ]


def _meter(
    consent: str,
    kind: str,
    mpan: str,
    note: str,
    rows: list[tuple[datetime, float | None]],
    moved_to: date | None,
) -> DemoMeter:
    move = timedelta(0)
    if moved_to is not None:
        short = (moved_to - rows[-1][0].date()).days
        move = max(0, -(-short // MOVE.days)) * MOVE
    return DemoMeter(consent, kind, mpan, note, kind != "gas", [(at + move, kwh) for at, kwh in rows])


@cache
def _home_a(kind: str) -> list[tuple[datetime, float | None]]:
    rows = ((datetime.fromisoformat(at), float(kwh)) for at, kwh in _csv(f"home-a-{kind}-hourly.csv.gz"))
    return [(at + later, kwh / 2) for at, kwh in rows for later in (timedelta(0), HALF_HOUR)]


@cache
def _home_b() -> list[tuple[datetime, float | None]]:
    gaps = [tuple(datetime.fromisoformat(end).replace(tzinfo=UTC) for end in span) for span in REMOVED]
    rows: list[tuple[datetime, float | None]] = []
    for text, kwh in _csv("home-b-electricity-half-hourly.csv.gz"):
        at = datetime.fromisoformat(text).replace(tzinfo=UTC)
        while rows and rows[-1][0] + HALF_HOUR < at:
            rows.append((rows[-1][0] + HALF_HOUR, None))
        rows.append((at, None if any(first <= at < end for first, end in gaps) else float(kwh)))
    return rows


def _csv(name: str) -> Iterator[list[str]]:
    packed = files("app.demo").joinpath("data", name).read_bytes()
    lines = csv.reader(io.StringIO(gzip.decompress(packed).decode()))
    next(lines)
    yield from lines
