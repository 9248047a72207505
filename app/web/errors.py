"""Errors as answers: one table gives each its status, and each format shows it in its own way."""

from html import escape

import orjson

from app.domain.errors import (
    ArchiveError,
    NotFound,
    RequestError,
    SettingWrong,
    SheetsError,
    UpstreamError,
    UpstreamUnavailable,
)
from app.formats import FORMATS, About
from app.formats.html import page
from app.tables import error_table
from app.web.answers import Answer

STATUSES: dict[type[SheetsError], tuple[int, str]] = {
    NotFound: (404, "Not found"),
    RequestError: (400, "The link can't be answered"),
    UpstreamUnavailable: (503, "PowerShaper can't be reached"),
    UpstreamError: (502, "PowerShaper's answer can't be used"),
    ArchiveError: (503, "The archive can't be used"),
    SettingWrong: (500, "A setting is wrong"),
    SheetsError: (500, "Something went wrong here"),
}
RETRY_AFTER_SECONDS = 60


def status_of(error: SheetsError) -> tuple[int, str]:
    """The status of an error and its title: those of the nearest class above it that has one."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def error_answer(error: SheetsError, table: str, extension: str) -> Answer:
    """An error in the format that was asked for, with its own status."""
    status, title = status_of(error)
    headers = {"Cache-Control": "no-store"}
    if status == 503:  # noqa: PLR2004 - the status that says when to come back
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


def cell_answer(error: SheetsError, table: str, extension: str) -> Answer:
    """An error as a table of one row with status 200, for sheets that show nothing of any other answer."""
    writer = FORMATS[extension]
    body = writer.write(error_table(table, error), About(status_of(error)[1]))
    return Answer(200, writer.media_type, body, {"Cache-Control": "no-store"})
