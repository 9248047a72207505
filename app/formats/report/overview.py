"""The report's first sheet: what the period came to, meter by meter, and a chart of it."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from app.formats.chart_looks import colours
from app.formats.looks import GREY, Look, header_look, print_on_a4
from app.formats.report.charts import Line, column_chart
from app.formats.report.pen import FONT, NOTE, TITLE, Pen, Placed
from app.formats.sheets import Loose, dimension, loose_row
from app.tables import Cell, OfMeter

LINE = Border(bottom=Side(style="hair", color=GREY))
LABEL_WIDTH, METER_WIDTH = 34, 24
NOTES = (
    "Base load: the median of the lowest half-hours of all nights (before 06:00) that are complete, as power.",
    "Daily mean: of days that are complete. Energy sums what is present; coverage says how much that is.",
    "A blank is not known. Carbon is blank if it isn't known for every half-hour that is present.",
)


class Fact(NamedTuple):
    """A row of the overview: its label, its number format, and its value and formula for a meter."""

    label: str
    number_format: str
    value: Callable[[OfMeter], Cell | None]
    formula: Callable[[OfMeter], str] = lambda _: ""


def _scaled(number: int | None, by: int = 1_000_000) -> Cell | None:
    return None if number is None else number / by


def _peak_serial(meter: OfMeter) -> Cell | None:
    return None if meter.peak_clock is None else 25_569 + meter.peak_clock / 86_400


def _peak_at(meter: OfMeter) -> str:
    column = f"half_hours[{meter.name} kWh]"
    return f"INDEX(half_hours[time],MATCH(MAX({column}),{column},0))"


FACTS = (
    Fact("Energy, kWh", "#,##0.0", lambda m: _scaled(m.summary.micro_kwh), lambda m: f"SUM(days[{m.name} kWh])"),
    Fact("Daily mean, kWh", "#,##0.0", lambda m: _scaled(m.summary.daily_mean)),
    Fact("  over complete days", "#,##0", lambda m: m.summary.complete_days),
    Fact("Base load at night, kW", "#,##0.000", lambda m: _scaled(m.summary.base_load, 500_000)),
    Fact(
        "Peak half-hour, kWh",
        "#,##0.000",
        lambda m: _scaled(m.summary.peak),
        lambda m: f"MAX(half_hours[{m.name} kWh])",
    ),
    Fact("  when", "ddd d mmm yyyy hh:mm", _peak_serial, _peak_at),
    Fact(
        "Carbon, kg CO2e",
        "#,##0.0",
        lambda m: _scaled(m.summary.micro_kg),
        lambda m: f"SUM(days[{m.name} kg CO2e])",
    ),
    Fact("Coverage, %", "0.0", lambda m: _scaled(m.summary.coverage_tenths, 10)),
    Fact("Missing half-hours", "#,##0", lambda m: m.summary.missing, lambda m: f"SUM(days[{m.name} missing])"),
)
FIRST_FACT, MOST_PORTRAIT = 5, 3


def add_overview(pen: Pen, meters: Sequence[OfMeter], heading: str, note: str) -> Callable[[Placed, str, str], None]:
    """Adds the sheet; what it returns adds the chart of a table that is made later, with its title and format."""
    sheet = pen.sheet("overview")
    sheet.column_dimensions["A"].width = LABEL_WIDTH
    for i in range(len(meters)):
        sheet.column_dimensions[get_column_letter(i + 2)].width = METER_WIDTH
    print_on_a4(sheet, landscape=len(meters) > MOST_PORTRAIT, one_page=True)
    last = FIRST_FACT + len(FACTS) - 1
    pen.pour(sheet, dimension(1 + len(meters), last + 1 + len(NOTES)), _rows(pen, sheet, meters, (heading, note)))

    def add_chart(placed: Placed, title: str, category_format: str) -> None:
        lines = [
            Line(f"{meter.name} kWh", meter.name, colour)
            for meter, colour in zip(meters, colours([meter.type for meter in meters]), strict=True)
        ]
        if lines and placed.table.rows:
            chart = column_chart(placed, lines, title=title, unit="kWh", category_format=category_format)
            sheet.add_chart(chart, f"A{last + len(NOTES) + 3}")

    return add_chart


def _rows(pen: Pen, sheet: Worksheet, meters: Sequence[OfMeter], top: tuple[str, str]) -> Iterator[bytes]:
    strings = pen.strings
    label = Look(alignment=Alignment(indent=1), border=LINE).style(sheet)
    head = header_look(Alignment(horizontal="right", vertical="center")).style(sheet)
    first_head = header_look(Alignment(indent=1)).style(sheet)
    rows = [
        loose_row(1, [Loose(top[0], TITLE.style(sheet))], strings, 24),
        loose_row(2, [Loose(top[1], NOTE.style(sheet))], strings),
        loose_row(4, [Loose("", first_head), *(Loose(meter.name, head) for meter in meters)], strings, 20),
    ]
    bold = Font(name=FONT, size=11, bold=True)
    for number, fact in enumerate(FACTS, FIRST_FACT):
        font = bold if number == FIRST_FACT else Font(name=FONT, size=11)
        style = Look(fact.number_format, Alignment(horizontal="right"), font, border=LINE).style(sheet)
        cells = [Loose(fact.label, label)]
        for meter in meters:
            value = fact.value(meter)
            cells.append(Loose(value, style, "" if value is None else fact.formula(meter)))
        rows.append(loose_row(number, cells, strings, 18))
    note = NOTE.style(sheet)
    rows += [loose_row(n, [Loose(text, note)], strings) for n, text in enumerate(NOTES, FIRST_FACT + len(FACTS) + 1)]
    return iter(rows)
