"""Asks a server on loopback through the real client."""

import asyncio
from datetime import date

import pytest
from pydantic import SecretStr
from upstream.raw_server import RawServer, Script, serving

from app.domain.errors import UpstreamError
from app.domain.halfhours import HalfHours
from app.domain.meters import ListedMeter
from app.domain.spans import day_number
from app.upstream import Bounds, PowerShaper

TOKEN = "s3cr3t" * 6 + "abcd"
CONSENT = "5f1c9a52-3c1e-4d0b-9a77-0d2f6b1e8a41"
METER = ListedMeter(CONSENT, "electricity", "active", None)
FIRST_DAY, LAST_DAY = day_number(date(2021, 6, 1)), day_number(date(2021, 6, 3))
ONE_ROW = b'[{"time": "2021-06-02T00:00:00Z", "energy_kwh": 0.25, "carbon_kg": 0.05, "error_count": 0}]'
FOREVER = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


def client(address: str, *, seconds: float = 20) -> PowerShaper:
    return PowerShaper(address, SecretStr(TOKEN), Bounds(call=seconds))


async def half_hours_from(address: str, meter: ListedMeter = METER, *, seconds: float = 20) -> HalfHours:
    powershaper = client(address, seconds=seconds)
    try:
        return await powershaper.half_hours(meter, FIRST_DAY, LAST_DAY)
    finally:
        await powershaper.aclose()


def asked(script: Script, meter: ListedMeter = METER) -> tuple[HalfHours, RawServer]:
    """What the client makes of a server's answer, and the server."""

    async def scenario() -> tuple[HalfHours, RawServer]:
        async with serving(script) as server:
            return await half_hours_from(server.address, meter), server

    return asyncio.run(scenario())


def failure(script: Script, *, seconds: float = 20) -> UpstreamError:
    """The error that a server's answer becomes."""

    async def scenario() -> UpstreamError:
        async with serving(script) as server:
            with pytest.raises(UpstreamError) as caught:
                await half_hours_from(server.address, seconds=seconds)
            assert len(server.requests) == 1
            return caught.value

    error = asyncio.run(scenario())
    assert error.remedy
    return error
