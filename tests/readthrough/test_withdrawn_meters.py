"""A meter that PowerShaper no longer lists: it is read from the archive, and PowerShaper isn't asked about it."""

from datetime import UTC, datetime
from pathlib import Path

from service import Running, eventually, running

from app.demo import DemoUpstream

NOON = datetime(2021, 6, 15, 12, tzinfo=UTC)
HOUR, DAY = 3600, 86_400
HELD = "/usage.csv?meter=gas&start=2021-06-01&end=2021-06-14&tz=UTC"
UNHELD = "/usage.csv?meter=gas&start=2021-05-31&end=2021-06-01&tz=UTC"


def withdraw(upstream: DemoUpstream, kind: str) -> None:
    """From now on the meters of a type are not listed, and answer 404."""
    upstream.meters = [meter for meter in upstream.meters if meter.type != kind]


def gas_calls(service: Running) -> list[str]:
    return [call for call in service.calls if "/gas?" in call]


def lists_asked_for(service: Running) -> int:
    return len([call for call in service.calls if call.endswith("/meters/")])


def is_withdrawn(service: Running) -> bool:
    return ["gas", "withdrawn"] in service.rows("/meters.csv?columns=meter,status")


def test_it_is_not_asked_about_whatever_is_due_missing_or_newer(tmp_path: Path) -> None:
    upstream = DemoUpstream(moved=False)
    with running(tmp_path, now=NOON, upstream=upstream, more={"refresh_minutes": 0.002}) as service:
        upstream.clock = service.clock
        held = service.text(HELD)
        withdraw(upstream, "gas")
        service.clock.now += 7 * HOUR
        eventually(lambda: is_withdrawn(service))
        calls = gas_calls(service)
        for days in range(4):
            service.clock.now += DAY
            answer = service.get(HELD)
            assert answer.text == held
            assert answer.headers["cache-status"] == "powershaper-sheets; hit", days
            for asked in ("yesterday", "this-month", "2021-05-01"):
                assert service.get(f"/usage.csv?meter=gas&period={asked}&tz=UTC").status_code == 200
        assert gas_calls(service) == calls


def test_what_was_never_fetched_of_it_is_a_gap_and_breaks_no_table_of_all_meters(tmp_path: Path) -> None:
    upstream = DemoUpstream(moved=False)
    with running(tmp_path, now=NOON, upstream=upstream) as service:
        service.text(HELD)
        withdraw(upstream, "gas")
        service.clock.now += 2 * DAY
        _, never, held = service.rows(UNHELD + "&aggregate=day&columns=time,energy_kwh,coverage_pct")
        assert never == ["2021-05-31", "", "0"]
        assert float(held[1]) > 0
        everything = service.rows(UNHELD.replace("meter=gas&", "") + "&aggregate=day&columns=meter")
        assert {row[0] for row in everything[1:]} == {"gas", "electricity-5f1c9a52"}


def test_one_that_is_listed_again_is_asked_about_again(tmp_path: Path) -> None:
    upstream = DemoUpstream(moved=False)
    with running(tmp_path, now=NOON, upstream=upstream) as service:
        service.text(HELD)
        before = upstream.meters
        withdraw(upstream, "gas")
        service.clock.now += 2 * DAY
        assert is_withdrawn(service)
        upstream.meters = before
        service.clock.now += 2 * DAY
        assert len(service.rows(UNHELD)) == 1 + 2 * 48
        assert gas_calls(service)[-1].split("start=")[1][:10] == "2021-05-31"


def test_a_list_that_has_come_empty_is_looked_at_again_after_a_minute(tmp_path: Path) -> None:
    upstream = DemoUpstream(moved=False)
    with running(tmp_path, now=NOON, upstream=upstream) as service:
        meters, upstream.meters = upstream.meters, []
        assert len(service.rows("/meters.csv")) == 1
        upstream.meters = meters
        service.clock.now += 61
        held = service.text(HELD)
        upstream.meters = []
        service.clock.now += 2 * DAY
        assert is_withdrawn(service)
        upstream.meters = meters
        calls = len(service.calls)
        assert [service.text(HELD) for _ in range(3)] == [held] * 3
        assert len(service.calls) == calls, "a minute has not passed"
        service.clock.now += 61
        assert all(row[1] for row in service.rows(UNHELD))
        assert not is_withdrawn(service)


def test_one_that_vanished_from_the_list_is_looked_for_once_more_after_a_minute(tmp_path: Path) -> None:
    upstream = DemoUpstream(moved=False)
    with running(tmp_path, now=NOON, upstream=upstream) as service:
        service.text(HELD)
        meters = upstream.meters
        withdraw(upstream, "gas")
        service.clock.now += 7 * HOUR
        eventually(lambda: is_withdrawn(service))
        upstream.meters = meters
        lists = lists_asked_for(service)
        service.clock.now += 61
        eventually(lambda: not is_withdrawn(service))
        assert lists_asked_for(service) == lists + 1, "it was a slip"
        withdraw(upstream, "gas")
        service.clock.now += 7 * HOUR
        eventually(lambda: is_withdrawn(service))
        service.clock.now += 61
        eventually(lambda: is_withdrawn(service) and lists_asked_for(service) == lists + 3)
        for _ in range(5):
            service.clock.now += HOUR
            assert is_withdrawn(service)
        assert lists_asked_for(service) == lists + 3, "it is believed"
