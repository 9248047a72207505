"""Code.gs in Node against the live service, with stand-ins of Google's services that check how they are called."""

import json
import os
import subprocess
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from e2e.reference_homes import reference_meters
from reference import compare_rows, long_rows
from service import A_ELECTRICITY, A_GAS, B_ELECTRICITY, Running
from templates.templates import ELSEWHERE, TEMPLATES

CODE = (TEMPLATES / "google" / "Code.gs").read_text("utf-8")
USAGE = ["time", "energy_kwh", "carbon_kg", "error_count", "meter", "time_utc", "coverage_pct"]
Script = Callable[..., dict[str, Any]]


@pytest.fixture
def script(node: Path, guarded: Running, key: str) -> Script:
    """Calls functions of Code.gs in a spreadsheet of somebody in New York who has saved address and key."""

    def play(*calls: list[Any], settings: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
        stored = {"address": ELSEWHERE, "key": key} | (settings or {})
        played = {"code": CODE, "publicly": ELSEWHERE, "address": guarded.address, "properties": stored, "calls": calls}
        done = subprocess.run(
            [node, Path(__file__).with_name("stand_ins.js")],
            input=json.dumps(played | more),
            env=dict(os.environ) | {"TZ": "America/New_York"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return dict(json.loads(done.stdout))

    return play


def grid(sheet: dict[str, Any]) -> list[list[Any]]:
    """The cells of a sheet as rows; None where nothing is."""
    at = {tuple(map(int, place.split(","))): value for place, value in sheet["cells"].items()}
    rows, columns = (max(place[i] for place in at) for i in (0, 1))
    return [[at.get((row, column)) for column in range(1, columns + 1)] for row in range(1, rows + 1)]


def as_shown(number: float) -> datetime:
    """The clock that Sheets shows for a day number."""
    return datetime(1899, 12, 30) + timedelta(minutes=round(number * 1440))  # noqa: DTZ001 - cells have no zone


def test_the_menu_names_functions_that_are_there(script: Script) -> None:
    done = script(["onOpen"])
    assert done["menuTitle"] == "PowerShaper"
    assert [caption for caption, _ in done["menu"]][:3] == ["Load two profiles", "Load usage", "Refresh hourly"]
    assert all(f"\nfunction {name}(" in CODE for _, name in done["menu"])


def test_the_two_profiles_equal_the_reference(script: Script) -> None:
    done = script(["loadTwoProfiles"], settings={"meter": A_GAS, "periods": "2021-01, 2021-07"})
    assert done["alerts"] == []
    sheet = done["sheets"]["Two profiles"]
    assert (sheet["writes"], sheet["frozen"]) == (1, 1)
    header, *rows = grid(sheet)
    assert header == ["time", "January 2021", "July 2021"]
    (gas,) = [meter for meter in reference_meters() if meter.name == A_GAS]
    months = {"2021-01": (date(2021, 1, 1), date(2021, 1, 31)), "2021-07": (date(2021, 7, 1), date(2021, 7, 31))}
    periods = {
        name: (first, long_rows([gas], first, last, "Europe/London", "profile"))
        for name, (first, last) in months.items()
    }
    expected = [
        [row["time"], float(row["2021-01"]), float(row["2021-07"])]
        for row in compare_rows(periods, "profile", "energy_kwh")
    ]
    assert [[f"{as_shown(row[0]):%H:%M}", *row[1:]] for row in rows] == expected
    assert len(expected) == 48
    assert {sheet["formats"][f"{row},1"] for row in range(2, 50)} == {"hh:mm"}
    (chart,) = sheet["charts"]
    assert chart["range"] == [1, 1, 49, 3]
    assert chart["headers"] == 1


def test_without_a_choice_the_first_electricity_meter_and_the_last_months_that_are_over_are_taken(
    script: Script,
) -> None:
    days = ["2026-01-31T12:00", "2026-02-01T12:00", "2026-07-31T12:00", "2026-08-01T12:00"]
    done = script(["firstMeter_"], *(["lastJanuaryAndJuly_", {"date": day}] for day in days))
    meter, *months = [result["returned"] for result in done["results"]]
    assert meter == A_ELECTRICITY
    assert months == [["2025-01", "2025-07"], ["2026-01", "2025-07"], ["2026-01", "2025-07"], ["2026-01", "2026-07"]]


@pytest.mark.parametrize(
    ("period", "aggregate"), [("2021-03", "none"), ("2021-10-31", "none"), ("2021-10", "hour"), ("2021", "month")]
)
def test_usage_equals_the_reference_with_the_clock_of_the_meter(script: Script, period: str, aggregate: str) -> None:
    first, last = {
        "2021-03": (date(2021, 3, 1), date(2021, 3, 31)),
        "2021-10-31": (date(2021, 10, 31), date(2021, 10, 31)),
        "2021-10": (date(2021, 10, 1), date(2021, 10, 31)),
        "2021": (date(2021, 1, 1), date(2021, 12, 31)),
    }[period]
    done = script(["loadUsage"], settings={"period": period, "aggregate": aggregate})
    header, *rows = grid(done["sheets"]["Usage"])
    assert header == USAGE
    expected = [row for _, row in long_rows(reference_meters(), first, last, "Europe/London", aggregate)]
    assert len(rows) == len(expected)
    for shown, row in zip(rows, expected, strict=True):
        time = row["time"] if isinstance(row["time"], datetime) else datetime.combine(row["time"], datetime.min.time())
        assert as_shown(shown[0]) == time
        assert as_shown(shown[5]) == row["time_utc"].replace(tzinfo=None)
        numbers = (None if row[name] is None else float(row[name]) for name in (*USAGE[1:4], USAGE[6]))
        assert [*shown[1:4], shown[6]] == list(numbers)
        assert shown[4] == row["meter"]
    date_format = "yyyy-mm-dd" if aggregate == "month" else "yyyy-mm-dd hh:mm"
    assert done["sheets"]["Usage"]["formats"]["2,1"] == date_format
    assert done["sheets"]["Usage"]["formats"]["2,2"] == "0.000"


def test_a_half_hour_that_is_missing_is_an_empty_cell(script: Script) -> None:
    done = script(["loadUsage"], settings={"period": "2013-03-26", "aggregate": "none", "meter": B_ELECTRICITY})
    rows = grid(done["sheets"]["Usage"])[1:]
    (missing,) = [row for row in rows if row[1] is None]
    assert as_shown(missing[0]) == datetime(2013, 3, 26, 21, 30)  # noqa: DTZ001 - cells have no zone
    assert missing[3] == 1


def test_a_longer_table_makes_room_and_a_shorter_one_leaves_nothing_behind(script: Script) -> None:
    month = {"period": "2021-05", "aggregate": "none", "meter": A_GAS}
    first = script(["loadUsage"], settings=month, sheets={"Usage": {"maxRows": 3}})["sheets"]["Usage"]
    assert len(grid(first)) == 1 + 31 * 48
    assert first["maxRows"] == 1 + 31 * 48
    first["cells"]["5,9"] = "mine"
    held = {"maxRows": first["maxRows"], "cells": first["cells"]}
    then = script(["loadUsage"], settings=month | {"period": "2021-05-01"}, sheets={"Usage": held})["sheets"]["Usage"]
    assert len(grid(then)) == 1 + 48
    assert then["cells"]["5,9"] == "mine", "what stands beside the table is left alone"


def test_errors_are_said_in_words_and_change_no_cell(script: Script, key: str) -> None:
    held = {"Usage": {"cells": {"1,1": "time", "2,1": 44000}}}
    done = script(["loadUsage"], settings={"meter": "steam"}, sheets=held)
    (said,) = done["alerts"]
    assert "names no meter" in said
    assert done["sheets"]["Usage"]["cells"] == {"1,1": "time", "2,1": 44000}
    wrong = script(["loadUsage"], settings={"key": "pss_wrong"})
    assert "keys create" in wrong["alerts"][0]
    assert "pss_wrong" not in json.dumps([wrong["alerts"], wrong["sheets"], wrong["toasts"]])
    nowhere = script(["loadUsage"], address="http://127.0.0.1:9")
    assert "can't be reached" in nowhere["alerts"][0]
    unset = script(["loadUsage"], settings={"address": ""})
    assert unset["alerts"] == ["Choose PowerShaper > Settings… first."]
    assert unset["fetches"] == []


def test_another_program_at_the_address_is_said_in_words(script: Script, guarded: Running) -> None:
    done = script(["loadUsage"], address=guarded.settings.base_url)
    assert "is not how powershaper-sheets answers" in done["alerts"][0]


def test_the_key_goes_into_the_header_and_nowhere_else(script: Script, key: str) -> None:
    done = script(["loadTwoProfiles"], ["loadUsage"], ["showSettings"], settings={"periods": "2021-01,2021-07"})
    assert done["fetches"]
    for fetch in done["fetches"]:
        assert fetch["url"].startswith(f"{ELSEWHERE}/")
        assert fetch["options"].pop("headers") == {"Authorization": f"Bearer {key}"}
        assert fetch["options"] == {"method": "get", "followRedirects": False, "muteHttpExceptions": True}
    kept = done.pop("properties")
    assert kept["key"] == key
    assert key not in json.dumps(done)


def test_settings_are_kept_tried_and_said(script: Script, key: str) -> None:
    new = {"address": f"{ELSEWHERE}/", "key": key, "meter": "gas", "periods": "", "period": "all", "aggregate": "day"}
    done = script(["saveSettings", new], ["showSettings"], settings={"address": "", "key": ""})
    assert A_GAS in done["results"][0]["returned"]
    assert done["properties"] == new | {"address": ELSEWHERE}
    assert f'value="{ELSEWHERE}"' in done["dialogs"][0]
    kept = script(["saveSettings", new | {"key": ""}])
    assert kept["properties"]["key"] == key, "an empty field keeps the key"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"address": "http://127.0.0.1:8000"}, "begins with https://"),
        ({"address": "https://other.example.org", "key": ""}, "enter its access key too"),
        ({"periods": "2021-01"}, "Enter two periods"),
    ],
)
def test_settings_that_cannot_work_are_not_kept(script: Script, key: str, changed: dict[str, str], said: str) -> None:
    done = script(["saveSettings", {"address": ELSEWHERE, "key": key} | changed])
    assert said in done["results"][0]["threw"]
    assert done["properties"] == {"address": ELSEWHERE, "key": key}
    assert done["fetches"] == []


def test_a_wrong_key_is_said_in_the_dialog(script: Script) -> None:
    done = script(["saveSettings", {"address": ELSEWHERE, "key": "pss_wrong"}])
    assert "keys create" in done["results"][0]["threw"]
    assert "pss_wrong" not in done["results"][0]["threw"]


def test_the_hourly_trigger_is_made_once_and_taken_away(script: Script) -> None:
    done = script(["refreshHourly"], ["refreshHourly"], triggers=["another"])
    assert done["triggers"] == [["another", None], ["refresh", 1]]
    gone = script(["stopRefreshing"], triggers=["another", "refresh", "refresh"])
    assert gone["triggers"] == [["another", None]]
    assert gone["deleted"] == 2


def test_the_trigger_refreshes_what_was_loaded_with_nobody_looking_on(script: Script) -> None:
    settings = {"period": "2021-05", "aggregate": "day"}
    done = script(["refresh"], settings=settings, sheets={"Usage": {}, "Sheet1": {}}, nobodyLooksOn=True)
    assert done["results"] == [{"returned": None}]
    assert len(grid(done["sheets"]["Usage"])) == 1 + 2 * 31
    assert done["sheets"]["Usage"]["notes"]["1,1"].startswith("Loaded ")
    assert "Two profiles" not in done["sheets"]
    failed = script(["refresh"], settings={"key": "pss_wrong"}, sheets={"Usage": {}}, nobodyLooksOn=True)
    assert "keys create" in failed["results"][0]["threw"]
    assert failed["sheets"]["Usage"]["notes"]["1,1"].startswith("Not refreshed, ")
    assert "pss_wrong" not in json.dumps(failed["sheets"])


def test_a_sheet_that_cannot_be_refreshed_holds_up_no_other(script: Script) -> None:
    sheets: dict[str, Any] = {"Two profiles": {"cells": {"1,1": "time"}}, "Usage": {}}
    half = script(["refresh"], settings={"periods": "2021-01, never", "period": "2021-05"}, sheets=sheets)
    (result,) = half["results"]
    assert result["threw"].startswith("Two profiles was not refreshed: The parameter period")
    assert "Usage" not in result["threw"]
    assert len(grid(half["sheets"]["Usage"])) == 1 + 2 * 31
    assert half["sheets"]["Usage"]["notes"]["1,1"].startswith("Loaded ")
    assert half["sheets"]["Two profiles"]["cells"] == {"1,1": "time"}
    assert half["sheets"]["Two profiles"]["notes"]["1,1"].startswith("Not refreshed, ")
    neither = script(["refresh"], settings={"key": "pss_wrong"}, sheets=sheets)
    said = neither["results"][0]["threw"].split("\n")
    assert [line.partition(" was not refreshed: ")[0] for line in said] == ["Two profiles", "Usage"]
    assert all("keys create" in line for line in said)


def test_text_and_times_become_what_they_say(script: Script) -> None:
    texts = ["=1+1", "2021-06", "jan-1", "true", "gas", "+44"]
    done = script(
        *(["text_", text] for text in texts),
        ["dayNumber_", "2021-06-01"],
        ["dayNumber_", "2021-06-01T12:00:00+01:00"],
        ["dayNumber_", "1899-12-31T06:00:00Z"],
        ["dayNumber_", "06:00"],
        ["dayNumber_", "gas"],
        ["cell_", "time", 3],
        ["cell_", "energy_kwh", None],
    )
    got = [result["returned"] for result in done["results"]]
    assert got[:6] == ["'=1+1", "'2021-06", "'jan-1", "'true", "gas", "'+44"]
    assert got[6:] == [44348, 44348.5, 1.25, 0.25, None, 3, ""]
