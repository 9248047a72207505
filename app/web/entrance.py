"""The entrance: an ASGI app around the service that asks the guard, and says on every answer what all answers say."""

from collections.abc import Callable
from ipaddress import ip_address

from cachetools import LRUCache
from fastapi import Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.access import Access
from app.domain.errors import SheetsError, TooManyWrongKeys
from app.domain.keys import AccessKey
from app.web import guard
from app.web.answers import Answer
from app.web.errors import api_answer, failed
from app.web.guard import Call, Doors

MOST_WRONG_KEYS = 20
WRONG_KEY_SECONDS = 60
MOST_CLIENTS = 10_000
ALWAYS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
KEY = {"Access-Control-Allow-Origin": "*"}
NO_KEY = {"Cross-Origin-Resource-Policy": "same-origin"}


class Entrance:
    """Lets requests in to `app`, with `key`, the access key that they hold, and `client`, who asks, in
    `scope["state"]`, or answers itself.

    `clock` gives UTC seconds.
    """

    def __init__(self, app: ASGIApp, access: Access, doors: Doors, clock: Callable[[], float]) -> None:
        self._app = app
        self._access = access
        self._doors = doors
        self._clock = clock
        self._wrong: LRUCache[str, tuple[float, int]] = LRUCache(MOST_CLIENTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close"})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = call_of(scope)
        state = scope.setdefault("state", {})
        state["client"] = guard.client_of(call, self._doors)
        headers = ALWAYS | NO_KEY

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        try:
            guard.check_form(call, self._doors)
            if call.method == "OPTIONS":
                await _options()(scope, receive, send_with_headers)
                return
            key = await self._key(call, state["client"])
        except SheetsError as error:
            await response_of(_refusal(error, call))(scope, receive, send_with_headers)
            return
        if key:
            headers = ALWAYS | KEY
        state["key"] = key
        await self._app(scope, receive, send_with_headers)

    async def _key(self, call: Call, client: str) -> AccessKey | None:
        """The key that a call holds; None if it needs none and gives none. KeyRefused, TooManyWrongKeys."""
        given, needs_key = guard.given_key(call), guard.needs_key(call, self._doors)
        if given is None:
            if needs_key:
                raise guard.refused(None)
            return None
        if guard.is_api(call.path) and not needs_key:  # a program may go on sending PowerShaper's own token
            return await self._access.holder(given)
        if key := await self._access.holder(given):
            return key
        if self._counted(client) > MOST_WRONG_KEYS:
            raise TooManyWrongKeys("Too many wrong keys came from this address.", remedy="Wait a minute.")
        raise guard.refused(given)

    def _counted(self, client: str) -> int:
        """How many wrong keys came from a client in the minute that its first one began, this one included."""
        now = self._clock()
        began, count = self._wrong.get(client, (now, 0))
        if not 0 <= now - began < WRONG_KEY_SECONDS:
            began, count = now, 0
        self._wrong[client] = (began, count + 1)
        return count + 1


def call_of(scope: Scope) -> Call:
    """What the guard looks at of an ASGI scope."""
    try:
        peer = ip_address(scope["client"][0]) if scope.get("client") else None
    except ValueError:
        peer = None
    raw_path = scope.get("raw_path") or scope["path"].encode()
    return Call(
        url_bytes=len(raw_path) + len(scope["query_string"]),
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        http_version=scope["http_version"],
        peer=peer,
        headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]],
    )


def response_of(answer: Answer) -> Response:
    """An Answer as HTTP."""
    return Response(answer.body, answer.status, headers=dict(answer.headers), media_type=answer.media_type)


def _refusal(error: SheetsError, call: Call) -> Answer:
    """Why a call is not let in, in the language that whoever calls reads."""
    if guard.is_api(call.path):
        return api_answer(error)
    table, _, extension = call.path.strip("/").rpartition(".")
    return failed(error, table, extension, call.pairs)


def _options() -> Response:
    return Response(
        status_code=204,
        headers={
            "Allow": "GET, HEAD, OPTIONS",
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Methods": "GET, HEAD",
            "Access-Control-Allow-Headers": "Authorization",
        },
    )
