"""Your meters and their half-hours as lists of dicts: `get_meters()` and `get_usage_records(…)`.

Only Python's standard library is needed (3.11 or newer). Copy this file beside your own script. The address is that of
your powershaper-sheets service, the key one of its access keys; on the machine that runs the service no key is needed.
Both come from the environment, SHEETS_ADDRESS and SHEETS_KEY, or from the script: `powershaper.ADDRESS = "https://…"`.
"""

import json
import os
from datetime import date
from http.client import HTTPException
from typing import Any, Literal, TypedDict, cast
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

ADDRESS = os.environ.get("SHEETS_ADDRESS", "http://127.0.0.1:8000")
KEY = os.environ.get("SHEETS_KEY", "")
SECONDS = 100
"""How long to wait for an answer: the first one of an empty archive waits for PowerShaper."""

Aggregate = Literal["none", "hour", "day", "week", "month", "year", "profile"]


class Meter(TypedDict):
    """One meter; whatever else PowerShaper says of it stands beside these keys. Times are local, ISO 8601."""

    meter: str
    type: str
    consent_uuid: str
    status: str | None
    earliest: str | None
    latest: str | None
    days_since_latest: int | None


class UsageRecord(TypedDict):
    """One half-hour, or one hour, day … of a meter.

    `time` is local: ISO 8601 with its offset, a date (`day` and longer), or `HH:MM` (`profile`). What is missing is
    None, never 0; `error_count` says how many half-hours are.
    """

    time: str
    energy_kwh: float | None
    carbon_kg: float | None
    error_count: int


class SheetsError(Exception):
    """The service said no, or can't be reached: what happened, and what to do."""


def get_meters() -> list[Meter]:
    """Every meter that the key may read.

    Raises SheetsError.
    """
    return cast("list[Meter]", _rows("meters", {}))


def get_usage_records(
    start: date | str,
    end: date | str,
    meter_id: str,
    utility: str = "electricity",
    aggregate: Aggregate = "none",
    tz: str = "Europe/London",
) -> list[UsageRecord]:
    """What a meter measured on local days, both included.

    `meter_id` is the meter's `consent_uuid`, `utility` its `type`. Raises SheetsError.
    """
    if None in (start, end):
        raise SheetsError("start and end are days, such as 2021-06-01; a meter that has measured nothing yet has none.")
    asked = {
        "meter": f"{meter_id}/{utility}",
        "start": str(start),
        "end": str(end),
        "aggregate": aggregate,
        "tz": tz,
        "columns": "time,energy_kwh,carbon_kg,error_count",
    }
    return cast("list[UsageRecord]", _rows("usage", asked))


class _KeyStays(HTTPRedirectHandler):
    """Follows no redirect: urllib would take the key along, to whatever address it leads."""

    def redirect_request(self, *_: object) -> None:
        """None: the redirect is raised as an HTTPError."""


def _rows(table: str, asked: dict[str, str]) -> Any:
    url = f"{ADDRESS.rstrip('/')}/{table}.json?{urlencode(asked)}"
    headers = {"Authorization": f"Bearer {KEY}"} if KEY else {}
    try:
        with build_opener(_KeyStays).open(Request(url, headers=headers), timeout=SECONDS) as answer:
            return json.load(answer)
    except HTTPError as refused:
        with refused:
            raise SheetsError(_reason(refused)) from None
    except (OSError, HTTPException, ValueError) as failed:
        raise SheetsError(f"{ADDRESS} can't be reached, or it is no powershaper-sheets: {failed}") from failed


def _reason(refused: HTTPError) -> str:
    """What the service says of an error; of anything else that answered, its status or where it leads."""
    if elsewhere := refused.headers.get("Location"):
        return f"{ADDRESS} leads to {elsewhere}, and the key goes to no other address. If that one is yours, use it."
    try:
        said = json.load(refused)
        return f"{said['detail']} {said['remedy']}"
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        return f"{ADDRESS} answered with status {refused.code}. Is it the address of powershaper-sheets?"


if __name__ == "__main__":
    for each in get_meters():
        if each["latest"] is None:
            print(each["meter"], "has no half-hours yet")
            continue
        last_day = each["latest"][:10]
        records = get_usage_records(last_day, last_day, each["consent_uuid"], each["type"], "day")
        print(each["meter"], *(f"{record['time']}: {record['energy_kwh']} kWh" for record in records))
