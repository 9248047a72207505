"""Every kind of key, in every way that it can be handed over, at every door: the status that the contract gives it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from access.doors import (
    A_ROW,
    B_ELECTRICITY,
    GAS,
    GAS_DAY,
    PUBLIC_URL,
    WAYS,
    Reply,
    ask,
    made_key,
    revoke,
    sent_as,
    with_letter_changed,
)
from service import AFTER_THE_DATA, Running, running

from app.access import new_key
from app.cli.servers import served
from app.main import create_app

VALID = ("right", "right for gas alone", "other scope")
PROXY_HEADERS = (
    "Forwarded: for=203.0.113.7",
    "Via: 1.1 tunnel",
    "X-Real-IP: 203.0.113.7",
    "X-Forwarded-For: 203.0.113.7",
    "X-Forwarded-For: 127.0.0.1",
    "X-Forwarded-For:",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: localhost",
    "x-forwarded-prefix: /sheets",
    "CF-Connecting-IP: 203.0.113.7",
    "Cf-Ray: 7d1f",
    "True-Client-IP: 203.0.113.7",
    "Tailscale-User-Login: somebody",
    "Ngrok-Skip-Browser-Warning: 1",
)
OUR_HOSTS = (
    "127.0.0.1",
    "127.0.0.1:9999",
    "localhost",
    "LocalHost:8000",
    "localhost.",
    "localhost.:8000",
    "[::1]",
    "[::1]:8000",
)
EVIL_HOSTS = (
    "",
    "evil.example",
    "evil.example:8000",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil.example@localhost",
    "localhost/evil",
    "localhost:evil",
    "localhost, evil.example",
    "[::2]",
    "[::1",
    "0.0.0.0",
    "192.0.2.1",
    "2130706433",
    "sheets.example.org.evil.example",
)


@dataclass(frozen=True)
class Door:
    """How a request comes, and the status that it gets without a key: on loopback alone, with a public address."""

    name: str
    headers: tuple[str, ...] = ()
    hosts: tuple[str, ...] | None = None
    version: str = "1.1"
    alone: int = 401
    public: int = 401


DOORS = [
    Door("loopback", alone=200),
    *(Door(f"loopback, {header}", (header,)) for header in PROXY_HEADERS),
    Door("fetched across sites", ("Sec-Fetch-Site: cross-site",)),
    Door("fetched across origins of a site", ("Sec-Fetch-Site: same-site",)),
    Door("fetched by two sites at once", ("Sec-Fetch-Site: none", "Sec-Fetch-Site: cross-site")),
    Door("fetched by our own page", ("Sec-Fetch-Site: same-origin",), alone=200),
    Door("typed into a browser", ("Sec-Fetch-Site: none",), alone=200),
    *(Door(f"Host {host}", hosts=(host,), alone=200) for host in OUR_HOSTS),
    Door("public Host", hosts=("sheets.example.org",), alone=421),
    Door("public Host with a port", hosts=("sheets.example.org:443",), alone=421),
    Door("public Host with a dot and capitals", hosts=("Sheets.Example.Org.",), alone=421),
    *(Door(f"Host {host!r}", hosts=(host,), alone=421, public=421) for host in EVIL_HOSTS),
    Door("no Host", hosts=(), alone=421, public=421),
    Door("two Hosts", hosts=("localhost", "localhost"), alone=421, public=421),
    Door("two Hosts, one evil", hosts=("localhost", "evil.example"), alone=421, public=421),
    Door("HTTP/1.0", version="1.0"),
    Door("HTTP/1.0 without a Host", hosts=(), version="1.0", alone=421, public=421),
]


@dataclass(frozen=True)
class Guarded:
    """A running service and a key of each kind."""

    service: Running
    keys: dict[str, str]

    def at(self, door: Door, way: str = "URL", kind: str = "no key") -> Reply:
        """Asks at a door a minute after whoever came before, so that no wrong key is one too many."""
        self.service.clock.now += 61
        target, headers = sent_as(way, GAS_DAY, self.keys[kind]) if kind in self.keys else (GAS_DAY, [])
        return ask(self.service.address, target, [*door.headers, *headers], hosts=door.hosts, version=door.version)


def guarded(service: Running) -> Guarded:
    right, _ = made_key(service)
    revoked, revoked_id = made_key(service)
    revoke(service, revoked_id)
    keys = {
        "right": right,
        "right for gas alone": made_key(service, scope=GAS)[0],
        "other scope": made_key(service, scope=B_ELECTRICITY)[0],
        "revoked": revoked,
        "expired": made_key(service, expires_on=AFTER_THE_DATA.date() - timedelta(days=1))[0],
        "wrong": new_key(),
        "with a typo": with_letter_changed(right),
        "cut off": right[:-1],
        "too long": f"{right}0",
        "in capitals": right.upper(),
        "malformed": 'hunter2 & "quotes" \'<b>',
        "unicode": "pss_ключ🔑",
        "10 kB": "pss_" + "a" * 10_000,
        "empty": "",
    }
    assert ask(service.address, *sent_as("Bearer", GAS_DAY, right)).status == 200, "the day is held from here on"
    return Guarded(service, keys)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A service on loopback with no public address."""
    with running(tmp_path_factory.mktemp("alone")) as service:
        yield guarded(service)


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A service on loopback with a public address."""
    with running(tmp_path_factory.mktemp("public"), more={"public_url": PUBLIC_URL}) as service:
        yield guarded(service)


def expected(kind: str, way: str, without_key: int) -> int:
    if kind == "10 kB" and way == "URL":
        return 414
    if without_key == 421:
        return 421
    if kind in VALID:
        return 404 if kind == "other scope" else 200
    return 401


def check_every_key(guarded: Guarded, door: Door, without_key: int) -> None:
    """Asks with every key in every way; each answer has its status and says no more than it may."""
    assert guarded.at(door).status == without_key
    found, wanted, cross_origin, asked_for, gives_data = {}, {}, {}, {}, {}
    for case in ((kind, way) for kind in guarded.keys for way in WAYS):
        reply = guarded.at(door, case[1], case[0])
        found[case], wanted[case] = reply.status, expected(*case, without_key)
        cross_origin[case] = reply.header("access-control-allow-origin")
        asked_for[case] = (reply.header("www-authenticate") or "").startswith("Basic ")
        gives_data[case] = A_ROW.encode() in reply.body
    assert found == wanted
    knows_key = {case for case, status in wanted.items() if case[0] in VALID and status != 421}
    assert {case for case, origin in cross_origin.items() if origin == "*"} == knows_key
    assert {case for case, origin in cross_origin.items() if origin is None} == set(wanted) - knows_key
    assert {case for case in asked_for if asked_for[case]} == {case for case in wanted if wanted[case] == 401}
    assert {case for case in gives_data if gives_data[case]} == {case for case in wanted if wanted[case] == 200}


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_on_loopback_alone_only_this_machine_itself_needs_no_key(alone: Guarded, door: Door) -> None:
    check_every_key(alone, door, door.alone)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_with_a_public_address_everybody_needs_a_key(public: Guarded, door: Door) -> None:
    check_every_key(public, door, door.public)


def test_listening_elsewhere_than_on_loopback_everybody_needs_a_key(alone: Guarded) -> None:
    app = create_app(alone.service.settings, on_loopback=False, clock=alone.service.clock)
    with served(app) as address:
        assert ask(address, GAS_DAY).status == 401
        assert ask(address, *sent_as("Basic", GAS_DAY, alone.keys["right"])).status == 200


def test_every_address_of_loopback_is_a_loopback_host(alone: Guarded) -> None:
    """`serve --host 127.0.0.2` listens for this machine alone too, and prints that address."""
    assert ask(alone.service.address, GAS_DAY, hosts=["127.0.0.2:8000"]).status == 200


@pytest.mark.parametrize("path", ["/", "/meters.csv", "/usage.xlsx", "/metrics", "/nothing", "/docs.csv", "/healthz/x"])
def test_no_path_but_the_open_ones_is_told_about_without_a_key(public: Guarded, path: str) -> None:
    reply = ask(public.service.address, path)
    assert (reply.status, reply.header("cache-control")) == (401, "no-store")


@pytest.mark.parametrize("path", ["//usage.csv", "/./usage.csv", "/docs/../usage.csv", "/docs/%2e%2e/usage.csv"])
def test_no_spelling_of_a_path_leads_around_the_guard(public: Guarded, path: str) -> None:
    reply = ask(public.service.address, f"{path}?meter=gas&period=2021-06-01")
    assert reply.status in {401, 404}
    assert A_ROW.encode() not in reply.body


def test_a_target_that_names_another_host_is_told_apart_by_its_host_header(alone: Guarded) -> None:
    target = f"http://evil.example{GAS_DAY}"
    assert ask(alone.service.address, target, hosts=["evil.example"]).status == 421
