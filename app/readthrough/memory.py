"""Memory in front of the archive: years of days and the list of meters, bounded in bytes, dropped when they change."""

from asyncio import wrap_future
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from time import monotonic

from cachetools import LRUCache

from app.archive import Archive, Threads
from app.domain.days import Days, joined_days
from app.domain.errors import ArchiveError
from app.domain.halfhours import HalfHours
from app.domain.meters import ListedMeter, Meter
from app.domain.spans import day_number, day_of

LOOK_AGAIN_SECONDS = 0.5
"""How long what is remembered may differ from what another process has written."""
BYTES_A_HALF_HOUR = 19
BYTES_A_DAY = 48 * BYTES_A_HALF_HOUR + 24


class Memory:
    """The archive as the event loop sees it: what was read of it is remembered.

    `most_bytes` bounds what is remembered of days; a year of a meter is about 340 kB.
    """

    def __init__(self, threads: Threads, *, most_bytes: int) -> None:
        self._threads = threads
        self._years: LRUCache[tuple[int, int], Days] = LRUCache(most_bytes, getsizeof=_bytes)
        self._meters: tuple[tuple[int, int] | None, list[Meter]] | None = None
        self._generation = 0
        self._version: int | None = None
        self._looked_at = -LOOK_AGAIN_SECONDS
        self._trouble: str | None = None

    @property
    def trouble(self) -> str | None:
        """Why the archive could not be written the last time; None if it could."""
        return self._trouble

    async def meters(self) -> tuple[tuple[int, int] | None, list[Meter]]:
        """When the list of meters was last fetched and last changed (UTC seconds, None: never), and all meters."""
        await self._look()
        if self._meters is not None:
            return self._meters
        generation = self._generation
        read = await wrap_future(self._threads.read(lambda archive: (archive.listed(), archive.meters())))
        if generation == self._generation:
            self._meters = read
        return read

    async def remember(self, listed: Sequence[ListedMeter], now: int) -> None:
        """Keeps a list of meters in the archive."""
        await self._write(lambda archive: archive.remember(listed, now))
        self._forget_meters()

    async def days(self, meter: Meter, first_day: int, last_day: int) -> Days:
        """The UTC days `first_day` to `last_day` of a meter, both included; at least one."""
        await self._look()
        years = range(day_of(first_day).year, day_of(last_day).year + 1)
        pieces = [await self._year(meter, year) for year in years]
        return joined_days(pieces).between(first_day, last_day)

    async def store(self, meter: Meter, fetched: HalfHours, now: int) -> None:
        """Lays whole UTC days over what is held, in the archive and then here."""
        await self._write(lambda archive: archive.store(meter.id, fetched, now))
        self._forget_meters()
        span = fetched.span
        for year in range(day_of(span.first_day).year, day_of(span.last_day).year + 1):
            self._years.pop((meter.id, year), None)

    async def sizes(self) -> tuple[Mapping[int, int], int]:
        """How many half-hours are held that have a value, by meter id, and the archive's size in bytes."""
        return await wrap_future(self._threads.read(lambda archive: (archive.held(), archive.size_bytes())))

    async def asked(self, meter_ids: Collection[int], now: int) -> None:
        """Keeps that meters were asked for at `now` (UTC seconds)."""
        await self._write(lambda archive: archive.asked(meter_ids, now))

    async def asked_since(self, since: int) -> set[int]:
        """The ids of the meters that were asked for at or after `since` (UTC seconds)."""
        return await wrap_future(self._threads.read(lambda archive: archive.asked_since(since)))

    async def _write(self, work: Callable[[Archive], object]) -> None:
        try:
            await wrap_future(self._threads.write(work))
        except ArchiveError as error:
            self._trouble = str(error)
            raise
        self._trouble = None

    async def _year(self, meter: Meter, year: int) -> Days:
        key = (meter.id, year)
        if key in self._years:
            return self._years[key]
        first, last = day_number(date(year, 1, 1)), day_number(date(year, 12, 31))
        generation = self._generation
        days = await wrap_future(self._threads.read(lambda archive: archive.days(meter.id, first, last)))
        if generation == self._generation and _bytes(days) <= self._years.maxsize:
            self._years[key] = days
        return days

    async def _look(self) -> None:
        """Forgets everything when another process has written. Asked on the thread whose own writes don't count."""
        if monotonic() - self._looked_at < LOOK_AGAIN_SECONDS:
            return
        self._looked_at = monotonic()
        version = await wrap_future(self._threads.write(lambda archive: archive.version()))
        if version != self._version:
            self._version = version
            self._years.clear()
            self._forget_meters()

    def _forget_meters(self) -> None:
        self._meters = None
        self._generation += 1


def _bytes(days: Days) -> int:
    return len(days) * BYTES_A_DAY
