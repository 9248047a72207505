"""Questions in PowerShaper's own words, and its answers just as they came: kept for minutes, asked once for all."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cachetools import LRUCache, TTLCache

from app.domain.errors import QuotaExceeded, SheetsError, UpstreamError, UpstreamUnavailable
from app.domain.meters import ListedMeter
from app.readthrough.listing import Outcome
from app.readthrough.unreadable import Unreadable

log = logging.getLogger(__name__)
HOUR = 3600
MOST_ASKERS = 10_000
Asked = tuple[tuple[str, str], ...]


class Spoken(Protocol):
    """What is asked of PowerShaper; both methods may raise UpstreamError."""

    async def meters_body(self) -> bytes:
        """The list of meters as it comes."""
        ...

    async def records_body(self, meter: ListedMeter, asked: Mapping[str, str]) -> bytes:
        """The records of a meter as they come."""
        ...


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long answers count as fresh and how long they are kept for when PowerShaper fails, in seconds, and how many.

    `most_questions` are the different ones that an asker may put to PowerShaper in an hour.
    """

    fresh: float
    stale: float
    most_bytes: int
    most_questions: int


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, when PowerShaper gave it (UTC seconds), and where it came from now."""

    body: bytes
    at: float
    outcome: Outcome


class Questions:
    """PowerShaper's own answers. `clock` gives UTC seconds."""

    def __init__(self, upstream: Spoken, clock: Callable[[], float], keeping: Keeping, unreadable: Unreadable) -> None:
        self._upstream = upstream
        self._clock = clock
        self._unreadable = unreadable
        self._keeping = keeping
        self._said: TTLCache[Hashable, Said] = TTLCache(
            keeping.most_bytes, keeping.stale, timer=clock, getsizeof=lambda said: len(said.body)
        )
        self._asking: dict[Hashable, asyncio.Task[Said]] = {}
        self._asked: LRUCache[str, dict[Hashable, float]] = LRUCache(MOST_ASKERS)

    async def meters(self, asker: str, deadline: float) -> Said:
        """The list of meters. QuotaExceeded if `asker` has asked too much, UpstreamError if there is no answer."""
        return await self._answer(asker, "meters", deadline, self._upstream.meters_body)

    async def records(self, asker: str, meter: ListedMeter, asked: Asked, deadline: float) -> Said:
        """The records of a meter. Errors as of `meters`."""
        return await self._answer(
            asker, (meter.key, asked), deadline, lambda: self._upstream.records_body(meter, dict(asked))
        )

    async def aclose(self) -> None:
        """Ends the questions under way."""
        tasks = list(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(
        self, asker: str, question: Hashable, deadline: float, ask: Callable[[], Awaitable[bytes]]
    ) -> Said:
        held = self._said.get(question)
        if held is not None and 0 <= self._clock() - held.at < self._keeping.fresh:
            return held
        self._count(asker, question)
        task = self._asking.get(question)
        if task is None:
            task = asyncio.create_task(self._said_by(question, ask))
            self._asking[question] = task
            task.add_done_callback(lambda done: self._heard(question, done))
        try:
            return await self._waited(task, deadline)
        except UpstreamError:
            held = self._said.get(question)
            if held is None:
                raise
            return Said(held.body, held.at, Outcome.STALE)

    async def _said_by(self, question: Hashable, ask: Callable[[], Awaitable[bytes]]) -> Said:
        body = await self._unreadable.asked(question, ask)
        now = self._clock()
        if len(body) <= self._keeping.most_bytes:
            self._said[question] = Said(body, now, Outcome.HIT)
        return Said(body, now, Outcome.MISS)

    async def _waited(self, task: "asyncio.Task[Said]", deadline: float) -> Said:
        """What a question under way brings; whoever goes away or waits no longer doesn't end it for the others."""
        left = max(0.0, deadline - asyncio.get_running_loop().time())
        done, _ = await asyncio.wait([task], timeout=left)
        if not done:
            raise UpstreamUnavailable("PowerShaper has not answered in time.", remedy="Try again in a minute.")
        return task.result()

    def _heard(self, question: Hashable, task: "asyncio.Task[Said]") -> None:
        del self._asking[question]
        if not task.cancelled() and (error := task.exception()):
            what = error if isinstance(error, SheetsError) else type(error).__name__
            log.warning("A question in PowerShaper's own words failed: %s", what)

    def _count(self, asker: str, question: Hashable) -> None:
        """Counts a question that is put to PowerShaper. QuotaExceeded if it is one too many within the hour."""
        now = self._clock()
        asked = {known: at for known, at in self._asked.get(asker, {}).items() if 0 <= now - at < HOUR}
        self._asked[asker] = asked
        if question in asked:
            return
        if len(asked) >= self._keeping.most_questions:
            raise QuotaExceeded(
                f"This key has asked {self._keeping.most_questions} different questions within an hour.",
                remedy="Ask fewer, or the tables, which answer any number of them from what is held.",
                retry_after=max(1, round(min(asked.values()) + HOUR - now)),
            )
        asked[question] = now
