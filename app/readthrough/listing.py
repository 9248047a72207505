"""The list of meters: answered from what is held, looked at again when it is due or lacks a meter that is asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from app.domain.errors import NotFound
from app.domain.freshness import Freshness
from app.domain.meters import Meter, chosen
from app.readthrough.flights import Flights, waited
from app.readthrough.memory import Memory
from app.readthrough.waits import Waits


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


class Listing:
    """The list of meters. `clock` gives UTC seconds; `recheck_behind` as of ReadThrough."""

    def __init__(
        self,
        memory: Memory,
        flights: Flights,
        clock: Callable[[], float],
        freshness: Freshness,
        waits: Waits,
        *,
        recheck_behind: bool,
    ) -> None:
        self._memory = memory
        self._flights = flights
        self._clock = clock
        self._freshness = freshness
        self._waits = waits
        self._recheck_behind = recheck_behind
        self._asked_at = 0

    async def meters(self, selectors: Sequence[str], permits: Callable[[Meter], bool], deadline: float) -> Listed:
        """The meters that `selectors` mean among those that `permits` lets through, all of these if there is none.

        It waits for PowerShaper until `deadline`. NotFound; UpstreamError if no list is held.
        """
        listed = await self._listed(await self._renewed(deadline))
        try:
            return replace(listed, meters=chosen(selectors, filter(permits, listed.meters)))
        except NotFound:
            if self._was_asked_lately(listed.confirmed_at):
                raise
        listed = await self._listed(await self._fetched(deadline, is_held=True))
        return replace(listed, meters=chosen(selectors, filter(permits, listed.meters)))

    async def _renewed(self, deadline: float) -> Outcome:
        """Has the list looked at again when it is due: before the answer if it is very old, else behind it."""
        moments, _ = await self._memory.meters()
        if moments is None:
            return await self._fetched(deadline, is_held=False)
        age = abs(int(self._clock()) - moments[0])
        if age <= self._freshness.meters:
            return Outcome.HIT
        if self._was_asked_lately(moments[0]) and not self._flights.is_listing:
            return Outcome.STALE if self._flights.has_listing_failed else Outcome.HIT
        if age > self._freshness.meters_stale or not self._recheck_behind:
            return await self._fetched(self._waits.patient(deadline), is_held=True)
        self._asked_at = int(self._clock())
        self._flights.list_meters()
        return Outcome.STALE if self._flights.has_listing_failed else Outcome.HIT

    async def _fetched(self, deadline: float, *, is_held: bool) -> Outcome:
        """Fetches the list; if that fails the one that is held has to do. UpstreamError if there is none."""
        self._asked_at = int(self._clock())
        failure = await waited([self._flights.list_meters()], deadline)
        if failure is None:
            return Outcome.PARTIAL if is_held else Outcome.MISS
        if not is_held:
            raise failure
        return Outcome.STALE

    def _was_asked_lately(self, confirmed_at: int) -> bool:
        now = int(self._clock())
        return min(abs(now - confirmed_at), abs(now - self._asked_at)) < self._freshness.unknown_meter

    async def _listed(self, outcome: Outcome) -> Listed:
        moments, meters = await self._memory.meters()
        listed_at, changed_at = moments or (int(self._clock()), int(self._clock()))
        return Listed(meters, listed_at, changed_at, outcome)
