"""What the entrance says beside a status: whom it lets through, what it hides, and how it refuses what is too large."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from urllib.parse import urlsplit

import pytest
from access.doors import (
    B_ELECTRICITY,
    GAS,
    GAS_DAY,
    PUBLIC_URL,
    ask,
    basic,
    made_key,
    reply_of,
    revoke,
    sent_as,
)
from service import Running, running

from app.access import new_key

OURS = {"referrer-policy": "no-referrer", "x-content-type-options": "nosniff", "x-robots-tag": "noindex"}
ERROR_HEADER = b"error,remedy\r\n"
CUT_OFF_BEFORE = 8 * 1024 * 1024


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("public"), more={"public_url": PUBLIC_URL}) as service:
        yield service


@pytest.fixture(scope="module")
def keys(public: Running) -> dict[str, str]:
    """A key of each kind, all made before anybody asks: a running service sees new ones within a second."""
    revoked, revoked_id = made_key(public)
    revoke(public, revoked_id)
    gas, other = made_key(public, scope=GAS)[0], made_key(public, scope=B_ELECTRICITY)[0]
    return {"right": made_key(public)[0], "gas": gas, "other": other, "revoked": revoked}


@pytest.fixture
def right(keys: dict[str, str]) -> str:
    """A key that opens all meters."""
    return keys["right"]


@pytest.fixture(autouse=True)
def a_minute_later(public: Running, keys: dict[str, str]) -> None:
    """The wrong keys of the test before are forgotten."""
    public.clock.now += 61


@pytest.mark.parametrize(("first", "second"), [("right", "wrong"), ("wrong", "right"), ("gas", "right")])
def test_two_different_keys_are_a_bad_parameter_even_if_one_is_right(
    public: Running, keys: dict[str, str], first: str, second: str
) -> None:
    known = {**keys, "wrong": new_key()}
    target, _ = sent_as("URL", GAS_DAY, known[first])
    for way in ("Bearer", "Basic"):
        reply = ask(public.address, target, sent_as(way, "", known[second])[1])
        assert reply.status == 400
        assert not any(key.encode() in reply.body for key in known.values())
    both = [f"Authorization: Bearer {known[first]}", basic(f"x:{known[second]}")]
    assert ask(public.address, GAS_DAY, both).status == 400


def test_the_same_key_in_two_ways_is_one_key(public: Running, right: str) -> None:
    target, _ = sent_as("URL", GAS_DAY, right)
    assert ask(public.address, target, [basic(f"x:{right}")]).status == 200
    assert ask(public.address, GAS_DAY, [f"authorization: bEARER  {right} "]).status == 200
    assert ask(public.address, GAS_DAY, [basic(f":{right}")]).status == 200


def test_a_key_that_stands_twice_in_the_address_is_a_bad_parameter(public: Running, right: str) -> None:
    for other in (right, new_key(), ""):
        reply = ask(public.address, f"{GAS_DAY}&key={right}&key={other}")
        assert reply.status == 400
        assert b"key" in reply.body
        assert right.encode() not in reply.body


@pytest.mark.parametrize("rest", ["", "!!!", "=", "aGVsbG8", "aGVsbG8=", "/////w==", "ключ", "a b c", "YTo="])
def test_a_basic_header_that_can_not_be_read_is_a_wrong_key(public: Running, rest: str) -> None:
    assert ask(public.address, GAS_DAY, [f"Authorization: Basic {rest}"]).status == 401


@pytest.mark.parametrize("header", ["Digest username=x", "Negotiate abc", "nonsense", ""])
def test_an_authorization_of_another_kind_is_no_key(public: Running, right: str, header: str) -> None:
    assert ask(public.address, GAS_DAY, [f"Authorization: {header}"]).status == 401
    assert ask(public.address, sent_as("URL", GAS_DAY, right)[0], [f"Authorization: {header}"]).status == 200


def test_a_meter_of_another_scope_is_not_found_and_not_listed(public: Running, keys: dict[str, str]) -> None:
    gas, other = keys["gas"], keys["other"]
    assert ask(public.address, f"/meters.csv?columns=meter&key={gas}").body.split() == [b"meter", b"gas"]
    assert b"gas" not in ask(public.address, f"/meters.json?key={other}").body
    front = ask(public.address, "/", [basic(f"x:{other}")])
    assert b"electricity-b27d04e6" in front.body
    assert b"meter=gas" not in front.body
    unknown = ask(public.address, f"/usage.csv?meter=nobody&key={other}")
    hidden = ask(public.address, f"/usage.csv?meter=gas&key={other}")
    assert (hidden.status, hidden.body) == (404, unknown.body), "it looks just like a meter that is not there"
    all_of_it = ask(public.address, f"/usage.csv?period=2021-06-01&key={gas}&columns=meter").body.split()
    assert set(all_of_it) == {b"meter", b"gas"}


def test_one_link_gives_each_key_its_own_meters_whoever_came_before(public: Running, keys: dict[str, str]) -> None:
    link = "/usage.csv?period=2021-06-02&aggregate=day&columns=meter"
    for _ in range(2):
        seen = {kind: ask(public.address, *sent_as("Basic", link, keys[kind])).body.split()[1:] for kind in keys}
        assert seen["right"] == [b"electricity-5f1c9a52", b"gas"]
        assert seen["gas"] == [b"gas"]
        assert seen["other"] == []
    etag = ask(public.address, *sent_as("Bearer", link, keys["right"])).header("etag")
    again = ask(public.address, link, [f"Authorization: Bearer {keys['gas']}", f"If-None-Match: {etag}"])
    assert again.status == 200, "another scope's tag is not this one's"


def test_the_open_paths_need_no_key_and_say_words_only(public: Running) -> None:
    for path, word in (("/healthz", b"ok"), ("/readyz", b"ready")):
        reply = ask(public.address, path)
        assert (reply.status, reply.body.strip()) == (200, word)
        assert reply.header("cross-origin-resource-policy") == "same-origin"
        assert reply.header("access-control-allow-origin") is None


@pytest.mark.parametrize("path", ["/usage.csv", "/", "/nothing", "/healthz"])
def test_options_is_answered_without_a_key(public: Running, path: str) -> None:
    reply = ask(public.address, path, ["Origin: https://x.example"], method="OPTIONS")
    assert (reply.status, reply.body) == (204, b"")
    assert reply.header("allow") == "GET, HEAD, OPTIONS"
    assert reply.header("access-control-allow-headers") == "Authorization"
    assert reply.header("access-control-allow-origin") == "*"
    assert ask(public.address, path, method="OPTIONS", hosts=["evil.example"]).status == 421


def test_every_answer_says_what_all_answers_say(public: Running, right: str) -> None:
    for target in (
        GAS_DAY,
        f"{GAS_DAY}&key={right}",
        f"{GAS_DAY}&key=wrong",
        "/healthz",
        f"/x?key={right}",
        "/" * 9000,
    ):
        reply = ask(public.address, target)
        assert {name: reply.header(name) for name in OURS} == OURS


@pytest.mark.parametrize(
    ("target", "method", "status"),
    [
        (GAS_DAY, "GET", 401),
        (f"{GAS_DAY}&key=wrong", "GET", 401),
        (f"{GAS_DAY}&key=a&key=b", "GET", 400),
        (GAS_DAY, "POST", 405),
        (f"{GAS_DAY}&nocache={'7' * 9000}", "GET", 414),
    ],
)
def test_no_page_of_another_origin_may_embed_a_refusal(public: Running, target: str, method: str, status: int) -> None:
    reply = ask(public.address, target, method=method)
    assert reply.status == status
    assert reply.header("access-control-allow-origin") is None
    assert reply.header("cross-origin-resource-policy") == "same-origin"


def test_with_errors_cell_a_refusal_is_a_table_of_one_row(public: Running, keys: dict[str, str]) -> None:
    for rest in ("", "&key=wrong", f"&key={keys['revoked']}", "&key=twice&key=twice"):
        reply = ask(public.address, f"{GAS_DAY}&errors=cell{rest}")
        assert reply.status == 200
        assert (reply.header("cache-control"), reply.header("etag")) == ("no-store", None)
        assert reply.header("www-authenticate") is None
        assert reply.body.startswith(ERROR_HEADER)
        assert reply.body.count(b"\r\n") == 2
    html = ask(public.address, "/usage.html?errors=cell")
    assert (html.status, html.body.count(b"<tr>")) == (200, 2)
    assert ask(public.address, "/usage.json?errors=cell").body.startswith(b'[{"error":"This address needs')
    assert ask(public.address, "/usage.xlsx?errors=cell").body.startswith(b"PK")
    assert ask(public.address, "/usage.pdf?errors=cell").status == 401, "what is no format has no cells"


def test_with_errors_cell_one_wrong_key_too_many_is_a_table_too(public: Running) -> None:
    link = f"{GAS_DAY}&errors=cell&key=wrong"
    bodies = [ask(public.address, link).body for _ in range(21)]
    assert len(set(bodies)) == 2
    reply = ask(public.address, link)
    assert (reply.status, reply.header("cache-control"), reply.header("etag")) == (200, "no-store", None)
    assert reply.body.startswith(ERROR_HEADER + b"Too many wrong keys")
    assert ask(public.address, f"{GAS_DAY}&key=wrong").status == 429


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"])
def test_another_method_is_refused_with_or_without_a_key(public: Running, right: str, method: str) -> None:
    for target in (GAS_DAY, f"{GAS_DAY}&key={right}", "/nothing", "/healthz"):
        reply = ask(public.address, target, method=method)
        assert (reply.status, reply.header("allow")) == (405, "GET, HEAD, OPTIONS")


def test_a_host_that_is_not_ours_is_told_how_to_mend_it_in_the_format_asked_for(public: Running, right: str) -> None:
    reply = ask(public.address, f"{GAS_DAY}&key={right}", hosts=["evil.example"])
    assert (reply.status, reply.body[:14]) == (421, ERROR_HEADER)
    assert b"POWERSHAPER_PUBLIC_URL" in reply.body
    assert b"evil" not in reply.body


def filled(letters: str, length: int) -> str:
    return (letters * length)[:length]


@pytest.mark.parametrize("letters", ["7", "%75", "%D0%BA"], ids=["plain", "percent", "percent of another alphabet"])
@pytest.mark.parametrize("start", ["/", "/usage.csv?nocache="], ids=["path", "query"])
def test_an_address_over_8_kb_is_too_long_however_it_is_spelled(
    public: Running, right: str, start: str, letters: str
) -> None:
    header = [f"Authorization: Bearer {right}"]
    just_fits = start + filled(letters, (8192 - len(start)) // len(letters) * len(letters) - 12)
    assert ask(public.address, just_fits, header).status in {200, 404}
    for length in (8300, 20_000, 60_000):
        assert ask(public.address, start + filled(letters, length // len(letters) * len(letters)), header).status == 414


def test_headers_over_16_kb_are_too_large_in_one_or_in_many(public: Running, right: str) -> None:
    target = f"{GAS_DAY}&key={right}"
    assert ask(public.address, target, [f"Cookie: {'a' * 15_000}"]).status == 200
    assert ask(public.address, target, [f"Cookie: {'a' * 16_400}"]).status == 431
    assert ask(public.address, target, [f"X-{place}: {'a' * 90}" for place in range(180)]).status == 431
    assert ask(public.address, target, [f"Cookie: {'a' * 50_000}"]).status == 431


MORE_HEADERS = b"X-More: and more of it\r\n" * 700
CHUNKED = b"GET /usage.csv HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("start", "more", "status"),
    [
        (b"GET /" + 70_000 * b"a", 16_384 * b"a", 414),
        (b"GET /usage.csv HTTP/1.1\r\nHost: localhost\r\nCookie: " + 70_000 * b"a", 16_384 * b"a", 431),
        (b"GET /usage.csv HTTP/1.1\r\nHost: localhost\r\n" + 5 * MORE_HEADERS, MORE_HEADERS, 431),
        (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /usage.csv HTTP/1.1\r\nA: ", 16_384 * b"a", 200),
        (CHUNKED + b"0\r\n", MORE_HEADERS, 401),
        (CHUNKED + b"0\r\nX-More: ", 16_384 * b"a", 401),
    ],
    ids=["address", "header", "headers", "head of a second request", "trailers", "trailer"],
)
def test_a_head_that_never_ends_is_cut_off(public: Running, start: bytes, more: bytes, status: int) -> None:
    address = urlsplit(public.address)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(start)
        assert reply_of(connection).status == status
        with suppress(ConnectionResetError, BrokenPipeError):
            for _ in range(CUT_OFF_BEFORE // len(more)):
                connection.sendall(more)
            pytest.fail(f"{CUT_OFF_BEFORE:,} bytes were taken and nothing was cut off")
    assert ask(public.address, "/healthz").status == 200


def test_a_request_that_does_not_come_is_not_waited_for(public: Running) -> None:
    address = urlsplit(public.address)
    begun, whole = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with ExitStack() as stack:
        silent, slow, idle = [
            stack.enter_context(socket.create_connection((address.hostname, address.port), timeout=60))
            for _ in range(3)
        ]
        slow.sendall(begun)
        idle.sendall(whole + b"\r\n")
        assert reply_of(idle).status == 200
        with suppress(ConnectionResetError, BrokenPipeError):
            for _ in range(60):
                slow.sendall(b"X-Slow: 1\r\n")
                time.sleep(1)
            pytest.fail("a head that never ended was taken for a minute")
        assert silent.recv(1) == idle.recv(1) == b"", "they are closed"
    assert ask(public.address, "/healthz").status == 200
