"""How the service says that it is: the table status, /readyz, /healthz and /metrics."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from service import A_ELECTRICITY, A_GAS, HOME_A, HOME_B, Running, eventually, failing_when, running

from app.demo import DEMO_TOKEN

NOON = datetime(2021, 6, 15, 12, tzinfo=UTC)
WEEK = "/usage.csv?meter=gas&start=2021-06-08&end=2021-06-14&tz=UTC"


def facts(service: Running, path: str = "/status.csv") -> dict[str, str]:
    rows = service.rows(path)
    assert rows[0] == ["name", "value"]
    return {row[0]: row[1] for row in rows[1:]}


def numbers(service: Running, path: str = "/metrics", **options: dict[str, str]) -> dict[str, float]:
    """The metrics by name, and by meter where there is one."""
    text = service.get(path, **options).text
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_calls_made_and_saved_and_what_is_held(tmp_path: Path) -> None:
    with running(tmp_path, now=NOON) as service:
        for _ in range(5):
            service.text(WEEK)
        said = facts(service)
        assert said["calls_made"] == said["calls_made_since_start"] == str(len(service.calls)) == "2"
        assert said["calls_saved_since_start"] == "3"
        assert said["half_hours"] == said[f"half_hours {A_GAS}"] == str(7 * 48)
        assert said[f"half_hours {A_ELECTRICITY}"] == "0"
        assert int(said["archive_bytes"]) == (tmp_path / "archive.db").stat().st_size
        assert (said["powershaper"], said["breaker"], said["archive"], said["last_error"]) == ("ok", "closed", "ok", "")
        assert said["last_answer_utc"] == said["meters_listed_utc"] == "2021-06-15 12:00:00"


def test_it_is_the_same_in_every_format_and_is_not_kept(fresh: Running) -> None:
    fresh.text(WEEK)
    said = facts(fresh)
    listed = {row["name"]: row["value"] for row in fresh.get("/status.json").json()}
    assert {name: "" if value is None else str(value) for name, value in listed.items()} == said
    assert listed["calls_made"] == 2
    assert fresh.get("/status.html").text.count("<tr>") == 1 + len(said)
    assert fresh.get("/status.xlsx").content.startswith(b"PK")
    assert fresh.get("/status.csv").headers["cache-control"] == "private, max-age=0"


def test_calls_made_are_counted_across_restarts_those_saved_are_not(tmp_path: Path) -> None:
    with running(tmp_path, now=NOON) as service:
        service.text(WEEK)
    with running(tmp_path, now=NOON) as service:
        service.text(WEEK)
        said = facts(service)
        assert (said["calls_made"], said["calls_made_since_start"], said["calls_saved_since_start"]) == ("2", "0", "1")


def test_a_pause_says_until_when_and_the_error_holds_no_secret(tmp_path: Path) -> None:
    with running(tmp_path, now=NOON, wrap=partial(failing_when, lambda asked: "start" in asked, 426)) as service:
        service.get(WEEK)
        said = facts(service)
        assert said["powershaper"] == "paused"
        assert "2021-06-15 12:01:00" <= said["paused_until_utc"] <= "2021-06-15 12:01:15"
        assert said["last_error"] == "PowerShaper's quota of calls is used up."
        assert said["last_error_utc"] == "2021-06-15 12:00:00"
        assert said["calls_per_minute"] == str(service.settings.calls_per_minute / 2).removesuffix(".0")
        assert DEMO_TOKEN not in service.text("/status.csv") + service.text("/metrics")
        service.clock.now += 20 * 60
        assert facts(service)["paused_until_utc"] == "", "it is over"


def test_an_open_breaker_says_when_it_is_probed(tmp_path: Path) -> None:
    with running(tmp_path, now=NOON, wrap=partial(failing_when, lambda asked: "start" in asked, 503)) as service:
        for _ in range(5):
            service.get(WEEK)
        said = facts(service)
        assert (said["powershaper"], said["breaker"]) == ("down", "open")
        assert said["breaker_open_until_utc"] > said["time_utc"]
        gauges = numbers(service)
        assert gauges["powershaper_sheets_breaker_open"] == 1
        assert gauges["powershaper_sheets_upstream_up"] == 0
        assert gauges["powershaper_sheets_breaker_open_until_seconds"] > service.clock.now


def test_the_metrics_are_prometheus_own_text(tmp_path: Path) -> None:
    with running(tmp_path, now=NOON) as service:
        for _ in range(3):
            service.text(WEEK)
        answer = service.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.headers["cache-control"] == "no-store"
        found = numbers(service)
        assert found["powershaper_sheets_upstream_calls_total"] == 2
        assert found["powershaper_sheets_upstream_calls_saved_total"] == 1
        assert found[f"powershaper_sheets_half_hours {A_GAS}"] == 7 * 48
        assert found["powershaper_sheets_archive_bytes"] == (tmp_path / "archive.db").stat().st_size
        assert found["powershaper_sheets_archive_degraded"] == 0


def test_metrics_and_status_need_a_key_and_show_only_its_meters(tmp_path: Path) -> None:
    with running(tmp_path, now=NOON, more={"public_url": "https://sheets.example.org"}) as service:
        assert [service.get(path).status_code for path in ("/metrics", "/status.csv")] == [401, 401]
        assert [service.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]
        key = service.make_key(frozenset({(HOME_A, "gas")}))
        service.text(f"{WEEK}&key={key}")
        said = facts(service, f"/status.csv?key={key}")
        assert [name for name in said if name.startswith("half_hours ")] == [f"half_hours {A_GAS}"]
        assert said["meters"] == "1"
        found = numbers(service, headers={"Authorization": f"Bearer {key}"})
        assert [name for name in found if "half_hours" in name] == [f"powershaper_sheets_half_hours {A_GAS}"]
        assert HOME_B[:8] not in service.text(f"/status.csv?key={key}")


def test_ready_means_that_it_can_answer(tmp_path: Path) -> None:
    down = {"on": True}
    with running(tmp_path, now=NOON, wrap=partial(failing_when, lambda _: down["on"], 503)) as service:
        assert service.get("/readyz").text == "ready\n", "nobody knows yet that PowerShaper is away"
        for _ in range(5):
            service.get(WEEK)
        away = service.get("/readyz")
        assert (away.status_code, away.text) == (503, "not ready\n")
        down["on"] = False
        service.clock.now += 3600
        assert service.text(WEEK)
        down["on"] = True
        service.clock.now += 86_400
        eventually(lambda: bool(service.text(WEEK)) and facts(service)["powershaper"] == "down")
        assert service.get("/readyz").text == "ready\n", "what is held is answered"
        assert service.get("/healthz").text == "ok\n"
