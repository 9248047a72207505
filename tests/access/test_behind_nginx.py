"""Behind nginx, as people set it up: nothing is given away to others, and nothing that needs a key is stored."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from access.doors import A_ROW, GAS_DAY, PUBLIC_URL, WAYS, ask, basic, made_key, sent_as
from conftest import program
from service import Running, running

CONF = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_cache_path {folder}/cache levels=1 keys_zone=all:1m;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass {address};
{lines}
        }}
    }}
}}
"""
CACHE = (
    "proxy_cache all",
    "proxy_cache_valid any 10m",
    "proxy_cache_methods GET HEAD",
    "add_header X-Nginx-Cache $upstream_cache_status always",
)
OWN_HOST = "proxy_set_header Host $http_host"
MODERN = ("proxy_http_version 1.1", 'proxy_set_header Connection ""')


@pytest.fixture(scope="session")
def nginx() -> str:
    """The command of nginx."""
    return program("nginx")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service on loopback that needs no key from this machine, and that holds a day."""
    with running(tmp_path_factory.mktemp("alone")) as service:
        assert A_ROW in service.text(GAS_DAY)
        yield service


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, str]]:
    """A service that needs a key of everybody, and a key."""
    with running(tmp_path_factory.mktemp("guarded"), more={"public_url": PUBLIC_URL}) as service:
        yield service, made_key(service)[0]


@contextmanager
def behind(nginx: str, folder: Path, service: Running, *lines: str) -> Iterator[str]:
    """Nginx in front of a service, `lines` in its location: the address that it listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    inside = "".join(f"            {line};\n" for line in lines)
    conf = folder / "nginx.conf"
    conf.write_text(CONF.format(folder=folder, port=port, address=service.address, lines=inside))
    command = [nginx, "-p", str(folder), "-e", f"{folder}/error.log", "-c", str(conf)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            wait_for(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.communicate(timeout=20)


def wait_for(process: "subprocess.Popen[str]", port: int) -> None:
    for _ in range(200):
        assert process.poll() is None, process.communicate()[0]
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=5):
            return
        time.sleep(0.05)
    pytest.fail("nginx does not listen")


@pytest.mark.nginx
@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for",),
        (*MODERN, "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for"),
        (*MODERN, "proxy_set_header X-Real-IP $remote_addr"),
        (*MODERN, OWN_HOST, "proxy_set_header X-Forwarded-Proto $scheme"),
        (*MODERN, "proxy_set_header Forwarded for=$remote_addr"),
        (*MODERN, "proxy_set_header Via nginx"),
        (OWN_HOST,),
    ],
    ids=lambda lines: " ".join(line.split()[-2] for line in lines) or "bare",
)
def test_a_service_without_keys_gives_nothing_away_through_a_proxy(
    nginx: str, alone: Running, tmp_path: Path, lines: tuple[str, ...]
) -> None:
    with behind(nginx, tmp_path, alone, *lines) as address:
        for target in (GAS_DAY, "/meters.csv", "/", "/usage.xlsx", "/metrics"):
            reply = ask(address, target)
            assert reply.status == 401
            assert (reply.header("www-authenticate") or "").startswith("Basic ")
            assert A_ROW.encode() not in reply.body
            assert b"gas" not in reply.body
        assert ask(address, "/healthz").status == 200
    assert ask(alone.address, GAS_DAY).status == 200, "this machine itself is still let in"


@pytest.mark.nginx
def test_a_public_name_behind_a_proxy_is_refused_until_it_is_set(nginx: str, alone: Running, tmp_path: Path) -> None:
    with behind(nginx, tmp_path, alone, OWN_HOST) as address:
        reply = ask(address, GAS_DAY, hosts=["sheets.example.org"])
        assert reply.status == 421
        assert b"POWERSHAPER_PUBLIC_URL" in reply.body


@pytest.mark.nginx
def test_a_key_opens_through_a_proxy_in_all_ways(nginx: str, guarded: tuple[Running, str], tmp_path: Path) -> None:
    service, key = guarded
    with behind(nginx, tmp_path, service, OWN_HOST) as address:
        for way in WAYS:
            reply = ask(address, *sent_as(way, GAS_DAY, key), hosts=["sheets.example.org"])
            assert reply.status == 200
            assert A_ROW.encode() in reply.body
            assert ask(address, *sent_as(way, GAS_DAY, key), method="HEAD").status == 200


def stored(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in (folder / "cache").rglob("*") if path.is_file()]


@pytest.mark.nginx
def test_a_cache_that_stores_all_it_may_stores_nothing_that_needs_a_key(
    nginx: str, guarded: tuple[Running, str], tmp_path: Path
) -> None:
    service, key = guarded
    with behind(nginx, tmp_path, service, *CACHE) as address:
        assert ask(address, "/healthz").header("x-nginx-cache") == "MISS"
        assert ask(address, "/healthz").header("x-nginx-cache") == "HIT", "the cache is on"
        for target in (GAS_DAY, GAS_DAY.replace("csv", "html"), "/meters.json", "/", "/usage.csv?period=x", "/no.csv"):
            with_key = [basic(f"anybody:{key}")]
            tag = ask(address, target, with_key).header("etag")
            for headers in (with_key, [*with_key, "Accept-Encoding: gzip"], [*with_key, f"If-None-Match: {tag}"]):
                reply = ask(address, target, headers)
                assert (reply.status, reply.header("x-nginx-cache")) in {
                    (200, "MISS"),
                    (304, "MISS"),
                    (400, "MISS"),
                    (404, "MISS"),
                }
            for again in ([], ["Authorization: Bearer wrong"], ["Accept-Encoding: gzip"]):
                service.clock.now += 61
                reply = ask(address, target, again)
                assert (reply.status, reply.header("x-nginx-cache")) == (401, "MISS")
            assert ask(address, target, with_key).header("x-nginx-cache") == "MISS", "nor is the refusal stored"
        in_address, _ = sent_as("URL", GAS_DAY, key)
        assert [ask(address, in_address).header("x-nginx-cache") for _ in range(2)] == ["MISS", "MISS"]
        assert [ask(address, f"{GAS_DAY}&errors=cell").header("x-nginx-cache") for _ in range(2)] == ["MISS", "MISS"]
        files = stored(tmp_path)
    assert [file.count(b"\nKEY: ") for file in files] == [1] * len(files)
    assert {b"/healthz" in file for file in files} == {True}, "an open path, and nothing else"


@pytest.mark.nginx
def test_a_cache_gives_no_scope_the_meters_of_another(nginx: str, guarded: tuple[Running, str], tmp_path: Path) -> None:
    service, key = guarded
    gas, _ = made_key(service, scope=frozenset({("5f1c9a52-3c1e-4d0b-9a77-0d2f6b1e8a41", "gas")}))
    time.sleep(1)
    with behind(nginx, tmp_path, service, *CACHE) as address:
        for _ in range(2):
            all_meters = ask(address, "/meters.csv?columns=meter", [basic(f"x:{key}")]).body.split()
            assert len(all_meters) == 1 + 3
            assert ask(address, "/meters.csv?columns=meter", [basic(f"x:{gas}")]).body.split() == [b"meter", b"gas"]
        assert stored(tmp_path) == []
