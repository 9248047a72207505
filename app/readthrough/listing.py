"""The list of meters: answered from what is held, looked at again when it is due or lacks a meter that is asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from app.domain.errors import NotFound, SheetsError
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
        self._withdrawn: frozenset[int] | None = None

    async def meters(self, selectors: Sequence[str], permits: Callable[[Meter], bool], deadline: float) -> Listed:
        """The meters that `selectors` mean among those that `permits` lets through, all of these if there is none.

        It waits for PowerShaper until `deadline`. NotFound; UpstreamError if no list is held, or if the one that is
        lacks a meter and can't be looked at again.
        """
        listed = await self._listed(await self._renewed(deadline))
        try:
            return replace(listed, meters=chosen(selectors, filter(permits, listed.meters)))
        except NotFound:
            failure = self._flights.listing_failure
            if self._flights.is_listing or not self._was_asked_lately(listed.confirmed_at):
                failure = await self._fetched(deadline)
        listed = await self._listed(Outcome.PARTIAL)
        try:
            return replace(listed, meters=chosen(selectors, filter(permits, listed.meters)))
        except NotFound as error:
            raise failure or error from None

    async def _renewed(self, deadline: float) -> Outcome:
        """Has the list looked at again when it is due: before the answer if it is very old, else behind it.

        One without any meter is due again as soon as one that lacks a meter that is asked for, and so is, once, one
        that a meter has just vanished from: it may have been a slip of PowerShaper's.
        """
        moments, meters = await self._memory.meters()
        if moments is None:
            if failure := await self._fetched(deadline):
                raise failure
            return Outcome.MISS
        age = abs(int(self._clock()) - moments[0])
        withdrawn = frozenset(meter.id for meter in meters if not meter.is_listed)
        is_empty = len(withdrawn) == len(meters)
        has_lost = self._withdrawn is not None and not withdrawn <= self._withdrawn
        if age <= self._freshness.meters and not is_empty and not has_lost:
            self._withdrawn = withdrawn
            return Outcome.HIT
        if self._was_asked_lately(moments[0]) and not self._flights.is_listing:
            return Outcome.STALE if self._flights.listing_failure else Outcome.HIT
        if is_empty or age > self._freshness.meters_stale or not self._recheck_behind:
            return Outcome.STALE if await self._fetched(self._waits.patient(deadline)) else Outcome.PARTIAL
        self._asked_at = int(self._clock())
        self._withdrawn = withdrawn
        self._flights.list_meters()
        return Outcome.STALE if self._flights.listing_failure else Outcome.HIT

    async def _fetched(self, deadline: float) -> SheetsError | None:
        """Fetches the list; gives what went wrong, if the wait wasn't long enough too."""
        self._asked_at = int(self._clock())
        return await waited([self._flights.list_meters()], deadline)

    def _was_asked_lately(self, confirmed_at: int) -> bool:
        now = int(self._clock())
        return min(abs(now - confirmed_at), abs(now - self._asked_at)) < self._freshness.unknown_meter

    async def _listed(self, outcome: Outcome) -> Listed:
        moments, meters = await self._memory.meters()
        listed_at, changed_at = moments or (int(self._clock()), int(self._clock()))
        return Listed(meters, listed_at, changed_at, outcome)
