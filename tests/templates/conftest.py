"""A service behind its guard, for the clients that bring a key, and the programs that run templates."""

from collections.abc import Iterator

import pytest
from conftest import program
from service import Running, running
from templates.templates import GUARDED


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service on both homes as it is on the internet: nobody gets in without a key."""
    with running(tmp_path_factory.mktemp("guarded-templates"), more=GUARDED) as service:
        yield service


@pytest.fixture(scope="session")
def key(guarded: Running) -> str:
    """A key of that service which reads every meter."""
    return guarded.make_key()


@pytest.fixture(scope="session")
def node() -> str:
    """The command of Node."""
    return program("node")
