"""A service whose PowerShaper fails when a test says so: a raw server spoils the demonstration's good pages."""

import asyncio
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from service import Running, SetClock, settings_for
from upstream.raw_server import RawServer, Script, answer, sends, serving

from app.cli.servers import served
from app.demo import DemoUpstream
from app.main import create_app

JUNE = datetime(2021, 6, 15, 12, tzinfo=UTC)
GAS, ELECTRICITY = "gas", "electricity-5f1c9a52"
HELD = "/usage.csv?meter=gas&meter=electricity-5f1c9a52&start=2021-06-10&end=2021-06-16&tz=UTC"
"""Days that a warm archive holds at noon of 15 June; a day later one of them is missing and the others are due."""
COLD = "/usage.csv?meter=gas&start=2021-03-01&end=2021-03-05&tz=UTC"
"""Of one meter: when an error is answered, nothing is under way any more."""
NAMELESS = ".".join(["unknown"] * 40)
"""Longer than a name can be: resolving it fails at once, and no resolver is asked."""

ALL_ROWS = (
    "SELECT * FROM meters ORDER BY id",
    "SELECT * FROM days ORDER BY meter_id, day",
    "SELECT * FROM revisions ORDER BY meter_id, time_utc, seen_at",
)
Spoils = Callable[[bytes], Script]
"""What the server does in place of sending a good page, whose body it is given."""
Hits = Callable[[str], bool]
"""Whether a fault is met at a path."""


def everywhere(_path: str) -> bool:
    """All calls."""
    return True


def records(path: str) -> bool:
    """The calls for half-hours."""
    return "start=" in path


def listing(path: str) -> bool:
    """The calls for the list of meters."""
    return not records(path)


class Wire(httpx.AsyncBaseTransport):
    """The real network, which can lead the service's calls astray; `calls` are the paths of all calls tried."""

    def __init__(self) -> None:
        self._network = httpx.AsyncHTTPTransport()
        self.astray: dict[str, Any] = {}
        self.calls: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Passes a call on, perhaps to another host or port."""
        self.calls.append(request.url.raw_path.decode())
        request.url = request.url.copy_with(**self.astray)
        return await self._network.handle_async_request(request)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._network.aclose()


@dataclass
class FaultyUpstream:
    """PowerShaper as it is today: `spoils` is None while it is well; `hits` says which calls meet the fault."""

    demo: DemoUpstream
    wire: Wire = field(default_factory=Wire)
    spoils: Spoils | None = None
    hits: Hits = everywhere
    server: RawServer = field(default_factory=lambda: RawServer(""))

    @property
    def calls(self) -> list[str]:
        return self.wire.calls

    def heal(self) -> None:
        """All is well again."""
        self.spoils, self.hits, self.wire.astray = None, everywhere, {}

    async def play(self, writer: asyncio.StreamWriter) -> None:
        """Answers the request that was just read."""
        path = self.server.request_lines[-1].split(" ")[1]
        headers = dict(self.server.headers(-1))
        network = httpx.ASGITransport(app=self.demo.app)
        async with httpx.AsyncClient(transport=network, base_url="http://127.0.0.1") as demo:
            good = await demo.get(path, headers={"Authorization": headers["authorization"]})
        if self.spoils is not None and self.hits(path):
            await self.spoils(good.content)(writer)
        else:
            await sends(answer(good.content, f"{good.status_code} {good.reason_phrase}"))(writer)

    async def listen(self, started: "Future[Callable[[], object]]") -> None:
        """Plays until what it gives to `started` is called."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with serving(self.play) as self.server:
            started.set_result(lambda: loop.call_soon_threadsafe(stop.set))
            await stop.wait()


@contextmanager
def faulty_upstream(clock: Callable[[], float]) -> Iterator[FaultyUpstream]:
    """The server in a thread of its own; the demonstration's data reaches the day before `clock`'s."""
    upstream = FaultyUpstream(DemoUpstream(moved=False, clock=clock))
    started: Future[Callable[[], object]] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(upstream.listen(started)), name="upstream", daemon=True)
    thread.start()
    stop = started.result(timeout=30)
    try:
        yield upstream
    finally:
        stop()
        thread.join()


@dataclass
class Faulty(Running):
    """A running service on a PowerShaper that can fail."""

    faulty: FaultyUpstream = field(kw_only=True)

    @property
    def calls(self) -> list[str]:
        return self.faulty.calls


@contextmanager
def faulty_service(
    folder: Path,
    *,
    clock: SetClock | None = None,
    upstream_clock: SetClock | None = None,
    more: dict[str, Any] | None = None,
) -> Iterator[Faulty]:
    """A service on `folder`'s archive; PowerShaper has a right clock of its own, which stands at noon of 15 June."""
    clock = clock or SetClock(JUNE.timestamp())
    with faulty_upstream(upstream_clock or SetClock(JUNE.timestamp())) as upstream:
        settings = settings_for(folder, upstream.server.address, **(more or {}))
        with served(create_app(settings, clock=clock, transport=upstream.wire)) as address:
            service = Faulty(address, upstream.demo, clock, settings, faulty=upstream)
            with service.http:
                yield service


@contextmanager
def nobody_listens() -> Iterator[int]:
    """A port that is taken, and where every connection is refused."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def dump(folder: Path) -> list[list[Any]]:
    """All meters, days and revisions of an archive, in order."""
    db = sqlite3.connect(folder / "archive.db")
    try:
        return [db.execute(query).fetchall() for query in ALL_ROWS]
    finally:
        db.close()
