"""A sheet with a chart over the columns of a table that stands on another sheet."""

import io
import re

from openpyxl import Workbook
from openpyxl.chart import BarChart, LineChart, Reference, Series
from openpyxl.chart.data_source import StrRef
from openpyxl.chart.legend import Legend
from openpyxl.chart.series import SeriesLabel
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.drawing.line import LineProperties
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from app.domain.errors import BadParameter
from app.formats.chart_looks import category_axis, colours, title_of, value_axis
from app.tables import Clock, Column, Dates, Numbers, Table, Times

WIDTH_CM, HEIGHT_CM = 25, 14
AXES: dict[type[Column], tuple[str, int]] = {Times: ("d mmm hh:mm", 8), Dates: ("d mmm yy", 16), Clock: ("hh:mm", 16)}
"""The columns that can stand under a chart, how their cells are shown there, and how many of them at most."""
SHOWN = {"energy_kwh": ("Energy", "kWh"), "carbon_kg": ("Carbon", "kg CO2e"), "error_count": ("Missing", "half-hours")}
"""A title and a unit by what the columns of numbers show."""


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
    names = [table.header[i - 1] for i in values]
    for i, colour in zip(values, colours([re.split("[-_]", name)[0] for name in names]), strict=True):
        series = Series(Reference(range_string=_cells(table, i)))
        series.tx = SeriesLabel(strRef=StrRef(f"{quote_sheetname(table.name)}!${get_column_letter(i)}$1"))
        series.smooth = False
        series.graphicalProperties = GraphicalProperties(ln=LineProperties(solidFill=colour, w=28_000))
        if isinstance(chart, BarChart):
            series.graphicalProperties = GraphicalProperties(solidFill=colour)
        chart.series.append(series)
    chart.set_categories(Reference(range_string=_cells(table, labels)))
    title, unit = next((shown for end, shown in SHOWN.items() if names[0].endswith(end)), ("", ""))
    chart.title = title_of(title, 1300, bold=True)
    number_format, most_labels = AXES[type(under)]
    chart.x_axis, chart.y_axis = category_axis(number_format, -(-table.rows // most_labels)), value_axis(unit)
    chart.legend = Legend(legendPos="b", overlay=False)
    chart.width, chart.height = WIDTH_CM, HEIGHT_CM
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = name
    sheet.sheet_view.tabSelected = False
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", Worksheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 1
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.add_chart(chart, "A1")
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def _cells(table: Table, column: int) -> str:
    """A column of the Excel table without its header; one blank row where the table has none."""
    letter = get_column_letter(column)
    return f"{quote_sheetname(table.name)}!${letter}$2:${letter}${max(table.rows, 1) + 1}"
