"""The OpenAPI document: every table, parameter, status and header, from the same lists that the service works by."""

from importlib.metadata import version
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.aggregates import Aggregate
from app.domain.spans import EPOCH
from app.formats import FORMATS
from app.query import COMPARED, PARAMETERS, REPORTS, TABLES, Kind, Layout, Quantity
from app.tables import gaps_table, meters_table, status_table, usage_long
from app.web.connected import CHOICES, CONNECTED, EXTENSION
from app.web.errors import STATUSES

UTC = ZoneInfo("UTC")
PERIOD = (
    r"^(today|yesterday|last-[0-9]{1,4}-days|this-week|last-week|this-month|last-month|last-[0-9]{1,3}-months|"
    r"this-year|last-year|all|[0-9]{4}(-Q[1-4]|-[0-9]{2}|-W[0-9]{2}|-[0-9]{2}-[0-9]{2})?)$"
)
WEEKDAYS = r"^(weekday|weekend|mon|tue|wed|thu|fri|sat|sun)(,(weekday|weekend|mon|tue|wed|thu|fri|sat|sun))*$"
ROWS = {"type": "integer", "minimum": 1, "maximum": 999_999_999}
DAY = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
SCHEMAS: dict[str, dict[str, Any]] = {
    "meter": {"type": "array", "items": {"type": "string", "minLength": 1}},
    "period": {"type": "string", "pattern": PERIOD},
    "start": DAY,
    "end": DAY,
    "aggregate": {"type": "string", "enum": list(Aggregate)},
    "days": {"type": "string", "pattern": WEEKDAYS},
    "tz": {"type": "string", "pattern": "^[A-Za-z0-9_+/ -]+$"},
    "layout": {"type": "string", "enum": list(Layout)},
    "value": {"type": "string", "enum": list(Quantity)},
    "difference": {"type": "string", "enum": ["1"]},
    "kind": {"type": "string", "enum": list(Kind)},
    "columns": {"type": "string", "pattern": "^[^,]+(,[^,]+)*$"},
    "first": ROWS,
    "last": ROWS,
    "errors": {"type": "string", "enum": ["cell"]},
    "bom": {"type": "string", "enum": ["1"]},
    **{name: {"type": "string", "enum": list(values)} for name, values in CHOICES.items()},
}
SCHEMAS_OF_COMPARE: dict[str, dict[str, Any]] = {
    "period": {"type": "array", "minItems": 2, "items": SCHEMAS["period"]},
    "aggregate": {"type": "string", "enum": list(COMPARED)},
}
EXAMPLES_OF_COMPARE: dict[str, Any] = {"period": ["2021-01", "2021-07"]}
EXAMPLES: dict[str, Any] = {
    "period": "last-month",
    "start": "2021-06-01",
    "end": "2021-06-30",
    "aggregate": "day",
    "tz": "Europe/London",
}
TABLE_HELP = {
    "meters": "The meters that can be read, a row each. Columns: "
    f"{', '.join(meters_table([], UTC, EPOCH).header)}, and whatever else PowerShaper says of a meter.",
    "status": "How the service is, a row a fact: calls made and saved, pauses, the last error, what is held. Columns: "
    f"{', '.join(status_table([]).header)}.",
    "usage": "What meters measured, a row a half-hour, hour, day, week, month or year, or a time of day. Columns: "
    f"{', '.join(usage_long([], Aggregate.NONE, UTC).header)}.",
    CONNECTED: "A workbook of usage for Excel on Windows, that fetches its rows again when it is opened and on demand. "
    "With embed_key=1 the access key is in the file: whoever has the file can read what the key opens.",
    "compare": "Periods of one meter side by side: a row a time of day, or a place in the period (1, 2, 3 …). Columns: "
    "time, then one a period, named as it was asked for; with difference=1 the last less the first.",
    "gaps": "Runs of half-hours that are missing, or that hold more than a home can use. Columns: "
    f"{', '.join(gaps_table([], UTC).header)}.",
    "workbook": "A ready-made report as one workbook: overview, days, months, the mean day, a heat map, half-hours and "
    "gaps of all meters side by side, with charts.",
}
HEADERS = {
    "ETag": "Names these very bytes; another for each content encoding.",
    "Last-Modified": "When this data last changed.",
    "Cache-Control": "Private; how many seconds it may be kept, at most 300; no-store if a key is in it.",
    "Cache-Status": "RFC 9211: hit, or fwd=miss, fwd=partial, fwd=stale.",
    "X-Data-As-Of": "When the data was last confirmed, ISO 8601 in UTC.",
    "X-Request-Id": "The request's id in the log.",
    "Vary": "Accept-Encoding, Authorization.",
    "Content-Disposition": "inline, with a safe file name.",
    "Content-Encoding": "gzip, if it was asked for and is worth it.",
    "Access-Control-Allow-Origin": "*, on answers to a valid key.",
    "Cross-Origin-Resource-Policy": "same-origin, on answers without a key.",
    "X-Robots-Tag": "noindex, on every answer.",
    "Referrer-Policy": "no-referrer, on every answer.",
    "X-Content-Type-Options": "nosniff, on every answer.",
}
ERROR_HEADERS = {
    401: {"WWW-Authenticate": "Basic: any user name, the key as the password."},
    405: {"Allow": "GET, HEAD, OPTIONS."},
    429: {"Retry-After": "Whole seconds."},
    503: {"Retry-After": "Whole seconds."},
}
MEDIA_TYPES = {"json": "application/problem+json", "xlsx": "text/plain; charset=utf-8"}


def openapi_document() -> dict[str, Any]:
    """The document, OpenAPI 3.1."""
    paths = {f"/{table}.{extension}": _path(table, extension) for table in TABLES for extension in FORMATS}
    paths |= {f"/{report}.xlsx": _path(report, "xlsx") for report in REPORTS}
    paths[f"/{CONNECTED}.{EXTENSION}"] = _path(CONNECTED, EXTENSION)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "powershaper-sheets",
            "version": version("powershaper-sheets"),
            "description": "Half-hourly smart-meter data as tables for spreadsheets. On the machine that the service "
            "runs on no key is needed, everywhere else every table needs one.",
        },
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "query", "name": "key"},
                "bearer": {"type": "http", "scheme": "bearer"},
                "password": {"type": "http", "scheme": "basic"},
            },
            "schemas": {
                "Rows": {"type": "array", "items": {"type": "object"}},
                "Problem": {
                    "type": "object",
                    "required": ["type", "title", "status", "detail", "remedy"],
                    "properties": {name: {"type": "string"} for name in ("type", "title", "detail", "remedy")}
                    | {"status": {"type": "integer"}},
                },
            },
        },
        "security": [{"key": []}, {"bearer": []}, {"password": []}],
    }


def _path(table: str, extension: str) -> dict[str, Any]:
    operation = {
        "summary": f"{table} as {extension.upper()}",
        "description": TABLE_HELP[table],
        "parameters": [_parameter(name, table) for name in SCHEMAS if _takes(table, name)],
        "responses": _responses(extension),
    }
    return {"get": {"operationId": f"{table}_{extension}", **operation}}


def _takes(table: str, name: str) -> bool:
    """Whether a table takes a parameter; the connected workbook takes those of usage too."""
    tables = PARAMETERS[name].tables
    return table in tables or (table == CONNECTED and "usage" in tables)


def _parameter(name: str, table: str) -> dict[str, Any]:
    of_compare = table == "compare" and name in SCHEMAS_OF_COMPARE
    schema = SCHEMAS_OF_COMPARE[name] if of_compare else SCHEMAS[name]
    examples = EXAMPLES | EXAMPLES_OF_COMPARE if table == "compare" else EXAMPLES
    given: dict[str, Any] = {"name": name, "in": "query", "description": PARAMETERS[name].help, "schema": schema}
    if of_compare and name == "period":
        given["required"] = True
    return given | ({"example": examples[name]} if name in examples else {})


def _responses(extension: str) -> dict[str, Any]:
    media_type = FORMATS[extension].media_type
    schema = {"schema": {"$ref": "#/components/schemas/Rows"}} if extension == "json" else {}
    answers: dict[str, Any] = {
        "200": {
            "description": "The table. With errors=cell also an error, as a table of one row.",
            "headers": _headers(HEADERS),
            "content": {media_type: schema},
        },
        "304": {"description": "It is what If-None-Match named.", "headers": _headers(HEADERS)},
    }
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}} if extension == "json" else {}
    for status in sorted({status for status, _ in STATUSES.values()}):
        answers[str(status)] = {
            "description": " or ".join(title for number, title in STATUSES.values() if number == status),
            "headers": _headers(ERROR_HEADERS.get(status, {})),
            "content": {MEDIA_TYPES.get(extension, media_type): problem},
        }
    return answers


def _headers(texts: dict[str, str]) -> dict[str, Any]:
    return {name: {"description": text, "schema": {"type": "string"}} for name, text in texts.items()}
