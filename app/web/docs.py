"""The page /docs: the OpenAPI document as people read it. It needs no script and nothing of a third party."""

from html import escape
from typing import Any

from app.formats import FORMATS
from app.formats.html import page
from app.web.answers import Answer
from app.web.openapi import openapi_document

ACCESS = (
    "<h2>Access</h2><p>A key comes in the address as <code>&amp;key=pss_…</code>, in the header "
    "<code>Authorization: Bearer pss_…</code>, or as the password of HTTP Basic, with any user name. "
    "<code>powershaper-sheets keys create --name NAME</code> makes one.</p>"
)
OWN_API = (
    "<h2>PowerShaper's own API</h2><p>Programs that are written for it work with only its address changed: "
    "<code>/meters/api/v1/meters/</code> and <code>/meters/api/v1/meter/…</code>, with the header "
    "<code>Authorization: Token pss_…</code> where a key is needed.</p>"
)
EXAMPLES = [
    "/usage.csv?period=last-month&aggregate=day",
    "/usage.xlsx?period=last-12-months&aggregate=month&layout=wide",
    "/usage.html?period=last-31-days&aggregate=profile",
    "/usage.json?period=last-3-months&aggregate=week&tz=UTC",
    "/usage.csv?period=last-7-days&layout=grid&value=error_count",
    "/usage.csv?period=last-year&aggregate=profile&days=weekend",
    "/gaps.csv?period=all&last=10",
    "/meters.csv?columns=meter,latest",
    "/workbook.xlsx?period=last-month",
    "/connected.xlsx?period=last-month&aggregate=day&chart=1",
]


def docs_page(address: str) -> Answer:
    """The page; `address` is the service's own."""
    document = openapi_document()
    tables: dict[str, list[str]] = {}
    for path in document["paths"]:
        tables.setdefault(path.rpartition(".")[0], []).append(path)
    body = f'<p>{escape(document["info"]["description"])} <a href="/openapi.json">openapi.json</a></p>'
    body += _examples(address)
    body += ACCESS + OWN_API
    body += "".join(_table(name, paths, document["paths"][paths[0]]["get"]) for name, paths in tables.items())
    body += _responses(document["paths"]["/usage.csv"]["get"]["responses"])
    return Answer(
        200, FORMATS["html"].media_type, page("Addresses, parameters, answers", body), {"Cache-Control": "no-cache"}
    )


def _examples(address: str) -> str:
    rows = [[f'<a href="{escape(path)}">{escape(address + path)}</a>'] for path in EXAMPLES]
    return "<h2>Examples</h2>" + _rows(["address"], rows)


def _table(name: str, paths: list[str], operation: dict[str, Any]) -> str:
    rows = [
        [f"<code>{escape(parameter['name'])}</code>", escape(parameter["description"])]
        for parameter in operation["parameters"]
    ]
    formats = ", ".join(f"<code>{escape(path)}</code>" for path in paths)
    return f"<h2>{escape(name[1:])}</h2><p>{escape(operation['description'])} {formats}</p>" + _rows(
        ["parameter", "values (default)"], rows
    )


def _responses(responses: dict[str, Any]) -> str:
    rows = [
        [
            f"<code>{status}</code>",
            escape(answer["description"]),
            "<br>".join(
                f"<code>{escape(name)}</code> {escape(header['description'])}"
                for name, header in answer["headers"].items()
            ),
        ]
        for status, answer in responses.items()
    ]
    return "<h2>Answers</h2>" + _rows(["status", "means", "headers"], rows)


def _rows(header: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    lines = "".join("<tr>" + "".join(f'<td class="wrap">{cell}</td>' for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'
