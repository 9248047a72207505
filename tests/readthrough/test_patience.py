"""Who can be answered from what is held doesn't wait long for what is newer, however slow PowerShaper is."""

import asyncio
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from service import eventually, failing_when, running

from app.demo import DemoUpstream
from app.readthrough import Waits

NOON = datetime(2021, 6, 15, 12, tzinfo=UTC)
DAY = 86_400
SLOW_SECONDS = 6
JUNE = "/usage.csv?meter=gas&period=2021-06&aggregate=day&tz=UTC"
THIS_MONTH = "/usage.csv?meter=gas&period=this-month&aggregate=day&tz=UTC"


@pytest.mark.parametrize(("moved", "asked"), [(DAY, THIS_MONTH), (3 * DAY, "/meters.csv"), (3 * DAY, THIS_MONTH)])
def test_a_slow_powershaper_delays_what_is_held_by_the_patience_alone(tmp_path: Path, moved: int, asked: str) -> None:
    upstream = DemoUpstream(moved=False)
    with running(tmp_path, now=NOON, upstream=upstream, more={"patience_seconds": 0.3}) as service:
        upstream.clock = service.clock
        held = service.text(THIS_MONTH)
        service.clock.now += moved
        upstream.delay = SLOW_SECONDS
        began = time.monotonic()
        answer = service.get(asked)
        assert time.monotonic() - began < SLOW_SECONDS
        assert answer.status_code == 200
        assert answer.headers["cache-status"] == "powershaper-sheets; fwd=stale"
        if asked is THIS_MONTH:
            assert answer.text == held
        upstream.delay = 0
        eventually(lambda: len(service.rows(THIS_MONTH)) == len(held.splitlines()) + moved // DAY)


@pytest.mark.parametrize("days_away", [2, 8, 40, 400])
def test_days_that_nobody_could_look_at_are_an_error_and_no_empty_table(tmp_path: Path, days_away: int) -> None:
    down = {"on": False}
    with running(tmp_path, now=NOON, wrap=partial(failing_when, lambda _: down["on"], 503)) as service:
        held = service.text(JUNE)
        down["on"] = True
        service.clock.now += days_away * DAY
        for asked in ("yesterday", "today"):
            answer = service.get(f"/usage.csv?meter=gas&period={asked}&tz=UTC")
            assert (answer.status_code, answer.text[:12]) == (503, "error,remedy"), asked
        assert service.text(JUNE) == held


def test_a_list_that_can_not_be_had_is_not_asked_for_with_every_request(tmp_path: Path) -> None:
    upstream = DemoUpstream(moved=False)
    with running(tmp_path, now=NOON, upstream=upstream, more={"patience_seconds": 0.1, "call_seconds": 0.2}) as service:
        service.text("/meters.csv")
        service.clock.now += 3 * DAY
        upstream.delay = 1
        for _ in range(20):
            assert service.get("/meters.csv").status_code == 200
        time.sleep(0.5)
        asked = len(service.calls)
        for _ in range(20):
            assert service.get("/meters.csv").headers["cache-status"] == "powershaper-sheets; fwd=stale"
        assert len(service.calls) == asked


def test_days_that_are_listed_and_can_not_be_fetched_break_no_sheet_that_worked(tmp_path: Path) -> None:
    down = {"on": False}
    no_records = partial(failing_when, lambda asked: down["on"] and "start" in asked, 503)
    with running(tmp_path, now=NOON, wrap=no_records) as service:
        held = service.text(THIS_MONTH)
        down["on"] = True
        service.clock.now += 2 * DAY
        answer = service.get(THIS_MONTH)
        assert (answer.status_code, answer.text) == (200, held)
        assert answer.headers["cache-status"] == "powershaper-sheets; fwd=stale"
        assert service.rows("/meters.csv?meter=gas&columns=latest")[1][0] > held.splitlines()[-1][:10], (
            "they are listed"
        )
        alone = service.get("/usage.csv?meter=gas&period=2021-06-16&tz=UTC")
        assert alone.status_code == 503, "never an empty 200"
        assert service.get("/usage.csv?meter=gas&period=last-60-days&tz=UTC").status_code == 503, "never half a total"


def test_days_of_which_only_some_were_looked_at_are_an_error_and_no_empty_table(tmp_path: Path) -> None:
    down = {"on": False}
    with running(tmp_path, now=NOON, wrap=partial(failing_when, lambda _: down["on"], 503)) as service:
        today = "/usage.csv?meter=gas&start=2021-06-15&tz=UTC&end=2021-06-"
        assert len(service.rows(today + "15")) == 1, "its half-hours come tomorrow"
        down["on"] = True
        for days in range(1, 30, 7):
            service.clock.now = NOON.timestamp() + days * DAY
            for table in (today, today.replace("usage", "gaps")):
                answer = service.get(f"{table}{min(30, 15 + days)}")
                assert (answer.status_code, answer.text[:12]) == (503, "error,remedy"), days
            known = service.get(today + "15")
            assert (known.status_code, len(known.text.splitlines())) == (200, 1)
            assert known.headers["x-data-as-of"] == "2021-06-15T12:00:00Z"


def test_what_a_request_waited_for_the_list_it_does_not_wait_for_half_hours() -> None:
    async def scenario() -> None:
        waits = Waits(whole=60, patience=5)
        deadline = waits.deadline()
        for _ in range(2):
            assert waits.patient(deadline) == deadline - 55
            await asyncio.sleep(0.01)

    asyncio.run(scenario())
