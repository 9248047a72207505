"""A service behind its guard, for the clients that bring a key."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from service import HOME_A, Running, running
from templates.templates import GUARDED, TODAY


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
def household(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, str]]:
    """The service on the internet on an evening up to which its data reaches, and a key to one home's meters."""
    now = datetime(TODAY.year, TODAY.month, TODAY.day, 20, tzinfo=UTC)
    with running(tmp_path_factory.mktemp("household"), now=now, more=GUARDED) as service:
        yield service, service.make_key(frozenset({(HOME_A, "electricity"), (HOME_A, "gas")}))
