"""The policy in a running service: PowerShaper is left alone when it asks for that, and readers are told."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from faults.faulty import COLD, ELECTRICITY, Faulty, faulty_service
from pydantic import SecretStr
from service import HOME_A, Running, eventually, failing_when, running
from upstream.raw_server import answer, hangs, sends

from app.demo import DemoUpstream

NOON = datetime(2021, 6, 15, 12, tzinfo=UTC)
HOUR = 3600
BUDGET = {"calls_per_minute": 10, "calls_burst": 5, "wait_seconds": 1}


def test_a_426_is_a_503_that_says_when_to_come_back_and_upstream_is_left_alone(tmp_path: Path) -> None:
    over = {"on": False}
    with running(tmp_path, wrap=partial(failing_when, lambda asked: over["on"] and "start" in asked, 426)) as service:
        service.text("/meters.csv")
        over["on"] = True
        first = service.get("/usage.csv?meter=gas&period=2021-06")
        assert first.status_code == 503
        over["on"] = False
        asked = service.upstream.calls.copy()
        again = service.get("/usage.csv?meter=gas&period=2021-06")
        assert again.status_code == 503
        assert 1 <= int(again.headers["retry-after"]) <= 75
        assert "quota" in again.text
        assert service.upstream.calls == asked, "the pause holds"
        service.clock.now += 80
        assert service.text("/usage.csv?meter=gas&period=2021-06")


def test_a_pause_survives_a_restart(tmp_path: Path) -> None:
    with running(tmp_path, wrap=partial(failing_when, lambda asked: "start" in asked, 426)) as service:
        assert service.get("/usage.csv?meter=gas&period=2021-06").status_code == 503
    with running(tmp_path) as service:
        assert service.get("/usage.csv?meter=gas&period=2021-06").status_code == 503
        assert service.calls == []
        service.clock.now += 80
        assert service.text("/usage.csv?meter=gas&period=2021-06")


def test_a_meter_that_is_refused_leaves_the_others_alone(tmp_path: Path) -> None:
    def is_gas(asked: dict[str, list[str]]) -> bool:
        return asked.get("start") == ["2021-06-01"]

    with running(tmp_path, wrap=partial(failing_when, is_gas, 403)) as service:
        assert service.get("/usage.csv?meter=gas&start=2021-06-01&end=2021-06-02&tz=UTC").status_code == 502
        asked = len(service.calls)
        assert service.get("/usage.csv?meter=gas&start=2021-07-01&end=2021-07-02&tz=UTC").status_code == 502
        assert len(service.calls) == asked, "the meter is left alone"
        assert service.text("/usage.csv?meter=electricity-5f1c9a52&start=2021-07-01&end=2021-07-02&tz=UTC")


def test_a_refused_token_is_not_tried_again_until_it_is_another(tmp_path: Path) -> None:
    with running(tmp_path, more={"token": SecretStr("x" * 40)}) as service:
        for _ in range(5):
            answer = service.get("/usage.csv?period=2021-06")
            assert answer.status_code == 502
            assert "refused the token" in answer.text
        assert len(service.calls) == 1
    with running(tmp_path) as service:
        assert service.text("/usage.csv?period=2021-06&meter=gas"), "another token begins afresh"


def test_the_budget_holds_for_a_crowd_and_their_fetches_go_on(tmp_path: Path) -> None:
    with running(tmp_path, more=BUDGET) as service, ThreadPoolExecutor(12) as clients:
        months = [f"/usage.csv?meter=gas&period=2021-{month:02}&tz=UTC" for month in range(1, 13)]
        answers = list(clients.map(service.get, months))
        eventually(lambda: len(service.calls) == 5)
        time.sleep(0.3)
        assert len(service.calls) == 5, "a burst, and not one more"
        assert {answer.status_code for answer in answers} <= {200, 503}
        eventually(lambda: [answer.status_code for answer in clients.map(service.get, months)].count(200) == 4)


def test_a_request_waits_for_the_list_and_the_half_hours_together(tmp_path: Path) -> None:
    upstream = DemoUpstream(moved=False, delay=0.7)
    with running(tmp_path, upstream=upstream, more={"wait_seconds": 1}) as service:
        asked = "/usage.csv?meter=gas&period=2021-06"
        assert service.get(asked).status_code == 503, "each alone would have been in time"
        eventually(lambda: service.get(asked).status_code == 200)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_short_span_that_fails_is_tried_twice_more(tmp_path: Path, status: int) -> None:
    tries = []

    def wrong(asked: dict[str, list[str]]) -> bool:
        tries.append(asked) if "start" in asked else None
        return "start" in asked and len(tries) < 3

    with running(tmp_path, wrap=partial(failing_when, wrong, status)) as service:
        assert len(service.rows("/usage.csv?meter=gas&start=2021-07-01&end=2021-07-02&tz=UTC")) == 97
        assert len(tries) == 3


def test_forty_formulas_refreshed_hourly_for_a_day_cost_at_most_sixty_calls(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clock_starts = datetime(2022, 12, 6, 0, 30, tzinfo=UTC)
    upstream = DemoUpstream(moved=False)
    budget = {"calls_burst": 60, "refresh_minutes": 0.005}
    with running(tmp_path, now=clock_starts, upstream=upstream, more=budget) as service:
        upstream.clock = service.clock
        for _ in range(24):
            for formula in formulas():
                assert service.get(formula).status_code == 200
            wait_until_quiet(service)
            service.clock.now += HOUR
        with capsys.disabled():
            print(f"\n40 formulas hourly for a day: {len(service.calls)} upstream calls")  # noqa: T201 - its result
        assert len(service.calls) <= 60


def formulas() -> list[str]:
    year = f"meter={HOME_A}&period=last-365-days"
    shapes = [
        f"aggregate={aggregate}&layout={layout}"
        for aggregate in ("day", "week", "month", "profile")
        for layout in ("long", "wide")
    ]
    shapes += ["aggregate=none&layout=grid", "aggregate=hour"]
    return [
        f"/usage.{kind}?{year}&{shape}&tz={tz}"
        for shape in shapes
        for kind in ("csv", "json")
        for tz in ("UTC", "Europe/London")
    ]


def wait_until_quiet(service: Running) -> None:
    calls = -1
    while calls != len(service.calls):
        calls = len(service.calls)
        time.sleep(0.1)


def test_who_comes_while_powershaper_is_probed_waits_for_what_comes_of_it(tmp_path: Path) -> None:
    upstream, down = DemoUpstream(moved=False), {"on": True}
    faulty = partial(failing_when, lambda asked: down["on"] and "start" in asked, 503)
    with running(tmp_path, upstream=upstream, wrap=faulty) as service, ThreadPoolExecutor(8) as clients:
        months = [f"/usage.csv?meter=gas&period=2021-{month:02}&tz=UTC" for month in range(1, 9)]
        answers = [service.get(month) for month in months]
        assert {answer.status_code for answer in answers} == {503}
        assert "several times in a row" in answers[-1].text
        down["on"], upstream.delay = False, 1
        service.clock.now += 31
        assert [answer.status_code for answer in clients.map(service.get, months)] == [200] * 8
        down["on"] = True
        for month in range(9, 12):
            assert service.get(f"/usage.csv?meter=gas&period=2021-{month:02}&tz=UTC").status_code == 503
        service.clock.now += 31
        late = ["/usage.csv?meter=gas&period=2020-12", "/usage.csv?meter=gas&period=2020-11"]
        assert [answer.status_code for answer in clients.map(service.get, late)] == [503, 503], "it is still away"


def test_a_probe_that_finds_a_meter_refused_keeps_nobody_waiting(tmp_path: Path) -> None:
    with faulty_service(tmp_path, more={"wait_seconds": 10}) as service:
        is_open(service)
        service.faulty.spoils = lambda _: sends(answer(b"", "403 Forbidden"))
        service.faulty.hits = lambda path: "/gas?" in path
        assert service.get(COLD).status_code == 502
        assert len(service.rows(COLD.replace("gas", ELECTRICITY))) == 1 + 5 * 48


def test_a_probe_that_ends_with_the_service_keeps_nobody_waiting_after_it(tmp_path: Path) -> None:
    with faulty_service(tmp_path, more={"wait_seconds": 0.1}) as service:
        is_open(service)
        service.faulty.spoils = lambda _: hangs()
        assert service.get(COLD).status_code == 503
        eventually(lambda: len(service.faulty.server.requests) == len(service.calls))
        clock = service.clock
    with faulty_service(tmp_path, clock=clock, more={"wait_seconds": 10}) as service:
        assert len(service.rows(COLD)) == 1 + 5 * 48


def test_a_meter_that_hangs_leaves_room_for_the_calls_of_others(tmp_path: Path) -> None:
    with faulty_service(tmp_path, more={"wait_seconds": 10}) as service, ThreadPoolExecutor(8) as clients:
        service.text("/meters.csv")
        service.faulty.spoils, service.faulty.hits = lambda _: hangs(), lambda path: "/gas?" in path
        hanging = [clients.submit(service.get, COLD.replace("2021-03", f"2021-0{month}")) for month in range(1, 6)]
        eventually(lambda: len([path for path in service.calls if "/gas?" in path]) == 2)
        assert len(service.rows(COLD.replace("gas", ELECTRICITY))) == 1 + 5 * 48
        assert not any(asked.done() for asked in hanging)
        service.faulty.heal()


def is_open(service: Faulty) -> None:
    """The breaker has opened, and the next call is a probe."""
    service.text("/meters.csv")
    service.faulty.spoils = lambda _: sends(answer(b"", "503 Down"))
    eventually(lambda: "several times in a row" in service.get(COLD).text)
    service.clock.now += 61
