"""What the tests of access share: requests sent byte by byte, and keys of a running service."""

import base64
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from http.client import HTTPResponse
from urllib.parse import quote, urlsplit

from service import HOME_A, HOME_B, Running

from app.access import access_key, new_key
from app.archive import Archive, open_archive

Scope = frozenset[tuple[str, str]]
GAS: Scope = frozenset({(HOME_A, "gas")})
B_ELECTRICITY: Scope = frozenset({(HOME_B, "electricity")})
PUBLIC_URL = "https://sheets.example.org"
GAS_DAY = "/usage.csv?meter=gas&period=2021-06-01"
A_ROW = "2021-06-01 00:00:00"
WAYS = ("URL", "Bearer", "Basic")


@dataclass(frozen=True)
class Reply:
    """An answer as it came, names of headers in small letters."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """A header's value; None if it isn't there. It must not stand there twice."""
        values = [value for key, value in self.headers if key == name]
        assert len(values) <= 1, (name, values)
        return values[0] if values else None


def ask(
    address: str,
    target: str,
    headers: Sequence[str] = (),
    *,
    hosts: Sequence[str] | None = None,
    method: str = "GET",
    version: str = "1.1",
) -> Reply:
    """Sends a request over a connection of its own, just as it stands here; `hosts` are its Host headers."""
    own = urlsplit(address)
    named = [own.netloc] if hosts is None else hosts
    lines = [f"{method} {target} HTTP/{version}", *(f"Host: {host}" for host in named)]
    sent = "\r\n".join([*lines, *headers, "Connection: close", "", ""])
    with socket.create_connection((own.hostname, own.port), timeout=30) as connection:
        connection.sendall(sent.encode("utf-8"))
        return reply_of(connection, method)


def reply_of(connection: socket.socket, method: str = "GET") -> Reply:
    """Reads one answer from a connection."""
    with HTTPResponse(connection, method=method) as response:
        response.begin()
        headers = tuple((name.lower(), value) for name, value in response.getheaders())
        return Reply(response.status, headers, response.read())


def sent_as(way: str, target: str, key: str) -> tuple[str, list[str]]:
    """The target and the headers that hand over `key` in one of the three ways."""
    if way == "URL":
        return f"{target}{'&' if '?' in target else '?'}key={quote(key, safe='')}", []
    if way == "Bearer":
        return target, [f"Authorization: Bearer {key}"]
    return target, [basic(f"anybody:{key}")]


def basic(user_and_password: str) -> str:
    """The header of HTTP Basic."""
    return f"Authorization: Basic {base64.b64encode(user_and_password.encode()).decode()}"


@contextmanager
def archive_of(service: Running) -> Iterator[Archive]:
    """Another connection to the archive of a running service, as another process has it."""
    archive = open_archive(service.settings.archive)
    try:
        yield archive
    finally:
        archive.close()


def made_key(service: Running, *, scope: Scope | None = None, expires_on: date | None = None) -> tuple[str, str]:
    """A new key in the archive of a running service: the key, and its id."""
    key = new_key()
    kept = access_key(key, "a test", scope, expires_on, int(service.clock()))
    with archive_of(service) as archive:
        archive.add_key(kept)
    return key, kept.id


def revoke(service: Running, key_id: str) -> None:
    """Revokes a key past the running service."""
    with archive_of(service) as archive:
        assert archive.revoke_key(key_id, int(service.clock()))


def with_letter_changed(key: str) -> str:
    """The key with a typo in its middle."""
    return key[:20] + ("x" if key[20] != "x" else "y") + key[21:]
