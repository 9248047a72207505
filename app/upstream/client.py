"""The client: one shape of call, the token to one origin, every failure as an error of ours."""

import asyncio
import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from app.domain.errors import (
    QuotaExceeded,
    UpstreamFailing,
    UpstreamRefused,
    UpstreamSlow,
    UpstreamUnavailable,
    UpstreamUnreadable,
)
from app.domain.halfhours import HalfHours
from app.domain.meters import ListedMeter
from app.domain.spans import Span, day_of
from app.upstream import wire
from app.upstream.body import ACCEPT_ENCODING, bounded_body

METERS_PATH = "/meters/api/v1/meters/"
RECORDS_PATH = "/meters/api/v1/meter/"
LONGEST_SECONDS = 9
"""Digits of a Retry-After that are looked at: 30 years."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Seconds that a call may take to connect, between two pieces of its answer and in all, and its bytes."""

    connect: float = 5
    read: float = 30
    call: float = 90
    body_bytes: int = 64 * 1024 * 1024


class PowerShaper:
    """PowerShaper Monitor at `base_url`, every call within `bounds`.

    The token goes to that origin alone: no redirect is followed, no proxy is taken from the environment, and no
    address that an answer names is asked. `transport` is httpx's own way to be given another network.
    """

    def __init__(
        self,
        base_url: str,
        token: SecretStr,
        bounds: Bounds,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._bounds = bounds
        self._http = httpx.AsyncClient(
            transport=transport,
            timeout=httpx.Timeout(bounds.read, connect=bounds.connect, pool=None),
            follow_redirects=False,
            trust_env=False,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            event_hooks={"response": [_only_ok]},
        )

    async def meters_body(self) -> bytes:
        """The list of meters just as it comes, if it is JSON. UpstreamError."""
        return await self._json(METERS_PATH, {})

    async def records_body(self, meter: ListedMeter, asked: Mapping[str, str]) -> bytes:
        """The records of a meter just as they come, if they are JSON; `asked` are the API's own parameters.

        UpstreamError.
        """
        return await self._json(_records_path(meter), asked)

    async def meters(self) -> list[ListedMeter]:
        """All meters that the token can read, in PowerShaper's order. UpstreamError."""
        body = await self._get(METERS_PATH, {})
        return await asyncio.to_thread(wire.meters_of, body)

    async def half_hours(self, meter: ListedMeter, first_day: int, last_day: int) -> HalfHours:
        """All half-hours of the UTC days `first_day` to `last_day`, both included. UpstreamError.

        The days are counted from 1970-01-01. What was not reported is missing.
        """
        body = await self._records(meter, first_day, last_day)
        span = Span.of_utc_days(first_day, last_day)
        return await asyncio.to_thread(wire.half_hours_of, body, span, UTC)

    async def labels(self, meter: ListedMeter, day: int) -> list[datetime]:
        """The labels of one UTC day's half-hours just as they come, to see whether they are starts. UpstreamError."""
        body = await self._records(meter, day, day)
        return [label for label, _ in wire.readings_of(body, UTC)]

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def _records(self, meter: ListedMeter, first_day: int, last_day: int) -> bytes:
        days = {"start": day_of(first_day).isoformat(), "end": day_of(last_day).isoformat()}
        return await self._get(_records_path(meter), days | {"aggregate": "none", "tz": "UTC"})

    async def _json(self, path: str, params: Mapping[str, str]) -> bytes:
        body = await self._get(path, params)
        await asyncio.to_thread(wire.check_json, body)
        return body

    async def _get(self, path: str, params: Mapping[str, str]) -> bytes:
        async with _errors(), asyncio.timeout(self._bounds.call):
            headers = {
                "Authorization": f"Token {self._token.get_secret_value()}",
                "Accept": "application/json",
                "Accept-Encoding": ACCEPT_ENCODING,
            }
            url = self._base_url + path
            async with self._http.stream("GET", url, params=dict(params), headers=headers) as response:
                body = await bounded_body(response, self._bounds.body_bytes)
        return body.replace(self._token.get_secret_value().encode(), b"hidden")


def _records_path(meter: ListedMeter) -> str:
    return f"{RECORDS_PATH}{quote(meter.consent_uuid, safe='')}/{quote(meter.type, safe='')}"


@asynccontextmanager
async def _errors() -> AsyncIterator[None]:
    """What httpx and the clock raise, as errors of ours that name its kind.

    Their own texts stay behind: they may repeat what was sent or answered.
    """
    try:
        yield
    except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout):
        raise UpstreamSlow("PowerShaper took too long to answer.", remedy="Try again in a minute.") from None
    except (httpx.ReadError, httpx.RemoteProtocolError) as error:
        kind = type(error).__name__
        raise UpstreamFailing(f"PowerShaper broke off its answer ({kind}).", remedy="Try again in a minute.") from None
    except httpx.HTTPError as error:
        raise UpstreamUnavailable(
            f"PowerShaper can't be reached ({type(error).__name__}).",
            remedy="Check this machine's connection to the internet, then try again in a minute.",
        ) from None


async def _only_ok(response: httpx.Response) -> None:
    """Raises what a status other than 200 means, before httpx looks where a redirect would lead."""
    status = response.status_code
    if status == httpx.codes.OK:
        return
    if status in {401, 403}:
        raise UpstreamRefused(
            f"PowerShaper refused the token of this service (status {status}).",
            remedy="Whoever runs this service: check POWERSHAPER_TOKEN, or make a new token at PowerShaper.",
        )
    if status in {426, 429}:
        raise QuotaExceeded(
            "PowerShaper's quota of calls is used up.",
            remedy="Try again in a minute or two.",
            retry_after=_retry_after(response.headers.get("retry-after", ""), response.headers.get("date", "")),
        )
    if status >= 500:  # noqa: PLR2004 - the class of statuses that mean the server's own trouble
        raise UpstreamFailing(f"PowerShaper failed (status {status}).", remedy="Try again in a minute.")
    raise UpstreamUnreadable(
        f"PowerShaper answered with status {status}, which can't be read.",
        remedy="Try again later; if it stays, run `powershaper-sheets doctor`.",
    )


def _retry_after(text: str, date: str) -> int:
    """Whole seconds of a Retry-After header (RFC 9110, 10.2.3); 0 if it is garbage.

    A moment is taken relative to the answer's own Date: the two clocks need not agree.
    """
    if text.isascii() and text.isdigit():
        return int(text[:LONGEST_SECONDS])
    try:
        wait = parsedate_to_datetime(text) - parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError):
        return 0
    return max(0, math.ceil(wait.total_seconds()))
