"""A crowd of clients, a process of its own: `python crowd.py ADDRESS PATH CLIENTS SECONDS`.

Each client opens a connection of its own, all within `SECONDS`. Prints a JSON array with a triple a client: the status,
how many seconds it waited, and the SHA-256 of the body.
"""

import asyncio
import hashlib
import json
import sys
from urllib.parse import urlsplit


async def client(address: str, path: str, begins_in: float) -> tuple[int, float, str]:
    """One client that asks once."""
    await asyncio.sleep(begins_in)
    began = asyncio.get_running_loop().time()
    parts = urlsplit(address)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    waited = asyncio.get_running_loop().time() - began
    return int(head.split(b" ")[1]), waited, hashlib.sha256(body).hexdigest()


async def crowd(address: str, path: str, clients: int, seconds: float) -> list[tuple[int, float, str]]:
    """All of them."""
    return await asyncio.gather(*(client(address, path, seconds * i / clients) for i in range(clients)))


if __name__ == "__main__":
    address, path, clients, seconds = sys.argv[1:]
    print(json.dumps(asyncio.run(crowd(address, path, int(clients), float(seconds)))))  # noqa: T201 - its answer
