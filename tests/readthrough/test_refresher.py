"""What is due of the meters that people ask for is looked at unasked, gently: late half-hours appear by themselves."""

import asyncio
import sqlite3
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from service import Running, eventually, failing_when, running, settings_for

from app.demo import DemoUpstream
from app.main import build

NOON = datetime(2021, 6, 15, 12, tzinfo=UTC)
HOUR, DAY = 3600, 86_400
OFTEN = {"refresh_minutes": 0.002}
WEEK = "/usage.csv?meter=gas&start=2021-06-08&end=2021-06-14&tz=UTC"


def record_calls(service: Running) -> list[str]:
    return [call for call in service.calls if "start=" in call]


def revisions(folder: Path) -> list[tuple[float, float]]:
    with sqlite3.connect(folder / "archive.db") as db:
        return db.execute("SELECT old_energy_kwh, new_energy_kwh FROM revisions ORDER BY id").fetchall()


def test_days_that_are_due_are_looked_at_although_nobody_asks(tmp_path: Path) -> None:
    with running(tmp_path, now=NOON, more=OFTEN) as service:
        service.text(WEEK)
        asked = len(record_calls(service))
        service.clock.now += 2 * HOUR
        eventually(lambda: len(record_calls(service)) > asked)
        assert all("/gas?" in call for call in record_calls(service)), "nobody has asked for the other meters"


def test_a_day_that_arrives_late_is_there_before_anybody_asks(tmp_path: Path) -> None:
    with running(tmp_path, now=NOON, more=OFTEN) as service:
        service.text(WEEK)
        service.clock.now += DAY
        eventually(lambda: any("end=2021-06-16" in call for call in record_calls(service)))
        eventually(lambda: service.get("/usage.csv?meter=gas&period=2021-06-15&tz=UTC").status_code == 200)
        calls = len(service.calls)
        answer = service.get("/usage.csv?meter=gas&period=2021-06-15&tz=UTC")
        assert answer.headers["cache-status"] == "powershaper-sheets; hit"
        assert len(answer.text.splitlines()) == 1 + 48
        assert len(service.calls) == calls


def test_a_value_that_changed_upstream_is_shown_and_the_old_one_is_kept(tmp_path: Path) -> None:
    upstream = DemoUpstream(moved=False)
    with running(tmp_path, now=NOON, upstream=upstream, more=OFTEN) as service:
        upstream.clock = service.clock
        before = service.rows(WEEK)[-1]
        gas = next(meter for meter in upstream.meters if meter.type == "gas")
        at = datetime(2021, 6, 14, 23, 30, tzinfo=UTC)
        gas.rows[:] = [(moment, 9.875 if moment == at else kwh) for moment, kwh in gas.rows]
        service.clock.now += 2 * HOUR
        eventually(lambda: service.rows(WEEK)[-1][1] == "9.875")
        assert revisions(tmp_path) == [(float(before[1]), 9.875)]


def test_a_value_that_is_taken_away_upstream_stays(tmp_path: Path) -> None:
    upstream = DemoUpstream(moved=False)
    with running(tmp_path, now=NOON, upstream=upstream, more=OFTEN) as service:
        upstream.clock = service.clock
        before = service.text(WEEK)
        gas = next(meter for meter in upstream.meters if meter.type == "gas")
        gas.rows[:] = [(moment, None if moment.month == 6 else kwh) for moment, kwh in gas.rows]
        asked = len(record_calls(service))
        service.clock.now += 2 * HOUR
        eventually(lambda: len(record_calls(service)) > asked)
        assert service.text(WEEK) == before
        assert revisions(tmp_path) == []


def test_a_meter_that_nobody_asked_for_in_a_week_is_left_alone_also_after_a_restart(tmp_path: Path) -> None:
    with running(tmp_path, now=NOON, more=OFTEN) as service:
        service.text(WEEK)
        service.clock.now += 2 * HOUR
        eventually(lambda: len(record_calls(service)) > 1)
        later = service.clock.now
    with running(tmp_path, now=datetime.fromtimestamp(later + 2 * HOUR, tz=UTC), more=OFTEN) as service:
        eventually(lambda: len(record_calls(service)) == 1)  # it is remembered who was asked for
        service.clock.now += 8 * DAY
        eventually(lambda: service.get("/readyz").text == "ready\n")
        calls = len(record_calls(service))
        service.clock.now += 2 * HOUR
        service.text("/meters.csv")
        assert len(record_calls(service)) == calls


def test_a_meter_that_fails_does_not_keep_the_others_from_being_looked_at(tmp_path: Path) -> None:
    upstream = DemoUpstream(moved=False)
    with running(tmp_path, now=NOON, upstream=upstream, more=OFTEN) as service:
        upstream.clock = service.clock
        service.text(WEEK.replace("meter=gas", "meter=electricity-5f1c9a52"))
        service.text(WEEK)
        kept = [meter for meter in upstream.meters if meter.type == "gas"]
        upstream.meters = kept  # the other answers 404 from now on
        asked = len([call for call in record_calls(service) if "/gas?" in call])
        service.clock.now += 2 * HOUR
        eventually(lambda: len([call for call in record_calls(service) if "/gas?" in call]) > asked)


def test_it_waits_while_powershaper_is_down_and_goes_on_by_itself(tmp_path: Path) -> None:
    down = {"on": False}
    with running(tmp_path, now=NOON, more=OFTEN, wrap=partial(failing_when, lambda _: down["on"], 503)) as service:
        before = service.text(WEEK)
        asked = len(record_calls(service))
        down["on"] = True
        service.clock.now += 2 * HOUR
        eventually(lambda: "powershaper,down" in service.text("/status.csv"))
        assert service.text(WEEK) == before
        down["on"] = False
        service.clock.now += HOUR
        eventually(lambda: len(record_calls(service)) > asked)


def test_it_leaves_half_of_a_burst_to_those_who_wait(tmp_path: Path) -> None:
    budget = OFTEN | {"calls_per_minute": 0.001, "calls_burst": 6, "young_minutes": 0.001}
    with running(tmp_path, now=NOON, more=budget) as service:
        service.text(WEEK)
        for _ in range(6):
            service.clock.now += 60
            service.text(WEEK.replace("06-14", "06-11"))
        eventually(lambda: len(service.calls) == 3)
        assert service.text(WEEK.replace("2021-06", "2021-03")), "there is a call left for who waits"


def test_a_round_that_breaks_is_not_the_last_one(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rounds = []

    def broken_clock() -> float:
        rounds.append(1)
        raise ZeroDivisionError

    async def scenario() -> None:
        service = build(settings_for(tmp_path, "http://127.0.0.1:9", refresh_minutes=0.0001), clock=broken_clock)
        going = asyncio.create_task(service.refresher.run())
        while len(rounds) < 3:
            assert not going.done()
            await asyncio.sleep(0.01)
        going.cancel()
        await asyncio.gather(going, return_exceptions=True)
        await service.aclose()

    asyncio.run(scenario())
    assert "ZeroDivisionError" in caplog.text
