"""A thousand clients on one cold meter: one fetch of each span, nobody waits long, a warm meter answers meanwhile."""

import hashlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from urllib.parse import urlsplit

import pytest
from service import AFTER_THE_DATA, SetClock
from shell import environment
from started import started

from app.cli.servers import served
from app.demo import DemoUpstream

CLIENTS, ARRIVE_SECONDS, UPSTREAM_SECONDS = 1000, 8, 8
CROWD = Path(__file__).with_name("crowd.py")
WARM = "/usage.csv?meter=electricity-5f1c9a52&period=2021-06&aggregate=day&tz=UTC"
COLD_SPANS = ["2021", "2020", "2022"]
OPEN_FILES = 4096


@pytest.fixture(autouse=True)
def _enough_open_files() -> None:
    """Each client is an open file, here and in the service, which inherits the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < OPEN_FILES:
        resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, hard))


def seconds_of_answers(connection: HTTPConnection, goes_on: Callable[[int], bool]) -> list[float]:
    """How long each of the answers about the warm meter took, one after another on one connection."""
    seconds: list[float] = []
    while goes_on(len(seconds)):
        began = perf_counter()
        connection.request("GET", WARM)
        answered = connection.getresponse()
        answered.read()
        seconds.append(perf_counter() - began)
        assert answered.status == 200
    return seconds


def p90(seconds: list[float]) -> float:
    return quantiles(seconds, n=10)[-1]


@pytest.mark.alone
def test_a_thousand_clients_on_a_cold_meter_cost_one_fetch_and_slow_nobody_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The one timing that the tests assert: a warm meter's answers take at most three times as long as when idle.

    It is a ratio, measured within one run. The service and the crowd are processes of their own, so that what this
    process measures is the service's work and not the crowd's. Idle and busy stretches take turns, once for each cold
    span, and the median of the rounds' ratios counts, so that one disturbance from outside changes nothing.
    """
    upstream = DemoUpstream(moved=False, clock=SetClock(AFTER_THE_DATA.timestamp()))
    ratios: list[tuple[float, float]] = []
    waits: list[float] = []
    with served(upstream.app) as base_url:
        env = os.environ | environment(tmp_path, base_url)
        with started([sys.executable, "-m", "app", "serve", "--port", "0"], tmp_path, env) as addresses:
            address = addresses[0].rstrip("/")
            connection = HTTPConnection(urlsplit(address).netloc, timeout=60)
            seconds_of_answers(connection, lambda n: n < 50)
            upstream.delay = UPSTREAM_SECONDS
            for span in COLD_SPANS:
                idle = seconds_of_answers(connection, lambda n: n < 200)
                calls = len(upstream.calls)
                path = f"/usage.csv?meter=gas&period={span}&aggregate=day&tz=UTC"
                command = [sys.executable, str(CROWD), address, path, str(CLIENTS), str(ARRIVE_SECONDS)]
                told = tmp_path / f"{span}.json"
                with told.open("w") as output, subprocess.Popen(command, stdout=output) as crowd:
                    busy = seconds_of_answers(connection, lambda _: crowd.poll() is None)
                assert crowd.returncode == 0
                clients = json.loads(told.read_text())
                assert len(upstream.calls) == calls + 1, "one fetch of the span"
                connection.request("GET", path)
                body = connection.getresponse().read()
                statuses, seconds, bodies = zip(*clients, strict=True)
                assert len(clients) == CLIENTS
                assert set(statuses) == {200}
                assert set(bodies) == {hashlib.sha256(body).hexdigest()}
                waits.append(max(seconds))
                ratios.append((median(busy) / median(idle), p90(busy) / p90(idle)))
            connection.close()
    with capsys.disabled():
        print(  # noqa: T201 - its result
            f"\n{CLIENTS} clients on a cold meter: the longest wait {max(waits):.1f} s; a warm meter meanwhile, times"
            f" idle (median, p90): {', '.join(f'{m:.2f} {p:.2f}' for m, p in ratios)}"
        )
    assert max(waits) < 60
    assert median(ratio for ratio, _ in ratios) <= 3
    assert median(ratio for _, ratio in ratios) <= 3
