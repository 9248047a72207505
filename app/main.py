"""The root: builds every part from the settings and hands each what it needs."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from fastapi import FastAPI
from starlette.types import ASGIApp

from app.access import Access
from app.archive import Threads, open_archive
from app.config import Settings
from app.domain.freshness import HOUR, Freshness
from app.domain.spans import DAY_SECONDS
from app.readthrough import (
    ArchivedState,
    Flights,
    Keeping,
    Memory,
    Questions,
    ReadThrough,
    Refresher,
    Unreadable,
    Waits,
    Watch,
)
from app.upstream import Bounds, Limits, PolitePowerShaper, PowerShaper
from app.web.bodies import Bodies
from app.web.compat import Compat, add_compat_routes
from app.web.entrance import Entrance
from app.web.exports import Exports
from app.web.guard import Doors, host_names
from app.web.logs import AccessLog
from app.web.routes import add_routes

Clock = Callable[[], float]
MEGABYTE = 1024 * 1024
MINUTE = 60


@dataclass(frozen=True, slots=True)
class Service:
    """All the parts of a service but its web."""

    settings: Settings
    threads: Threads
    upstream: PowerShaper
    source: ReadThrough
    refresher: Refresher
    questions: Questions
    exports: Exports

    async def integrity(self) -> list[str]:
        """Faults of the archive; reads all of it."""
        return await asyncio.wrap_future(self.threads.read(lambda archive: archive.integrity()))

    async def aclose(self) -> None:
        """Ends the fetches that go on behind, closes the archive and the connections."""
        await self.source.aclose()
        await self.questions.aclose()
        await self.upstream.aclose()
        await asyncio.to_thread(self.threads.close)


def build(
    settings: Settings,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Clock = time.time,
    chance: Callable[[], float] = random.random,
    recheck_behind: bool = True,
    anew_if_damaged: bool = False,
) -> Service:
    """All the parts, the archive opened. SettingWrong if there is no token, ArchiveError.

    `clock` gives UTC seconds, `chance` a number from 0 to 1; `transport` is httpx's way to be given another network;
    `recheck_behind` as in ReadThrough, `anew_if_damaged` as in open_archive.
    """
    token = settings.required_token()
    upstream = PowerShaper(settings.base_url, token, _bounds(settings), transport=transport)
    threads = Threads(open_archive(settings.archive, anew_if_damaged=anew_if_damaged))
    limits = _limits(settings)
    polite = PolitePowerShaper(upstream, ArchivedState(threads, token, limits, clock), limits, clock, chance=chance)
    memory = Memory(threads, most_bytes=settings.memory_mb * MEGABYTE)
    unreadable = Unreadable(clock, settings.unreadable_seconds)
    flights = Flights(
        polite,
        memory,
        clock,
        unreadable,
        side_by_side=settings.calls_side_by_side,
        halved_days=settings.halved_days,
    )
    source = ReadThrough(
        memory,
        flights,
        clock,
        _freshness(settings),
        Waits(settings.wait_seconds, settings.patience_seconds),
        call_days=settings.call_days,
        recheck_behind=recheck_behind,
    )
    refresher = Refresher(
        source,
        memory,
        polite,
        clock,
        every=settings.refresh_minutes * MINUTE,
        asked_within=settings.refresh_asked_days * DAY_SECONDS,
    )
    questions = Questions(polite, clock, _keeping(settings), unreadable)
    watch = Watch(memory, source, polite, limits, clock)
    exports = Exports(source, watch, Bodies(settings.answers_mb * MEGABYTE), clock, settings.tz)
    return Service(settings, threads, upstream, source, refresher, questions, exports)


def _keeping(settings: Settings) -> Keeping:
    return Keeping(
        fresh=settings.api_minutes * MINUTE,
        stale=max(settings.api_stale_hours * HOUR, settings.api_minutes * MINUTE),
        most_bytes=settings.api_mb * MEGABYTE,
        most_questions=settings.api_questions,
    )


def _bounds(settings: Settings) -> Bounds:
    return Bounds(
        connect=settings.connect_seconds,
        read=settings.read_seconds,
        call=settings.call_seconds,
        body_bytes=settings.body_mb * MEGABYTE,
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        calls_per_minute=settings.calls_per_minute,
        burst=settings.calls_burst,
        pause=settings.pause_seconds,
        pause_jitter=settings.pause_jitter_seconds,
        longest_pause=settings.longest_pause_seconds,
        clean=settings.clean_seconds,
        failures_to_open=settings.breaker_failures,
        open=settings.breaker_seconds,
        longest_open=settings.longest_breaker_seconds,
        probe=settings.call_seconds,
        refused=settings.refused_seconds,
        retries=settings.retries,
        retry=settings.retry_seconds,
    )


def _freshness(settings: Settings) -> Freshness:
    return Freshness(
        young_days=settings.young_days,
        young=settings.young_minutes * MINUTE,
        week_days=settings.week_days,
        week=settings.week_hours * HOUR,
        week_gap=settings.week_gap_hours * HOUR,
        month=settings.month_hours * HOUR,
        old_looks=settings.old_looks,
        empty=settings.empty_hours * HOUR,
        meters=settings.meters_hours * HOUR,
        unknown_meter=settings.unknown_meter_seconds,
        jitter=settings.recheck_jitter_percent / 100,
    )


def create_app(
    settings: Settings,
    *,
    on_loopback: bool = True,
    transport: httpx.AsyncBaseTransport | None = None,
    clock: Clock = time.time,
) -> ASGIApp:
    """The service as an ASGI app; parameters and errors as of `build`. Its archive is closed when it stops.

    `on_loopback` tells whether it will listen where only this machine reaches it; elsewhere, or with a public
    address, every request needs a key.
    """
    service = build(settings, transport=transport, clock=clock, anew_if_damaged=True)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        refreshing = asyncio.create_task(service.refresher.run())
        yield
        refreshing.cancel()
        await asyncio.gather(refreshing, return_exceptions=True)
        await service.aclose()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    add_compat_routes(app, Compat(service.source, service.questions, service.exports.bodies))
    add_routes(app, service.exports, settings.public_urls)
    doors = Doors(
        host_names(settings.public_urls),
        only_loopback=on_loopback and not settings.public_urls,
        trusted_proxies=settings.trusted_networks,
    )
    return AccessLog(Entrance(app, Access(service.threads, clock, settings.tz), doors, clock))
