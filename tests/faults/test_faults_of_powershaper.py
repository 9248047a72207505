"""Every fault of PowerShaper, with the days in the archive and without: no sheet breaks, nothing held changes."""

import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from faults.faulty import (
    COLD,
    HELD,
    JUNE,
    NAMELESS,
    Faulty,
    Hits,
    dump,
    faulty_service,
    listing,
    nobody_listens,
    records,
)
from faults.known_faults import FAULTS, Fault
from service import SetClock, eventually

from app.access import access_key, new_key
from app.archive import open_archive
from app.demo import DEMO_TOKEN

HOUR = 3600
OWN_LOGS = ("httpx", "httpcore")
"""Also the test's own client logs there; the service keeps them quiet."""


@dataclass(frozen=True)
class Known:
    """What is known of a PowerShaper that is well: an archive with the days of `HELD`, and answers.

    `fresh` is an archive without days and meters; both archives know the access key `key`.
    """

    warm: Path
    fresh: Path
    key: str
    answers: dict[str, str]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    fresh, warm, well = (tmp_path_factory.mktemp(name) for name in ("fresh", "warm", "well"))
    key = new_key()
    archive = open_archive(f"sqlite:///{fresh}/archive.db")
    archive.add_key(access_key(key, "a test", None, None, int(JUNE.timestamp())))
    archive.close()
    shutil.copy(fresh / "archive.db", warm)
    with faulty_service(warm) as service:
        answers = {HELD: service.text(HELD)}
    with faulty_service(well) as service:
        answers |= {path: service.text(path) for path in (COLD, "/meters.csv")}
    assert answers[HELD].count("\r\n") == 1 + 2 * 5 * 48
    assert answers[COLD].count("\r\n") == 1 + 5 * 48
    return Known(warm, fresh, key, answers)


def begin(service: Faulty, fault: Fault, closed_port: int) -> None:
    """From now on PowerShaper fails."""
    service.faulty.spoils, service.faulty.hits = fault.spoils, fault.hits
    if fault.spoils is None:
        service.faulty.wire.astray = {"port": closed_port} if fault.name == "refused" else {"host": NAMELESS}


@pytest.fixture(scope="module")
def closed_port() -> Iterator[int]:
    with nobody_listens() as port:
        yield port


def assert_no_secret(known: Known, caplog: pytest.LogCaptureFixture, *answers: httpx.Response) -> None:
    told = [repr(answer.headers) + answer.text for answer in answers]
    told += [record.getMessage() + (record.exc_text or "") for record in caplog.records if record.name not in OWN_LOGS]
    assert any("/usage" in text or "/meters" in text for text in told), "the service's own log is looked at"
    for secret in (DEMO_TOKEN, known.key):
        assert secret not in "\n".join(told)


def assert_says_what_to_do(service: Faulty, path: str, fault: Fault, key: str) -> list[httpx.Response]:
    """The errors for a link, in CSV with the key in the link, and in JSON with it in a header."""
    table = service.get(path, params=_with_key(path, key))
    problem = service.get(path.replace(".csv", ".json"), headers={"Authorization": f"Bearer {key}"})
    for error in (table, problem):
        assert error.status_code == fault.cold, error.text
        assert ("retry-after" in error.headers) == (fault.cold == 503)
        assert 1 <= int(error.headers.get("retry-after", "1")) <= 915
        assert error.headers["cache-control"] == "no-store"
        assert "etag" not in error.headers
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    header, row, end = table.text.split("\r\n")
    assert (header, end) == ("error,remedy", "")
    assert "PowerShaper" in row
    said: dict[str, Any] = problem.json()
    assert problem.headers["content-type"] == "application/problem+json"
    assert said["status"] == fault.cold
    assert "PowerShaper" in said["detail"]
    assert said["remedy"].endswith(".")
    return [table, problem]


def _with_key(path: str, key: str) -> list[tuple[str, str]]:
    return [*httpx.URL(path).params.multi_items(), ("key", key)]


def assert_recovers(service: Faulty, known: Known, fault: Fault, path: str) -> None:
    service.faulty.heal()
    service.clock.now += fault.pause
    eventually(lambda: service.get(path).status_code == 200)
    assert service.text(path) == known.answers[path]


def faults_but(*left_out: Hits) -> pytest.MarkDecorator:
    """A case for every fault, but for those of certain calls."""
    chosen = [fault for fault in FAULTS if fault.hits not in left_out]
    return pytest.mark.parametrize("fault", chosen, ids=[fault.name for fault in chosen])


@faults_but()
def test_what_is_held_is_answered_whatever_powershaper_does(
    fault: Fault, known: Known, closed_port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    shutil.copy(known.warm / "archive.db", tmp_path)
    before = dump(tmp_path)
    with faulty_service(tmp_path, clock=SetClock(JUNE.timestamp()), more=fault.more) as service:
        as_of = service.get(HELD).headers["x-data-as-of"]
        begin(service, fault, closed_port)
        service.clock.now += 25 * HOUR
        answer = service.get(HELD, params=_with_key(HELD, known.key))
        assert answer.status_code == 200
        assert answer.text == known.answers[HELD]
        assert answer.headers["cache-status"] == "powershaper-sheets; fwd=stale"
        assert answer.headers["x-data-as-of"] == as_of, "nothing was confirmed"
        assert service.calls, "PowerShaper was asked"
        meters = service.get("/meters.csv")
        assert meters.status_code == 200
        after = dump(tmp_path)
        if fault.hits is listing:  # the days may come all the same
            after[1] = before[1]
        assert after == before
        assert_no_secret(known, caplog, answer, meters)
        assert_recovers(service, known, fault, HELD)
        eventually(lambda: service.get(HELD).headers["cache-status"] == "powershaper-sheets; hit")


@faults_but(listing)
def test_days_that_are_not_held_are_an_error_and_come_when_powershaper_is_well(
    fault: Fault, known: Known, closed_port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    shutil.copy(known.warm / "archive.db", tmp_path)
    before = dump(tmp_path)
    with faulty_service(tmp_path, more=fault.more) as service:
        begin(service, fault, closed_port)
        errors = assert_says_what_to_do(service, COLD, fault, known.key)
        assert service.calls, "PowerShaper was asked"
        assert dump(tmp_path) == before
        assert service.text(HELD) == known.answers[HELD]
        assert_no_secret(known, caplog, *errors)
        assert_recovers(service, known, fault, COLD)


@faults_but(records)
def test_without_a_list_of_meters_the_answer_is_an_error_until_powershaper_is_well(
    fault: Fault, known: Known, closed_port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    shutil.copy(known.fresh / "archive.db", tmp_path)
    with faulty_service(tmp_path, more=fault.more) as service:
        begin(service, fault, closed_port)
        errors = assert_says_what_to_do(service, COLD, fault, known.key)
        errors += assert_says_what_to_do(service, "/meters.csv", fault, known.key)
        assert dump(tmp_path) == [[], [], []]
        assert_no_secret(known, caplog, *errors)
        assert_recovers(service, known, fault, COLD)
        assert service.text("/meters.csv") == known.answers["/meters.csv"]
