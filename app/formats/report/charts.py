"""Excel's own charts of a table's columns, with titles, units, and the values that they show kept beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

from openpyxl.chart import BarChart, LineChart, Reference, Series
from openpyxl.chart.axis import ChartLines, NumericAxis, TextAxis
from openpyxl.chart.data_source import NumData, NumVal
from openpyxl.chart.legend import Legend
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import (
    CharacterProperties,
    Paragraph,
    ParagraphProperties,
    RegularTextRun,
    RichTextProperties,
)

from app.formats.report.pen import Placed
from app.tables import Clock, Dates, Numbers

COLOURS = {"electricity": "0A7D55", "gas": "E09F1F"}
FURTHER_COLOURS = ("3B6FB6", "8A5A9E", "B5523B", "4F8F8B")
GREY, FAINT = "BFBFBF", "E3E3E3"
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


def colours(types: Sequence[str]) -> list[str]:
    """A colour a meter: its type's own for the first of a type, others for the rest."""
    spare = list(FURTHER_COLOURS)
    made: list[str] = []
    for its_type in types:
        own = COLOURS.get(its_type)
        made.append(own if own and own not in made else spare[len(made) % len(spare)])
    return made


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
    chart.title, chart.width, chart.height = _title(title, 1300, bold=True), WIDTH, HEIGHT
    chart.x_axis = _category_axis(category_format, -(-placed.table.rows // MOST_LABELS))
    chart.y_axis = _value_axis(unit)
    chart.legend = None if len(lines) == 1 else Legend(legendPos="b", overlay=False)


def _category_axis(number_format: str, every: int) -> TextAxis:
    """The axis below, with a label for each `every` rows of the table."""
    axis = TextAxis(axId=10, crossAx=100, delete=False, majorTickMark="out", tickLblPos="low", noMultiLvlLbl=True)
    axis.tickLblSkip = axis.tickMarkSkip = max(1, every)
    axis.number_format = number_format
    axis.txPr, axis.spPr = _small(), GraphicalProperties(ln=LineProperties(solidFill=GREY))
    return axis


def _value_axis(unit: str) -> NumericAxis:
    """The axis at the left, with its unit and faint lines."""
    axis = NumericAxis(axId=100, crossAx=10, delete=False, majorTickMark="none", crosses="autoZero")
    axis.title, axis.number_format = _title(unit, 1000, bold=False), "General"
    axis.majorGridlines = ChartLines(spPr=GraphicalProperties(ln=LineProperties(solidFill=FAINT)))
    axis.txPr, axis.spPr = _small(), GraphicalProperties(ln=LineProperties(noFill=True))
    return axis


def _title(text: str, size: int, *, bold: bool) -> Title:
    """A title that keeps out of the plot; `size` is in hundredths of a point."""
    look = CharacterProperties(sz=size, b=bold)
    paragraph = Paragraph(pPr=ParagraphProperties(defRPr=look), r=[RegularTextRun(rPr=look, t=text)])
    return Title(tx=Text(rich=RichText(bodyPr=RichTextProperties(), p=[paragraph])), overlay=False)


def _small() -> RichText:
    """The look of an axis's labels."""
    look = ParagraphProperties(defRPr=CharacterProperties(sz=900))
    return RichText(bodyPr=RichTextProperties(), p=[Paragraph(pPr=look, endParaRPr=CharacterProperties())])


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
