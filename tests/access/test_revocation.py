"""A key that another process revokes opens nothing within a second; one that it makes opens within a second."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from access.doors import GAS_DAY, PUBLIC_URL, ask, made_key, sent_as
from service import Running, running

from app.archive.sqlite import SqliteArchive

pytestmark = pytest.mark.alone

A_SECOND = 1.0
IN_ANOTHER_PROCESS = """
import sys
from app.archive.sqlite import SqliteArchive
archive = SqliteArchive.at(sys.argv[1])
assert archive.revoke_key(sys.argv[2], int(sys.argv[3]))
archive.close()
"""


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("public"), more={"public_url": PUBLIC_URL}) as service:
        yield service


@pytest.fixture(autouse=True)
def a_minute_later(public: Running) -> None:
    """The wrong keys of the test before are forgotten."""
    public.clock.now += 61


def opens(service: Running, key: str) -> bool:
    status = service.get(GAS_DAY, headers={"Authorization": f"Bearer {key}"}).status_code
    assert status in {200, 401}
    return status == 200


def seconds_until(service: Running, key: str, *, opened: bool) -> float:
    """How late a request was still answered as before a key opened, or was revoked; how slow an answer is, isn't it."""
    began = asked = time.monotonic()
    last = 0.0
    while opens(service, key) is not opened:
        last = asked - began
        assert last < 5 * A_SECOND
        time.sleep(0.1)
        asked = time.monotonic()
    return last


def opened_key(service: Running) -> tuple[str, str]:
    key, key_id = made_key(service)
    assert seconds_until(service, key, opened=True) < A_SECOND
    service.clock.now += 61
    return key, key_id


def test_a_new_key_opens_within_a_second(public: Running) -> None:
    first, _ = opened_key(public)
    second, _ = opened_key(public)
    assert opens(public, first)
    assert opens(public, second)


def test_a_key_revoked_over_another_connection_opens_nothing_within_a_second(public: Running) -> None:
    key, key_id = opened_key(public)
    other, _ = opened_key(public)
    archive = SqliteArchive.at(public.settings.archive)
    assert archive.revoke_key(key_id, int(public.clock()))
    archive.close()
    assert seconds_until(public, key, opened=False) < A_SECOND
    public.clock.now += 61
    for _ in range(10):
        assert not opens(public, key), "and stays shut"
        assert opens(public, other), "the other one is not touched"


def test_a_key_revoked_by_another_process_opens_nothing_within_a_second(public: Running) -> None:
    key, key_id = opened_key(public)
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS, public.settings.archive, key_id, str(int(public.clock()))]
    with subprocess.Popen(command) as process:
        while process.poll() is None:
            opens(public, key)
            time.sleep(0.02)
    assert process.returncode == 0
    assert seconds_until(public, key, opened=False) < A_SECOND


def test_a_revoked_key_is_refused_whatever_it_fetched_before(public: Running) -> None:
    key, key_id = opened_key(public)
    target, headers = sent_as("Basic", GAS_DAY, key)
    tag = ask(public.address, target, headers).header("etag")
    known = [*headers, f"If-None-Match: {tag}"]
    assert ask(public.address, target, known).status == 304
    archive = SqliteArchive.at(public.settings.archive)
    assert archive.revoke_key(key_id, int(public.clock()))
    assert not archive.revoke_key(key_id, int(public.clock())), "there is nothing more to revoke"
    archive.close()
    time.sleep(A_SECOND)
    for method in ("GET", "HEAD"):
        assert ask(public.address, target, known, method=method).status == 401
    assert ask(public.address, "/meters.csv", headers).status == 401
    assert ask(public.address, "/", headers).status == 401


def test_a_key_opens_to_the_end_of_its_last_local_day(public: Running) -> None:
    """London is an hour ahead in summer, so its day ends at 23:00 UTC."""
    key, _ = made_key(public, expires_on=date(2031, 7, 1))
    forever, _ = opened_key(public)
    assert seconds_until(public, key, opened=True) < A_SECOND
    public.clock.now = datetime(2031, 7, 1, 22, 59, 59, tzinfo=UTC).timestamp()
    assert opens(public, key)
    public.clock.now += 1
    assert not opens(public, key)
    assert opens(public, forever)
