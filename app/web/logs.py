"""Logs: a line of JSON a request, and no secret in any line, whoever writes it."""

import json
import logging
import re
import secrets
import sys
from datetime import UTC, datetime
from time import perf_counter
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)
HIDDEN = "hidden"
OFTEN = frozenset({"/healthz", "/readyz"})
"""Asked every few seconds by whoever looks after the service."""
KEYS = re.compile(
    r"pss_[0-9A-Za-z]+|(?<=key=)[^&\s\"']+|(?<=Basic )[\w+/=.-]+|(?<=Bearer )[^\s\"']+|(?<=Token )[^\s\"']+"
)


class HidingFormatter(logging.Formatter):
    """Formats a record, its traceback too, and hides the token and whatever looks like an access key."""

    def __init__(self, token: str) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")
        self._token = token

    def format(self, record: logging.LogRecord) -> str:
        """The record as a text that holds no secret; a request's line is its JSON and nothing else."""
        text = record.getMessage() if record.name == __name__ else super().format(record)
        return KEYS.sub(HIDDEN, text.replace(self._token, HIDDEN))


def set_up_logs(token: str, level: int = logging.INFO) -> None:
    """Sends all logs of this process to standard error, through a formatter that hides secrets."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(HidingFormatter(token))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


class AccessLog:
    """Gives every request an id, which its answer carries too, and logs a line of JSON when it is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id, began = secrets.token_hex(8), perf_counter()
        said = {"status": 500, "bytes": 0}

        async def send_and_count(message: Message) -> None:
            if message["type"] == "http.response.start":
                said["status"] = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            said["bytes"] += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, send_and_count)
        finally:
            state = scope.get("state", {})
            key = state.get("key")
            line = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "request": request_id,
                "client": state.get("client"),
                "method": scope["method"],
                "path": scope["path"],
                "query": without_key(scope["query_string"].decode("latin-1")),
                **said,
                "ms": round(1000 * (perf_counter() - began), 1),
                "key": key.id if key else None,
            }
            log.log(logging.DEBUG if scope["path"] in OFTEN else logging.INFO, json.dumps(line))


def without_key(query: str) -> str:
    """A query string whose keys are hidden."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return urlencode([(name, HIDDEN if name == "key" else value) for name, value in pairs], safe="/,:")
