"""Secrets that look like nothing else, an upstream that repeats the one that it is sent, and a search for both."""

import base64
import gzip
import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import SecretStr
from service import AFTER_THE_DATA, UNHURRIED, Running, SetClock
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.cli.servers import served
from app.config import Settings
from app.demo import DEMO_TOKEN, DemoUpstream
from app.main import create_app

TOKEN = "Xq7ZvK2wJ9pRfT4mYb8LcN6hDs3GgQ5kVx1WzP0t"
WINDOW = 10
"""So many letters of a secret in a row are a leak."""

FORMATS = ("csv", "json", "html", "xlsx", "pdf")
TARGETS = (
    "/",
    "/healthz",
    "/readyz",
    "/docs",
    "/openapi.json",
    "/metrics",
    "/nothing",
    *(f"/meters.{extension}" for extension in FORMATS),
    *(f"/usage.{extension}?period=2021-06-01&meter=gas" for extension in FORMATS),
    *(f"/usage.{extension}?period=nonsense" for extension in FORMATS),
    *(f"/usage.{extension}?period=nonsense&errors=cell" for extension in FORMATS),
)
AS_PARAMETERS = (
    "/usage.csv?meter={0}",
    "/usage.html?period={0}",
    "/usage.json?start={0}",
    "/usage.csv?columns={0}",
    "/meters.html?columns=meter,{0}",
    "/usage.html?tz={0}",
    "/usage.csv?aggregate={0}",
    "/usage.csv?layout=grid&value={0}",
    "/usage.csv?errors={0}",
    "/usage.csv?meter=gas&period=2021-06-01&{0}=1",
    "/usage.xlsx?meter=gas&period=2021-06-01&nocache={0}",
    "/usage.csv?keys={0}",
    "/usage.csv?key=wrong&key={0}",
    "/{0}.csv",
    "/usage.{0}",
    "/{0}",
)


def leaks(data: bytes, *secrets: str) -> list[str]:
    """The pieces of secrets that stand in `data`, in its parts if it is a workbook or gzipped, as Base64 too."""
    found = []
    for part in parts_of(data):
        for form in (form for secret in secrets for form in (secret, *in_base64(secret))):
            windows = {form[at : at + WINDOW] for at in range(len(form) - WINDOW + 1)}
            found += [window for window in windows if window.encode() in part]
    return found


def in_base64(secret: str) -> Iterator[str]:
    """What a text looks like inside Base64, wherever in its three places it begins."""
    for before in (b"", b" ", b"  "):
        yield base64.b64encode(before + secret.encode()).decode()[4:-4]


def parts_of(data: bytes) -> Iterator[bytes]:
    """`data`, and what is packed in it."""
    yield data
    if data.startswith(b"\x1f\x8b"):
        yield from parts_of(gzip.decompress(data))
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            for name in packed.namelist():
                yield name.encode()
                yield from parts_of(packed.read(name))


def all_files(folder: Path) -> bytes:
    """Names and bytes of all files of a folder, one after another."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return b"\n".join(part for path in files for part in (str(path).encode(), path.read_bytes()))


Fault = Callable[[str], Response]
"""What an upstream answers to an Authorization header."""
READABLE: dict[str, Fault] = {
    "a list of meters": lambda sent: Response(
        orjson.dumps(
            [
                {
                    "consent_uuid": "5f1c9a52-3c1e-4d0b-9a77-0d2f6b1e8a41",
                    "type": "gas",
                    "status": sent,
                    "range": {"earliest": "2021-01-01T00:00:00Z", "latest": "2021-12-31T23:30:00Z"},
                    "request": {"headers": [sent], sent.split()[1]: 1},
                }
            ]
        )
    )
}
FAULTS: dict[str, Fault] = {
    "401": lambda sent: Response(sent, 401, {"WWW-Authenticate": sent}),
    "403": lambda sent: Response(orjson.dumps({"detail": sent}), 403, media_type="application/json"),
    "404": lambda sent: Response(sent, 404, {"X-Echo": sent}),
    "426": lambda sent: Response(sent, 426, {"Retry-After": sent}),
    "429": lambda sent: Response(sent, 429, {"Retry-After": sent}),
    "500": lambda sent: Response(f"<pre>Traceback: {sent}</pre>", 500),
    "503": lambda sent: Response(sent, 503, {"Server": sent, "Set-Cookie": f"session={sent}"}),
    "301": lambda sent: Response(sent, 301, {"Location": f"/{sent.split()[1]}?token={sent.split()[1]}"}),
    "302 elsewhere": lambda sent: Response(sent, 302, {"Location": f"http://[{sent.split()[1]}/"}),
    "204": lambda sent: Response(None, 204, {"X-Echo": sent}),
    "a text": Response,
    "a JSON text": lambda sent: Response(orjson.dumps(sent)),
    "an object": lambda sent: Response(orjson.dumps({"headers": {"authorization": sent}})),
    "a list of texts": lambda sent: Response(orjson.dumps([sent])),
    "times that are none": lambda sent: Response(orjson.dumps([{"time": sent, "energy_kwh": sent, "type": sent}])),
    "JSON cut off": lambda sent: Response(f'[{{"consent_uuid": "{sent}"'),
    "no encoding": lambda sent: Response(sent, headers={"Content-Encoding": sent.split()[1]}),
    "broken gzip": lambda sent: Response(sent, headers={"Content-Encoding": "gzip"}),
}


@dataclass
class Echoing:
    """The demonstration upstream for an account of TOKEN; with a fault named it answers with that instead."""

    app: ASGIApp
    fault: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        sent = dict(scope["headers"])[b"authorization"].decode()
        assert sent == f"Token {TOKEN}"
        if self.fault is not None:
            await (FAULTS | READABLE)[self.fault](sent)(scope, receive, send)
            return
        others = [(name, value) for name, value in scope["headers"] if name != b"authorization"]
        headers = [*others, (b"authorization", f"Token {DEMO_TOKEN}".encode())]
        await self.app({**scope, "headers": headers}, receive, send)


@contextmanager
def echoing() -> Iterator[tuple[Echoing, str]]:
    """A running upstream that may echo, and its address."""
    upstream = Echoing(DemoUpstream(moved=False, clock=SetClock(AFTER_THE_DATA.timestamp())).app)
    with served(upstream) as address:
        yield upstream, address


def settings_with_canary(folder: Path, base_url: str, public_url: str = "") -> Settings:
    """The settings of an account of TOKEN."""
    account: dict[str, Any] = {"token": SecretStr(TOKEN), "archive_url": f"sqlite:///{folder}/archive.db"}
    return Settings(base_url=base_url, wait_seconds=5, public_url=public_url, **(UNHURRIED | account))


@contextmanager
def service_with_canary(folder: Path, base_url: str, public_url: str = "") -> Iterator[Running]:
    """A service on an account of TOKEN."""
    clock = SetClock(AFTER_THE_DATA.timestamp())
    settings = settings_with_canary(folder, base_url, public_url)
    with served(create_app(settings, clock=clock)) as address:
        service = Running(address, DemoUpstream(moved=False), clock, settings)
        with service.http:
            yield service


def headers_of(pairs: Iterable[tuple[str, str]]) -> bytes:
    """All headers as one text."""
    return "\n".join(f"{name}: {value}" for name, value in pairs).encode()
