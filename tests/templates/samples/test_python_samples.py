"""The Python templates run as they stand, and give the announcement's names and shapes."""

import importlib.util
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import orjson
import pandas as pd
import pytest
from e2e.reference_homes import reference_meters
from faults.faulty import faulty_service, listing
from reference import as_json, long_rows
from service import HOME_A, Running
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from templates.templates import TEMPLATES, here
from upstream.raw_server import answer, sends

from app.cli.servers import served

PYTHON = TEMPLATES / "python"


def loaded(address: str, key: str) -> ModuleType:
    """The module as a script has it that sets the address and the key."""
    spec = importlib.util.spec_from_file_location("powershaper_template", PYTHON / "powershaper.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    vars(module).update(ADDRESS=address, KEY=key)
    return module


@pytest.fixture
def powershaper(guarded: Running, key: str) -> ModuleType:
    """The module with the address and the key of a guarded service."""
    return loaded(guarded.address, key)


def test_the_meters_are_those_of_the_service(powershaper: ModuleType, guarded: Running, key: str) -> None:
    meters = powershaper.get_meters()
    assert meters == guarded.get(f"/meters.json?key={key}").json()
    assert set(meters[0]) >= powershaper.Meter.__required_keys__
    assert {(meter["consent_uuid"], meter["type"]) for meter in meters} >= {(HOME_A, "electricity"), (HOME_A, "gas")}


@pytest.mark.parametrize("aggregate", ["none", "hour", "day", "week", "month", "year", "profile"])
def test_usage_records_equal_the_reference(powershaper: ModuleType, aggregate: str) -> None:
    first, last = date(2021, 3, 1), date(2021, 4, 30)
    gas = [meter for meter in reference_meters() if meter.name == "gas"]
    rows = [row for _, row in long_rows(gas, first, last, "Europe/London", aggregate)]
    expected = as_json(rows, ["time", "energy_kwh", "carbon_kg", "error_count"])
    assert powershaper.get_usage_records("2021-03-01", last, HOME_A, "gas", aggregate) == expected


def test_a_refusal_says_what_to_do_and_not_the_key(powershaper: ModuleType, guarded: Running, key: str) -> None:
    with pytest.raises(powershaper.SheetsError, match="names no meter") as refused:
        powershaper.get_usage_records("2021-03-01", "2021-03-02", HOME_A, "steam")
    assert key not in str(refused.value)
    stranger = loaded(guarded.address, "pss_wrong")
    with pytest.raises(stranger.SheetsError, match="keys create") as refused:
        stranger.get_meters()
    assert "pss_wrong" not in str(refused.value)


def test_an_address_that_is_nothing_is_said_in_words(guarded: Running) -> None:
    nobody = loaded("http://127.0.0.1:9", "")
    with pytest.raises(nobody.SheetsError, match="can't be reached"):
        nobody.get_meters()
    another = loaded(guarded.settings.base_url, "")
    with pytest.raises(another.SheetsError, match="answered with status"):
        another.get_meters()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_the_key_follows_no_redirect(status: int) -> None:
    strayed: list[str | None] = []

    async def another(request: Request) -> Response:
        strayed.append(request.headers.get("authorization"))
        return Response("[]")

    async def leads_away(_: Request) -> Response:
        return RedirectResponse(f"{elsewhere}/meters.json", status)

    with (
        served(Starlette(routes=[Route("/meters.json", another)])) as elsewhere,
        served(Starlette(routes=[Route("/meters.json", leads_away)])) as address,
    ):
        led = loaded(address, "pss_secret")
        with pytest.raises(led.SheetsError, match=f"{elsewhere}/meters.json.* goes to no other address") as refused:
            led.get_meters()
    assert strayed == []
    assert "pss_secret" not in str(refused.value)


@pytest.mark.parametrize("days", [(None, "2021-06-01"), ("2021-06-01", None)])
def test_a_day_that_is_none_is_refused_before_anybody_is_asked(days: tuple[str | None, str | None]) -> None:
    unasked = loaded("http://127.0.0.1:9", "")
    with pytest.raises(unasked.SheetsError, match="start and end are days"):
        unasked.get_usage_records(*days, HOME_A)


def printed(address: str, key: str) -> list[str]:
    """The lines of the module when it is run."""
    env = os.environ | {"SHEETS_ADDRESS": address, "SHEETS_KEY": key}
    command: list[str | Path] = [sys.executable, PYTHON / "powershaper.py"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_the_module_prints_the_last_day_of_each_meter(guarded: Running, key: str) -> None:
    lines = printed(guarded.address, key)
    rows = guarded.get(f"/meters.json?key={key}").json()
    assert [line.split()[0] for line in lines] == [row["meter"] for row in rows]
    assert all("kWh" in line for line in lines)


def test_the_module_says_which_meter_has_measured_nothing_yet(tmp_path: Path) -> None:
    new = {"consent_uuid": HOME_A, "type": "export", "range": None}
    with faulty_service(tmp_path) as service:
        service.faulty.spoils = lambda good: sends(answer(orjson.dumps([*orjson.loads(good), new])))
        service.faulty.hits = listing
        lines = printed(service.address, "")
    assert "export has no half-hours yet" in lines
    assert sum("kWh" in line for line in lines) == len(lines) - 1 == 3


def test_one_line_fills_a_frame_with_dates_and_numbers(homes: Running, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    exec(here((PYTHON / "one_line.py").read_text("utf-8"), homes), names)  # noqa: S102 - the template's own lines
    days: pd.DataFrame = names["days"]
    assert days["time"].dtype.kind == "M"
    assert days["energy_kwh"].dtype.kind == "f"
    assert len(days) == 2 * 30
    assert "mean" in capsys.readouterr().out
