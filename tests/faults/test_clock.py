"""The clock is moved while the service runs: nothing hangs or storms, and no pause outlasts a quarter of an hour."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest
from faults.faulty import COLD, HELD, JUNE, Faulty, everywhere, faulty_service, records
from service import SetClock, eventually
from upstream.raw_server import answer, sends

DAY = 86_400
MOVES = {"a day on": DAY, "a day back": -DAY, "ten years on": 3652 * DAY, "ten years back": -3652 * DAY}
QUARTER, JITTER = 900, 15
POLICY = {"calls_per_minute": 10, "calls_burst": 5, "retry_seconds": 0, "wait_seconds": 5}
OTHERS = [
    "/meters.csv",
    HELD.replace("csv", "json"),
    HELD + "&aggregate=day",
    HELD + "&aggregate=profile",
    "/usage.csv?meter=gas&start=2021-06-12&end=2021-06-14&layout=grid",
]


def well(service: Faulty) -> None:
    """Nothing is wrong when the clock is moved."""
    service.faulty.heal()


def paused(service: Faulty) -> None:
    """The quota is used up."""
    service.faulty.spoils, service.faulty.hits = (
        lambda _: sends(answer(b"{}", "426 Upgrade Required", head="Retry-After: 900")),
        records,
    )
    assert service.get(COLD).status_code == 503
    service.faulty.heal()
    assert "quota" in service.get(COLD).text


def broken(service: Faulty) -> None:
    """The breaker is open."""
    service.faulty.spoils, service.faulty.hits = lambda _: sends(answer(b"", "503 Down")), everywhere
    for _ in range(2):
        assert service.get(COLD).status_code == 503
    service.faulty.heal()
    assert "several times in a row" in service.get(COLD).text


def asks_all(service: Faulty) -> int:
    """How many calls it costs to ask for what is held, in several ways, twice; all of it is answered at once."""
    before = len(service.calls)
    for path in [HELD, *OTHERS] * 2:
        began = monotonic()
        answered = service.get(path)
        assert answered.status_code == 200, answered.text
        assert monotonic() - began < 30, "it hung"
    return len(service.calls) - before


@pytest.mark.parametrize("state", [well, paused, broken])
@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_a_clock_that_is_moved_hangs_nothing_and_storms_nothing(
    move: int, state: Callable[[Faulty], None], tmp_path: Path
) -> None:
    clock = SetClock(JUNE.timestamp())
    with faulty_service(tmp_path, clock=clock, more=POLICY) as service:
        held = service.text(HELD)
        clock.now += 30
        state(service)
        clock.now += move
        assert asks_all(service) <= 5
        assert service.text(HELD) == held
        clock.now += QUARTER + JITTER
        assert asks_all(service) <= 5
        clock.now += QUARTER
        eventually(lambda: service.get(COLD).status_code == 200)
        assert len(service.rows(COLD)) == 1 + 5 * 48
        clock.now -= move
        assert asks_all(service) <= 5
        assert service.text(HELD) == held


@pytest.mark.parametrize("state", [paused, broken])
@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_no_pause_outlasts_a_quarter_of_an_hour_after_the_clock_was_moved(
    move: int, state: Callable[[Faulty], None], tmp_path: Path
) -> None:
    clock = SetClock(JUNE.timestamp())
    with faulty_service(tmp_path, clock=clock, more=POLICY) as service:
        service.text("/meters.csv")
        clock.now += 30
        state(service)
        clock.now += move
        clock.now += QUARTER + JITTER
        eventually(lambda: service.get(COLD).status_code == 200)  # the first call after a breaker is one probe
        assert len(service.rows(COLD)) == 1 + 5 * 48
