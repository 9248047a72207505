"""Errors as answers: one table gives each its status, and each format shows it in its own way."""

import re
from collections.abc import Sequence
from html import escape

import orjson

from app.domain.errors import (
    ArchiveError,
    HeadersTooLarge,
    KeyRefused,
    NotFound,
    QuotaExceeded,
    RequestError,
    SheetsError,
    TooLong,
    TooManyWrongKeys,
    UpstreamError,
    UpstreamUnavailable,
    WrongHost,
    WrongMethod,
)
from app.formats import FORMATS, About
from app.formats.html import page
from app.query import cell_errors_asked_for
from app.tables import error_table
from app.web.answers import Answer

STATUSES: dict[type[SheetsError], tuple[int, str]] = {
    NotFound: (404, "Not found"),
    TooLong: (414, "The link is too long"),
    HeadersTooLarge: (431, "The headers are too large"),
    WrongMethod: (405, "This address is only read"),
    WrongHost: (421, "Another host was asked for"),
    KeyRefused: (401, "An access key is needed"),
    TooManyWrongKeys: (429, "Too many wrong keys"),
    RequestError: (400, "The link can't be answered"),
    UpstreamUnavailable: (503, "PowerShaper can't be reached"),
    UpstreamError: (502, "PowerShaper's answer can't be used"),
    ArchiveError: (503, "The archive can't be used"),
    SheetsError: (500, "Something went wrong here"),
}
RETRY_AFTER_SECONDS = 60
HEADERS = {
    401: {"WWW-Authenticate": 'Basic realm="powershaper-sheets", charset="UTF-8"'},
    405: {"Allow": "GET, HEAD, OPTIONS"},
}


def status_of(error: SheetsError) -> tuple[int, str]:
    """The status of an error and its title: those of the nearest class above it that has one."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def failed(error: SheetsError, table: str, extension: str, pairs: Sequence[tuple[str, str]]) -> Answer:
    """An error as the answer to a link, however wrong the rest of the link is."""
    name = table if re.fullmatch(r"[a-z]{1,20}", table) else "error"
    if cell_errors_asked_for(pairs) and extension in FORMATS:
        return cell_answer(error, name, extension)
    return error_answer(error, name, extension)


def error_answer(error: SheetsError, table: str, extension: str) -> Answer:
    """An error in the format that was asked for, with its own status."""
    status, title = status_of(error)
    headers = HEADERS.get(status, {}) | {"Cache-Control": "no-store"}
    if status in {429, 503}:
        headers["Retry-After"] = str(getattr(error, "retry_after", RETRY_AFTER_SECONDS))
    if extension == "csv":
        body = FORMATS["csv"].write(error_table(table, error), About(title))
        return Answer(status, FORMATS["csv"].media_type, body, headers)
    if extension == "json":
        problem = {"type": "about:blank", "title": title, "status": status, "detail": str(error)}
        body = orjson.dumps(problem | {"remedy": error.remedy})
        return Answer(status, "application/problem+json", body, headers)
    if extension == "html":
        body = page(title, f"<p>{escape(str(error))}</p><p>{escape(error.remedy)}</p>")
        return Answer(status, FORMATS["html"].media_type, body, headers)
    return Answer(status, "text/plain; charset=utf-8", f"{error}\n{error.remedy}\n".encode(), headers)


def api_answer(error: SheetsError) -> Answer:
    """An error in the language of PowerShaper's own API: the status that it would give, and JSON with a `detail`."""
    status = status_of(error)[0]
    if isinstance(error, KeyRefused | TooManyWrongKeys):
        status = 403
    if isinstance(error, QuotaExceeded):
        status = 426
    headers = {"Cache-Control": "no-store"} | ({"Allow": HEADERS[405]["Allow"]} if status == 405 else {})  # noqa: PLR2004
    if status in {426, 503}:
        headers["Retry-After"] = str(max(1, getattr(error, "retry_after", RETRY_AFTER_SECONDS)))
    return Answer(status, "application/json", orjson.dumps({"detail": f"{error} {error.remedy}"}), headers)


def cell_answer(error: SheetsError, table: str, extension: str) -> Answer:
    """An error as a table of one row with status 200, for sheets that show nothing of any other answer."""
    writer = FORMATS[extension]
    body = writer.write(error_table(table, error), About(status_of(error)[1]))
    return Answer(200, writer.media_type, body, {"Cache-Control": "no-store"})
