"""PowerShaper's API as far as it is known, as an ASGI app that can play each variant of what isn't known."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.demo.homes import KG_A_KWH, DemoMeter, Missing, demo_meters

DEMO_TOKEN = "demo" * 10
BASE = "/meters/api/v1"
DEFAULT_ZONE = ZoneInfo("Europe/London")
AGGREGATES = {"none", "hour", "day", "month", "profile"}
Bucket = tuple[Any, ...]


class Numbers(StrEnum):
    """How a number is written."""

    NUMBER = "number"
    TEXT = "text"


class Times(StrEnum):
    """How a moment is written; `offset` is `+00:00` in UTC."""

    Z = "Z"
    OFFSET = "offset"
    NONE = "none"


class _Refused(Exception):
    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


@dataclass
class DemoUpstream:
    """The demonstration upstream; `app` is the ASGI app, `calls` the path and query of every call so far.

    `clock` gives UTC seconds: data is moved so as to reach the day before the first one, and days after yesterday
    are not there yet. With `moved` False it stays where it was measured. `delay` is the seconds that an answer takes.
    """

    missing: Missing = Missing.FLAGGED
    numbers: Numbers = Numbers.NUMBER
    times: Times = Times.Z
    moved: bool = True
    clock: Callable[[], float] = time.time
    delay: float = 0
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.meters = demo_meters(self._yesterday() if self.moved else None)
        self.app = Starlette(
            routes=[
                Route(f"{BASE}/meters/", self._list),
                Route(f"{BASE}/meter/{{consent}}/{{kind}}", self._records),
            ]
        )

    def _yesterday(self) -> date:
        return datetime.fromtimestamp(self.clock(), tz=UTC).date() - timedelta(days=1)

    async def _list(self, request: Request) -> Response:
        return await self._answered(request, self._listed)

    async def _records(self, request: Request) -> Response:
        return await self._answered(request, lambda: self._asked_for(request))

    async def _answered(self, request: Request, answer: Callable[[], Any]) -> Response:
        """Counts the call, checks the token, and answers `answer()` as JSON, or what it refuses."""
        self.calls.append(request.url.path + (f"?{request.url.query}" if request.url.query else ""))
        await asyncio.sleep(self.delay)
        try:
            if request.headers.get("authorization") != f"Token {DEMO_TOKEN}":
                raise _Refused(403, "Invalid token.")
            status, body = 200, answer()
        except _Refused as refused:
            status, body = refused.status, {"detail": str(refused)}
        return Response(orjson.dumps(body), status, media_type="application/json")

    def _listed(self) -> list[dict[str, Any]]:
        return [
            {
                "consent_uuid": meter.consent_uuid,
                "type": meter.type,
                "mpan_last_four": meter.mpan_last_four,
                "status": "active",
                "range": {"earliest": self._range_end(rows[0][0]), "latest": self._range_end(rows[-1][0])},
                "links": {"records": f"{BASE}/meter/{meter.consent_uuid}/{meter.type}"},
                "note": meter.note,
            }
            for meter in self.meters
            if (rows := meter.until(self._yesterday()))
        ]

    def _range_end(self, at: datetime) -> str:
        """The list of meters takes no tz: without an offset its times are in the API's default zone."""
        return _moment(at.astimezone(DEFAULT_ZONE) if self.times is Times.NONE else at, self.times)

    def _asked_for(self, request: Request) -> list[dict[str, Any]]:
        consent, kind = request.path_params["consent"], request.path_params["kind"]
        meter = next((m for m in self.meters if (m.consent_uuid, m.type) == (consent, kind)), None)
        if meter is None:
            raise _Refused(404, "Not found.")
        asked = request.query_params
        aggregate, zone = asked.get("aggregate", "none"), asked.get("tz", DEFAULT_ZONE.key)
        if aggregate not in AGGREGATES or zone not in available_timezones():
            raise _Refused(400, "Unknown aggregate or tz.")
        tz = ZoneInfo(zone)
        try:
            first, last = date.fromisoformat(asked["start"]), date.fromisoformat(asked["end"])
        except (KeyError, ValueError):
            raise _Refused(400, "start and end must be YYYY-MM-DD.") from None
        rows = [row for row in meter.until(self._yesterday()) if first <= row[0].astimezone(tz).date() <= last]
        if aggregate == "none":
            return list(self._half_hours(meter, rows, tz))
        return [self._bucket(meter, key, rows) for key, rows in _grouped(rows, aggregate, tz, self.times).items()]

    def _half_hours(self, meter: DemoMeter, rows: Iterable[tuple[datetime, float | None]], tz: ZoneInfo) -> Any:
        for at, kwh in rows:
            if kwh is not None or self.missing is not Missing.LEFT_OUT:
                label = _moment(at.astimezone(tz), self.times)
                yield self._row(meter, label, kwh, int(kwh is None))

    def _row(self, meter: DemoMeter, label: str, kwh: float | None, errors: int) -> dict[str, Any]:
        carbon = None if kwh is None or not meter.has_carbon else kwh * KG_A_KWH
        if kwh is None and self.missing is Missing.FLAGGED:
            kwh, carbon = 0.0, (0.0 if meter.has_carbon else None)
        return {
            "time": label,
            "energy_kwh": self._number(kwh),
            "carbon_kg": self._number(carbon),
            "error_count": self._number(errors),
        }

    def _number(self, number: float | None) -> float | str | None:
        return str(number) if self.numbers is Numbers.TEXT and number is not None else number

    def _bucket(self, meter: DemoMeter, key: Bucket, rows: list[tuple[datetime, float | None]]) -> dict[str, Any]:
        """A bucket's row: sums, or means for a profile; the last row of a half-hour that stands twice counts."""
        by_start = dict(rows)
        present = [kwh for kwh in by_start.values() if kwh is not None]
        total = sum(present) / (max(1, len(present)) if key[0] == "profile" else 1)
        return self._row(meter, key[1], total if present else None, len(by_start) - len(present))


def _moment(at: datetime, times: Times) -> str:
    if times is Times.Z and at.tzname() == "UTC":
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return at.replace(tzinfo=None).isoformat() if times is Times.NONE else at.isoformat()


def _grouped(
    rows: Iterable[tuple[datetime, float | None]], aggregate: str, tz: ZoneInfo, times: Times
) -> dict[Bucket, list[tuple[datetime, float | None]]]:
    groups: dict[Bucket, list[tuple[datetime, float | None]]] = {}
    for at, kwh in rows:
        local = at.astimezone(tz)
        label = {
            "hour": _moment(local.replace(minute=0), times),
            "day": local.date().isoformat(),
            "month": local.date().replace(day=1).isoformat(),
            "profile": local.replace(minute=local.minute // 30 * 30).strftime("%H:%M"),
        }[aggregate]
        groups.setdefault((aggregate, label), []).append((at, kwh))
    return dict(sorted(groups.items())) if aggregate == "profile" else groups
