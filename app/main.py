"""The root: builds every part from the settings and hands each what it needs."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from fastapi import FastAPI

from app.archive import open_archive
from app.config import Settings
from app.readthrough import Memory, ReadThrough
from app.upstream import PowerShaper
from app.web.exports import Exports
from app.web.routes import add_routes

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Service:
    """All the parts of a service but its web."""

    settings: Settings
    upstream: PowerShaper
    source: ReadThrough
    exports: Exports

    async def aclose(self) -> None:
        """Ends the fetches that go on behind, closes the archive and the connections."""
        await self.source.aclose()
        await self.upstream.aclose()


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
    memory = Memory(open_archive(settings.archive), most_bytes=settings.memory_mb * 1024 * 1024)
    source = ReadThrough(
        memory,
        upstream,
        clock,
        wait_seconds=settings.wait_seconds,
        call_days=settings.call_days,
        recheck_behind=recheck_behind,
    )
    return Service(settings, upstream, source, Exports(source, clock, settings.tz))


def create_app(
    settings: Settings, *, transport: httpx.AsyncBaseTransport | None = None, clock: Clock = time.time
) -> FastAPI:
    """The service as an ASGI app; parameters and errors as of `build`. Its archive is closed when it stops."""
    service = build(settings, transport=transport, clock=clock)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await service.aclose()

    app = FastAPI(
        title="powershaper-sheets",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    add_routes(app, service.exports, settings.public_urls)
    return app
