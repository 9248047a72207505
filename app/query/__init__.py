"""What a link asks for: the tables and their parameters, and the one value that a link and a query are two forms of."""

from app.query.parameters import (
    COMPARED,
    DEFAULT_PERIOD,
    PARAMETERS,
    REPORTS,
    TABLES,
    Kind,
    Layout,
    Parameter,
    Quantity,
)
from app.query.query import Query, cell_errors_asked_for
from app.query.records import records_asked
from app.query.spelling import nearest

__all__ = [
    "COMPARED",
    "DEFAULT_PERIOD",
    "PARAMETERS",
    "REPORTS",
    "TABLES",
    "Kind",
    "Layout",
    "Parameter",
    "Quantity",
    "Query",
    "cell_errors_asked_for",
    "nearest",
    "records_asked",
]
