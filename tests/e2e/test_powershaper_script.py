"""A program that knows nothing but PowerShaper's API runs unchanged against the service: only the address differs."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from service import AFTER_THE_DATA, HOME_A, Running, SetClock, running
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access import new_key
from app.cli.servers import served
from app.demo import DEMO_TOKEN, DemoUpstream

SCRIPT = Path(__file__).with_name("powershaper_script.py")
DAYS = {"FIRST_DAY": "2021-10-25", "LAST_DAY": "2021-11-07"}


def run(address: str, token: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = {"POWERSHAPER_URL": address, "POWERSHAPER_API_TOKEN": token, "LONGEST_WAIT": "0.1"} | DAYS | more
    return subprocess.run([sys.executable, SCRIPT], env=env, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that wants a key of everybody."""
    with running(tmp_path_factory.mktemp("public"), more={"public_url": "https://sheets.example.org"}) as service:
        yield service


def expected() -> str:
    """What the program prints of PowerShaper itself."""
    upstream = DemoUpstream(moved=False, clock=SetClock(AFTER_THE_DATA.timestamp()))
    with served(upstream.app) as address:
        done = run(address, DEMO_TOKEN)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3
    return done.stdout


def test_it_prints_the_same_with_a_key(public: Running) -> None:
    done = run(public.address, public.make_key())
    assert (done.returncode, done.stdout) == (0, expected()), done.stderr


def test_it_prints_the_same_on_this_machine_with_whatever_token_it_has(homes: Running) -> None:
    assert run(homes.address, DEMO_TOKEN).stdout == run(homes.address, "x" * 40).stdout == expected()


def test_a_key_for_one_meter_shows_it_that_one(public: Running) -> None:
    done = run(public.address, public.make_key(frozenset({(HOME_A, "gas")})))
    assert done.stdout.splitlines() == [line for line in expected().splitlines() if f"{HOME_A} gas" in line]
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize("token", [DEMO_TOKEN, new_key(), "x" * 40], ids=["upstream's", "unknown", "none"])
def test_it_knows_that_it_is_refused(public: Running, token: str) -> None:
    done = run(public.address, token)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("refused: ")


def test_it_waits_for_a_quota_and_then_gets_all(tmp_path: Path) -> None:
    """PowerShaper's 426 reaches it with the seconds to wait; the clock goes on while it does."""
    refusals: list[str] = []

    def once_over_quota(app: ASGIApp) -> ASGIApp:
        async def play(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http" and scope["query_string"] and not refusals:
                refusals.append(scope["path"])
                await Response(status_code=426)(scope, receive, send)
            else:
                await app(scope, receive, send)

        return play

    class RestlessClock(SetClock):
        """Ten minutes go by whenever somebody looks after the refusal."""

        def __call__(self) -> float:
            self.now += 600 if refusals else 0
            return self.now

    with running(tmp_path, clock=RestlessClock(AFTER_THE_DATA.timestamp()), wrap=once_over_quota) as service:
        done = run(service.address, "x" * 40)
    assert len(refusals) == 1
    assert (done.returncode, done.stdout) == (0, expected()), done.stderr
    seconds = [int(line.split()[1]) for line in done.stderr.splitlines()]
    assert seconds
    assert all(1 <= wait <= 915 for wait in seconds)
