"""A server on loopback that answers with the very bytes that a test gives it, and keeps what it was sent."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Script = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""What is done with a connection after its request was read; the connection is closed when it returns."""
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass
class RawServer:
    """A running server: its address and the heads of the requests so far, byte by byte."""

    address: str
    requests: list[bytes] = field(default_factory=list)

    @property
    def request_lines(self) -> list[str]:
        return [head.split(b"\r\n")[0].decode() for head in self.requests]

    def headers(self, request: int = 0) -> list[tuple[str, str]]:
        """The headers of a request, names in lower case."""
        lines = self.requests[request].decode().split("\r\n")[1:]
        pairs = (line.split(": ", 1) for line in lines if line)
        return [(name.lower(), value) for name, value in pairs]


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[RawServer]:
    """A server that plays `script` on every connection, for as long as the block runs."""
    connections: set[asyncio.Task[None]] = set()
    writers: set[asyncio.StreamWriter] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                server.requests.append(await reader.readuntil(b"\r\n\r\n"))
                await script(writer)
                await writer.drain()
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
        except asyncio.CancelledError:
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        connections.add(asyncio.create_task(connected(reader, writer)))

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    server = RawServer(f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}")
    try:
        yield server
    finally:
        # asyncio leaves a connection open that it accepted just before its server was closed
        asyncio.get_running_loop().remove_reader(listener.sockets[0].fileno())
        await asyncio.sleep(0.01)  # what is just being accepted has a task then
        listener.close()
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        for writer in writers:  # a task that was cancelled before its first step has closed nothing
            writer.transport.abort()
        await listener.wait_closed()
        await asyncio.sleep(0.01)


def answer(body: bytes = b"[]", status: str = "200 OK", *, length: int | None = None, head: str = "") -> bytes:
    """An HTTP/1.1 answer; `head` are further lines of its head, `length` another Content-Length than the body's."""
    lines = f"HTTP/1.1 {status}\r\nContent-Length: {len(body) if length is None else length}\r\nConnection: close\r\n"
    return (lines + "".join(f"{line}\r\n" for line in head.splitlines()) + "\r\n").encode("latin-1") + body


def sends(*pieces: bytes) -> Script:
    """Sends the pieces one after another, then closes."""

    async def script(writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return script


def resets(after: bytes = b"") -> Script:
    """Sends `after`, then breaks the connection off as a crashing machine does."""

    async def script(writer: asyncio.StreamWriter) -> None:
        writer.write(after)
        await writer.drain()
        await asyncio.sleep(0.05)
        connection: socket.socket = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        writer.transport.abort()

    return script


def hangs(after: bytes = b"") -> Script:
    """Sends `after`, then nothing more."""

    async def script(writer: asyncio.StreamWriter) -> None:
        writer.write(after)
        await asyncio.Event().wait()

    return script


def drips(after: bytes, drop: bytes, seconds: float) -> Script:
    """Sends `after`, then a drop every so often, for ever."""

    async def script(writer: asyncio.StreamWriter) -> None:
        writer.write(after)
        while True:
            await asyncio.sleep(seconds)
            writer.write(drop)
            await writer.drain()

    return script
