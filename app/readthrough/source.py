"""The one walk to half-hours: what is held is answered, what is missing is fetched first, what is due behind."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.days import Days, calls_to_cover
from app.domain.errors import SheetsError, UpstreamUnavailable
from app.domain.freshness import Freshness
from app.domain.halfhours import HalfHours
from app.domain.meters import Meter
from app.domain.spans import DAY_SECONDS, HALF_HOURS_A_DAY, Span
from app.readthrough.flights import Flights, waited
from app.readthrough.listing import Listed, Listing, Outcome
from app.readthrough.memory import Memory
from app.readthrough.waits import Waits

STILL_REPORTING_DAYS = 30
"""A meter whose range had ended longer ago when it was last listed is not asked for days past it."""


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

    `waits` is how long a request waits for PowerShaper (the fetch goes on without it); `call_days` how many days a
    call asks for. With `recheck_behind` what is held is answered at once and rechecked afterwards, without it a
    recheck comes first.
    """

    def __init__(
        self,
        memory: Memory,
        flights: Flights,
        clock: Callable[[], float],
        freshness: Freshness,
        waits: Waits,
        *,
        call_days: int,
        recheck_behind: bool = True,
    ) -> None:
        self._memory = memory
        self._flights = flights
        self._clock = clock
        self._freshness = freshness
        self._waits = waits
        self._call_days = call_days
        self._recheck_behind = recheck_behind
        self._listing = Listing(memory, flights, clock, freshness, waits, recheck_behind=recheck_behind)
        self._asked_for: set[int] = set()
        self.questions = 0

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
        return await self._listing.meters(selectors, permits, self.deadline() if deadline is None else deadline)

    def deadline(self) -> float:
        """The moment, by the event loop's clock, until which a request that begins now may wait for PowerShaper."""
        return self._waits.deadline()

    async def answer(self, meter: Meter, span: Span, deadline: float) -> Answered:
        """What `meter` measured in `span`. UpstreamError if days of it can't be had until `deadline`."""
        self.questions += 1
        self._asked_for.add(meter.id)
        now = int(self._clock())
        window = await self._fetchable(meter)
        asked = Span(0, 0) if window is None else span & window
        if not len(asked):
            return Answered(meter, HalfHours.missing(asked), None, None, None, Outcome.HIT)
        days = await self._memory.days(meter, asked.first_day, asked.last_day)
        outcome, failure = Outcome.HIT, None
        wanted = _missing(meter, days)
        if len(wanted):
            outcome = Outcome.PARTIAL if days.held.any() else Outcome.MISS
            if self._can_answer(meter, asked, days):
                deadline = self._waits.patient(deadline)
        elif (due := days.due(meter, now, self._freshness)).any():
            wanted = days.first_day + np.flatnonzero(due)
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
        window = await self._fetchable(meter)
        wanted = [np.empty(0, dtype=np.int64)]
        for asked in [span & window for span in spans] if window else []:
            if len(asked):
                days = await self._memory.days(meter, asked.first_day, asked.last_day)
                missing = _missing(meter, days)
                due = days.first_day + np.flatnonzero(days.due(meter, now, self._freshness))
                wanted.append(missing if len(missing) else due)
        self._join(meter, np.unique(np.concatenate(wanted)))

    def asked_for(self) -> set[int]:
        """The ids of the meters that were asked for since the last time."""
        asked_for, self._asked_for = self._asked_for, set()
        return asked_for

    async def calls_to_fill(self, meter: Meter, first_day: int | None) -> list[tuple[int, int]]:
        """The calls, as UTC days from and to, that would fetch all that is missing or due from `first_day` on."""
        days = await self._days_from(meter, first_day)
        if days is None:
            return []
        return self._calls(days, ~days.held | days.due(meter, int(self._clock()), self._freshness))

    async def refresh(self, meter: Meter, has_spare: Callable[[], Awaitable[bool]]) -> None:
        """Looks again at what is held and due, and at days after it, as long as calls can be spared. SheetsError."""
        days = await self._days_from(meter, meter.held.first_day) if meter.held else None
        if days is None or not days.held.any():
            return
        newer = np.arange(len(days)) > np.flatnonzero(days.held)[-1]
        for first, last in self._calls(days, newer | days.due(meter, int(self._clock()), self._freshness)):
            if not await has_spare():
                return
            await self._flights.join(meter, first, last)

    async def fill(self, meter: Meter, first_day: int, last_day: int) -> None:
        """Fetches UTC days and sees them written. UpstreamError, ArchiveError."""
        await self._flights.fetch(meter, first_day, last_day)
        await self._memory.write_what_waits()

    @property
    def under_way(self) -> int:
        """How many fetches are under way."""
        return self._flights.under_way

    async def held_half_hours(self) -> int:
        """How many half-hours are held that have a value."""
        return sum((await self._memory.sizes())[0].values())

    async def aclose(self) -> None:
        """Ends the fetches that go on behind, and writes what waits to be written."""
        await self._flights.aclose()
        await self._memory.aclose()

    def _answered(
        self, meter: Meter, asked: Span, days: Days, outcome: Outcome, failure: SheetsError | None
    ) -> Answered:
        shown = self._shown(meter, asked, days) if failure else _expected(meter, asked)
        days = _days_of(shown, days)
        if len(_missing(meter, days)):  # nobody knows whether there is data: that is no empty table
            raise failure or UpstreamUnavailable(
                "PowerShaper has not yet sent all days of the period.", remedy="Try again in a minute."
            )
        rechecked = days.rechecked(meter, int(self._clock()), self._freshness)
        return Answered(
            meter,
            days.half_hours.between(shown),
            rechecked_at=int(days.fetched_at[rechecked].min()) if rechecked.any() else None,
            confirmed_at=int(days.fetched_at.max()) or None,
            changed_at=int(days.changed_at.max()) or None,
            outcome=outcome,
        )

    def _shown(self, meter: Meter, asked: Span, days: Days) -> Span:
        """What of a span can be shown when PowerShaper fails: all that is expected, or all but the newest days.

        Days of the last week after the last one that was reported may have been listed without having been fetched:
        then the answer is as it was before they were listed. If any other day is not held there is no answer.
        """
        expected = _expected(meter, asked)
        if not len(expected):
            return expected
        reported = np.flatnonzero(days.between(expected.first_day, expected.last_day).reported)
        if not len(reported):
            return expected
        last = expected.first_day + int(reported[-1])
        is_young = int(self._clock()) // DAY_SECONDS - last <= self._freshness.week_days
        return expected & Span.of_utc_days(expected.first_day, last) if is_young else expected

    async def _fetchable(self, meter: Meter) -> Span | None:
        """The meter's range, through today if it was still reporting when it was last listed.

        Late days come after their range does, and while PowerShaper is away nobody knows how far it would reach.
        """
        span = meter.span
        if span is None or not meter.is_listed:
            return span
        today = int(self._clock()) // DAY_SECONDS
        moments, _ = await self._memory.meters()
        listed_on = today if moments is None else min(today, moments[0] // DAY_SECONDS)
        if span.last_day <= today and listed_on - span.last_day <= STILL_REPORTING_DAYS:
            return Span(span.first, max(span.stop, (today + 1) * HALF_HOURS_A_DAY))
        return span

    async def _days_from(self, meter: Meter, first_day: int | None) -> Days | None:
        """The days of a meter that can be fetched, from `first_day` on if it is given; None if there is none."""
        window = await self._fetchable(meter)
        if window is None or not meter.is_listed:
            return None
        first = window.first_day if first_day is None else max(first_day, window.first_day)
        return None if first > window.last_day else await self._memory.days(meter, first, window.last_day)

    def _calls(self, days: Days, wanted: NDArray[np.bool_]) -> list[tuple[int, int]]:
        return list(calls_to_cover(days.first_day + np.flatnonzero(wanted), self._call_days))

    def _can_answer(self, meter: Meter, asked: Span, days: Days) -> bool:
        """Whether there is an answer without the days that are missing."""
        return bool(_days_of(self._shown(meter, asked, days), days).held.all())

    def _recheck(self, meter: Meter, due: NDArray[np.int64]) -> None:
        for first, last in calls_to_cover(due, self._call_days):
            self._flights.join(meter, first, last)

    async def _fetch(self, meter: Meter, needed: NDArray[np.int64], deadline: float) -> SheetsError | None:
        """Fetches the days, or joins those who do; gives what went wrong, if the wait wasn't long enough too."""
        return await waited(self._join(meter, needed), deadline)

    def _join(self, meter: Meter, needed: NDArray[np.int64]) -> "list[asyncio.Task[None]]":
        """The fetches of the days: those under way, and new ones for what they don't bring."""
        joined = self._flights.covering(meter, needed)
        for flight in joined:
            needed = needed[(needed < flight.first_day) | (needed > flight.last_day)]
        tasks = [flight.task for flight in joined]
        return tasks + [
            self._flights.join(meter, first, last) for first, last in calls_to_cover(needed, self._call_days)
        ]

    async def _again(self, meter: Meter) -> Meter:
        """The meter as it is known now; as it was, if another archive took the place of the one that knew it."""
        meters = (await self._memory.meters())[1]
        return next((known for known in meters if known.listed.key == meter.listed.key), meter)


def _missing(meter: Meter, days: Days) -> NDArray[np.int64]:
    """The days that are to be fetched. Of a meter that is no longer listed none can be: there it has gaps."""
    return days.first_day + np.flatnonzero(meter.is_listed & ~days.held)


def _days_of(shown: Span, days: Days) -> Days:
    """The days that an answer says something about: an empty one says of all days that they have no half-hours."""
    return days.between(shown.first_day, shown.last_day) if len(shown) else days


def _expected(meter: Meter, asked: Span) -> Span:
    """The half-hours of a span that lie within the meter's range."""
    return Span(asked.first, asked.first) if meter.span is None else asked & meter.span
