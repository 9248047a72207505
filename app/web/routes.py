"""The routes: which URL is answered by what. A route turns a request into plain values and an Answer into HTTP."""

from collections.abc import Sequence

import orjson
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from app.domain.errors import NotFound, SheetsError, WrongMethod
from app.domain.keys import AccessKey
from app.web.docs import docs_page
from app.web.entrance import call_of, response_of
from app.web.errors import api_answer, failed
from app.web.exports import Asked, Exports
from app.web.front import front_page
from app.web.guard import given_key, is_api
from app.web.health import METHODS, add_health_routes
from app.web.openapi import openapi_document


def add_routes(app: FastAPI, exports: Exports, public_urls: Sequence[str]) -> None:
    """Adds all routes; `public_urls` are the addresses that others use, the first one is shown."""

    def address(request: Request) -> str:
        return public_urls[0] if public_urls else str(request.base_url).rstrip("/")

    def asked(request: Request, table: str, extension: str) -> Asked:
        key: AccessKey | None = request.state.key
        return Asked(
            table,
            extension,
            request.query_params.multi_items(),
            address(request),
            permits=key.permits if key else lambda _: True,
            given_key=lambda: given_key(call_of(request.scope)),
            accept_encoding=",".join(request.headers.getlist("accept-encoding")),
            if_none_match=",".join(request.headers.getlist("if-none-match")),
        )

    async def front(request: Request) -> Response:
        return response_of(await front_page(exports, asked(request, "", "html")))

    async def table(request: Request, table: str, extension: str) -> Response:
        return response_of(await exports.answer(asked(request, table, extension)))

    async def docs(request: Request) -> Response:
        return response_of(docs_page(address(request)))

    async def openapi() -> Response:
        return Response(orjson.dumps(openapi_document()), media_type="application/json")

    app.add_api_route("/", front, methods=METHODS)
    app.add_api_route("/docs", docs, methods=METHODS)
    app.add_api_route("/openapi.json", openapi, methods=METHODS)
    add_health_routes(app, exports.watch)
    app.add_api_route("/{table}.{extension}", table, methods=METHODS)
    app.add_exception_handler(HTTPException, _not_answered)
    app.add_exception_handler(Exception, _not_answered)


async def _not_answered(request: Request, error: Exception) -> Response:
    """What FastAPI found wrong, as an answer of ours."""
    failure: SheetsError
    if not isinstance(error, HTTPException):
        failure = SheetsError("Something went wrong in this service.", remedy="Try again; if it stays, report it.")
    elif error.status_code == 405:  # noqa: PLR2004 - method not allowed
        failure = WrongMethod("This address is only read.", remedy="Use GET or HEAD.")
    else:
        failure = NotFound(
            "There is nothing at this address.",
            remedy="A table's address ends in its format: /usage.csv or /meters.xlsx.",
        )
    if is_api(request.url.path):
        return response_of(api_answer(failure))
    extension = request.url.path.rpartition(".")[2]
    return response_of(failed(failure, "error", extension, request.query_params.multi_items()))
