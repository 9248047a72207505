"""Excel's own charts of a table's columns, with titles, units, and the values that they show kept beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

from openpyxl.chart import BarChart, LineChart, Reference, Series
from openpyxl.chart.data_source import NumData, NumVal
from openpyxl.chart.legend import Legend
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties

from app.formats.chart_looks import category_axis, title_of, value_axis
from app.formats.report.pen import Placed
from app.tables import Clock, Dates, Numbers

WIDTH, HEIGHT = 22, 9.5
"""Centimetres."""
MOST_LABELS, FEW_COLUMNS = 12, 4
SERIAL_OF_EPOCH = 25_569


@dataclass(frozen=True, slots=True)
class Line:
    """A series: the column's name, the text of the legend, its colour, and whether it is dashed."""

    column: str
    text: str
    colour: str
    dashed: bool = False


def column_chart(placed: Placed, lines: Sequence[Line], *, title: str, unit: str, category_format: str) -> BarChart:
    """Columns, one a row of the table and series."""
    chart = BarChart()
    chart.type, chart.grouping, chart.gapWidth, chart.overlap = (
        "col",
        "clustered",
        40 if placed.table.rows > FEW_COLUMNS else 200,
        0,
    )
    _fill(chart, placed, lines, title, unit, category_format)
    for series, line in zip(chart.series, lines, strict=True):
        series.graphicalProperties = GraphicalProperties(solidFill=line.colour)
        series.graphicalProperties.line.noFill = True
        series.invertIfNegative = False
    return chart


def line_chart(placed: Placed, lines: Sequence[Line], *, title: str, unit: str, category_format: str) -> LineChart:
    """Lines without marks, along the rows of the table."""
    chart = LineChart()
    _fill(chart, placed, lines, title, unit, category_format)
    for series, line in zip(chart.series, lines, strict=True):
        drawn = LineProperties(solidFill=line.colour, w=28_000)
        drawn.prstDash = "sysDash" if line.dashed else None
        series.graphicalProperties = GraphicalProperties(ln=drawn)
        series.marker.symbol, series.smooth = "none", False
    return chart


def _fill(
    chart: BarChart | LineChart, placed: Placed, lines: Sequence[Line], title: str, unit: str, category_format: str
) -> None:
    header = placed.table.header
    categories = Reference(placed.sheet, min_col=1, min_row=placed.first, max_row=placed.last)
    for line in lines:
        at = header.index(line.column)
        values = Reference(placed.sheet, min_col=at + 1, min_row=placed.first, max_row=placed.last)
        series = Series(values, title=line.text)
        column = placed.table.columns[at]
        if isinstance(column, Numbers):
            series.val.numRef.numCache = _kept(column)
        chart.series.append(series)
    chart.set_categories(categories)
    for series in chart.series:
        series.cat.numRef.numCache = _kept_categories(placed, category_format)
    chart.title, chart.width, chart.height = title_of(title, 1300, bold=True), WIDTH, HEIGHT
    chart.x_axis = category_axis(category_format, -(-placed.table.rows // MOST_LABELS))
    chart.y_axis = value_axis(unit)
    chart.legend = None if len(lines) == 1 else Legend(legendPos="b", overlay=False)


def _kept(column: Numbers) -> NumData:
    shown = zip(column.scaled.tolist(), column.present.tolist(), strict=True)
    points = [NumVal(idx=i, v=repr(n / 10**column.decimals)) for i, (n, there) in enumerate(shown) if there]
    return NumData(formatCode="General", ptCount=len(column.scaled), pt=points)


def _kept_categories(placed: Placed, number_format: str) -> NumData:
    column = placed.table.columns[0]
    serials: list[float] = []
    match column:
        case Dates():
            serials = [day + SERIAL_OF_EPOCH for day in column.days.tolist()]
        case Clock():
            serials = [second / 86_400 for second in column.seconds.tolist()]
    points = [NumVal(idx=i, v=repr(serial)) for i, serial in enumerate(serials)]
    return NumData(formatCode=number_format, ptCount=len(serials), pt=points)
