"""A service on the demonstration upstream, both over real HTTP on loopback, for tests to talk to."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
from pydantic import SecretStr
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access import LOOK_AGAIN_SECONDS, access_key, new_key
from app.archive import open_archive
from app.cli.servers import served
from app.config import Settings
from app.demo import DEMO_TOKEN, DemoUpstream
from app.main import create_app

HOME_A = "5f1c9a52-3c1e-4d0b-9a77-0d2f6b1e8a41"
HOME_B = "b27d04e6-91f8-4c35-8e2a-6f4d9c0713ba"
A_ELECTRICITY, A_GAS, B_ELECTRICITY = "electricity-5f1c9a52", "gas", "electricity-b27d04e6"
UNHURRIED = {"calls_per_minute": 100_000, "calls_burst": 100_000, "retry_seconds": 0}
"""For tests that are not about the policy: their clocks stand still, and a budget would never fill again."""
AFTER_THE_DATA = datetime(2022, 12, 20, 12, tzinfo=UTC)


@dataclass
class SetClock:
    """UTC seconds that stand still until a test moves them."""

    now: float

    def __call__(self) -> float:
        return self.now


@dataclass
class Running:
    """A running service: its address, the upstream behind it, its clock and its settings."""

    address: str
    upstream: DemoUpstream
    clock: SetClock
    settings: Settings
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60, trust_env=False))

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.http.get(self.address + path, **options)

    def text(self, path: str) -> str:
        response = self.get(path)
        assert response.status_code == 200, response.text
        return response.text

    def rows(self, path: str) -> list[list[str]]:
        """The cells of a CSV without quotes, the header first."""
        return [line.split(",") for line in self.text(path).splitlines()]

    def make_key(self, scope: frozenset[tuple[str, str]] | None = None, expires_on: date | None = None) -> str:
        """A new key, known to the service when this returns."""
        key = new_key()
        archive = open_archive(self.settings.archive)
        archive.add_key(access_key(key, "a test", scope, expires_on, int(self.clock())))
        archive.close()
        time.sleep(2 * LOOK_AGAIN_SECONDS)
        return key

    @property
    def calls(self) -> list[str]:
        return self.upstream.calls


def settings_for(folder: Path, base_url: str, **more: Any) -> Settings:
    account: dict[str, Any] = {"token": SecretStr(DEMO_TOKEN), "archive_url": f"sqlite:///{folder}/archive.db"}
    return Settings(base_url=base_url, **(UNHURRIED | account | more))


@contextmanager
def running(
    folder: Path,
    *,
    now: datetime = AFTER_THE_DATA,
    clock: SetClock | None = None,
    upstream: DemoUpstream | None = None,
    more: dict[str, Any] | None = None,
    wrap: Callable[[ASGIApp], ASGIApp] = lambda app: app,
) -> Iterator[Running]:
    """A service whose clock stands at `now`, or is `clock`; `wrap` puts something between it and the upstream's app."""
    clock = clock or SetClock(now.timestamp())
    played = upstream or DemoUpstream(moved=False, clock=clock)
    with served(wrap(played.app)) as base_url:
        settings = settings_for(folder, base_url, **(more or {}))
        with served(create_app(settings, clock=clock)) as address:
            service = Running(address, played, clock, settings)
            with service.http:
                yield service


def failing_when(wrong: Callable[[dict[str, list[str]]], bool], status: int, app: ASGIApp) -> ASGIApp:
    """`app`, but a request whose parameters are `wrong` is answered with `status` and nothing else."""

    async def play(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and wrong(parse_qs(scope["query_string"].decode())):
            await Response(status_code=status)(scope, receive, send)
        else:
            await app(scope, receive, send)

    return play


def eventually(holds: Callable[[], bool], seconds: float = 20) -> None:
    """Waits until something holds, and fails if it never does."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.05)
