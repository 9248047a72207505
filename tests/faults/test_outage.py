"""A day without PowerShaper: sheets go on, it is asked seldom, and nothing rushes in when it is back."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from faults.faulty import JUNE, Faulty, faulty_service, nobody_listens
from service import SetClock, eventually
from upstream.raw_server import answer, sends

MINUTE, DAY = 60, 86_400
METERS = "meter=gas&meter=electricity-5f1c9a52"
FORMULAS = [
    f"/usage.csv?{METERS}&period=last-7-days&aggregate=day&tz=UTC",
    f"/usage.json?{METERS}&start=2021-06-01&tz=Europe/London&aggregate=hour",
    f"/usage.csv?{METERS}&period=this-month&layout=wide&tz=UTC",
    "/usage.csv?meter=gas&period=last-month&aggregate=profile",
    "/usage.html?meter=electricity-5f1c9a52&period=last-31-days&aggregate=day",
    "/meters.csv",
]
POLICY = {"calls_per_minute": 10, "calls_burst": 5, "retry_seconds": 0}
"""The policy as it is, but a retry doesn't wait: clocks stand still."""


def ask(service: Faulty, step: int) -> None:
    """Two of the formulas, each in its turn."""
    for formula in (FORMULAS[2 * step % len(FORMULAS)], FORMULAS[(2 * step + 1) % len(FORMULAS)]):
        answered = service.get(formula)
        assert answered.status_code == 200, answered.text
        assert int(answered.headers["content-length"]) > 200


def wait_until_quiet(service: Faulty) -> None:
    """Until nothing is under way: the clock must not run ahead of it."""
    eventually(lambda: "fetches_under_way,0" in service.text("/status.csv"))


@pytest.mark.parametrize(("outage", "minutes"), [("503", 2), ("refused", 5)])
def test_a_day_of_outage_costs_at_most_160_probes_and_ends_without_a_burst(
    outage: str, minutes: int, tmp_path: Path
) -> None:
    clock = SetClock(JUNE.timestamp())
    with (
        nobody_listens() as port,
        faulty_service(tmp_path, clock=clock, upstream_clock=clock, more=POLICY) as service,
    ):
        for formula in FORMULAS:
            clock.now += MINUTE
            assert service.get(formula).status_code == 200
        if outage == "refused":
            service.faulty.wire.astray = {"port": port}
        else:
            service.faulty.spoils = lambda _: sends(answer(b"", "503 Service Unavailable"))
        before = len(service.calls)
        for step in range(DAY // (minutes * MINUTE)):
            clock.now += minutes * MINUTE
            ask(service, step)
            wait_until_quiet(service)
        probes = len(service.calls) - before
        assert 24 <= probes <= 160, "it is looked at now and then, and not more"

        service.faulty.heal()
        healed = clock.now
        calls: list[float] = []
        while clock.now < healed + 20 * MINUTE:
            clock.now += 10
            ask(service, int(clock.now // 10))
            wait_until_quiet(service)
            calls += [clock.now] * (len(service.calls) - before - probes - len(calls))
        assert len([at for at in calls if at <= calls[0] + MINUTE]) <= 5, "no burst"
        assert 3 <= len(calls) <= 10, "the list, and what is due of each meter"
        yesterday = datetime.fromtimestamp(clock.now - DAY, tz=UTC).date().isoformat()
        eventually(lambda: service.rows(FORMULAS[0])[-1][0] == yesterday)
        assert service.get(FORMULAS[0]).headers["cache-status"] == "powershaper-sheets; hit"
