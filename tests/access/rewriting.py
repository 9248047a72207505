"""An upstream whose answers a test can change, or break off, while it runs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Change = Callable[[str, Any], Any]
"""What becomes of an answer's JSON, by the path that was asked for."""


@dataclass
class Rewriting:
    """`app`, its answers changed by `change`; with `status` set it answers that and nothing else."""

    app: ASGIApp
    change: Change = lambda _, found: found
    status: int | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self.status is not None:
            await Response(status_code=self.status)(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        query = scope["query_string"].decode()
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://upstream") as inner:
            found = await inner.get(f"{scope['path']}?{query}" if query else scope["path"], headers=headers)
        body = orjson.dumps(self.change(scope["path"], found.json()))
        await Response(body, found.status_code, media_type="application/json")(scope, receive, send)
