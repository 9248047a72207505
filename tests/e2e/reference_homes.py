"""The demonstration's homes as the reference has them, straight from the demonstration upstream."""

from dataclasses import replace
from functools import cache

import httpx
from reference import ReferenceMeter
from service import A_ELECTRICITY, A_GAS, AFTER_THE_DATA, B_ELECTRICITY, HOME_A, HOME_B, SetClock

from app.cli.servers import served
from app.demo import DEMO_TOKEN, DemoUpstream

ZONES = ["Europe/London", "UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
NAMES = [A_ELECTRICITY, B_ELECTRICITY, A_GAS]
KEYS = {A_ELECTRICITY: (HOME_A, "electricity"), B_ELECTRICITY: (HOME_B, "electricity"), A_GAS: (HOME_A, "gas")}


def homes_upstream(times: int = 1) -> DemoUpstream:
    """The homes where they were measured, every half-hour so many times what it was."""
    upstream = DemoUpstream(moved=False, clock=SetClock(AFTER_THE_DATA.timestamp()))
    upstream.meters = [
        replace(meter, rows=[(at, None if kwh is None else kwh * times) for at, kwh in meter.rows])
        for meter in upstream.meters
    ]
    return upstream


@cache
def reference_meters(times: int = 1) -> list[ReferenceMeter]:
    """The three meters by name, every half-hour so many times what it was."""
    headers = {"Authorization": f"Token {DEMO_TOKEN}"}
    with served(homes_upstream(times).app) as address, httpx.Client(headers=headers, trust_env=False) as http:
        listed = {(m["consent_uuid"], m["type"]): m for m in http.get(f"{address}/meters/api/v1/meters/").json()}
        asked = "start=2010-01-01&end=2024-01-01&aggregate=none&tz=UTC"
        records = {
            key: http.get(f"{address}/meters/api/v1/meter/{key[0]}/{key[1]}?{asked}").json() for key in KEYS.values()
        }
    return [ReferenceMeter.of(name, listed[KEYS[name]], records[KEYS[name]]) for name in NAMES]
