"""A sheet with a chart over the columns of a table that stands on another sheet."""

import io

from openpyxl import Workbook
from openpyxl.chart import BarChart, LineChart, Reference, Series
from openpyxl.chart.data_source import StrRef
from openpyxl.chart.legend import Legend
from openpyxl.chart.series import SeriesLabel
from openpyxl.utils import get_column_letter, quote_sheetname

from app.domain.errors import BadParameter
from app.tables import Clock, Column, Dates, Numbers, Table, Times

WIDTH_CM, HEIGHT_CM = 32, 16
AXES: dict[type[Column], str] = {Times: "yyyy-mm-dd hh:mm", Dates: "yyyy-mm-dd", Clock: "hh:mm"}
"""The columns that can stand under a chart, and how their cells are shown there."""


def chart_sheet(table: Table, name: str) -> bytes:
    """A workbook of that one sheet: a line for every column of numbers, bars where a row is a day or longer.

    The chart refers to the whole columns of the table. BadParameter if the table has no time or no numbers.
    """
    labels = next((i for i, column in enumerate(table.columns, 1) if type(column) in AXES), None)
    values = [i for i, column in enumerate(table.columns, 1) if isinstance(column, Numbers)]
    if labels is None or not values:
        raise BadParameter(
            "The parameter columns leaves no time or no number for the chart.",
            remedy="Name time and a column of numbers, or leave out columns.",
        )
    under = table.columns[labels - 1]
    chart = BarChart() if isinstance(under, Dates) else LineChart()
    for i in values:
        series = Series(Reference(range_string=_cells(table, i)))
        series.tx = SeriesLabel(strRef=StrRef(f"{quote_sheetname(table.name)}!${get_column_letter(i)}$1"))
        series.smooth = False
        chart.series.append(series)
    chart.set_categories(Reference(range_string=_cells(table, labels)))
    chart.x_axis.number_format = AXES[type(under)]
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.x_axis.tickLblPos = "low"
    chart.legend = Legend(legendPos="b")
    chart.width, chart.height = WIDTH_CM, HEIGHT_CM
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = name
    sheet.sheet_view.tabSelected = False
    sheet.add_chart(chart, "A1")
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _cells(table: Table, column: int) -> str:
    """A column of the Excel table without its header; one blank row where the table has none."""
    letter = get_column_letter(column)
    return f"{quote_sheetname(table.name)}!${letter}$2:${letter}${max(table.rows, 1) + 1}"
