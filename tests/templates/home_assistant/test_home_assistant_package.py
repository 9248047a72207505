"""Home Assistant's package on the live service: its requests are answered, its templates give the reference's values.

Home Assistant itself is too large to install here; its templates are Jinja, and are rendered by Jinja.
"""

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from e2e.reference_homes import reference_meters
from jinja2.sandbox import ImmutableSandboxedEnvironment
from reference import long_rows
from service import A_ELECTRICITY, A_GAS, HOME_A, Running, running
from templates.templates import GUARDED, TEMPLATES, TODAY

PACKAGE = (TEMPLATES / "home-assistant" / "powershaper.yaml").read_text("utf-8")
JINJA = ImmutableSandboxedEnvironment()


class Loader(yaml.SafeLoader):
    """YAML with Home Assistant's `!secret`, which gives the secret's name here."""


Loader.add_constructor("!secret", lambda loader, node: f"!secret {node.value}")


def package() -> dict[str, Any]:
    return dict(yaml.load(PACKAGE, Loader))  # noqa: S506 - the loader is a SafeLoader


def states(service: Running, key: str) -> dict[str, Any]:
    """The state of each sensor by its name, as the integration `rest` computes it; None where it is not available."""
    found: dict[str, Any] = {}
    for resource in package()["rest"]:
        assert resource["resource"] == "!secret powershaper_usage"
        assert resource["headers"] == {"Authorization": "!secret powershaper_key"}
        answer = service.get("/usage.json", params=resource["params"], headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 200, answer.text
        for sensor in resource["sensor"]:
            value = {"value_json": json.loads(answer.text)}
            available = sensor.get("availability", "True")
            if JINJA.from_string(available).render(value).strip() == "True":
                found[sensor["name"]] = JINJA.from_string(sensor["value_template"]).render(value).strip()
            else:
                found[sensor["name"]] = None
    return found


def days(name: str, aggregate: str) -> list[dict[str, Any]]:
    """A meter's rows up to yesterday: nothing of today is there yet."""
    meters = [meter for meter in reference_meters() if meter.name == name]
    return [
        row for _, row in long_rows(meters, date(2020, 1, 1), TODAY - timedelta(days=1), "Europe/London", aggregate)
    ]


def newest_complete(meter: str) -> dict[str, Any]:
    """The newest day before today of which every half-hour of the clock is there."""
    halves: dict[date, list[dict[str, Any]]] = {}
    for row in days(meter, "none"):
        halves.setdefault(row["time"].date(), []).append(row)
    complete = [row for row in days(meter, "day") if row["error_count"] == 0 and len(halves[row["time"]]) in {48, 50}]
    return complete[-1]


def test_the_sensors_show_the_newest_complete_day_and_all_there_is(household: tuple[Running, str]) -> None:
    shown = states(*household)
    newest = newest_complete(A_ELECTRICITY)
    assert shown["Electricity day"] == newest["time"].isoformat() == "2022-12-05"
    assert float(shown["Electricity last complete day"]) == float(newest["energy_kwh"])
    assert float(shown["Electricity carbon last complete day"]) == float(newest["carbon_kg"])
    assert float(shown["Gas last complete day"]) == float(newest_complete(A_GAS)["energy_kwh"])
    for name, meter in (("Electricity total", A_ELECTRICITY), ("Gas total", A_GAS)):
        total = sum(row["energy_kwh"] for row in days(meter, "year"))
        assert float(shown[name]) == pytest.approx(float(total), abs=0.001)


@pytest.mark.parametrize(("later", "day"), [(1, "2022-12-05"), (400, None)])
def test_a_day_whose_evening_has_not_come_is_not_complete(tmp_path: Path, later: int, day: str | None) -> None:
    """The data ends at noon of a day: that one is no complete one, and long after it there is none in the month."""
    evening = datetime(TODAY.year, TODAY.month, TODAY.day, 20, tzinfo=UTC)
    with running(tmp_path, now=evening + timedelta(days=later), more=GUARDED) as service:
        shown = states(service, service.make_key(frozenset({(HOME_A, "electricity"), (HOME_A, "gas")})))
    assert shown["Electricity day"] == day
    assert (shown["Electricity last complete day"] is None) is (day is None)
    assert float(shown["Electricity total"]) > 0


def test_what_counts_in_the_energy_dashboard_is_a_total_in_kwh() -> None:
    sensors = {sensor["name"]: sensor for one in package()["rest"] for sensor in one["sensor"]}
    for name in ("Electricity total", "Gas total"):
        kind = (sensors[name]["device_class"], sensors[name]["state_class"], sensors[name]["unit_of_measurement"])
        assert kind == ("energy", "total", "kWh")
    assert not [name for name, sensor in sensors.items() if "day" in name and "state_class" in sensor]
    named = [sensor["unique_id"] for sensor in sensors.values()]
    assert len(set(named)) == len(named)


def test_the_cost_names_sensors_and_rates_that_are_there() -> None:
    (cost,) = package()["template"][0]["sensor"]
    slugs = {f"sensor.{s['name'].lower().replace(' ', '_')}" for one in package()["rest"] for s in one["sensor"]}
    rates = {f"input_number.{name}" for name in package()["input_number"]}
    used = {word for word in cost["state"].replace("'", " ").split() if word.startswith(("sensor.", "input_number."))}
    assert used == rates | {"sensor.electricity_last_complete_day"}
    assert used - rates <= slugs


def test_powershapers_own_integration_finds_what_it_reads(household: tuple[Running, str]) -> None:
    """It wants a token of 40 characters, the meters' list, and hours in UTC whose times end in Z."""
    service, key = household
    assert len(key) == 40
    headers = {"Authorization": f"Token {key}", "Content-Type": "application/json"}
    listed = service.get("/meters/api/v1/meters/", headers=headers).json()
    assert [(meter["consent_uuid"], meter["type"]) for meter in listed] == [(HOME_A, "electricity"), (HOME_A, "gas")]
    for meter in listed:
        earliest, latest = (meter["range"][end][:10] for end in ("earliest", "latest"))
        path = f"/meters/api/v1/meter/{meter['consent_uuid']}/{meter['type']}"
        hours = service.get(f"{path}?start={earliest}&end={latest}&aggregate=hour&tz=UTC", headers=headers).json()
        assert len(hours) > 20_000
        read = ("energy_kwh", "carbon_kg") if meter["type"] == "electricity" else ("energy_kwh",)
        for hour in (hours[0], hours[-1]):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:00:00Z", hour["time"])
            assert all(hour[name] >= 0 for name in read)
