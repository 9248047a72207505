"""Memory in front of the archive: years of days and the list of meters, bounded in bytes, dropped when they change."""

import asyncio
import logging
from asyncio import Future, shield, wrap_future
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from datetime import date
from time import monotonic
from typing import Any, TypeVar

from cachetools import LRUCache

from app.archive import Archive, Threads
from app.domain.days import Days, joined_days
from app.domain.errors import ArchiveDamaged, ArchiveError
from app.domain.halfhours import HalfHours
from app.domain.meters import ListedMeter, Meter
from app.domain.spans import HALF_HOURS_A_DAY, day_number, day_of
from app.readthrough.unwritten import BYTES_A_HALF_HOUR, Unwritten, store_days

log = logging.getLogger(__name__)
LOOK_AGAIN_SECONDS = 0.5
"""How long what is remembered may differ from what another process has written."""
LONGEST_LOOK_SECONDS = 1.0
"""How long a look may wait behind a write that waits itself; then what is remembered stands a while longer."""
TRY_AGAIN_SECONDS = 2.0
"""How long after a failure to write the next try comes."""
BYTES_A_DAY = HALF_HOURS_A_DAY * BYTES_A_HALF_HOUR + 24

T = TypeVar("T")


class Memory:
    """The archive as the event loop sees it: what was read of it is remembered, and what it can't take now is kept.

    `most_bytes` bounds what is remembered of days; a year of a meter is about 340 kB. What was fetched and can't be
    written is answered like what is held, and written as soon as the archive takes it (see Unwritten for its bound).
    """

    def __init__(self, threads: Threads, *, most_bytes: int) -> None:
        self._threads = threads
        self._years: LRUCache[tuple[int, int], Days] = LRUCache(most_bytes, getsizeof=_bytes)
        self._meters: tuple[tuple[int, int] | None, list[Meter]] | None = None
        self._unwritten = Unwritten()
        self._writing = asyncio.Lock()
        self._failure: str | None = None
        self._trying: asyncio.Task[None] | None = None
        self._generation = 0
        self._reads: dict[Hashable, Future[Any]] = {}
        self._version: int | None = None
        self._looked_at = -LOOK_AGAIN_SECONDS
        self._looking: Future[int] | None = None

    @property
    def trouble(self) -> str | None:
        """Why the archive can't be written, as far as the last try tells; None if all is written that was fetched."""
        return self._failure if self._unwritten else self._threads.trouble

    async def meters(self) -> tuple[tuple[int, int] | None, list[Meter]]:
        """When the list of meters was last fetched and last changed (UTC seconds, None: never), and all meters."""
        await self._look()
        if self._meters is not None:
            return self._meters
        generation = self._generation
        read = await self._read("meters", lambda archive: (archive.listed(), archive.meters()))
        if generation != self._generation:
            return await self.meters()  # something was written or fetched meanwhile
        if self._unwritten:
            read = self._unwritten.meters(*read)
        self._meters = read
        return read

    async def remember(self, listed: Sequence[ListedMeter], now: int) -> None:
        """Keeps a list of meters, in the archive if that takes it."""
        async with self._writing:
            try:
                await wrap_future(self._threads.write(lambda archive: archive.remember(listed, now)))
                self._unwritten.drop_list()
            except ArchiveDamaged:
                raise
            except ArchiveError as error:
                self._unwritten.add_list(listed, now)
                self._keep_trying(str(error))
            self._forget_meters()

    async def days(self, meter: Meter, first_day: int, last_day: int) -> Days:
        """The UTC days `first_day` to `last_day` of a meter, both included; at least one."""
        await self._look()
        years = range(day_of(first_day).year, day_of(last_day).year + 1)
        pieces = [await self._year(meter, year) for year in years]
        return joined_days(pieces).between(first_day, last_day)

    def make_sure_of_room(self, first_day: int, last_day: int) -> None:
        """ArchiveError if days can't be kept once they are fetched: then they need not be asked for."""
        if self._unwritten and not self._unwritten.has_room_for((last_day - first_day + 1) * HALF_HOURS_A_DAY):
            raise ArchiveError(
                f"The archive can't be written, and too much waits for it already. {self.trouble or ''}".rstrip(),
                remedy="Whoever runs this service: make space, or see that its folder can be written.",
            )

    async def store(self, meter: Meter, fetched: HalfHours, now: int) -> None:
        """Lays whole UTC days over what is held, in the archive if that takes it, and then here."""
        async with self._writing:
            ids = {meter.id}
            try:
                await self._write_what_waits()  # in the order in which it came
                key = meter.listed.key
                ids.add(await wrap_future(self._threads.write(lambda archive: store_days(archive, key, fetched, now))))
            except ArchiveDamaged:
                raise
            except ArchiveError as error:
                self.make_sure_of_room(fetched.span.first_day, fetched.span.last_day)
                self._unwritten.add(meter, fetched, now)
                self._keep_trying(str(error))
            self._forget_meters()
            span = fetched.span
            for year in range(day_of(span.first_day).year, day_of(span.last_day).year + 1):
                for meter_id in ids:
                    self._years.pop((meter_id, year), None)

    async def write_what_waits(self) -> None:
        """Writes what was fetched and could not be written then. ArchiveError; what isn't written waits on."""
        async with self._writing:
            await self._write_what_waits()

    async def try_to_read(self) -> None:
        """ArchiveError if the archive can't be read or is damaged, whatever is remembered of it."""
        await self._read("try", lambda archive: archive.try_to_read())

    async def sizes(self) -> tuple[Mapping[int, int], int]:
        """How many half-hours are held that have a value, by meter id, and the archive's size in bytes."""
        return await self._read("sizes", lambda archive: (archive.held(), archive.size_bytes()))

    async def asked(self, meter_ids: Collection[int], now: int) -> None:
        """Keeps that meters were asked for at `now` (UTC seconds)."""
        await wrap_future(self._threads.write(lambda archive: archive.asked(meter_ids, now)))

    async def asked_since(self, since: int) -> set[int]:
        """The ids of the meters that were asked for at or after `since` (UTC seconds)."""
        return await wrap_future(self._threads.read(lambda archive: archive.asked_since(since)))

    async def aclose(self) -> None:
        """Tries a last time to write what waits."""
        if self._trying is not None:
            self._trying.cancel()
            await asyncio.gather(self._trying, return_exceptions=True)
        try:
            await self.write_what_waits()
        except ArchiveError as error:
            log.warning("What was fetched last could not be written, and is to be fetched again. %s", error)

    async def _write_what_waits(self) -> None:
        while (following := self._unwritten.next_write()) is not None:
            write, is_written = following
            await wrap_future(self._threads.write(write))
            is_written()
            self._forget_meters()

    def _keep_trying(self, failure: str) -> None:
        self._failure = failure
        if self._trying is None or self._trying.done():
            log.warning("The archive can't be written; what is fetched waits in memory. %s", failure)
            self._trying = asyncio.create_task(self._try_until_written())

    async def _try_until_written(self) -> None:
        while True:
            await asyncio.sleep(TRY_AGAIN_SECONDS)
            try:
                await self.write_what_waits()
                await wrap_future(self._threads.write(lambda archive: archive.try_to_write()))
            except ArchiveError as error:
                self._failure = str(error)
                continue
            if not self._unwritten:
                log.warning("The archive can be written again; what waited is written.")
                return

    async def _year(self, meter: Meter, year: int) -> Days:
        key = (meter.id, year)
        if key in self._years:
            return self._years[key]
        first, last = day_number(date(year, 1, 1)), day_number(date(year, 12, 31))
        generation = self._generation
        lay_over = self._unwritten.over(meter)
        days = lay_over(await self._read(key, lambda archive: archive.days(meter.id, first, last)))
        if generation == self._generation and _bytes(days) <= self._years.maxsize:
            self._years[key] = days
        return days

    async def _read(self, what: Hashable, read: Callable[[Archive], T]) -> T:
        """What `read` gives of the archive. A crowd that asks for the same thing at once shares one reading of it.

        A reading that began before something was written isn't shared with who asks after that.
        """
        key = (self._generation, what)
        if key not in self._reads:
            self._reads[key] = wrap_future(self._threads.read(read))
            self._reads[key].add_done_callback(lambda _: self._reads.pop(key))
        shared: Future[T] = self._reads[key]
        return await shield(shared)

    async def _look(self) -> None:
        """Forgets everything when another process has written. Asked on the thread whose own writes don't count."""
        is_looking = self._looking is not None and not self._looking.done()
        if is_looking or monotonic() - self._looked_at < LOOK_AGAIN_SECONDS:
            return
        self._looked_at = monotonic()
        is_first = self._version is None
        self._looking = wrap_future(self._threads.look(lambda archive: archive.version()))
        self._looking.add_done_callback(self._looked)
        await asyncio.wait([self._looking], timeout=LONGEST_LOOK_SECONDS)
        if is_first:
            self._threads.write(lambda archive: archive.try_to_write())
        elif (trouble := self._threads.trouble) is not None:
            self._keep_trying(trouble)

    def _looked(self, looking: "asyncio.Future[int]") -> None:
        if looking.cancelled() or looking.exception() or looking.result() == self._version:
            return
        self._version = looking.result()
        self._years.clear()
        self._forget_meters()

    def _forget_meters(self) -> None:
        self._meters = None
        self._generation += 1


def _bytes(days: Days) -> int:
    return len(days) * BYTES_A_DAY
