"""Faults of the upstream over HTTP: each becomes an error of ours that says what to do."""

import asyncio
import gzip
import traceback
import zlib
from collections.abc import Iterator

import httpx
import pytest
from pydantic import SecretStr
from upstream.asking import FIRST_DAY, FOREVER, LAST_DAY, METER, ONE_ROW, TOKEN, asked, failure, half_hours_from
from upstream.raw_server import Script, answer, drips, hangs, resets, sends, serving

from app.domain.errors import (
    QuotaExceeded,
    UpstreamError,
    UpstreamFailing,
    UpstreamRefused,
    UpstreamSlow,
    UpstreamTooLarge,
    UpstreamUnavailable,
    UpstreamUnreadable,
)
from app.upstream import Bounds, PowerShaper


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_is_said(status: int) -> None:
    error = failure(sends(answer(b'{"detail": "Invalid token."}', f"{status} No")))
    assert type(error) is UpstreamRefused


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_trouble_of_the_server_is_a_failure_of_it(status: int) -> None:
    assert type(failure(sends(answer(b"<h1>Oops</h1>", f"{status} Oops")))) is UpstreamFailing


@pytest.mark.parametrize("status", ["204 No Content", "206 Partial Content", "400 Bad", "404 Not Found", "418 Teapot"])
def test_a_status_that_means_nothing_here_is_unreadable(status: str) -> None:
    error = failure(sends(answer(b"" if status.startswith("204") else b"[]", status)))
    assert type(error) is UpstreamUnreadable
    assert status[:3] in str(error)


@pytest.mark.parametrize(
    "location", ["", "http://[", "http://[::1", "http://xn--/", "mailto:x", "/\x7f", "http://x:99999/"]
)
def test_a_redirect_that_leads_nowhere_is_unreadable_too(location: str) -> None:
    error = failure(sends(answer(b"", "301 Moved Permanently", head=f"Location: {location}")))
    assert type(error) is UpstreamUnreadable


@pytest.mark.parametrize("status", ["426 Upgrade Required", "429 Too Many Requests"])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 0),
        ("Retry-After: 120", 120),
        ("Retry-After: 5", 5),
        ("Retry-After: 86400", 86_400),
        ("Retry-After: " + "9" * 4000, 999_999_999),
        ("Retry-After: -120", 0),
        ("Retry-After: soon", 0),
        ("Retry-After: ", 0),
        ("Retry-After: 1.5e2", 0),
        ("Retry-After: \xb2\xb2\xb2", 0),
        ("Date: Tue, 01 Jun 2021 12:00:00 GMT\nRetry-After: Tue, 01 Jun 2021 12:05:00 GMT", 300),
        ("Date: Tue, 01 Jun 2021 12:00:00 GMT\nRetry-After: Tue, 01 Jun 2021 11:00:00 GMT", 0),
        ("Date: Tue, 01 Jun 2021 12:00:00 GMT\nRetry-After: Tue, 01 Jun 2021 12:05:00 -0000", 0),
        ("Date: sometime\nRetry-After: Tue, 01 Jun 2021 12:05:00 GMT", 0),
        ("Retry-After: Tue, 01 Jun 2021 12:05:00 GMT", 0),
    ],
)
def test_a_used_up_quota_says_when_to_come_back(status: str, header: str, seconds: int) -> None:
    error = failure(sends(answer(b"{}", status, head=header)))
    assert type(error) is QuotaExceeded
    assert error.retry_after == seconds


def test_a_port_where_nobody_listens_is_unavailable() -> None:
    async def scenario() -> UpstreamError:
        async with serving(sends()) as server:
            address = server.address
        with pytest.raises(UpstreamError) as caught:
            await half_hours_from(address)
        return caught.value

    error = asyncio.run(scenario())
    assert type(error) is UpstreamUnavailable
    assert error.remedy


CUT_SHORT: dict[str, Script] = {
    "reset before headers": resets(),
    "reset in the headers": resets(b"HTTP/1.1 200 OK\r\nContent-"),
    "reset in the body": resets(FOREVER.encode() + b"[{"),
    "closed before headers": sends(),
    "truncated Content-Length": sends(answer(ONE_ROW, length=5000)),
    "truncated chunks": sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[    \r\n"),
    "a status line that is none": sends(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "a chunk that is none": sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n[]\r\n"),
    "headers without end": sends(b"HTTP/1.1 200 OK\r\n" + b"X-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 10_000),
}


@pytest.mark.parametrize("script", CUT_SHORT.values(), ids=CUT_SHORT)
def test_an_answer_that_is_cut_short_is_a_failure_of_the_server(script: Script) -> None:
    assert type(failure(script)) is UpstreamFailing


SLOW: dict[str, Script] = {
    "hang": hangs(),
    "slow headers": drips(b"HTTP/1.1 200 OK\r\n", b"X-Slow: 1\r\n", 0.02),
    "hang in the body": hangs(FOREVER.encode() + b"["),
    "drip": drips(FOREVER.encode() + b"[", b" ", 0.02),
}


@pytest.mark.parametrize("script", SLOW.values(), ids=SLOW)
def test_an_answer_that_takes_too_long_is_given_up(script: Script) -> None:
    async def scenario() -> float:
        began = asyncio.get_running_loop().time()
        async with serving(script) as server:
            with pytest.raises(UpstreamSlow):
                await half_hours_from(server.address, seconds=0.3)
        return asyncio.get_running_loop().time() - began

    assert asyncio.run(scenario()) < 10


def errors_of_httpx(kind: type[httpx.RequestError] = httpx.RequestError) -> Iterator[type[httpx.RequestError]]:
    """Every kind of error that httpx can raise for a request."""
    yield kind
    for lower in kind.__subclasses__():
        yield from errors_of_httpx(lower)


@pytest.mark.parametrize("kind", list(errors_of_httpx()))
def test_every_error_of_httpx_becomes_one_of_ours(kind: type[httpx.RequestError]) -> None:
    class Broken(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            raise kind("http://127.0.0.1/secret is broken")

    async def scenario() -> UpstreamError:
        powershaper = PowerShaper("http://127.0.0.1", SecretStr(TOKEN), Bounds(call=5), transport=Broken())
        try:
            with pytest.raises(UpstreamUnavailable) as caught:
                await powershaper.half_hours(METER, FIRST_DAY, LAST_DAY)
            return caught.value
        finally:
            await powershaper.aclose()

    error = asyncio.run(scenario())
    assert "secret" not in str(error) + error.remedy


def test_a_fault_leaves_the_client_able_to_ask_again() -> None:
    scripts = iter([resets(), hangs(), sends(answer(b"", "500 No")), sends(b"nonsense"), sends(answer(ONE_ROW))])

    async def play(writer: asyncio.StreamWriter) -> None:
        await next(scripts)(writer)

    async def scenario() -> None:
        async with serving(play) as server:
            powershaper = PowerShaper(server.address, SecretStr(TOKEN), Bounds(call=1))
            try:
                for _ in range(4):
                    with pytest.raises(UpstreamUnavailable):
                        await powershaper.half_hours(METER, FIRST_DAY, LAST_DAY)
                half_hours = await powershaper.half_hours(METER, FIRST_DAY, LAST_DAY)
            finally:
                await powershaper.aclose()
            assert half_hours.present.any()

    asyncio.run(scenario())


def gzipped(body: bytes, *, head: str = "Content-Encoding: gzip") -> bytes:
    return answer(gzip.compress(body), head=head)


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
def test_gzip_is_taken(encoding: str) -> None:
    half_hours, _ = asked(sends(gzipped(ONE_ROW, head=f"Content-Encoding: {encoding}")))
    assert half_hours.present.any()


DAMAGED: dict[str, bytes] = {
    "truncated gzip": answer(gzip.compress(ONE_ROW)[:-6], head="Content-Encoding: gzip"),
    "half a gzip": answer(gzip.compress(ONE_ROW)[:20], head="Content-Encoding: gzip"),
    "plain, said to be gzip": answer(ONE_ROW, head="Content-Encoding: gzip"),
    "empty, said to be gzip": answer(b"", head="Content-Encoding: gzip"),
    "gzip, not said": answer(gzip.compress(ONE_ROW)),
    "gzip with a wrong sum": answer(gzip.compress(ONE_ROW)[:-8] + bytes(8), head="Content-Encoding: gzip"),
    "brotli": answer(ONE_ROW, head="Content-Encoding: br"),
    "gzip twice": answer(gzip.compress(gzip.compress(ONE_ROW)), head="Content-Encoding: gzip, gzip"),
    "zip": answer(ONE_ROW, head="Content-Encoding: zip"),
    "HTML": answer(b"<!doctype html><title>Sign in</title>", head="Content-Type: text/html"),
    "empty": answer(b""),
    "an object": answer(b'{"detail": "Not found."}'),
    "UTF-16": answer(ONE_ROW.decode().encode("utf-16"), head="Content-Type: application/json; charset=utf-16"),
    "Latin-1": answer('[{"time": "é"}]'.encode("latin-1"), head="Content-Type: application/json; charset=latin-1"),
}


@pytest.mark.parametrize("bytes_sent", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_answer_is_unreadable(bytes_sent: bytes) -> None:
    assert type(failure(sends(bytes_sent))) is UpstreamUnreadable


def test_a_gzip_bomb_is_too_large() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join([packer.compress(bytes(10_000_000)) for _ in range(20)]) + packer.flush()
    assert len(bomb) < 400_000
    assert type(failure(sends(answer(bomb, head="Content-Encoding: gzip")))) is UpstreamTooLarge


def test_eighty_megabytes_are_too_large() -> None:
    piece = b" " * 1_000_000
    assert type(failure(sends(answer(length=80_000_000), *[piece] * 80))) is UpstreamTooLarge


ECHO = f'{{"detail": "{TOKEN} is wrong"}}'.encode()
LEAKS: dict[str, Script] = {
    **CUT_SHORT,
    **{
        f"status {status}": sends(answer(ECHO, f"{status} {TOKEN}", head=f"X-Echo: {TOKEN}"))
        for status in (204, 301, 400, 401, 403, 404, 418, 426, 429, 500, 502, 503, 504)
    },
    "an object": sends(answer(ECHO)),
    "no JSON": sends(answer(TOKEN.encode())),
    "a wrong encoding": sends(answer(ECHO, head=f"Content-Encoding: {TOKEN}")),
    "a wrong number": sends(answer(f'[{{"time": "2021-06-01T00:00Z", "energy_kwh": "{TOKEN}"}}]'.encode())),
    "hang": hangs(),
    "a redirect": sends(answer(b"", "302 Found", head=f"Location: http://127.0.0.1:1/{TOKEN}")),
}


@pytest.mark.parametrize("script", LEAKS.values(), ids=LEAKS)
def test_the_token_is_in_no_error(script: Script) -> None:
    error = failure(script, seconds=0.3)
    told = [str(error), repr(error), error.remedy, *traceback.format_exception(error)]
    assert TOKEN not in "".join(told)


def test_the_token_is_not_in_the_clients_repr() -> None:
    powershaper = PowerShaper("http://127.0.0.1", SecretStr(TOKEN), Bounds(call=1))
    assert TOKEN not in repr(powershaper) + str(vars(powershaper))
    asyncio.run(powershaper.aclose())
