"""The one walk to half-hours: what is held is answered, what is missing is fetched first, what is due behind."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from app.domain.days import Days, calls_to_cover
from app.domain.errors import NotFound, SheetsError, UpstreamUnavailable
from app.domain.freshness import METERS_LIST_SECONDS, METERS_LIST_STALE_SECONDS, UNKNOWN_METER_SECONDS
from app.domain.halfhours import HalfHours
from app.domain.meters import Meter, chosen
from app.domain.spans import DAY_SECONDS, HALF_HOURS_A_DAY, Span
from app.readthrough.flights import Flights, Upstream
from app.readthrough.memory import Memory

STILL_REPORTING_DAYS = 30
"""A meter whose range ended longer ago is not asked for days past it."""


class Outcome(StrEnum):
    """Where an answer came from."""

    HIT = "hit"
    MISS = "miss"
    PARTIAL = "partial"
    STALE = "stale"


@dataclass(frozen=True, slots=True)
class Listed:
    """Meters, when their list was last fetched and last changed (UTC seconds), and where it came from."""

    meters: list[Meter]
    confirmed_at: int
    changed_at: int
    outcome: Outcome


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """The half-hours of a meter that lie in the span asked for and are expected of it.

    Moments are UTC seconds, None if there is no such day. `rechecked_at`: the oldest confirmation of a day shown that
    is still rechecked; `confirmed_at`: the newest of any day shown; `changed_at`: when a day shown last changed.
    """

    meter: Meter
    half_hours: HalfHours
    rechecked_at: int | None
    confirmed_at: int | None
    changed_at: int | None
    outcome: Outcome


class ReadThrough:
    """Half-hours of meters. `clock` gives UTC seconds.

    `wait_seconds` bounds how long a request waits for PowerShaper (the fetch goes on without it); `call_days` how
    many days a call asks for. With `recheck_behind` what is held is answered at once and rechecked afterwards,
    without it a recheck comes first.
    """

    def __init__(
        self,
        memory: Memory,
        upstream: Upstream,
        clock: Callable[[], float],
        *,
        wait_seconds: float,
        call_days: int,
        recheck_behind: bool = True,
    ) -> None:
        self._memory = memory
        self._upstream = upstream
        self._clock = clock
        self._wait_seconds = wait_seconds
        self._call_days = call_days
        self._recheck_behind = recheck_behind
        self._flights = Flights(upstream, memory, clock)
        self._asked_for_meters_at = 0

    async def meters(
        self,
        selectors: Sequence[str] = (),
        permits: Callable[[Meter], bool] = lambda _: True,
        deadline: float | None = None,
    ) -> Listed:
        """The meters that `selectors` mean among those that `permits` lets through, all of these if there is none.

        It waits for PowerShaper until `deadline`, without one as long as a request may. NotFound; UpstreamError if no
        list is held.
        """
        deadline = self.deadline() if deadline is None else deadline
        now = int(self._clock())
        moments, _ = await self._memory.meters()
        age = METERS_LIST_STALE_SECONDS + 1 if moments is None else abs(now - moments[0])
        outcome = Outcome.HIT
        if age > METERS_LIST_STALE_SECONDS or (age > METERS_LIST_SECONDS and not self._recheck_behind):
            outcome = await self._list_now(deadline, is_held=moments is not None)
        elif age > METERS_LIST_SECONDS:
            self._flights.list_meters()
        listed = await self._listed(outcome)
        try:
            return replace(listed, meters=chosen(selectors, filter(permits, listed.meters)))
        except NotFound:
            if abs(now - max(listed.confirmed_at, self._asked_for_meters_at)) < UNKNOWN_METER_SECONDS:
                raise
        listed = await self._listed(await self._list_now(deadline, is_held=True))
        return replace(listed, meters=chosen(selectors, filter(permits, listed.meters)))

    def deadline(self) -> float:
        """The moment, by the event loop's clock, until which a request that begins now may wait for PowerShaper."""
        return asyncio.get_running_loop().time() + self._wait_seconds

    async def answer(self, meter: Meter, span: Span, deadline: float) -> Answered:
        """What `meter` measured in `span`. UpstreamError if days of it can't be had until `deadline`."""
        now = int(self._clock())
        window = self._fetchable(meter, now)
        asked = Span(0, 0) if window is None else span & window
        if not len(asked):
            return Answered(meter, HalfHours.missing(asked), None, None, None, Outcome.HIT)
        days = await self._memory.days(meter, asked.first_day, asked.last_day)
        outcome, failure = Outcome.HIT, None
        wanted = self._missing(days)
        if len(wanted):
            outcome = Outcome.PARTIAL if days.held.any() else Outcome.MISS
        elif days.due(meter, now).any():
            wanted = days.first_day + np.flatnonzero(days.due(meter, now))
            if self._recheck_behind:
                outcome = Outcome.STALE if self._flights.has_failed(meter) else Outcome.HIT
                self._recheck(meter, wanted)
                wanted = wanted[:0]
        if len(wanted):
            failure = await self._fetch(meter, wanted, deadline)
            meter = await self._again(meter)
            days = await self._memory.days(meter, asked.first_day, asked.last_day)
        return self._answered(meter, asked, days, Outcome.STALE if failure else outcome, failure)

    async def begin(self, meter: Meter, spans: Sequence[Span]) -> None:
        """Begins to fetch what is missing or due of all `spans` together, so that it takes the fewest calls.

        Who then asks for the answer of each joins what is under way.
        """
        now = int(self._clock())
        window = self._fetchable(meter, now)
        wanted = [np.empty(0, dtype=np.int64)]
        for asked in [span & window for span in spans] if window else []:
            if len(asked):
                days = await self._memory.days(meter, asked.first_day, asked.last_day)
                missing = self._missing(days)
                due = days.first_day + np.flatnonzero(days.due(meter, now))
                wanted.append(missing if len(missing) else due)
        self._join(meter, np.unique(np.concatenate(wanted)))

    async def calls_to_fill(self, meter: Meter, first_day: int | None) -> list[tuple[int, int]]:
        """The calls, as UTC days from and to, that would fetch all that is missing or due from `first_day` on."""
        now = int(self._clock())
        window = self._fetchable(meter, now)
        if window is None:
            return []
        first = window.first_day if first_day is None else max(first_day, window.first_day)
        if first > window.last_day:
            return []
        days = await self._memory.days(meter, first, window.last_day)
        needed = np.flatnonzero(~days.held | days.due(meter, now)) + days.first_day
        return list(calls_to_cover(needed, self._call_days))

    async def fill(self, meter: Meter, first_day: int, last_day: int) -> None:
        """Fetches UTC days and keeps them. UpstreamError."""
        await self._flights.fetch(meter, first_day, last_day)

    async def held_half_hours(self) -> int:
        """How many half-hours are held that have a value."""
        return await self._memory.count()

    async def aclose(self) -> None:
        """Ends the fetches that go on behind."""
        await self._flights.aclose()

    def _answered(
        self, meter: Meter, asked: Span, days: Days, outcome: Outcome, failure: SheetsError | None
    ) -> Answered:
        expected = meter.span
        shown = Span(asked.first, asked.first) if expected is None else asked & expected
        if not len(shown):
            return Answered(meter, HalfHours.missing(shown), None, None, None, outcome)
        days = days.between(shown.first_day, shown.last_day)
        if not days.held.all():
            raise failure or UpstreamUnavailable(
                "PowerShaper has not yet sent all days of the period.", remedy="Try again in a minute."
            )
        rechecked = days.rechecked(meter, int(self._clock()))
        return Answered(
            meter,
            days.half_hours.between(shown),
            rechecked_at=int(days.fetched_at[rechecked].min()) if rechecked.any() else None,
            confirmed_at=int(days.fetched_at.max()),
            changed_at=int(days.changed_at.max()),
            outcome=outcome,
        )

    def _fetchable(self, meter: Meter, now: int) -> Span | None:
        """The meter's range, through today if it may still be reporting: late days come after their range does."""
        span = meter.span
        if span is None:
            return None
        today = now // DAY_SECONDS
        if meter.is_listed and 0 <= today - span.last_day <= STILL_REPORTING_DAYS:
            return Span(span.first, max(span.stop, (today + 1) * HALF_HOURS_A_DAY))
        return span

    def _missing(self, days: Days) -> NDArray[np.int64]:
        return days.first_day + np.flatnonzero(~days.held)

    def _recheck(self, meter: Meter, due: NDArray[np.int64]) -> None:
        for first, last in calls_to_cover(due, self._call_days):
            self._flights.join(meter, first, last)

    async def _fetch(self, meter: Meter, needed: NDArray[np.int64], deadline: float) -> SheetsError | None:
        """Fetches the days, or joins those who do; gives what went wrong, if the wait wasn't long enough too."""
        return await self._waited(self._join(meter, needed), deadline)

    def _join(self, meter: Meter, needed: NDArray[np.int64]) -> "list[asyncio.Task[None]]":
        """The fetches of the days: those under way, and new ones for what they don't bring."""
        joined = self._flights.covering(meter, needed)
        for flight in joined:
            needed = needed[(needed < flight.first_day) | (needed > flight.last_day)]
        tasks = [flight.task for flight in joined]
        return tasks + [
            self._flights.join(meter, first, last) for first, last in calls_to_cover(needed, self._call_days)
        ]

    async def _waited(self, tasks: "Sequence[asyncio.Task[None]]", deadline: float) -> SheetsError | None:
        left = max(0.0, deadline - asyncio.get_running_loop().time())
        done, pending = await asyncio.wait(tasks, timeout=left)
        for task in done:
            error = task.exception()
            if isinstance(error, SheetsError):
                return error
            if error is not None:
                raise error
        if pending:
            return UpstreamUnavailable(
                f"PowerShaper has not answered within {self._wait_seconds:g} seconds; the fetch goes on.",
                remedy="Try again in a minute.",
            )
        return None

    async def _listed(self, outcome: Outcome) -> Listed:
        moments, meters = await self._memory.meters()
        listed_at, changed_at = moments or (int(self._clock()), int(self._clock()))
        return Listed(meters, listed_at, changed_at, outcome)

    async def _list_now(self, deadline: float, *, is_held: bool) -> Outcome:
        """Fetches the list of meters; if that fails the one that is held has to do. UpstreamError if there is none."""
        self._asked_for_meters_at = int(self._clock())
        failure = await self._waited([self._flights.list_meters()], deadline)
        if failure is None:
            return Outcome.PARTIAL if is_held else Outcome.MISS
        if not is_held:
            raise failure
        return Outcome.STALE

    async def _again(self, meter: Meter) -> Meter:
        """The meter as it is known now."""
        meters = (await self._memory.meters())[1]
        return next(known for known in meters if known.id == meter.id)
