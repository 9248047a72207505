"""The token and access keys appear nowhere: not in an answer, an error, a log, an export, a repr or the archive."""

import asyncio
import gzip
import io
import traceback
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from access.canaries import (
    AS_PARAMETERS,
    FAULTS,
    FORMATS,
    TARGETS,
    TOKEN,
    Echoing,
    all_files,
    echoing,
    headers_of,
    leaks,
    service_with_canary,
    settings_with_canary,
)
from access.doors import PUBLIC_URL, WAYS, ask, basic, made_key, sent_as
from service import Running
from upstream.raw_server import answer, sends, serving

from app.domain.errors import UpstreamError
from app.main import build


@contextmanager
def canary_service(folder: Path) -> Iterator[tuple[Running, Echoing, str]]:
    with echoing() as (upstream, base_url), service_with_canary(folder, base_url, PUBLIC_URL) as service:
        yield service, upstream, made_key(service)[0]


def check_no_leak(service: Running, key: str, target: str, headers: list[str], also: tuple[str, ...] = ()) -> int:
    """Asks with GET and HEAD, gzipped too; gives the status."""
    for method, encoding in (("GET", "gzip"), ("HEAD", "identity")):
        reply = ask(service.address, target, [*headers, f"Accept-Encoding: {encoding}"], method=method)
        assert leaks(reply.body, TOKEN, key, *also) == []
        assert leaks(headers_of(reply.headers), TOKEN, key, *also) == []
    return reply.status


def test_no_answer_of_any_route_holds_the_token_or_the_key(tmp_path: Path) -> None:
    with canary_service(tmp_path) as (service, _, key):
        statuses = {check_no_leak(service, key, *sent_as(way, target, key)) for target in TARGETS for way in WAYS}
        assert statuses == {200, 400, 404}
        for wrong in (TOKEN, key[:-1], key[:-1] + "é"):
            for way in WAYS:
                service.clock.now += 60
                assert check_no_leak(service, key, *sent_as(way, "/usage.csv", wrong), (wrong,)) == 401
        held = leaks(all_files(tmp_path), TOKEN, key)
    assert held == leaks(all_files(tmp_path), TOKEN, key) == []


@pytest.mark.parametrize("secret", ["token", "key"])
def test_a_secret_in_the_wrong_place_of_a_link_is_not_repeated(tmp_path: Path, secret: str) -> None:
    with canary_service(tmp_path) as (service, _, key):
        for target in AS_PARAMETERS:
            misplaced = target.format(TOKEN if secret == "token" else key)
            assert check_no_leak(service, key, misplaced, [basic(f"anybody:{key}")]) in {200, 400, 404}
        assert leaks(all_files(tmp_path), TOKEN, key) == []


UNDER_FAULT = (
    "/",
    "/readyz",
    *(f"/meters.{extension}" for extension in FORMATS),
    *(f"/usage.{extension}?period=2021-06-01&meter=gas" for extension in FORMATS),
    "/usage.csv?period=2021-06-01&meter=gas&errors=cell",
)


def test_no_fault_of_an_upstream_that_repeats_the_token_carries_it_on(tmp_path: Path) -> None:
    with canary_service(tmp_path) as (service, upstream, key):
        for meters in ({502, 503}, {200}):
            for fault in FAULTS:
                service.clock.now += 7200  # whatever pause it may have made is over
                upstream.fault = fault
                replies = {target: ask(service.address, target, [basic(f"x:{key}")]) for target in UNDER_FAULT}
                said = b"\n".join(headers_of(reply.headers) for reply in replies.values())
                assert leaks(said, TOKEN, key) == [], fault
                assert [leaks(reply.body, TOKEN, key) for reply in replies.values()] == [[]] * len(replies), fault
                assert replies["/meters.csv"].status in meters, fault
            upstream.fault = None
            service.clock.now += 7200
            assert ask(service.address, "/meters.csv", [basic(f"x:{key}")]).status == 200
        assert leaks(all_files(tmp_path), TOKEN, key) == []


def test_a_readable_answer_that_repeats_the_token_is_kept_and_shown_without_it(tmp_path: Path) -> None:
    with canary_service(tmp_path) as (service, upstream, key):
        upstream.fault = "a list of meters"
        for target in ("/", "/meters.csv", "/meters.json", "/meters.html", "/meters.xlsx"):
            assert check_no_leak(service, key, target, [basic(f"x:{key}")]) == 200
        assert leaks(all_files(tmp_path), TOKEN, key) == []


RAW_ANSWERS = {
    "in its status line": answer(status=f"200 Token {TOKEN}") + b"",
    "in the status line of an error": answer(status=f"500 Token {TOKEN}"),
    "in place of a status": f"HTTP/1.1 Token {TOKEN}\r\n\r\n".encode(),
    "in place of an answer": f"Token {TOKEN}\r\n\r\n".encode(),
    "in a header": answer(b"{", head=f"Authorization: Token {TOKEN}"),
    "in the name of a header": answer(b"{", head=f"{TOKEN}: 1"),
    "in a header that is none": answer(b"{", head=f"Token {TOKEN}"),
    "in the length": f"HTTP/1.1 200 OK\r\nContent-Length: {TOKEN}\r\n\r\n".encode(),
    "in a chunk's length": f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{TOKEN}\r\n".encode(),
    "in the encoding": f"HTTP/1.1 200 OK\r\nTransfer-Encoding: {TOKEN}\r\n\r\n".encode(),
    "in a body cut off": answer(f"[Token {TOKEN}".encode(), length=999),
}


@pytest.mark.parametrize("where", RAW_ANSWERS)
def test_an_upstream_that_repeats_the_token_in_broken_http_is_not_repeated(tmp_path: Path, where: str) -> None:
    async def asked() -> None:
        async with serving(sends(RAW_ANSWERS[where])) as upstream:
            await asyncio.to_thread(check, upstream.address)
            assert ("authorization", f"Token {TOKEN}") in upstream.headers()

    def check(base_url: str) -> None:
        with service_with_canary(tmp_path, base_url) as service:
            for extension in FORMATS:
                check_no_leak(service, TOKEN, f"/meters.{extension}", [])
        assert leaks(all_files(tmp_path), TOKEN) == []

    asyncio.run(asked())


def test_the_search_finds_a_secret_however_it_is_packed() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("sheet.xml", f"<c>{TOKEN}</c>")
    hidden = (TOKEN[5:18].encode(), gzip.compress(TOKEN.encode()), packed.getvalue(), basic(f"a:{TOKEN}").encode())
    assert all(leaks(data, TOKEN) for data in hidden)
    assert leaks(b"a token", TOKEN) == []


def test_reprs_and_tracebacks_hold_no_token(tmp_path: Path) -> None:
    async def shown() -> str:
        with echoing() as (upstream, base_url):
            settings = settings_with_canary(tmp_path, base_url)
            service = build(settings)
            texts = [repr(part) + str(part) for part in (settings, service, service.upstream, service.source)]
            texts += [settings.model_dump_json(), repr(vars(service.upstream))]
            for fault in FAULTS:
                upstream.fault = fault
                with pytest.raises(UpstreamError) as caught:
                    await service.upstream.meters()
                texts += traceback.format_exception(caught.value)
                texts.append(repr(caught.value) + repr(caught.value.__context__))
            await service.aclose()
        return "\n".join(texts)

    assert leaks(asyncio.run(shown()).encode(), TOKEN) == []
