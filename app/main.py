"""The root: builds every part from the settings and hands each what it needs."""

import asyncio
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
from app.domain.errors import SheetsError
from app.domain.keys import AccessKey
from app.readthrough import ArchivedState, Keeping, Memory, Questions, ReadThrough
from app.upstream import Limits, PolitePowerShaper, PowerShaper
from app.web.bodies import Bodies
from app.web.compat import Compat, add_compat_routes
from app.web.entrance import Entrance
from app.web.exports import Exports
from app.web.guard import Doors, host_names
from app.web.logs import AccessLog
from app.web.routes import add_routes

Clock = Callable[[], float]
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Service:
    """All the parts of a service but its web."""

    settings: Settings
    threads: Threads
    upstream: PowerShaper
    source: ReadThrough
    questions: Questions
    exports: Exports

    async def keys(self) -> list[AccessKey]:
        """All access keys that were ever made."""
        return await asyncio.wrap_future(self.threads.read(lambda archive: archive.keys()))

    async def is_ready(self) -> bool:
        """Whether the archive can be read."""
        try:
            await asyncio.wrap_future(self.threads.read(lambda archive: archive.listed()))
        except SheetsError:
            return False
        return True

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
    recheck_behind: bool = True,
) -> Service:
    """All the parts, the archive opened. SettingWrong if there is no token, ArchiveError.

    `clock` gives UTC seconds; `transport` is httpx's way to be given another network; `recheck_behind` as in
    ReadThrough.
    """
    token = settings.required_token()
    upstream = PowerShaper(settings.base_url, token, call_seconds=settings.call_seconds, transport=transport)
    threads = Threads(open_archive(settings.archive))
    limits = _limits(settings)
    polite = PolitePowerShaper(upstream, ArchivedState(threads, token, limits, clock), limits, clock)
    source = ReadThrough(
        Memory(threads, most_bytes=settings.memory_mb * MEGABYTE),
        polite,
        clock,
        wait_seconds=settings.wait_seconds,
        call_days=settings.call_days,
        recheck_behind=recheck_behind,
    )
    questions = Questions(polite, clock, _keeping(settings))
    exports = Exports(source, Bodies(settings.answers_mb * MEGABYTE), clock, settings.tz)
    return Service(settings, threads, upstream, source, questions, exports)


def _keeping(settings: Settings) -> Keeping:
    return Keeping(
        fresh=settings.api_minutes * 60,
        stale=max(settings.api_stale_hours * 3600, settings.api_minutes * 60),
        most_bytes=settings.api_mb * MEGABYTE,
        most_questions=settings.api_questions,
    )


def _limits(settings: Settings) -> Limits:
    return Limits(
        calls_per_minute=settings.calls_per_minute,
        burst=settings.calls_burst,
        pause=settings.pause_seconds,
        longest_pause=settings.longest_pause_seconds,
        failures_to_open=settings.breaker_failures,
        open=settings.breaker_seconds,
        longest_open=settings.longest_breaker_seconds,
        probe=settings.call_seconds,
        refused=settings.refused_seconds,
        retries=settings.retries,
        retry=settings.retry_seconds,
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
    service = build(settings, transport=transport, clock=clock)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await service.aclose()

    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    add_compat_routes(app, Compat(service.source, service.questions, service.exports.bodies))
    add_routes(app, service.exports, settings.public_urls, service.is_ready)
    doors = Doors(
        host_names(settings.public_urls),
        only_loopback=on_loopback and not settings.public_urls,
        trusted_proxies=settings.trusted_networks,
    )
    return AccessLog(Entrance(app, Access(service.threads, clock, settings.tz), doors, clock))
