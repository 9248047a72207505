"""Wrong keys: twenty a minute from one address, then 429; a right key is never slowed by them."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address, ip_network

import pytest
from access.doors import GAS_DAY, PUBLIC_URL, Reply, ask, made_key, sent_as
from service import Running, running

from app.access import new_key
from app.web.guard import Call, Doors, client_of

TRUSTED = ("127.0.0.1", "10.0.0.0/8", "fd00::/8")


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Running]]:
    """A service that trusts no proxy, and one that trusts its neighbour."""
    with (
        running(tmp_path_factory.mktemp("direct"), more={"public_url": PUBLIC_URL}) as direct,
        running(
            tmp_path_factory.mktemp("behind"), more={"public_url": PUBLIC_URL, "trusted_proxies": ",".join(TRUSTED)}
        ) as behind,
    ):
        yield {"direct": direct, "behind": behind}


@pytest.fixture(scope="module")
def right_key(services: dict[str, Running]) -> str:
    key, _ = made_key(services["direct"])
    assert status(services["direct"], key) == 200
    return key


@pytest.fixture
def direct(services: dict[str, Running], right_key: str) -> Running:
    """Nobody has given a wrong key for an hour."""
    services["direct"].clock.now += 3600
    return services["direct"]


@pytest.fixture
def behind(services: dict[str, Running]) -> Running:
    """Nobody has given a wrong key for an hour."""
    services["behind"].clock.now += 3600
    return services["behind"]


def wrong(service: Running, *headers: str) -> Reply:
    return ask(service.address, f"{GAS_DAY}&key={new_key()}", headers)


def status(service: Running, key: str) -> int:
    return service.get(GAS_DAY, headers={"Authorization": f"Bearer {key}"}).status_code


def test_a_thousand_wrong_keys_never_slow_the_right_one(direct: Running, right_key: str) -> None:
    rights, wrongs = [status(direct, right_key)], []
    for place in range(1000):
        if place % 3 == 0:
            answer = direct.get(f"{GAS_DAY}&key={new_key()}")
        else:
            auth = ("anybody", new_key()) if place % 3 == 1 else None
            headers = {} if auth else {"Authorization": f"Bearer {new_key()}"}
            answer = direct.get(GAS_DAY, auth=auth, headers=headers)
        wrongs.append(answer.status_code)
        assert answer.status_code != 429 or 0 < int(answer.headers["retry-after"]) <= 60
        if place % 20 == 0:
            rights.append(status(direct, right_key))
    rights.append(status(direct, right_key))
    assert wrongs == [401] * 20 + [429] * 980
    assert set(rights) == {200}


def test_wrong_keys_that_come_all_at_once_are_counted_too(direct: Running, right_key: str) -> None:
    with ThreadPoolExecutor(20) as pool:
        wrongs = [pool.submit(wrong, direct) for _ in range(100)]
        rights = [pool.submit(ask, direct.address, *sent_as("Basic", GAS_DAY, right_key)) for _ in range(20)]
        assert Counter(future.result().status for future in wrongs) == {401: 20, 429: 80}
        assert {future.result().status for future in rights} == {200}


def test_the_count_is_forgotten_after_a_minute_however_many_came(direct: Running) -> None:
    for _ in range(20):
        assert wrong(direct).status == 401
    for _ in range(59):
        direct.clock.now += 1
        assert wrong(direct).status == 429
    direct.clock.now += 1
    assert [wrong(direct).status for _ in range(21)] == [401] * 20 + [429]


@pytest.mark.parametrize("seconds", [4, 30, 59])
def test_wrong_keys_that_come_slower_than_twenty_a_minute_are_only_wrong(direct: Running, seconds: int) -> None:
    seen = []
    for _ in range(60):
        direct.clock.now += seconds
        seen.append(wrong(direct).status)
    assert seen == [401] * 60, "a sheet with a revoked key that asks every so often is told what is wrong with it"


def test_no_key_is_not_a_wrong_key(direct: Running) -> None:
    assert {ask(direct.address, GAS_DAY).status for _ in range(50)} == {401}
    assert {ask(direct.address, f"{GAS_DAY}&key=a&key=b").status for _ in range(30)} == {400}
    assert {ask(direct.address, "/healthz").status for _ in range(30)} == {200}
    assert [wrong(direct).status for _ in range(21)] == [401] * 20 + [429]
    assert ask(direct.address, GAS_DAY).status == 401, "who gives none is still asked for one"


def test_a_key_that_is_empty_cut_off_or_of_no_form_is_a_wrong_one(direct: Running, right_key: str) -> None:
    for key in ("", right_key[:-1], "hunter2", "ключ"):
        direct.clock.now += 61
        replies = [ask(direct.address, *sent_as("URL", GAS_DAY, key)).status for _ in range(21)]
        assert replies == [401] * 20 + [429]


def test_a_429_is_an_error_like_every_other(direct: Running) -> None:
    for _ in range(20):
        wrong(direct)
    for extension, media_type in (("csv", "text/csv"), ("json", "application/problem+json"), ("xlsx", "text/plain")):
        reply = ask(direct.address, f"/usage.{extension}?key=wrong")
        assert reply.status == 429
        assert (reply.header("content-type") or "").startswith(media_type)
        assert (reply.header("cache-control"), reply.header("etag")) == ("no-store", None)
        assert (reply.header("access-control-allow-origin"), reply.header("www-authenticate")) == (None, None)
        assert b"minute" in reply.body


def test_who_is_no_proxy_of_ours_can_not_hide_behind_other_addresses(direct: Running) -> None:
    seen = [
        wrong(direct, f"X-Forwarded-For: 203.0.113.{place}", f"X-Real-IP: 203.0.113.{place}").status
        for place in range(30)
    ]
    assert seen == [401] * 20 + [429] * 10


def test_a_trusted_proxy_is_believed_about_the_last_address_alone(behind: Running) -> None:
    seen = [wrong(behind, f"X-Forwarded-For: 198.51.100.{place}, 203.0.113.7").status for place in range(21)]
    assert seen == [401] * 20 + [429], "what a client itself writes before it counts for nothing"
    assert wrong(behind, "X-Forwarded-For: 203.0.113.7, 10.1.2.3").status == 429, "through two proxies of ours"
    assert wrong(behind, "X-Forwarded-For: 203.0.113.8").status == 401
    assert wrong(behind, "X-Forwarded-For: 203.0.113.7, 203.0.113.8").status == 401
    assert wrong(behind, "X-Forwarded-For: 203.0.113.9", "X-Forwarded-For: 203.0.113.7").status == 429
    assert wrong(behind).status == 401, "the proxy itself has given none"


def test_a_home_of_ipv6_is_one_caller_behind_a_proxy_too(behind: Running) -> None:
    seen = [wrong(behind, f"X-Forwarded-For: 2001:db8:0:7::{place:x}").status for place in range(21)]
    assert seen == [401] * 20 + [429]
    assert wrong(behind, "X-Forwarded-For: 2001:db8:0:8::1").status == 401


def test_a_trusted_proxy_that_says_nonsense_is_taken_for_the_caller(behind: Running) -> None:
    nonsense = ["unknown", "", "_hidden", "203.0.113.7:99999:1", "💥", "1.2.3.4.5", "::g"] * 3
    assert [wrong(behind, f"X-Forwarded-For: {said}").status for said in nonsense] == [401] * 20 + [429]


def caller(peer: str | None, *forwarded: str, trusted: tuple[str, ...] = ()) -> str:
    headers = [("x-forwarded-for", value) for value in forwarded]
    call = Call("GET", "/", "", "1.1", None if peer is None else ip_address(peer), headers)
    return client_of(call, Doors(frozenset(), False, tuple(ip_network(network) for network in trusted)))


def test_addresses_of_one_ipv6_network_are_one_caller() -> None:
    one = caller("2001:db8:1:2::1")
    assert {caller(f"2001:db8:1:2:{part:x}::{part:x}") for part in range(1, 50)} == {one}
    assert caller("2001:db8:1:3::1") != one
    assert caller("2001:db8:1:2::1", trusted=("2001:db8:9::/48",)) == one


def test_an_ipv4_address_is_one_caller_in_either_form() -> None:
    assert caller("203.0.113.7") == caller("::ffff:203.0.113.7")
    assert caller("203.0.113.7") != caller("203.0.113.8")
    assert caller("::ffff:203.0.113.7") != caller("::ffff:203.0.113.8"), "not one /64"


def test_a_forwarded_address_is_believed_from_trusted_proxies_alone() -> None:
    asker = caller("203.0.113.7")
    assert caller("198.51.100.1", "203.0.113.7") == caller("198.51.100.1")
    assert caller("10.0.0.1", "203.0.113.7", trusted=TRUSTED) == asker
    assert caller("::ffff:10.0.0.1", "203.0.113.7", trusted=TRUSTED) == asker
    assert caller("fd00::1", "::ffff:203.0.113.7", trusted=TRUSTED) == asker
    assert caller("10.0.0.1", "6.6.6.6, 203.0.113.7 ,10.9.9.9,fd12::3", trusted=TRUSTED) == asker
    assert caller("10.0.0.1", "6.6.6.6", "203.0.113.7", trusted=TRUSTED) == asker, "a second header comes after"
    assert caller("10.0.0.1", trusted=TRUSTED) == caller("10.0.0.1")
    assert caller("10.0.0.1", "10.0.0.2", trusted=TRUSTED) == caller("10.0.0.2"), "all of them are ours"
    assert caller(None, "203.0.113.7", trusted=TRUSTED) == caller(None)
