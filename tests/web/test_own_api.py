"""PowerShaper's own API, cached: its own bytes, asked for once, held when it fails; its own language for errors."""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from service import AFTER_THE_DATA, HOME_A, HOME_B, Running, SetClock, running
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.access import new_key
from app.cli.servers import served
from app.demo import DEMO_TOKEN, DemoUpstream, Missing, Numbers, Times

METERS = "/meters/api/v1/meters/"
GAS = f"/meters/api/v1/meter/{HOME_A}/gas"
A_WEEK = "start=2021-10-25&end=2021-10-31"
PUBLIC = {"public_url": "https://sheets.example.org"}
QUESTIONS = [
    METERS,
    f"{GAS}?{A_WEEK}",
    f"{GAS}?{A_WEEK}&aggregate=hour&tz=UTC",
    f"{GAS}?{A_WEEK}&aggregate=profile",
    f"{GAS}?start=2020-01-01&end=2022-12-31&aggregate=month&tz=America/New_York",
    f"/meters/api/v1/meter/{HOME_B}/electricity?start=2012-11-10&end=2012-11-20&aggregate=none&tz=Etc/UTC",
    f"{GAS}?start=2016-01-01&end=2016-01-02&aggregate=day",
]


class Trouble:
    """Something between the service and PowerShaper: while `answer` is set, everything is answered with it."""

    def __init__(self) -> None:
        self.answer: Callable[[], Response] | None = None
        self.calls = 0

    def __call__(self, app: ASGIApp) -> ASGIApp:
        async def play(scope: Scope, receive: Receive, send: Send) -> None:
            self.calls += scope["type"] == "http"
            if self.answer is None or scope["type"] != "http":
                await app(scope, receive, send)
            else:
                await self.answer()(scope, receive, send)

        return play


@pytest.fixture
def trouble() -> Trouble:
    return Trouble()


@pytest.fixture
def troubled(tmp_path: Path, trouble: Trouble) -> Iterator[Running]:
    """A service of a test's own, with trouble between it and upstream."""
    with running(tmp_path, wrap=trouble, more={"retries": 0}) as service:
        yield service


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that wants a key of everybody."""
    with running(tmp_path_factory.mktemp("public"), more=PUBLIC) as service:
        yield service


def asked_with(service: Running, key: str, path: str = METERS) -> httpx.Response:
    return service.get(path, headers={"Authorization": f"Token {key}"})


def detail(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body: dict[str, str] = answer.json()
    assert list(body) == ["detail"]
    return body["detail"]


def test_bodies_are_upstreams_own_bytes_whatever_its_variant(tmp_path: Path) -> None:
    for i, (missing, numbers, times) in enumerate(
        [(Missing.NULL, Numbers.TEXT, Times.OFFSET), (Missing.LEFT_OUT, Numbers.NUMBER, Times.NONE),
         (Missing.FLAGGED, Numbers.NUMBER, Times.Z)]
    ):  # fmt: skip
        clock = SetClock(AFTER_THE_DATA.timestamp())
        upstream = DemoUpstream(missing=missing, numbers=numbers, times=times, moved=False, clock=clock)
        folder = tmp_path / str(i)
        folder.mkdir()
        with served(upstream.app) as address, running(folder, upstream=upstream) as service:
            for question in QUESTIONS:
                own = httpx.get(address + question, headers={"Authorization": f"Token {DEMO_TOKEN}"}, trust_env=False)
                ours = service.get(question)
                assert (ours.status_code, ours.content) == (200, own.content), question
                assert ours.headers["content-type"] == own.headers["content-type"]


def test_a_question_is_asked_once_in_ten_minutes(fresh: Running) -> None:
    for question in QUESTIONS:
        fresh.text(question)
        before = len(fresh.calls)
        fresh.clock.now += 599
        assert (
            fresh.get(question + ("&nocache=7" if "?" in question else "?x=1")).headers["cache-status"].endswith("hit")
        )
        assert len(fresh.calls) == before
        fresh.clock.now += 1
        assert fresh.get(question).headers["cache-status"].endswith("fwd=miss")
        assert len(fresh.calls) == before + 1
        assert unquote(fresh.calls[-1]) == question


def test_equal_questions_at_once_are_one_call(tmp_path: Path) -> None:
    with running(tmp_path, upstream=DemoUpstream(moved=False, delay=0.5)) as service:
        service.text("/meters.csv")
        with ThreadPoolExecutor(30) as clients:
            bodies = set(clients.map(lambda _: service.text(QUESTIONS[2]), range(30)))
        assert len(bodies) == 1
        assert service.calls[1:] == [QUESTIONS[2]]


def test_what_is_held_is_answered_for_a_day_when_upstream_fails(troubled: Running, trouble: Trouble) -> None:
    bodies = {question: troubled.get(question).content for question in QUESTIONS[:3]}
    trouble.answer = lambda: Response(status_code=500)
    troubled.clock.now += 23 * 3600
    for question, body in bodies.items():
        answer = troubled.get(question)
        assert (answer.status_code, answer.content) == (200, body)
        assert answer.headers["cache-status"].endswith("fwd=stale")
        assert answer.headers["x-data-as-of"] == "2022-12-20T12:00:00Z"
    troubled.clock.now += 2 * 3600
    for question in bodies:
        assert detail(troubled.get(question), 503)
        assert int(troubled.get(question).headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (lambda: Response(status_code=426, headers={"Retry-After": "120"}), 426),
        (lambda: Response(status_code=429), 426),
        (lambda: Response(status_code=500), 503),
        (lambda: Response(status_code=403), 502),
        (lambda: Response(status_code=404), 502),
        (lambda: Response(status_code=302, headers={"Location": "https://evil.example/"}), 502),
        (lambda: Response("<html>", media_type="text/html"), 502),
        (lambda: Response(b"\xff\xfe[]"), 502),
        (lambda: Response(b"[" * 100_000), 502),
        (lambda: Response(b""), 502),
    ],
)
def test_upstreams_failures_have_a_status_that_says_whose_they_are(
    troubled: Running, trouble: Trouble, answer: Callable[[], Response], status: int
) -> None:
    troubled.text("/meters.csv")
    trouble.answer = answer
    for question in QUESTIONS[:2]:
        failed = troubled.get(question)
        assert detail(failed, status)
        assert DEMO_TOKEN not in failed.text
        assert failed.headers["cache-control"] == "no-store"
    if status == 426:
        assert 1 <= int(failed.headers["retry-after"]) <= 900


def test_a_pause_of_upstreams_is_kept_and_says_how_long_it_is(troubled: Running, trouble: Trouble) -> None:
    troubled.text("/meters.csv")
    trouble.answer = lambda: Response(status_code=426, headers={"Retry-After": "300"})
    troubled.get(METERS)
    before = trouble.calls
    assert 60 <= int(troubled.get(QUESTIONS[1]).headers["retry-after"]) <= 315
    assert troubled.get(QUESTIONS[1]).status_code == 426
    assert trouble.calls == before


def test_a_key_may_cause_twenty_different_questions_an_hour(tmp_path: Path) -> None:
    with running(tmp_path, more=PUBLIC) as service:
        key, other = service.make_key(), service.make_key()
        days = [f"{GAS}?start=2021-10-{day:02}&end=2021-10-31" for day in range(1, 22)]
        for question in days[:20]:
            assert asked_with(service, key, question).status_code == 200
        before = len(service.calls)
        refused = asked_with(service, key, days[20])
        assert "20 different questions" in detail(refused, 426)
        assert 3500 < int(refused.headers["retry-after"]) <= 3600
        assert len(service.calls) == before
        assert asked_with(service, key, days[3]).status_code == 200, "the same again is no other question"
        assert asked_with(service, other, days[20]).status_code == 200, "another key has its own"
        assert asked_with(service, key, days[20]).status_code == 200, "which costs upstream nothing now"
        service.clock.now += 601
        assert asked_with(service, key, days[20]).status_code == 426
        assert asked_with(service, key, days[3]).status_code == 200
        service.clock.now += 3000
        assert asked_with(service, key, days[20]).status_code == 200


def test_a_clock_that_goes_back_forgets_the_questions_that_are_still_to_come(tmp_path: Path) -> None:
    with running(tmp_path, more={"api_questions": 1}) as service:
        asked = [f"{GAS}?start=2021-03-{day:02}&end=2021-03-31" for day in (1, 2)]
        assert [service.get(path).status_code for path in asked] == [200, 426]
        service.clock.now -= 365 * 86_400
        assert [service.get(path).status_code for path in asked[::-1]] == [200, 426]


def test_without_a_right_key_where_one_is_needed_it_is_a_403(public: Running) -> None:
    assert detail(public.get(METERS), 403)
    for wrong in (".", "x" * 40, DEMO_TOKEN, new_key(), public.make_key()[:-1]):
        assert detail(asked_with(public, wrong), 403)
        assert detail(asked_with(public, wrong, f"{GAS}?{A_WEEK}"), 403)
    assert public.get("/meters.csv").status_code == 401


def test_a_key_comes_as_a_token_or_as_everywhere_else(public: Running) -> None:
    key = public.make_key()
    assert asked_with(public, key).status_code == 200
    assert public.get(METERS, headers={"Authorization": f"token {key}"}).status_code == 200
    assert public.get(METERS, headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert public.get(METERS, auth=("anybody", key)).status_code == 200
    assert public.get(f"{METERS}?key={key}").status_code == 200
    assert asked_with(public, key, f"{GAS}?{A_WEEK}&key={key}").status_code == 200
    assert detail(asked_with(public, key, f"{METERS}?key={new_key()}"), 400)
    assert asked_with(public, key, "/meters.csv").status_code == 401, "Token is the language of these paths alone"


def test_many_wrong_keys_do_not_slow_a_right_one(public: Running) -> None:
    key = public.make_key()
    for _ in range(25):
        assert detail(asked_with(public, new_key()), 403)
    assert asked_with(public, key).status_code == 200
    public.clock.now += 61


def test_a_key_of_some_meters_gets_those_of_the_list_just_as_they_come(public: Running) -> None:
    whole = public.get(METERS, headers={"Authorization": f"Bearer {public.make_key()}"}).text
    items = re.findall(r'\{"consent_uuid".*?\}(?=,\{"consent|\]$)', whole)
    assert f"[{','.join(items)}]" == whole
    key = public.make_key(frozenset({(HOME_A, "gas"), (HOME_B, "electricity")}))
    expected = [item for item in items if json.loads(item)["type"] == "gas" or HOME_B in item]
    assert len(expected) == 2
    assert asked_with(public, key).text == f"[{','.join(expected)}]"
    assert asked_with(public, key, f"{GAS}?{A_WEEK}").status_code == 200
    assert detail(asked_with(public, key, f"/meters/api/v1/meter/{HOME_A}/electricity?{A_WEEK}"), 404)
    assert asked_with(public, public.make_key(frozenset())).text == "[]"


def test_on_this_machine_no_token_is_checked_but_a_keys_scope_holds(homes: Running) -> None:
    key = homes.make_key(frozenset({(HOME_A, "gas")}))
    for token in ("x" * 40, DEMO_TOKEN, new_key()):
        assert len(asked_with(homes, token).json()) == 3
    assert len(asked_with(homes, key).json()) == 1
    assert detail(asked_with(homes, key, f"/meters/api/v1/meter/{HOME_B}/electricity?{A_WEEK}"), 404)


BAD: list[dict[str, Any]] = [
    {"aggregate": "week"}, {"aggregate": "year"}, {"aggregate": "Day"}, {"aggregate": ""}, {"aggregate": "day&x"},
    {"tz": "London"}, {"tz": ""}, {"tz": "../../etc/passwd"}, {"tz": "UTC\r\nX-A: b"},
    {"start": ""}, {"start": "yesterday"}, {"start": "2021-02-30"}, {"start": "2021-11-01"}, {"start": "1800-01-01"},
    {"end": "2021-10-24"}, {"end": "31/10/2021"}, {"end": None}, {"start": None}, {"end": "2031-11-02"},
    {"tz": ["UTC", "UTC"]}, {"start": ["2021-10-25", "2021-10-26"]},
]  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_bad_parameters_are_a_400_and_never_reach_upstream(homes: Running, bad: dict[str, Any]) -> None:
    homes.text("/meters.csv")
    before = list(homes.calls)
    asked = {"start": "2021-10-25", "end": "2021-10-31"} | bad
    answer = homes.get(GAS, params={name: value for name, value in asked.items() if value is not None})
    assert next(iter(bad)) in detail(answer, 400)
    assert homes.calls == before


@pytest.mark.parametrize(
    "path",
    [
        f"/meters/api/v1/meter/{HOME_A}/water",
        f"/meters/api/v1/meter/{HOME_A}/GAS",
        "/meters/api/v1/meter/gas/gas",
        "/meters/api/v1/meter/../meters",
        "/meters/api/v1/meter/%2e%2e/meters",
        f"/meters/api/v1/meter/{HOME_A}/gas%2F..%2F..%2Fmeters",
        f"/meters/api/v1/meter/{HOME_A}/gas%3Fstart=1",
        f"/meters/api/v1/meter/{HOME_A}/gas%00",
        f"/meters/api/v1/meter/{HOME_A}/gas/",
        f"/meters/api/v1/meter/{HOME_A}",
        "/meters/api/v1/meters",
        "/meters/api/v2/meters/",
        "/meters/api/",
    ],
)
def test_a_path_that_the_list_does_not_have_is_a_404_and_never_reaches_upstream(homes: Running, path: str) -> None:
    answer = homes.get(f"{path}?{A_WEEK}")
    if answer.url.path == "/meters/api/v1/meters":
        assert answer.headers.get("location") is None
    assert detail(answer, 404)
    assert all(call.split("?")[0] in {METERS, GAS} or "/electricity" in call for call in homes.calls)


def test_a_meter_that_is_no_longer_listed_is_not_found(fresh: Running) -> None:
    fresh.text(QUESTIONS[1])
    fresh.upstream.meters = [meter for meter in fresh.upstream.meters if meter.type != "gas"]
    fresh.clock.now += 25 * 3600
    fresh.text("/meters.csv")
    assert detail(fresh.get(QUESTIONS[1]), 404)


def test_other_methods_are_a_405_with_a_detail(homes: Running) -> None:
    answer = homes.http.post(homes.address + METERS)
    assert detail(answer, 405)
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
    head = homes.http.head(homes.address + QUESTIONS[1])
    assert (head.status_code, head.content) == (200, b"")


def test_an_answer_can_be_asked_for_again_by_its_etag_and_gzipped(homes: Running) -> None:
    plain = homes.get(QUESTIONS[1], headers={"Accept-Encoding": "identity"})
    packed = homes.get(QUESTIONS[1], headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert packed.headers["etag"] != plain.headers["etag"]
    again = homes.get(QUESTIONS[1], headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for name, value in (("x-robots-tag", "noindex"), ("referrer-policy", "no-referrer")):
        assert plain.headers[name] == value


def test_the_token_is_hidden_if_upstream_echoes_it(troubled: Running, trouble: Trouble) -> None:
    troubled.text("/meters.csv")
    trouble.answer = lambda: Response(f'[{{"seen": "Token {DEMO_TOKEN}"}}]', media_type="application/json")
    assert troubled.text(METERS) == '[{"seen": "Token hidden"}]'
