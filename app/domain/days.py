"""Days: the half-hours of whole UTC days as they are held, and when each day was last confirmed."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.freshness import NEVER, OLD_AFTER_DAYS, Freshness
from app.domain.halfhours import HalfHours, joined
from app.domain.meters import Meter
from app.domain.spans import DAY_SECONDS, HALF_HOURS_A_DAY, Span


@dataclass(frozen=True, slots=True)
class Revision:
    """A half-hour whose value became another upstream. Millionths; None is a carbon that was not known."""

    half_hour: int
    old_micro_kwh: int
    new_micro_kwh: int
    old_micro_kg: int | None
    new_micro_kg: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """Consecutive UTC days of one meter. The arrays have one entry a day, `half_hours` 48.

    `fetched_at` and `changed_at` are UTC seconds of the last confirmation and the last change; a day that is not
    held has 0 in both. `checks` counts the looks at a day since it is old (see freshness).
    """

    half_hours: HalfHours
    fetched_at: NDArray[np.int64]
    changed_at: NDArray[np.int64]
    checks: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.fetched_at)

    @property
    def first_day(self) -> int:
        """The first day, counted from 1970-01-01."""
        return self.half_hours.first // HALF_HOURS_A_DAY

    @property
    def held(self) -> NDArray[np.bool_]:
        """Which days were fetched at least once."""
        return self.fetched_at > 0

    @property
    def reported(self) -> NDArray[np.bool_]:
        """Which days had at least one half-hour in an answer, be it flagged."""
        listed = self.half_hours.present | self.half_hours.flagged
        return np.asarray(np.logical_or.reduce(listed.reshape(-1, HALF_HOURS_A_DAY), axis=1))

    @classmethod
    def none_held(cls, first_day: int, last_day: int) -> "Days":
        """The days `first_day` to `last_day`, both included, none of them held."""
        n = last_day - first_day + 1
        zeros = np.zeros((3, n), dtype=np.int64)
        return cls(HalfHours.missing(Span.of_utc_days(first_day, last_day)), zeros[0], zeros[1], zeros[2])

    def between(self, first_day: int, last_day: int) -> "Days":
        """Those of `first_day` to `last_day`, both included, which must lie within."""
        at = slice(first_day - self.first_day, last_day - self.first_day + 1)
        span = Span.of_utc_days(first_day, last_day)
        return Days(self.half_hours.between(span), self.fetched_at[at], self.changed_at[at], self.checks[at])

    def refreshed(self, fetched: HalfHours, now: int) -> tuple["Days", list[Revision]]:
        """These days with `fetched` (the same days, all confirmed at `now`, UTC seconds) laid over them.

        A gap never overwrites a value; a value that became another is a revision.
        """
        merged, revised = self.half_hours.merged(fetched)
        changed = merged.differs(self.half_hours).reshape(-1, HALF_HOURS_A_DAY).any(axis=1) | ~self.held
        old = now // DAY_SECONDS - (self.first_day + np.arange(len(self))) > OLD_AFTER_DAYS
        checks = np.where(old & self.held & ~changed, self.checks + 1, 0)
        days = Days(merged, np.full(len(self), now), np.where(changed, now, self.changed_at), checks)
        return days, [_revision(self.half_hours, merged, int(i)) for i in np.flatnonzero(revised)]

    def due(self, meter: Meter, now: int, freshness: Freshness) -> NDArray[np.bool_]:
        """Which of the held days are to be looked at again at `now` (UTC seconds)."""
        if not meter.is_listed:
            return np.zeros(len(self), dtype=np.bool_)
        waited = np.abs(now - self.fetched_at)  # a confirmation still to come was made by a clock that was ahead
        return self.held & (waited >= self._recheck_after(meter, now, freshness) * freshness.factor(meter.listed.key))

    def rechecked(self, meter: Meter, now: int, freshness: Freshness) -> NDArray[np.bool_]:
        """Which of the held days will still be looked at again, now or later."""
        return meter.is_listed & self.held & (self._recheck_after(meter, now, freshness) < NEVER)

    def _recheck_after(self, meter: Meter, now: int, freshness: Freshness) -> NDArray[np.int64]:
        expected = np.zeros(len(self.half_hours), dtype=np.bool_)
        if meter.span is not None:
            inside = self.half_hours.span & meter.span
            expected[inside.first - self.half_hours.first : inside.stop - self.half_hours.first] = True
        by_day = (-1, HALF_HOURS_A_DAY)
        incomplete = np.logical_or.reduce((expected & ~self.half_hours.present).reshape(by_day), axis=1)
        silent = np.logical_or.reduce(expected.reshape(by_day), axis=1) & ~self.reported
        age_days = now // DAY_SECONDS - (self.first_day + np.arange(len(self)))
        return freshness.recheck_after(age_days, ~incomplete, silent, self.checks)


def _revision(old: HalfHours, new: HalfHours, i: int) -> Revision:
    return Revision(
        half_hour=old.first + i,
        old_micro_kwh=int(old.micro_kwh[i]),
        new_micro_kwh=int(new.micro_kwh[i]),
        old_micro_kg=int(old.micro_kg[i]) if old.has_carbon[i] else None,
        new_micro_kg=int(new.micro_kg[i]) if new.has_carbon[i] else None,
    )


def joined_days(pieces: list[Days]) -> Days:
    """Pieces that follow one another without a gap, as one; at least one piece."""
    return Days(
        joined([piece.half_hours for piece in pieces]),
        np.concatenate([piece.fetched_at for piece in pieces]),
        np.concatenate([piece.changed_at for piece in pieces]),
        np.concatenate([piece.checks for piece in pieces]),
    )


def calls_to_cover(needed: NDArray[np.int64], longest: int) -> Iterator[tuple[int, int]]:
    """The fewest runs of at most `longest` days that cover all `needed` days (ascending), first and last included.

    Days between two needed ones ride along: a call more is dearer to PowerShaper than a few days more.
    """
    while len(needed):
        inside = needed[needed < needed[0] + longest]
        yield int(inside[0]), int(inside[-1])
        needed = needed[len(inside) :]
