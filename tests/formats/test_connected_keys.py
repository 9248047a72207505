"""Access keys and the connected workbook: none in the file but where it is asked for, and none anywhere else."""

import base64
import gc
import io
import logging
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from access.canaries import leaks
from m_queries import run_m
from pyopenvba import PowerQueryWorkbook
from pyopenvba.mlang import MError
from service import HOME_A, Running, running

from app.web.answers import Body

DAY = "period=2021-06-01&aggregate=day"
PUBLIC_URL = "https://sheets.example.org"


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("public"), more={"public_url": PUBLIC_URL}) as service:
        yield service


@pytest.fixture(scope="module")
def key(public: Running) -> str:
    return public.make_key()


def ways(key: str) -> list[tuple[str, dict[str, str]]]:
    basic = base64.b64encode(f"me:{key}".encode()).decode()
    return [
        (f"&key={key}", {}),
        ("", {"Authorization": f"Bearer {key}"}),
        ("", {"Authorization": f"Basic {basic}"}),
    ]


def query_of(answer: httpx.Response, folder: Path) -> str:
    assert answer.status_code == 200, answer.text
    (folder / "connected.xlsx").write_bytes(answer.content)
    return str(PowerQueryWorkbook(folder / "connected.xlsx").query("usage").formula)


def holds(body: bytes, key: str, folder: Path) -> bool:
    """Whether a key is anywhere in a workbook, the packed query included."""
    (folder / "searched.xlsx").write_bytes(body)
    book = PowerQueryWorkbook(folder / "searched.xlsx")
    return bool(leaks(body, key)) or (book.has_queries and key in book.section_text())


def run_here(text: str, service: Running, key: str | None = None) -> list[list[object]]:
    """The rows of a query for the public address, which is played by the service itself."""
    assert f'Web.Contents("{PUBLIC_URL}"' in text
    return list(run_m(text.replace(PUBLIC_URL, service.address), service.http, key).rows)


@pytest.mark.parametrize("way", range(3))
def test_without_asking_no_key_is_in_the_file_and_excel_is_told_how_to_send_it(
    public: Running, key: str, tmp_path: Path, way: int
) -> None:
    asked, headers = ways(key)[way]
    answer = public.get(f"/connected.xlsx?{DAY}{asked}", headers=headers)
    text = query_of(answer, tmp_path)
    assert not holds(answer.content, key, tmp_path)
    assert 'ApiKeyName = "key"' in text
    assert answer.headers["cache-control"].startswith("private, max-age=")
    with pytest.raises(MError, match="needs an access key"):
        run_here(text, public)
    assert len(run_here(text, public, key)) == 2


@pytest.mark.parametrize("way", range(3))
def test_embed_key_puts_the_requests_own_key_into_the_file(public: Running, key: str, tmp_path: Path, way: int) -> None:
    asked, headers = ways(key)[way]
    answer = public.get(f"/connected.xlsx?{DAY}&embed_key=1{asked}", headers=headers)
    text = query_of(answer, tmp_path)
    assert f'key = "{key}"' in text
    assert "ApiKeyName" not in text
    assert answer.headers["cache-control"] == "private, no-store"
    assert len(run_here(text, public)) == 2


def test_the_key_is_in_the_query_alone(public: Running, key: str) -> None:
    answer = public.get(f"/connected.xlsx?{DAY}&embed_key=1&key={key}")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as package:
        for name in package.namelist():
            if name != "customXml/item1.xml":
                assert leaks(package.read(name), key) == [], name


def test_everybody_gets_his_own_key(public: Running, key: str, tmp_path: Path) -> None:
    gas = public.make_key(frozenset({(HOME_A, "gas")}))
    for one, rows in ((key, 2), (gas, 1), (key, 2)):
        answer = public.get(f"/connected.xlsx?{DAY}&embed_key=1", headers={"Authorization": f"Bearer {one}"})
        text = query_of(answer, tmp_path)
        assert f'key = "{one}"' in text
        assert len(run_here(text, public)) == rows


def test_a_revoked_or_missing_key_is_refused_before_anything_is_made(public: Running) -> None:
    for asked in ("", "&key=pss_wrong"):
        answer = public.get(f"/connected.xlsx?{DAY}&embed_key=1{asked}")
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic ")


def test_no_log_line_has_the_key(public: Running, key: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for asked, headers in ways(key):
            assert public.get(f"/connected.xlsx?{DAY}&embed_key=1{asked}", headers=headers).status_code == 200
    ours = [record.getMessage() for record in caplog.records if record.name.startswith("app.")]
    assert len(ours) >= 3
    assert leaks("\n".join(ours).encode(), key) == []


def test_no_body_with_a_key_is_kept(public: Running, tmp_path: Path) -> None:
    key = public.make_key()
    other = public.get(f"/connected.xlsx?{DAY}&key={key}")
    answer = public.get(f"/connected.xlsx?{DAY}&embed_key=1&key={key}")
    assert holds(answer.content, key, tmp_path), "a leak would be seen"
    gc.collect()
    kept = [one for one in gc.get_objects() if isinstance(one, Body) and one.content.startswith(b"PK")]
    assert other.content in [one.content for one in kept], "other workbooks are kept"
    assert [one.etag for one in kept if holds(one.content, key, tmp_path)] == []
