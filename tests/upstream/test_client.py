"""The client over HTTP: what it asks, whom, and what it gives."""

import asyncio
from urllib.parse import urlsplit

import pytest
from upstream.asking import CONSENT, FIRST_DAY, METER, ONE_ROW, TOKEN, asked, client, half_hours_from
from upstream.raw_server import RawServer, answer, sends, serving

from app.domain.errors import UpstreamUnreadable
from app.domain.meters import ListedMeter


def test_half_hours_are_asked_for_in_one_shape() -> None:
    half_hours, server = asked(sends(answer(ONE_ROW)))
    assert server.request_lines == [
        f"GET /meters/api/v1/meter/{CONSENT}/electricity?start=2021-06-01&end=2021-06-03&aggregate=none&tz=UTC HTTP/1.1"
    ]
    assert len(half_hours) == 3 * 48
    assert half_hours.present.nonzero()[0].tolist() == [48]
    assert (half_hours.micro_kwh[48], half_hours.micro_kg[48]) == (250_000, 50_000)


def test_the_headers_of_a_call_are_the_token_and_what_is_accepted() -> None:
    _, server = asked(sends(answer()))
    headers = server.headers()
    assert [value for name, value in headers if name == "authorization"] == [f"Token {TOKEN}"]
    assert [value for name, value in headers if name == "accept"] == ["application/json"]
    assert [value for name, value in headers if name == "accept-encoding"] == ["gzip"]
    assert not [name for name, _ in headers if name in {"cookie", "referer", "proxy-authorization"}]


@pytest.mark.parametrize(
    ("kind", "quoted"),
    [
        ("gas export", "gas%20export"),
        ("a/../b", "a%2F..%2Fb"),
        ("gas?tz=x#y", "gas%3Ftz%3Dx%23y"),
        ("élec%", "%C3%A9lec%25"),
        ("gas\r\nX-Other: 1", "gas%0D%0AX-Other%3A%201"),
    ],
)
def test_a_type_is_quoted_in_the_path(kind: str, quoted: str) -> None:
    _, server = asked(sends(answer()), ListedMeter(CONSENT, kind, None, None))
    path = server.request_lines[0].split(" ")[1]
    assert path == f"/meters/api/v1/meter/{CONSENT}/{quoted}?start=2021-06-01&end=2021-06-03&aggregate=none&tz=UTC"


def test_the_list_of_meters_is_asked_for_with_a_final_slash_and_no_parameters() -> None:
    async def scenario() -> tuple[list[ListedMeter], RawServer]:
        body = b'[{"consent_uuid": "c-1", "type": "gas"}, {"consent_uuid": "c-1", "type": "electricity"}]'
        async with serving(sends(answer(body))) as server:
            powershaper = client(server.address + "/")
            try:
                return await powershaper.meters(), server
            finally:
                await powershaper.aclose()

    listed, server = asyncio.run(scenario())
    assert server.request_lines == ["GET /meters/api/v1/meters/ HTTP/1.1"]
    assert [meter.key for meter in listed] == [("c-1", "gas"), ("c-1", "electricity")]


def test_the_labels_of_a_day_come_as_they_are() -> None:
    async def scenario() -> list[str]:
        body = b'[{"time": "2021-06-01T00:30:00Z", "energy_kwh": 1}, {"time": "2021-06-02T00:00:00Z", "energy_kwh": 1}]'
        async with serving(sends(answer(body))) as server:
            powershaper = client(server.address)
            try:
                labels = await powershaper.labels(METER, FIRST_DAY)
            finally:
                await powershaper.aclose()
            assert "start=2021-06-01&end=2021-06-01&" in server.request_lines[0]
            return [label.isoformat() for label in labels]

    assert asyncio.run(scenario()) == ["2021-06-01T00:30:00+00:00", "2021-06-02T00:00:00+00:00"]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("path", ["{other}/meters/api/v1/meters/", "//{host}/", "/meters/api/v1/elsewhere"])
def test_a_redirect_is_not_followed(status: int, path: str) -> None:
    async def scenario() -> None:
        async with serving(sends(answer(ONE_ROW))) as other:
            location = path.format(other=other.address, host=urlsplit(other.address).netloc)
            redirect = answer(b"", f"{status} Moved", head=f"Location: {location}")
            async with serving(sends(redirect)) as server:
                with pytest.raises(UpstreamUnreadable):
                    await half_hours_from(server.address)
                assert len(server.requests) == 1
            assert other.requests == []

    asyncio.run(scenario())


def test_an_address_that_an_answer_names_is_not_asked() -> None:
    async def scenario() -> None:
        async with serving(sends(answer())) as other:
            links = f'"links": {{"records": "{other.address}/records"}}'
            body = f'[{{"consent_uuid": "c-1", "type": "gas", {links}}}]'.encode()
            async with serving(sends(answer(body))) as server:
                powershaper = client(server.address)
                meter = (await powershaper.meters())[0]
                await powershaper.aclose()
            async with serving(sends(answer())) as server:
                await half_hours_from(server.address, meter)
                assert len(server.requests) == 1
            assert other.requests == []

    asyncio.run(scenario())


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with serving(sends(answer(b"[]"))) as proxy, serving(sends(answer(ONE_ROW))) as server:
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
                monkeypatch.setenv(name, proxy.address)
            monkeypatch.setenv("NO_PROXY", "")
            half_hours = await half_hours_from(server.address)
            assert half_hours.present.any()
            assert (len(server.requests), proxy.requests) == (1, [])

    asyncio.run(scenario())
