"""What a table will be made from, and what the answers for several meters or periods come to together."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from app.domain.halfhours import HalfHours
from app.domain.periods import LocalDays
from app.domain.spans import starts_at_utc
from app.query import DEFAULT_PERIOD, Query
from app.readthrough import Answered, Outcome
from app.tables import Measured, Report, Table

MOST_SECONDS_KEPT = 300
CACHE_STATUS = {
    Outcome.HIT: "powershaper-sheets; hit",
    Outcome.MISS: "powershaper-sheets; fwd=miss",
    Outcome.PARTIAL: "powershaper-sheets; fwd=partial",
    Outcome.STALE: "powershaper-sheets; fwd=stale",
}


@dataclass(frozen=True, slots=True)
class Made:
    """What a table will be made from: `fingerprint` is another for every other content.

    Moments are UTC seconds. `build` makes the table; it is slow for large ones, so it is called in a thread. The
    answer may be kept for `most_seconds_kept`.
    """

    facts: tuple[tuple[str, str], ...]
    fingerprint: bytes
    confirmed_at: int
    changed_at: int
    outcome: Outcome
    build: Callable[[], Table | Report]
    most_seconds_kept: int = MOST_SECONDS_KEPT


def made_of(
    answers: Sequence[Answered],
    *,
    meters: str,
    period: str,
    listing: Outcome,
    now: int,
    build: Callable[[], Table | Report],
) -> Made:
    """What a table of half-hours is made from; `meters` and `period` are texts for people, `now` is UTC seconds."""
    confirmed_at = _confirmed_at(answers) or now
    stale = [Outcome.STALE] if listing is Outcome.STALE else []
    return Made(
        facts=(("meter", meters), ("period", period), ("coverage", _coverage(answers))),
        fingerprint=b"".join(_fingerprint(answer) for answer in answers),
        confirmed_at=confirmed_at,
        changed_at=max((answer.changed_at or 0 for answer in answers), default=0) or confirmed_at,
        outcome=_overall([answer.outcome for answer in answers] + stale),
        build=build,
    )


def measured_of(answers: Sequence[Answered]) -> list[Measured]:
    """The half-hours of each answer under its meter's name."""
    return [Measured(answer.meter.name, answer.half_hours) for answer in answers]


def ends_found(days: LocalDays, half_hours: Sequence[HalfHours], tz: ZoneInfo) -> LocalDays:
    """The days of a period; an end that it leaves open is the first or the last day that there is."""
    spans = [one.span for one in half_hours if len(one)]
    if not spans:
        return days
    first = starts_at_utc(min(span.first for span in spans)).astimezone(tz).date()
    last = starts_at_utc(max(span.stop for span in spans) - 1).astimezone(tz).date()
    return LocalDays(days.first or first, days.last or last)


def period_text(query: Query, days: LocalDays) -> str:
    """The period of a link for people."""
    asked = "" if query.start or query.end else f" ({query.period or DEFAULT_PERIOD})"
    return days_text(days) + asked


def days_text(days: LocalDays) -> str:
    """Local days for people."""
    return f"{days.first or 'the first day'} to {days.last or 'the last day'}"


def _fingerprint(answer: Answered) -> bytes:
    """32 bytes that are others for every other meter, span and content."""
    half_hours = answer.half_hours
    name = f"{answer.meter.name} {answer.meter.type} {half_hours.first} {len(half_hours)}"
    content = hashlib.blake2b(name.encode(), digest_size=32)
    for array in (half_hours.micro_kwh, half_hours.micro_kg, half_hours.present, half_hours.has_carbon):
        content.update(np.ascontiguousarray(array).view(np.uint8).data)
    return content.digest()


def _confirmed_at(answers: Sequence[Answered]) -> int | None:
    """The oldest confirmation of a day that is still rechecked; if none is, the newest of all; None without a day."""
    rechecked = [answer.rechecked_at for answer in answers if answer.rechecked_at is not None]
    confirmed = [answer.confirmed_at for answer in answers if answer.confirmed_at is not None]
    return min(rechecked) if rechecked else max(confirmed, default=None)


def _overall(outcomes: Sequence[Outcome]) -> Outcome:
    """One word for several meters: stale if any is, a hit only if all are, a miss only if all missed."""
    if Outcome.STALE in outcomes:
        return Outcome.STALE
    kinds = set(outcomes)
    return kinds.pop() if len(kinds) == 1 else Outcome.PARTIAL if kinds else Outcome.HIT


def _coverage(answers: Sequence[Answered]) -> str:
    expected = sum(len(answer.half_hours) for answer in answers)
    present = sum(int(answer.half_hours.present.sum()) for answer in answers)
    if not expected:
        return "no half-hours in this period"
    return f"{1000 * present // expected / 10:g} % ({present:,} of {expected:,} half-hours)"
