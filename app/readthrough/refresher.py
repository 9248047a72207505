"""The refresher: keeps the meters that people ask for up to date, gently, so that no request waits for it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from app.domain.errors import ArchiveError, SheetsError
from app.readthrough.flights import Upstream
from app.readthrough.memory import Memory
from app.readthrough.source import ReadThrough

log = logging.getLogger(__name__)


class Refresher:
    """Every `every` seconds looks at what is due of the meters that were asked for in the last `asked_within` seconds.

    It makes a call only while about half of a burst is left for those who wait. `clock` gives UTC seconds.
    """

    def __init__(
        self,
        source: ReadThrough,
        memory: Memory,
        upstream: Upstream,
        clock: Callable[[], float],
        *,
        every: float,
        asked_within: float,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._source = source
        self._memory = memory
        self._upstream = upstream
        self._clock = clock
        self._every = every
        self._asked_within = asked_within
        self._sleep = sleep
        self._asked_for: set[int] = set()

    async def run(self) -> None:
        """Goes round until it is cancelled; never, if `every` is 0. What fails is tried in the next round."""
        while self._every:
            await self._sleep(self._every)
            try:
                await self.go_round()
            except SheetsError as error:
                log.warning("What is due could not be looked at: %s", error)
            except Exception:  # a fault of ours in one round must not end all later ones
                log.exception("What is due could not be looked at.")

    async def go_round(self) -> None:
        """Looks once at everything that is due. SheetsError."""
        now = int(self._clock())
        self._asked_for |= self._source.asked_for()
        wanted = self._asked_for | await self._memory.asked_since(now - int(self._asked_within))
        with suppress(ArchiveError):  # then it is written in a later round
            await self._memory.asked(self._asked_for, now)
            self._asked_for = set()
        if not wanted or not await self._upstream.has_spare():
            return
        for meter in (await self._source.meters()).meters:
            if meter.id in wanted:
                try:
                    await self._source.refresh(meter, self._upstream.has_spare)
                except SheetsError as error:  # the meters behind it are not worse for it
                    log.warning("What is due of %s could not be looked at: %s", meter.name, error)
