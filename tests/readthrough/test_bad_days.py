"""Bad days: what is held is answered, and the headers say how sure it is."""

import sqlite3
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from service import eventually, failing_when, running

from app.domain.days import Days
from app.domain.freshness import Freshness
from app.domain.halfhours import HalfHours
from app.domain.meters import ListedMeter, Meter
from app.domain.spans import DAY_SECONDS, Span

JUNE = datetime(2021, 6, 15, 12, tzinfo=UTC)
OLD = "/usage.csv?meter=gas&period=2021-01&aggregate=day&tz=UTC"
YOUNG = "/usage.csv?meter=gas&start=2021-06-10&end=2021-06-14&aggregate=day&tz=UTC"
YEAR = 365 * DAY_SECONDS


def test_a_recheck_that_fails_is_said_and_so_is_its_mending(tmp_path: Path) -> None:
    failing = {"on": False}
    faulty = partial(failing_when, lambda asked: failing["on"] and "start" in asked, 500)
    with running(tmp_path, wrap=faulty, now=JUNE) as service:
        held = service.text(YOUNG)
        failing["on"] = True
        service.clock.now += 2 * 3600
        eventually(lambda: service.get(YOUNG).headers["cache-status"] == "powershaper-sheets; fwd=stale")
        assert service.text(YOUNG) == held
        failing["on"] = False
        service.clock.now += 3600
        eventually(lambda: service.get(YOUNG).headers["cache-status"] == "powershaper-sheets; hit")


def test_an_archive_that_can_not_be_written_answers_what_it_holds(tmp_path: Path) -> None:
    with running(tmp_path, now=JUNE) as service:
        held = service.text(OLD)
        db = sqlite3.connect(tmp_path / "archive.db")
        for table in ("facts", "meters", "days"):
            for event in ("INSERT", "UPDATE"):
                raises = "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
                db.execute(f"CREATE TRIGGER full_{table}_{event} BEFORE {event} ON {table} {raises}")
        db.close()
        service.clock.now += 26 * 3600
        assert service.text(OLD) == held
        cold = service.text("/usage.csv?meter=gas&period=2021-02")
        calls = list(service.calls)
        assert service.text("/usage.csv?meter=gas&period=2021-02") == cold
        db = sqlite3.connect(tmp_path / "archive.db")
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.close()
        february = "SELECT count(*) FROM days WHERE day BETWEEN '2021-02-01' AND '2021-02-28'"
        db = sqlite3.connect(tmp_path / "archive.db")
        eventually(lambda: db.execute(february).fetchone() == (28,))
        db.close()
        assert service.text("/usage.csv?meter=gas&period=2021-02") == cold
        assert service.calls == calls


def test_over_several_meters_the_data_is_as_of_the_oldest_day_that_is_still_rechecked(tmp_path: Path) -> None:
    with running(tmp_path, now=JUNE) as service:
        gas, electricity = YOUNG, YOUNG.replace("gas", "electricity-5f1c9a52")
        first = service.get(OLD).headers["x-data-as-of"]
        service.clock.now += 3000
        second = service.get(gas).headers["x-data-as-of"]
        service.clock.now += 300
        third = service.get(electricity).headers["x-data-as-of"]
        assert first < second < third
        both = service.get(YOUNG.replace("meter=gas", "meter=gas&meter=electricity-5f1c9a52"))
        assert both.headers["x-data-as-of"] == second
        since = "/usage.csv?meter=gas&meter=electricity-5f1c9a52&start=2021-01-01&end=2021-01-31&aggregate=day&tz=UTC"
        assert service.get(since).headers["x-data-as-of"] == third, "no day is rechecked: the newest confirmation"


@pytest.mark.parametrize("ahead", [2 * DAY_SECONDS, 10 * YEAR])
def test_a_day_that_a_clock_ahead_confirmed_is_looked_at_again(ahead: int) -> None:
    today = 18_000
    now = today * DAY_SECONDS + 43_200
    span = Span.of_utc_days(today - 1, today)
    days, _ = Days.none_held(today - 1, today).refreshed(HalfHours.missing(span), now + ahead)
    meter = Meter(1, "gas", ListedMeter("a", "gas", None, span), is_listed=True, held=None)
    assert np.all(days.due(meter, now, Freshness()))
