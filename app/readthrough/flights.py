"""Flights: fetches under way. Who needs the same span shares one, and nobody who leaves ends it for the others."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from app.domain.halfhours import HalfHours
from app.domain.meters import ListedMeter, Meter
from app.readthrough.memory import Memory
from app.upstream import HALVED, SHORTEST_HALVED_DAYS

log = logging.getLogger(__name__)
AT_ONCE = 4


class Upstream(Protocol):
    """What is asked of PowerShaper; every method may raise UpstreamError."""

    async def meters(self) -> list[ListedMeter]:
        """All meters that the token can read."""
        ...

    async def half_hours(self, meter: ListedMeter, first_day: int, last_day: int) -> HalfHours:
        """All half-hours of whole UTC days, both included, counted from 1970-01-01."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Flight:
    """A fetch of a meter's UTC days `first_day` to `last_day`, both included."""

    meter_id: int
    first_day: int
    last_day: int
    task: "asyncio.Task[None]"


class Flights:
    """Starts fetches, keeps what they bring, and lets others join them. `clock` gives UTC seconds."""

    def __init__(self, upstream: Upstream, memory: Memory, clock: Callable[[], float]) -> None:
        self._upstream = upstream
        self._memory = memory
        self._clock = clock
        self._calls = asyncio.Semaphore(AT_ONCE)
        self._flights: set[Flight] = set()
        self._failed: set[int] = set()
        self._listing: asyncio.Task[None] | None = None

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
        return self._listing

    async def fetch(self, meter: Meter, first_day: int, last_day: int) -> None:
        """Fetches UTC days and keeps them; a span that fails is halved, and what came of it is kept. UpstreamError."""
        self._memory.make_sure_of_room(first_day, last_day)
        try:
            async with self._calls:
                half_hours = await self._upstream.half_hours(meter.listed, first_day, last_day)
        except HALVED:
            if last_day - first_day + 1 < SHORTEST_HALVED_DAYS:
                raise
            middle = (first_day + last_day) // 2
            await self.fetch(meter, first_day, middle)
            await self.fetch(meter, middle + 1, last_day)
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
            listed = await self._upstream.meters()
        await self._memory.remember(listed, int(self._clock()))

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
        task.add_done_callback(_log_failure)
        return task


def _log_failure(task: "asyncio.Task[None]") -> None:
    """Says once what went wrong, whether or not somebody still waits for it."""
    if not task.cancelled() and (error := task.exception()):
        log.warning("A fetch failed, what is held stays: %s", error)
