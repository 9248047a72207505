"""The front page: the meters, and the tables with links that can be copied into a sheet."""

from html import escape

from app.domain.aggregates import Aggregate
from app.domain.errors import SheetsError
from app.domain.meters import Meter
from app.formats import FORMATS
from app.formats.html import page
from app.query import PARAMETERS, Layout, Query
from app.web.answers import Answer
from app.web.exports import Asked, Exports

HOW_TO = (
    "<p>Half-hours of smart meters as tables. Copy an address into Excel (Data → From Web), LibreOffice (Sheet → "
    "External Links) or <code>pandas.read_csv</code>, or open it here. Google Sheets takes it as "
    "<code>=IMPORTDATA(&quot;…&quot;)</code> once this service has an address on the internet.</p>"
    '<p>Excel on Windows: <a href="/connected.xlsx?period=last-month&amp;aggregate=day&amp;chart=1">a workbook that '
    "refreshes itself</a>, with a chart. On a Mac and on the web take the workbook of last month, or the xlsx "
    "of a table.</p>"
)


async def front_page(exports: Exports, asked: Asked) -> Answer:
    """The page; when the meters can't be listed it says why and shows the rest."""
    try:
        meters = (await exports.source.meters(permits=asked.permits)).meters
        listed = _meter_rows(meters)
    except SheetsError as error:
        meters = []
        listed = f"<p><strong>{escape(str(error))}</strong> {escape(error.remedy)}</p>"
    tables = _report(asked.address) + _table_rows(meters, asked.address)
    body = f"{HOW_TO}<h2>Meters</h2>{listed}<h2>Tables</h2>{tables}{_parameter_rows()}"
    return Answer(200, FORMATS["html"].media_type, page("powershaper-sheets", body), {"Cache-Control": "no-store"})


def _meter_rows(meters: list[Meter]) -> str:
    if not meters:
        return "<p>PowerShaper lists no meter for this token.</p>"
    rows = "".join(
        f'<tr><td><code>{escape(meter.name)}</code></td><td class="roomy">{escape(meter.type)}</td>'
        f"<td>{escape(meter.status or '')}</td>"
        f'<td class="wrap">{_formats(Query("usage", meter=(meter.name,)))}</td></tr>'
        for meter in meters
    )
    return (
        '<div class="scroll"><table><thead><tr><th>meter</th><th class="roomy">type</th><th>status</th>'
        f'<th class="wrap">its last 31 days</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _examples(meters: list[Meter]) -> list[tuple[str, Query]]:
    first = (meters[0].name,) if meters else ()
    return [
        ("the meters", Query("meters")),
        ("half-hours of the last 31 days", Query("usage")),
        ("days of last month", Query("usage", period="last-month", aggregate=Aggregate.DAY)),
        ("months of the last year, a column a meter",
         Query("usage", period="last-12-months", aggregate=Aggregate.MONTH, layout=Layout.WIDE)),
        ("the mean day of the last 31 days", Query("usage", meter=first, aggregate=Aggregate.PROFILE)),
        ("the mean day of weekends", Query("usage", meter=first, aggregate=Aggregate.PROFILE, days=(5, 6))),
        ("a row a day, a column a half-hour", Query("usage", meter=first, layout=Layout.GRID)),
        ("the mean day of last month beside this month's",
         Query("compare", meter=first, periods=("last-month", "this-month"), aggregate=Aggregate.PROFILE)),
        ("half-hours that are missing", Query("gaps")),
        ("how the service is", Query("status")),
    ]  # fmt: skip


def _report(address: str) -> str:
    link = Query("workbook", period="last-month").link("xlsx")
    return (
        f'<p><a href="{escape(link)}">A workbook of last month</a>: overview, days, months, mean day, heat map, '
        f"half-hours and gaps, with charts. <code>{escape(address + link)}</code></p>"
    )


def _table_rows(meters: list[Meter], address: str) -> str:
    rows = "".join(
        f'<tr><td class="wrap">{escape(text)}</td><td>{_formats(query)}</td>'
        f'<td class="wrap roomy"><code>{escape(address + query.link("csv"))}</code></td></tr>'
        for text, query in _examples(meters)
    )
    return (
        '<div class="scroll"><table><thead><tr><th>what</th><th>open</th><th class="roomy">address to copy</th></tr>'
        f"</thead><tbody>{rows}</tbody></table></div>"
    )


def _parameter_rows() -> str:
    rows = "".join(
        f'<tr><td><code>{name}</code></td><td class="wrap">{escape(parameter.help)}</td>'
        f'<td class="wrap">{", ".join(parameter.tables)}</td></tr>'
        for name, parameter in PARAMETERS.items()
    )
    return (
        '<h2>Parameters</h2><div class="scroll"><table><thead><tr><th>name</th><th>values (default)</th>'
        f"<th>tables</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _formats(query: Query) -> str:
    return " ".join(f'<a href="{escape(query.link(name))}">{name}</a>' for name in FORMATS)
