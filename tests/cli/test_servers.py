"""`demo` and `serve` as people start them: a process of its own, until Control-C."""

import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import httpx
import pytest
from service import AFTER_THE_DATA, SetClock
from started import started

from app.cli.servers import served
from app.demo import DEMO_TOKEN, DemoUpstream

SETTINGS_OF_SOMEBODY = {
    "POWERSHAPER_TOKEN": "not a token",
    "POWERSHAPER_ARCHIVE_URL": "nonsense://",
    "POWERSHAPER_TZ": "Nowhere",
    "POWERSHAPER_PUBLIC_URL": "nonsense",
}


def powershaper_sheets(folder: Path, env: dict[str, str], *words: str) -> AbstractContextManager[list[str]]:
    return started([sys.executable, "-m", "app", *words], folder, os.environ | env)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[str]]]:
    folder = tmp_path_factory.mktemp("demo")
    (folder / ".env").write_text("POWERSHAPER_WAIT_SECONDS=nonsense\n")
    with powershaper_sheets(folder, SETTINGS_OF_SOMEBODY, "demo", "--port", "0") as addresses:
        yield folder, addresses


def test_demo_prints_three_addresses_that_work_whatever_the_settings(demo: tuple[Path, list[str]]) -> None:
    _, addresses = demo
    assert len(addresses) == 3
    for address in addresses:
        answer = httpx.get(address, trust_env=False, timeout=30)
        assert answer.status_code == 200
        assert answer.content


def test_demo_looks_current_and_leaves_nothing_behind(demo: tuple[Path, list[str]]) -> None:
    folder, addresses = demo
    rows = httpx.get(addresses[0] + "usage.csv?period=yesterday&tz=UTC", trust_env=False, timeout=30).text.splitlines()
    assert len(rows) == 1 + 3 * 48, "yesterday is there, of all three meters"
    assert [path.name for path in folder.iterdir()] == [".env"]


def test_serve_answers_on_loopback_with_the_account_that_is_set(tmp_path: Path) -> None:
    upstream = DemoUpstream(moved=False, clock=SetClock(AFTER_THE_DATA.timestamp()))
    with served(upstream.app) as base_url:
        env = {
            "POWERSHAPER_TOKEN": DEMO_TOKEN,
            "POWERSHAPER_BASE_URL": base_url,
            "POWERSHAPER_ARCHIVE_URL": f"sqlite:///{tmp_path}/archive.db",
        }
        with powershaper_sheets(tmp_path, env, "serve", "--port", "0") as addresses:
            address = addresses[0]
            answer = httpx.get(f"{address}/usage.csv?meter=gas&period=2021-06&aggregate=month", trust_env=False)
            assert answer.text.splitlines()[1] == "2021-06-01,208.1148,,0,gas,2021-05-31 23:00:00,100"
