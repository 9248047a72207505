"""Runs ASGI apps on loopback: one in the foreground, others in threads of this process."""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.domain.errors import SettingWrong

START_SECONDS = 30
MOST_CONNECTIONS = 2000
LONGEST_URL = 8 * 1024
LARGEST_REQUEST = 64 * 1024
"""Past it a request is cut off while it still comes; up to it the guard answers it in its own form."""
REQUEST_SECONDS = 10.0
"""How long a request may take to come: who connects and says nothing must not shut others out."""


class BoundedHttp(HttpToolsProtocol):
    """HTTP whose requests end: without it a caller could fill the memory with one head, or what follows it.

    No request to this service needs a body.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request_bytes = 0
        self._began_now = self._is_in_head = self._is_in_request = True
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A request is to come."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self._end)

    def connection_lost(self, exc: Exception | None) -> None:
        """None is to come any more."""
        self._is_expected_no_longer()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A request begins."""
        self._began_now = self._is_in_head = self._is_in_request = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its headers have ended."""
        self._is_in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """It has ended."""
        self._is_in_request = False
        self._is_expected_no_longer()
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Reads on, unless the request has become too large."""
        self._request_bytes += len(data)
        self._began_now = False
        if self._deadline is None:
            self._deadline = self.loop.call_later(REQUEST_SECONDS, self._end)
        super().data_received(data)
        if self._began_now:
            self._request_bytes = len(data)
        if not self._is_in_request or self._request_bytes <= LARGEST_REQUEST or self.transport.is_closing():
            return
        if self._is_in_head:
            status = b"414 URI Too Long" if len(self.url) > LONGEST_URL else b"431 Request Header Fields Too Large"
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        self.transport.close()

    def _is_expected_no_longer(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end(self) -> None:
        """Closes the connection, but not while an answer is being made: then a while later."""
        if getattr(self.cycle, "response_complete", True):
            self.transport.close()
        else:
            self._deadline = self.loop.call_later(REQUEST_SECONDS, self._end)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens on `host`."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that listens on `host` and `port` (0: a free one), for as long as the block runs. SettingWrong."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise SettingWrong(f"{host} is no address of this machine.", remedy="Leave out --host.") from error
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(MOST_CONNECTIONS)  # who is told the address may connect at once
        except OSError as error:
            raise SettingWrong(
                f"Port {port} on {host} can't be listened on: {error.strerror}.",
                remedy=f"Stop the program that uses it, or choose another: --port {port + 1}.",
            ) from error
        yield listener


def address_of(listener: socket.socket) -> str:
    """The address of a listening socket, as a URL without a path."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(app: Any, listener: socket.socket) -> None:
    """Serves until it is told to stop. Uvicorn's access log stays off: it would print the parameters of links."""
    _server(app).run(sockets=[listener])


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serves an app on a free port of loopback in a thread, and gives its address, for as long as the block runs."""
    with listening("127.0.0.1", 0) as listener:
        server = _server(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="server", daemon=True)
        thread.start()
        try:
            _wait_until_started(server, thread)
            yield address_of(listener)
        finally:
            server.should_exit = True
            thread.join()


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    tick = threading.Event()
    for _ in range(START_SECONDS * 100):
        if server.started or not thread.is_alive():
            break
        tick.wait(0.01)
    if not server.started:
        raise SettingWrong("The server did not start.", remedy="See the messages before this one.")


def _server(app: Any) -> uvicorn.Server:
    """Forwarding headers are the guard's to believe, and the access log is our own: uvicorn's would print keys."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=BoundedHttp,
            ws="none",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_graceful_shutdown=5,
        )
    )
