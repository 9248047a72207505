"""Runs ASGI apps on loopback: one in the foreground, others in threads of this process."""

import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from app.domain.errors import SettingWrong

START_SECONDS = 30


def checked_loopback(host: str) -> str:
    """`host`, if only this machine can reach it. SettingWrong otherwise."""
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if is_loopback:
        return host
    raise SettingWrong(
        f"Listening on {host} would show the half-hours of a home to everybody who can reach it: access keys, "
        "which such an address needs, are not built yet.",
        remedy="Leave out --host: the service then listens on 127.0.0.1, for this machine alone.",
    )


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket bound to `host` and `port` (0: a free one), for as long as the block runs. SettingWrong."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise SettingWrong(f"{host} is no address of this machine.", remedy="Leave out --host.") from error
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
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
    return uvicorn.Server(
        uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=5)
    )
