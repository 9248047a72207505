"""Flights: fetches under way. Who needs the same span shares one, and nobody who leaves ends it for the others."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.domain.errors import SheetsError, UpstreamUnavailable
from app.domain.halfhours import HalfHours
from app.domain.meters import ListedMeter, Meter
from app.readthrough.memory import Memory
from app.readthrough.unreadable import Unreadable
from app.upstream import HALVED, State

log = logging.getLogger(__name__)


class Upstream(Protocol):
    """What is asked of PowerShaper; every method may raise UpstreamError."""

    calls: int
    """How many calls were made so far."""

    async def meters(self) -> list[ListedMeter]:
        """All meters that the token can read."""
        ...

    async def half_hours(
        self, meter: ListedMeter, first_day: int, last_day: int, *, will_halve: bool, is_half: bool
    ) -> HalfHours:
        """All half-hours of whole UTC days, both included, counted from 1970-01-01.

        `will_halve`: a failure that a shorter span may not have is answered with its halves, which say `is_half`.
        """
        ...

    async def has_spare(self) -> bool:
        """Whether a call may be made now that nobody waits for."""
        ...

    async def state(self) -> State:
        """What is remembered of the calls so far."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Flight:
    """A fetch of a meter's UTC days `first_day` to `last_day`, both included."""

    meter_id: int
    first_day: int
    last_day: int
    task: "asyncio.Task[None]"


class Flights:
    """Starts fetches, keeps what they bring, and lets others join them. `clock` gives UTC seconds.

    At most `side_by_side` calls are under way, of one meter about half as many: one that hangs leaves room for others.
    A span of `halved_days` or more that fails is halved.
    """

    def __init__(
        self,
        upstream: Upstream,
        memory: Memory,
        clock: Callable[[], float],
        unreadable: Unreadable,
        *,
        side_by_side: int,
        halved_days: int,
    ) -> None:
        self._upstream = upstream
        self._memory = memory
        self._clock = clock
        self._unreadable = unreadable
        self._calls = asyncio.Semaphore(side_by_side)
        self._calls_of: dict[int, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore((side_by_side + 1) // 2))
        self._halved_days = halved_days
        self._flights: set[Flight] = set()
        self._failed: set[int] = set()
        self._listing: asyncio.Task[None] | None = None
        self._listing_failure: BaseException | None = None
        self._is_failing = False

    @property
    def under_way(self) -> int:
        """How many fetches are under way, that of the list of meters among them."""
        return len(self._flights) + self.is_listing

    def covering(self, meter: Meter, days: NDArray[np.int64]) -> list[Flight]:
        """The flights under way that will bring some of `days`."""
        return [
            flight
            for flight in self._flights
            if flight.meter_id == meter.id and ((days >= flight.first_day) & (days <= flight.last_day)).any()
        ]

    def join(self, meter: Meter, first_day: int, last_day: int) -> "asyncio.Task[None]":
        """The flight that brings all these days: one under way, else a new one."""
        for flight in self._flights:
            if flight.meter_id == meter.id and flight.first_day <= first_day and last_day <= flight.last_day:
                return flight.task
        task = self._task(self.fetch(meter, first_day, last_day))
        flight = Flight(meter.id, first_day, last_day, task)
        self._flights.add(flight)
        task.add_done_callback(lambda _: self._landed(flight))
        return task

    def has_failed(self, meter: Meter) -> bool:
        """Whether the last fetch of a meter that ended has failed."""
        return meter.id in self._failed

    def list_meters(self) -> "asyncio.Task[None]":
        """The fetch of the list of meters: the one under way, else a new one."""
        if self._listing is None or self._listing.done():
            self._listing = self._task(self._list_meters())
            self._listing.add_done_callback(self._listed)
        return self._listing

    @property
    def is_listing(self) -> bool:
        """Whether the list of meters is being fetched."""
        return self._listing is not None and not self._listing.done()

    @property
    def listing_failure(self) -> BaseException | None:
        """What went wrong with the last fetch of the list that ended; None if nothing did."""
        return self._listing_failure

    async def fetch(self, meter: Meter, first_day: int, last_day: int, *, is_half: bool = False) -> None:
        """Fetches UTC days and keeps them; a span that fails is halved, and what came of it is kept. UpstreamError."""
        will_halve = last_day - first_day + 1 >= self._halved_days
        self._memory.make_sure_of_room(first_day, last_day)

        async def called() -> HalfHours:
            async with self._calls_of[meter.id], self._calls:
                return await self._upstream.half_hours(
                    meter.listed, first_day, last_day, will_halve=will_halve, is_half=is_half
                )

        try:
            half_hours = await self._unreadable.asked((meter.listed.key, first_day, last_day), called)
        except HALVED:
            if not will_halve:
                raise
            middle = (first_day + last_day) // 2
            await self.fetch(meter, first_day, middle, is_half=True)
            await self.fetch(meter, middle + 1, last_day, is_half=True)
            return
        await self._memory.store(meter, half_hours, int(self._clock()))

    async def aclose(self) -> None:
        """Ends all fetches under way and waits until they have ended."""
        tasks = [flight.task for flight in self._flights] + ([self._listing] if self._listing else [])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _list_meters(self) -> None:
        async with self._calls:
            listed = await self._unreadable.asked("meters that are listed", self._upstream.meters)
        await self._memory.remember(listed, int(self._clock()))

    def _listed(self, listing: "asyncio.Task[None]") -> None:
        if not listing.cancelled():
            self._listing_failure = listing.exception()

    def _landed(self, flight: Flight) -> None:
        self._flights.discard(flight)
        if flight.task.cancelled():
            return
        if flight.task.exception():
            self._failed.add(flight.meter_id)
        else:
            self._failed.discard(flight.meter_id)

    def _task(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        task.add_done_callback(self._log)
        return task

    def _log(self, task: "asyncio.Task[None]") -> None:
        """Says what went wrong, whether or not somebody still waits for it: once, until all is well again."""
        if task.cancelled():
            return
        if error := task.exception():
            log.log(logging.DEBUG if self._is_failing else logging.WARNING, "A fetch failed: %s", error)
        elif self._is_failing:
            log.warning("PowerShaper answers again.")
        self._is_failing = error is not None


async def waited(tasks: "Sequence[asyncio.Task[None]]", deadline: float) -> SheetsError | None:
    """Waits for fetches, by the event loop's clock until `deadline`; gives what went wrong, too short a wait too."""
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
            "PowerShaper has not answered in time; the fetch goes on.", remedy="Try again in a minute."
        )
    return None
