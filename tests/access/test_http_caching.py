"""What caches may do with an answer: tags, 304, how long, for whom, where it came from and when it last changed."""

import re
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from access.doors import PUBLIC_URL, Reply, ask
from access.rewriting import Rewriting
from service import AFTER_THE_DATA, Running, running
from starlette.types import ASGIApp

MONTH = "/usage.csv?meter=gas&period=2021-06&tz=UTC"
GZIP = "Accept-Encoding: gzip"
TWO_MINUTES_TO_MIDNIGHT = datetime(2021, 6, 10, 22, 58, tzinfo=UTC)
"""In London, in summer."""
VOLATILE = {"date", "x-request-id"}


def tag_of(reply: Reply) -> str:
    tag = reply.header("etag")
    assert reply.status == 200
    assert tag is not None
    assert re.fullmatch(r'"[!#-~]+"', tag), "a strong tag"
    return tag


def lasting(reply: Reply) -> dict[str, str]:
    return {name: value for name, value in reply.headers if name not in VOLATILE}


def status_with(service: Running, tags: str, *headers: str, target: str = MONTH, method: str = "GET") -> int:
    reply = ask(service.address, target, [f"If-None-Match: {tags}", *headers], method=method)
    assert reply.status != 304 or reply.body == b""
    return reply.status


@pytest.mark.parametrize("target", [MONTH, "/meters.csv", MONTH.replace("csv", "json"), MONTH.replace("csv", "html")])
def test_each_encoding_has_a_strong_tag_of_its_own_that_stays(homes: Running, target: str) -> None:
    plain, gzipped = tag_of(ask(homes.address, target)), tag_of(ask(homes.address, target, [GZIP]))
    assert plain != gzipped
    assert plain == tag_of(ask(homes.address, target)), "the same bytes keep their tag"
    assert gzipped == tag_of(ask(homes.address, target, [GZIP]))
    for tag, headers, other in ((plain, [], gzipped), (gzipped, [GZIP], plain)):
        for method in ("GET", "HEAD"):
            assert status_with(homes, tag, *headers, target=target, method=method) == 304
            assert status_with(homes, other, *headers, target=target, method=method) == 200


@pytest.mark.parametrize("headers", [(), (GZIP,)], ids=["plain", "gzip"])
def test_a_304_comes_for_a_weak_tag_one_of_several_and_a_star(homes: Running, headers: tuple[str, ...]) -> None:
    tag = tag_of(ask(homes.address, MONTH, headers))
    for same in (tag, f"W/{tag}", f'"x", {tag}', f'"x",W/"y",W/{tag},"z"', "*", f'"x"\r\nIf-None-Match: {tag}'):
        assert status_with(homes, same, *headers) == 304
    for other in ('"x"', tag.strip('"'), f"{tag[:-1]}", tag.upper(), "", '"*"', f'"{tag}"'):
        assert status_with(homes, other, *headers) == 200


def test_a_304_says_of_its_table_what_the_200_said(homes: Running) -> None:
    full = ask(homes.address, MONTH)
    short = ask(homes.address, MONTH, [f"If-None-Match: {tag_of(full)}"])
    assert (short.status, short.body) == (304, b"")
    for name in ("etag", "cache-control", "vary", "last-modified", "x-data-as-of", "cache-status", "x-robots-tag"):
        assert short.header(name) == full.header(name)
    assert short.header("content-encoding") is None


def test_if_modified_since_is_ignored(homes: Running) -> None:
    last = ask(homes.address, MONTH).header("last-modified")
    for moment in (last, "Fri, 01 Jan 2100 00:00:00 GMT", "nonsense"):
        assert ask(homes.address, MONTH, [f"If-Modified-Since: {moment}"]).status == 200
        assert status_with(homes, '"x"', f"If-Modified-Since: {moment}") == 200


@pytest.mark.parametrize("headers", [(), (GZIP,)], ids=["plain", "gzip"])
@pytest.mark.parametrize("target", [MONTH, MONTH.replace("csv", "xlsx"), "/meters.html", "/usage.csv?period=nonsense"])
def test_head_is_get_without_the_body(homes: Running, target: str, headers: tuple[str, ...]) -> None:
    ask(homes.address, target)
    got, head = ask(homes.address, target, headers), ask(homes.address, target, headers, method="HEAD")
    assert (head.status, head.body, lasting(head)) == (got.status, b"", lasting(got))
    assert int(head.header("content-length") or 0) == len(got.body) > 0


@pytest.mark.parametrize(
    "accepted", ["gzip", "GZIP", "x-gzip", "br, gzip;q=0.001", "*", "deflate\r\nAccept-Encoding: gzip"]
)
def test_a_gzipped_body_is_one_member_and_holds_the_plain_one(homes: Running, accepted: str) -> None:
    reply = ask(homes.address, MONTH, [f"Accept-Encoding: {accepted}"])
    assert reply.header("content-encoding") == "gzip"
    one_member = zlib.decompressobj(wbits=31)
    assert one_member.decompress(reply.body) == ask(homes.address, MONTH).body
    assert (one_member.eof, one_member.unused_data) == (True, b"")


@pytest.mark.parametrize(
    "accepted", ["gzip;q=0", "gzip; q=0.0, *", "*;q=0", "identity", "br", "", "gzip;q=x", "gzipped"]
)
def test_who_refuses_gzip_gets_the_plain_body(homes: Running, accepted: str) -> None:
    reply, plain = ask(homes.address, MONTH, [f"Accept-Encoding: {accepted}"]), ask(homes.address, MONTH)
    assert (reply.body, tag_of(reply)) == (plain.body, tag_of(plain))
    assert reply.header("content-encoding") is None


def test_an_answer_is_kept_by_its_reader_alone_and_for_minutes(homes: Running) -> None:
    for target in (MONTH, "/meters.csv", "/usage.xlsx?period=today", "/usage.json?period=all&aggregate=year"):
        for headers in ([], [GZIP]):
            reply = ask(homes.address, target, headers)
            assert reply.header("cache-control") == "private, max-age=300"
            assert reply.header("vary") == "Accept-Encoding, Authorization"


@contextmanager
def rewriting(folder: Path, now: datetime, **more: Any) -> Iterator[tuple[Running, Rewriting]]:
    """A service, and the upstream behind it that can be changed."""
    changed: list[Rewriting] = []

    def wrap(app: ASGIApp) -> ASGIApp:
        changed.append(Rewriting(app))
        return changed[0]

    with running(folder, now=now, wrap=wrap, more=more) as service:
        yield service, changed[0]


def test_no_answer_is_kept_past_local_midnight_when_a_relative_period_rolls(tmp_path: Path) -> None:
    with running(tmp_path, now=TWO_MINUTES_TO_MIDNIGHT) as service:
        yesterday = "/usage.csv?meter=gas&period=yesterday&aggregate=day&columns=time"
        before = ask(service.address, yesterday)
        for target, seconds in (
            (yesterday, 120),
            ("/meters.csv", 120),
            (f"{yesterday}&tz=UTC", 300),
            (f"{yesterday}&tz=Asia/Kathmandu", 300),
            (f"{yesterday}&tz=Europe/Berlin", 300),
        ):
            kept = ask(service.address, target).header("cache-control")
            assert kept == f"private, max-age={seconds}"
        service.clock.now += 119.5
        assert ask(service.address, yesterday).header("cache-control") == "private, max-age=0"
        assert ask(service.address, yesterday).body == before.body == b"time\r\n2021-06-09\r\n"
        service.clock.now += 0.5
        after = ask(service.address, yesterday, [f"If-None-Match: {tag_of(before)}"])
        assert (after.status, after.body) == (200, b"time\r\n2021-06-10\r\n")
        assert after.header("cache-control") == "private, max-age=300"


def test_the_longest_and_the_shortest_day_end_at_their_midnight(tmp_path: Path) -> None:
    for day_end in (datetime(2021, 3, 28, 23, tzinfo=UTC), datetime(2021, 11, 1, tzinfo=UTC)):
        with running(tmp_path / str(day_end.month), now=day_end - timedelta(seconds=40)) as service:
            assert ask(service.address, "/meters.csv").header("cache-control") == "private, max-age=40"


def cache_status(service: Running, target: str) -> str | None:
    reply = ask(service.address, target)
    assert reply.status == 200
    assert ask(service.address, "/meters.csv").status == 200
    return reply.header("cache-status")


def test_cache_status_tells_where_an_answer_came_from(tmp_path: Path) -> None:
    with rewriting(tmp_path, AFTER_THE_DATA) as (service, upstream):
        assert cache_status(service, "/meters.csv") == "powershaper-sheets; fwd=miss"
        assert cache_status(service, "/meters.csv") == "powershaper-sheets; hit"
        assert cache_status(service, "/usage.csv?meter=gas&period=2021-06") == "powershaper-sheets; fwd=miss"
        assert cache_status(service, "/usage.csv?meter=gas&period=2021-06") == "powershaper-sheets; hit"
        assert cache_status(service, "/usage.html?meter=gas&period=2021-06-07") == "powershaper-sheets; hit"
        assert cache_status(service, "/usage.csv?meter=gas&period=2021-Q2") == "powershaper-sheets; fwd=partial"
        assert cache_status(service, "/usage.csv?period=2021-06") == "powershaper-sheets; fwd=partial"
        to_the_end = "/usage.csv?meter=gas&start=2022-12-01"
        before = ask(service.address, to_the_end)
        assert before.header("cache-status") == "powershaper-sheets; fwd=miss"
        service.clock.now += 25 * 3600
        upstream.status = 503
        after = ask(service.address, to_the_end)
        assert (after.status, after.body) == (200, before.body)
        assert after.header("cache-status") == "powershaper-sheets; fwd=stale"
        assert after.header("x-data-as-of") == before.header("x-data-as-of")
        assert ask(service.address, "/meters.csv").header("cache-status") == "powershaper-sheets; fwd=stale"


def rechecked(service: Running, target: str) -> Reply:
    """The answer two hours later, when what was due has been looked at behind the first one to ask."""
    before = ask(service.address, target).header("x-data-as-of")
    service.clock.now += 7200
    for _ in range(200):
        reply = ask(service.address, target)
        if reply.header("x-data-as-of") != before:
            return reply
        time.sleep(0.02)
    pytest.fail("the day was not rechecked")


def test_last_modified_moves_when_data_changes_and_not_on_a_mere_recheck(tmp_path: Path) -> None:
    noon = datetime(2021, 6, 10, 12, tzinfo=UTC)

    def more(path: str, found: Any) -> Any:
        return [{**row, "energy_kwh": 7.5} for row in found] if "/meter/" in path else found

    with rewriting(tmp_path, noon) as (service, upstream):
        target = "/usage.csv?meter=gas&period=2021-06-09"
        first = ask(service.address, target)
        assert parsedate_to_datetime(first.header("last-modified") or "") == noon
        same = rechecked(service, target)
        assert same.header("last-modified") == first.header("last-modified")
        assert same.header("x-data-as-of") == "2021-06-10T14:00:00Z"
        assert (tag_of(same), same.body) == (tag_of(first), first.body)
        upstream.change = more
        changed = rechecked(service, target)
        assert parsedate_to_datetime(changed.header("last-modified") or "") == noon + timedelta(hours=4)
        assert tag_of(changed) != tag_of(first)
        assert b",7.5," in changed.body
        again = rechecked(service, target)
        assert again.header("last-modified") == changed.header("last-modified")
        assert ask(service.address, target, [f"If-None-Match: {tag_of(changed)}"]).status == 304


def test_no_error_has_a_tag_and_none_is_stored(tmp_path: Path) -> None:
    with rewriting(tmp_path, AFTER_THE_DATA, public_url=PUBLIC_URL) as (public, _):
        refused = [ask(public.address, f"/usage.{form}", ["If-None-Match: *"]) for form in ("csv", "xlsx", "html")]
        assert [reply.status for reply in refused] == [401] * 3
    with rewriting(tmp_path / "failing", AFTER_THE_DATA) as (service, upstream):
        upstream.status = 503
        statuses = []
        for target in ("/usage.csv?period=x", "/usage.csv?meter=x", "/x.csv", "/x", "/usage.json", "/meters.html"):
            for end in ("", f"{'&' if '?' in target else '?'}errors=cell"):
                for headers in ([], [GZIP], ["If-None-Match: *"]):
                    refused.append(ask(service.address, target + end, headers))
                    statuses.append(refused[-1].status)
        assert set(statuses) == {200, 400, 404, 503}
    for reply in refused:
        assert reply.header("cache-control") == "no-store"
        assert (reply.header("etag"), reply.header("last-modified")) == (None, None)
