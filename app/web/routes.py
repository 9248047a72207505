"""The routes: which URL is answered by what. A route turns a request into plain values and an Answer into HTTP."""

from collections.abc import Sequence

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from app.domain.errors import NotFound, RequestError, SheetsError
from app.web.answers import Answer
from app.web.errors import error_answer
from app.web.exports import Exports
from app.web.front import front_page

METHODS = ["GET", "HEAD"]
ALWAYS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def add_routes(app: FastAPI, exports: Exports, public_urls: Sequence[str]) -> None:
    """Adds all routes; `public_urls` are the addresses that others use, the first one is shown."""

    def address(request: Request) -> str:
        return public_urls[0] if public_urls else str(request.base_url).rstrip("/")

    async def front(request: Request) -> Response:
        return _response(await front_page(exports, address(request)))

    async def table(request: Request, table: str, extension: str) -> Response:
        pairs = request.query_params.multi_items()
        return _response(await exports.answer(table, extension, pairs, address(request)))

    async def not_answered(request: Request, error: Exception) -> Response:
        extension = request.url.path.rpartition(".")[2]
        if not isinstance(error, HTTPException):
            failure = SheetsError("Something went wrong in this service.", remedy="Try again; if it stays, report it.")
            return _response(error_answer(failure, "error", extension))
        response = _response(error_answer(_http_error(error), "error", extension))
        response.status_code = error.status_code
        response.headers.update(error.headers or {})
        return response

    app.add_api_route("/", front, methods=METHODS, response_model=None)
    app.add_api_route("/{table}.{extension}", table, methods=METHODS, response_model=None)
    app.add_exception_handler(HTTPException, not_answered)
    app.add_exception_handler(Exception, not_answered)


def _http_error(error: HTTPException) -> SheetsError:
    if error.status_code == 405:  # noqa: PLR2004 - method not allowed
        return RequestError("This address is only read.", remedy="Use GET or HEAD.")
    return NotFound(
        "There is nothing at this address.",
        remedy="A table's address ends in its format: /usage.csv or /meters.xlsx.",
    )


def _response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, headers={**ALWAYS, **answer.headers}, media_type=answer.media_type)
