"""Tables: what the formats write. A table is a name and columns of equal length, made by one builder a table."""

from app.tables.columns import Cell, Clock, Column, Dates, Labels, Numbers, Table, Times
from app.tables.compare import Compared, compare_table
from app.tables.gaps import Runs, gaps_table
from app.tables.messages import error_table
from app.tables.meters import meters_table
from app.tables.report import OfMeter, Report, report
from app.tables.status import status_table
from app.tables.usage import NOTHING, Measured, usage_grid, usage_long, usage_wide

__all__ = [
    "NOTHING",
    "Cell",
    "Clock",
    "Column",
    "Compared",
    "Dates",
    "Labels",
    "Measured",
    "Numbers",
    "OfMeter",
    "Report",
    "Runs",
    "Table",
    "Times",
    "compare_table",
    "error_table",
    "gaps_table",
    "meters_table",
    "report",
    "status_table",
    "usage_grid",
    "usage_long",
    "usage_wide",
]
