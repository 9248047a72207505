"""What was answered unreadably isn't asked again at once, however many ask for it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from service import Running, failing_when, running

NOON = datetime(2021, 6, 15, 12, tzinfo=UTC)
MAY = "/usage.json?meter=gas&start=2021-05-01&end=2021-05-03&tz=UTC"
OTHERS = (MAY.replace("2021-05", "2021-04"), MAY.replace("gas", "electricity-5f1c9a52").replace("2021-05", "2021-03"))


@dataclass
class May:
    """Calls for days of May, which fail as long as it is bad."""

    calls: list[dict[str, list[str]]] = field(default_factory=list)
    is_bad: bool = True

    def fails(self, asked: dict[str, list[str]]) -> bool:
        if not asked.get("start", [""])[0].startswith("2021-05"):
            return False
        self.calls.append(asked)
        return self.is_bad


def ask_ten_times(service: Running, path: str) -> None:
    for _ in range(10):
        answer = service.get(path)
        assert answer.status_code == 502, answer.text
        assert "PowerShaper" in answer.text


def test_it_is_asked_again_after_a_while_and_meanwhile_other_days_and_meters_are(tmp_path: Path) -> None:
    may = May()
    with running(tmp_path, now=NOON, wrap=partial(failing_when, may.fails, 404)) as service:
        ask_ten_times(service, MAY)
        assert len(may.calls) == 1
        for other in OTHERS:
            assert len(service.get(other).json()) == 3 * 48
        service.clock.now += 301
        ask_ten_times(service, MAY)
        assert len(may.calls) == 2
        may.is_bad = False
        ask_ten_times(service, MAY)
        assert len(may.calls) == 2
        service.clock.now += 601
        assert len(service.get(MAY).json()) == 3 * 48


def test_powershapers_own_api_is_left_alone_as_well(tmp_path: Path) -> None:
    may = May()
    with running(tmp_path, now=NOON, wrap=partial(failing_when, may.fails, 404)) as service:
        meter = service.upstream.meters[0]
        own = f"/meters/api/v1/meter/{meter.consent_uuid}/{meter.type}"
        ask_ten_times(service, f"{own}?start=2021-05-01&end=2021-05-03&aggregate=none&tz=UTC")
        assert len(may.calls) == 1


def test_a_list_of_meters_that_was_never_readable_is_left_alone_as_well(tmp_path: Path) -> None:
    lists = []

    def is_list(asked: dict[str, list[str]]) -> bool:
        lists.append(asked)
        return True

    with running(tmp_path, now=NOON, wrap=partial(failing_when, is_list, 404)) as service:
        ask_ten_times(service, MAY)
        assert len(lists) == 1
        service.clock.now += 301
        ask_ten_times(service, MAY)
        assert len(lists) == 2


def test_what_stays_unreadable_is_asked_less_and_less_often(tmp_path: Path) -> None:
    may = May()
    with running(tmp_path, now=NOON, wrap=partial(failing_when, may.fails, 404)) as service:
        for minutes in range(1, 24 * 60, 5):
            service.clock.now = NOON.timestamp() + minutes * 60
            assert service.get(MAY).status_code == 502
        assert len(may.calls) == 4 + 35, "at first, after 5, 15 and 35 minutes, then every 40"
        may.is_bad = False
        service.clock.now += 41 * 60
        assert len(service.get(MAY).json()) == 3 * 48
