"""How often upstream is asked: every half-hour once, and every question from what is held."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from functools import partial
from itertools import islice, product
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from service import HOME_A, HOME_B, Running, eventually, failing_when, running

from app.demo import DemoUpstream

YEAR = "period=2021&meter=" + HOME_A


def record_calls(service: Running) -> list[dict[str, list[str]]]:
    return [parse_qs(urlsplit(call).query) for call in service.calls if "?" in call]


def days_asked_for(service: Running) -> list[tuple[str, str]]:
    return [(call["start"][0], call["end"][0]) for call in record_calls(service)]


def test_a_cold_year_of_two_meters_costs_at_most_six_calls_also_for_fifty_clients(tmp_path: Path) -> None:
    with running(tmp_path, upstream=DemoUpstream(moved=False, delay=0.2)) as service:
        with ThreadPoolExecutor(50) as clients:
            bodies = set(clients.map(lambda _: service.text(f"/usage.csv?{YEAR}"), range(50)))
        assert len(bodies) == 1
        assert len(bodies.pop().splitlines()) == 1 + 2 * 365 * 48
        assert len(service.calls) <= 6
        assert len(service.calls) == 3, "the list of meters and one call a meter"


def test_forty_other_questions_about_a_held_year_cost_no_call(fresh: Running) -> None:
    fresh.text(f"/usage.csv?{YEAR}")
    before = list(fresh.calls)
    questions = product(
        ["csv", "json", "html"],
        ["none", "hour", "day", "week", "month", "year", "profile"],
        ["long", "wide"],
        ["2021-03", "2021-Q2", "2021-W30"],
    )
    asked = 0
    for extension, aggregate, layout, period in islice(questions, 0, None, 3):
        fresh.text(f"/usage.{extension}?aggregate={aggregate}&layout={layout}&period={period}&meter={HOME_A}&tz=UTC")
        asked += 1
    fresh.text(f"/usage.csv?layout=grid&start=2021-05-05&end=2021-07-01&meter={HOME_A}&tz=Asia/Kathmandu")
    fresh.get(f"/usage.xlsx?aggregate=day&{YEAR}")
    assert asked + 2 >= 40
    assert fresh.calls == before


def test_one_shape_of_call_fills_everything(fresh: Running) -> None:
    fresh.text(f"/usage.csv?{YEAR}&aggregate=month&tz=America/New_York")
    assert record_calls(fresh)
    for call in record_calls(fresh):
        assert (call["aggregate"], call["tz"]) == (["none"], ["UTC"])


def test_only_what_is_missing_is_fetched_and_adjoining_days_in_one_call(fresh: Running) -> None:
    fresh.text("/usage.csv?meter=gas&start=2021-06-10&end=2021-06-12&tz=UTC")
    fresh.text("/usage.csv?meter=gas&start=2021-06-08&end=2021-06-14&tz=UTC")
    fresh.text("/usage.csv?meter=gas&start=2021-06-11&end=2021-06-20&tz=UTC")
    assert days_asked_for(fresh) == [
        ("2021-06-10", "2021-06-12"),
        ("2021-06-08", "2021-06-14"),
        ("2021-06-15", "2021-06-20"),
    ]


def test_a_call_spans_at_most_366_days(fresh: Running) -> None:
    fresh.text("/usage.csv?meter=gas&period=all&aggregate=year")
    spans = days_asked_for(fresh)
    assert len(spans) == 3
    for start, end in spans:
        assert days_between(start, end) <= 366


def test_days_outside_the_range_of_a_meter_are_not_asked_for(fresh: Running) -> None:
    assert fresh.rows("/usage.csv?meter=gas&period=2016") == [
        ["time", "energy_kwh", "carbon_kg", "error_count", "meter", "time_utc", "coverage_pct"]
    ]
    fresh.text(f"/usage.csv?meter={HOME_B}&period=2014")
    assert days_asked_for(fresh) == [("2014-01-01", "2014-02-28")]


def test_the_archive_outlives_the_service(tmp_path: Path) -> None:
    with running(tmp_path) as service:
        first = service.text(f"/usage.csv?{YEAR}&aggregate=day")
    with running(tmp_path) as service:
        assert service.text(f"/usage.csv?{YEAR}&aggregate=day") == first
        assert service.calls == []


def test_two_services_on_one_archive_share_what_is_fetched(tmp_path: Path) -> None:
    with running(tmp_path) as one, running(tmp_path) as other:
        other.text("/meters.csv")
        one.text(f"/usage.csv?{YEAR}")
        after = len(other.calls)
        for _ in range(100):
            if len(other.text(f"/usage.csv?{YEAR}").splitlines()) > 1 and len(other.calls) == after:
                break
        assert len(other.calls) == after


def test_a_day_that_was_asked_for_while_it_was_young_is_looked_at_again_behind_the_answer(tmp_path: Path) -> None:
    noon = datetime(2021, 6, 15, 12, tzinfo=UTC)
    with running(tmp_path, now=noon) as service:
        service.text("/usage.csv?meter=gas&start=2021-06-10&end=2021-06-14&tz=UTC")
        before = len(record_calls(service))
        service.clock.now += 30 * 60
        service.text("/usage.csv?meter=gas&start=2021-06-10&end=2021-06-14&tz=UTC")
        assert len(record_calls(service)) == before, "half an hour is not yet due"
        service.clock.now += 45 * 60
        service.text("/usage.csv?meter=gas&start=2021-06-10&end=2021-06-14&tz=UTC")
        eventually(lambda: len(record_calls(service)) > before)
        assert days_asked_for(service)[before:] == [("2021-06-13", "2021-06-14")], "only the days of two days' age"


def test_late_half_hours_appear_and_a_new_day_is_fetched_before_the_answer(tmp_path: Path) -> None:
    with running(tmp_path, now=datetime(2021, 6, 15, 12, tzinfo=UTC)) as service:
        asked = "/usage.csv?meter=gas&period=this-month&aggregate=day&tz=UTC"
        assert service.rows(asked)[-1][0] == "2021-06-14"
        service.clock.now += 86_400
        assert service.rows(asked)[-1][0] == "2021-06-15"


def test_an_upstream_that_is_gone_is_invisible_for_what_is_held(tmp_path: Path) -> None:
    failing = {"on": False}
    faulty = partial(failing_when, lambda _: failing["on"], 503)
    with running(tmp_path, wrap=faulty, now=datetime(2021, 6, 15, 12, tzinfo=UTC)) as service:
        asked = "/usage.csv?meter=gas&period=last-7-days&aggregate=day&tz=UTC"
        held = service.text(asked)
        failing["on"] = True
        assert service.text(asked) == held
        service.clock.now += 86_400
        rolled = service.get("/usage.csv?meter=gas&start=2021-06-08&end=2021-06-15&aggregate=day&tz=UTC")
        assert (rolled.status_code, rolled.text) == (200, held)
        assert rolled.headers["cache-status"] == "powershaper-sheets; fwd=stale"
        cold = service.get("/usage.csv?meter=gas&period=2020-12")
        assert cold.status_code == 503
        assert cold.text.startswith("error,remedy\r\n")
        assert int(cold.headers["retry-after"]) > 0
        failing["on"] = False
        service.clock.now += 15 * 60
        assert len(service.rows("/usage.csv?meter=gas&period=2020-12&aggregate=day&tz=UTC")) == 1 + 31


def test_a_span_that_fails_is_halved_and_what_came_of_it_is_kept(tmp_path: Path) -> None:
    def is_too_long(asked: dict[str, list[str]]) -> bool:
        return "start" in asked and days_between(asked["start"][0], asked["end"][0]) > 101

    with running(tmp_path, wrap=partial(failing_when, is_too_long, 504)) as service:
        assert len(service.rows("/usage.csv?meter=gas&period=2021&aggregate=day&tz=UTC")) == 1 + 365
        spans = sorted(days_asked_for(service))
        assert (spans[0][0], spans[-1][1], len(spans)) == ("2021-01-01", "2021-12-31", 4)
        assert sum(days_between(*span) for span in spans) == 365


def days_between(start: str, end: str) -> int:
    """Both included."""
    return (date.fromisoformat(end) - date.fromisoformat(start)).days + 1


def test_a_client_that_waits_no_longer_gets_an_error_and_the_fetch_goes_on(tmp_path: Path) -> None:
    upstream = DemoUpstream(moved=False)
    with running(tmp_path, upstream=upstream, more={"wait_seconds": 1.5}) as service:
        service.text("/meters.csv")
        upstream.delay = 3
        asked = "/usage.csv?meter=gas&period=2021-08&aggregate=day&tz=UTC"
        late = service.get(asked)
        assert late.status_code == 503
        assert "the fetch goes on" in late.text
        eventually(lambda: service.get(asked).status_code == 200)
        assert days_asked_for(service) == [("2021-08-01", "2021-08-31")]


def test_a_meter_that_is_no_longer_listed_stays_readable(fresh: Running) -> None:
    before = fresh.text("/usage.csv?meter=gas&period=2021-06")
    fresh.upstream.meters = [meter for meter in fresh.upstream.meters if meter.type != "gas"]
    fresh.clock.now += 2 * 86_400
    assert fresh.text("/usage.csv?meter=gas&period=2021-06") == before
    assert ["gas", "withdrawn"] in fresh.rows("/meters.csv?columns=meter,status")


def test_a_meter_that_is_not_known_is_looked_for_at_once_but_at_most_once_a_minute(fresh: Running) -> None:
    gone, fresh.upstream.meters = fresh.upstream.meters[:1], fresh.upstream.meters[1:]
    fresh.text("/meters.csv")
    fresh.upstream.meters = gone + fresh.upstream.meters
    asked = f"/usage.csv?meter={HOME_A}/electricity&period=2021-06-01"
    assert fresh.get(asked).status_code == 404, "a minute has not passed"
    assert len(fresh.calls) == 1
    fresh.clock.now += 61
    assert len(fresh.rows(asked)) == 49
    assert [row[0] for row in fresh.rows("/meters.csv?columns=meter")] == [
        "meter",
        "electricity",
        "electricity-5f1c9a52",
        "gas",
    ], "who joins later renames nobody"


def test_a_meter_that_can_not_be_looked_for_is_not_said_to_be_none(tmp_path: Path) -> None:
    down = {"on": False}
    with running(tmp_path, wrap=partial(failing_when, lambda _: down["on"], 503)) as service:
        service.text("/meters.csv")
        down["on"] = True
        service.clock.now += 61
        for _ in range(3):
            answer = service.get("/usage.csv?meter=solar&period=2021-06-01")
            assert (answer.status_code, answer.text[:12]) == (503, "error,remedy")
        down["on"] = False
        service.clock.now += 61
        assert service.get("/usage.csv?meter=solar&period=2021-06-01").status_code == 404
