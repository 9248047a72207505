"""The tables, and the parameters that each takes: their names, values and help."""

from dataclasses import dataclass
from enum import StrEnum

from app.domain.aggregates import Aggregate
from app.domain.periods import WORDS

DEFAULT_PERIOD = "last-31-days"
TABLES = ("meters", "usage", "compare", "gaps", "status")
REPORTS = ("workbook",)
"""What is answered like a table, but is several of them in one file."""
OF_METERS = ("meters", "usage", "compare", "gaps", "workbook")
OF_A_PERIOD = ("usage", "gaps", "workbook")
OF_ALL = (*TABLES, *REPORTS)

COMPARED = (Aggregate.PROFILE, Aggregate.DAY, Aggregate.WEEK, Aggregate.MONTH)
"""The aggregates of compare."""


class Layout(StrEnum):
    """How the rows of usage stand."""

    LONG = "long"
    WIDE = "wide"
    GRID = "grid"


class Quantity(StrEnum):
    """What wide, grid and compare show."""

    ENERGY_KWH = "energy_kwh"
    CARBON_KG = "carbon_kg"
    ERROR_COUNT = "error_count"


class Kind(StrEnum):
    """What gaps lists: half-hours that are missing, or that hold more than can be."""

    MISSING = "missing"
    SUSPECT = "suspect"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a link: one line of help, and the tables that take it."""

    help: str
    tables: tuple[str, ...]


PARAMETERS = {
    "meter": Parameter(
        "a short name, consent/type, consent or type; may be repeated; of compare one meter (all meters)", OF_METERS
    ),
    "period": Parameter(f"{', '.join(WORDS)}; of compare twice or more ({DEFAULT_PERIOD})", (*OF_A_PERIOD, "compare")),
    "start": Parameter("the first local day, YYYY-MM-DD", OF_A_PERIOD),
    "end": Parameter("the last local day, YYYY-MM-DD, included", OF_A_PERIOD),
    "aggregate": Parameter(
        "none (half-hours), hour, day, week, month, year or profile (none); "
        "of compare profile, day, week or month (profile)",
        ("usage", "compare"),
    ),
    "days": Parameter("of a profile: weekday, weekend or names of days such as mon,tue (all)", ("usage", "compare")),
    "tz": Parameter("a time zone's IANA name, such as Europe/London", OF_METERS),
    "layout": Parameter("long, wide (a column a meter) or grid (a column a half-hour) (long)", ("usage",)),
    "value": Parameter(
        "energy_kwh, carbon_kg or error_count: what wide, grid and compare show (energy_kwh)", ("usage", "compare")
    ),
    "difference": Parameter("1: a last column difference, the last period less the first", ("compare",)),
    "kind": Parameter("missing, or suspect: half-hours with more than a home can use (missing)", ("gaps",)),
    "columns": Parameter("names of columns with commas between: these, in this order (all)", TABLES),
    "first": Parameter("that many rows from the start; not together with last (all)", TABLES),
    "last": Parameter("that many rows from the end (all)", TABLES),
    "errors": Parameter("cell: an error comes as a table with status 200, for sheets that hide it", OF_ALL),
    "bom": Parameter("1: a CSV with a byte-order mark, for double-clicking", TABLES),
    "key": Parameter("an access key, where one is needed", OF_ALL),
    "format": Parameter("csv or json: what the workbook fetches (csv)", ("connected",)),
    "embed_key": Parameter("1: the access key of the request is put into the workbook", ("connected",)),
    "chart": Parameter("1: a sheet with a chart, a line a meter; the layout is wide", ("connected",)),
}
