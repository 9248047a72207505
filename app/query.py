"""What a link asks for. A link and a query are two forms of one value: `parse(TABLE, pairs of the link) == query`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo, available_timezones

from app.domain.aggregates import Aggregate
from app.domain.errors import BadParameter, NotFound
from app.domain.periods import WORDS, LocalDays, named_period, parse_day

ANY_DAY = date(2000, 2, 29)
"""To check the words of a period before anybody has asked what day it is."""
DEFAULT_PERIOD = "last-31-days"
TABLES = ("meters", "usage")
TABLES_TO_COME = ("compare", "gaps", "status")


class Layout(StrEnum):
    """How the rows of usage stand."""

    LONG = "long"
    WIDE = "wide"
    GRID = "grid"


class Quantity(StrEnum):
    """What wide and grid show."""

    ENERGY_KWH = "energy_kwh"
    CARBON_KG = "carbon_kg"
    ERROR_COUNT = "error_count"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a link: one line of help, the tables that take it, and whether it is built."""

    help: str
    tables: tuple[str, ...] = ("usage",)
    built: bool = True


PARAMETERS = {
    "meter": Parameter("a short name, consent/type, consent or type; may be repeated (all meters)", TABLES),
    "period": Parameter(f"{', '.join(WORDS)} ({DEFAULT_PERIOD})"),
    "start": Parameter("the first local day, YYYY-MM-DD"),
    "end": Parameter("the last local day, YYYY-MM-DD, included"),
    "aggregate": Parameter("none (half-hours), hour, day, week, month, year or profile (none)"),
    "tz": Parameter("a time zone's IANA name, such as Europe/London", TABLES),
    "layout": Parameter("long, wide (a column a meter) or grid (a column a half-hour) (long)"),
    "value": Parameter("energy_kwh, carbon_kg or error_count: what wide and grid show (energy_kwh)"),
    "columns": Parameter("names of columns with commas between: these, in this order (all)", TABLES),
    "errors": Parameter("cell: an error comes as a table with status 200, for sheets that hide it", TABLES),
    "bom": Parameter("1: a CSV with a byte-order mark, for double-clicking", TABLES),
    "key": Parameter("an access key, where one is needed", TABLES),
    "days": Parameter("with profile: weekday, weekend or names of days", TABLES, built=False),
    "first": Parameter("that many rows from the start", TABLES, built=False),
    "last": Parameter("that many rows from the end", TABLES, built=False),
    "kind": Parameter("of gaps: missing or suspect", TABLES, built=False),
    "difference": Parameter("of compare: 1", TABLES, built=False),
    "format": Parameter("csv or json: what the workbook fetches (csv)", ("connected",)),
    "embed_key": Parameter("1: the access key of the request is put into the workbook", ("connected",)),
    "chart": Parameter("1: a sheet with a chart, a line a meter; the layout is wide", ("connected",)),
}


@dataclass(frozen=True, slots=True)
class Query:
    """A table and the parameters of a link, checked, with the defaults filled in but for the time zone.

    The access key of a link is no part of it: whether it opens has been seen before anybody asks what for.
    """

    table: str
    meter: tuple[str, ...] = ()
    period: str | None = None
    start: date | None = None
    end: date | None = None
    aggregate: Aggregate = Aggregate.NONE
    tz: str | None = None
    layout: Layout = Layout.LONG
    value: Quantity = Quantity.ENERGY_KWH
    columns: tuple[str, ...] = ()
    errors: str | None = None
    bom: bool = False

    @classmethod
    def parse(cls, table: str, pairs: Sequence[tuple[str, str]]) -> "Query":
        """The query of a table's name and the decoded parameters of a link. NotFound, BadParameter."""
        if table in TABLES_TO_COME:
            raise NotFound(f"The table {table} is not built yet.", remedy=f"The tables are {' and '.join(TABLES)}.")
        if table not in TABLES:
            raise NotFound("There is no such table.", remedy=f"The tables are {' and '.join(TABLES)}.")
        given = _checked(table, pairs)
        values = {name: _PARSERS[name](name, texts) for name, texts in given.items() if name != "key"}
        query = cls(table, **values)
        query._check_together()
        return query

    def link(self, extension: str) -> str:
        """The path and query string that ask for this in a format: `/usage.csv?period=2021`; defaults are left out."""
        pairs: list[tuple[str, str]] = []
        for field in fields(self)[1:]:
            value = getattr(self, field.name)
            if value != field.default:
                pairs += [(field.name, text) for text in _written(field.name, value)]
        question = urlencode(pairs, quote_via=quote, safe="/,:")
        return f"/{self.table}.{extension}" + (f"?{question}" if question else "")

    def zone(self, default: str) -> ZoneInfo:
        """The time zone asked for, else the default."""
        return ZoneInfo(self.tz or default)

    def local_days(self, today: date) -> LocalDays:
        """The local days asked for, as they are on the local day `today`."""
        if self.start or self.end:
            return LocalDays(self.start, self.end)
        return named_period(self.period or DEFAULT_PERIOD, today)

    def _check_together(self) -> None:
        if self.period and (self.start or self.end):
            raise BadParameter(
                "The parameters period and start or end can't be given together.",
                remedy="Leave out period, or start and end.",
            )
        if self.start and self.end and self.start > self.end:
            raise BadParameter("The parameter start is after end.", remedy="Exchange start and end.")
        if self.layout is Layout.GRID and self.aggregate is not Aggregate.NONE:
            raise BadParameter(
                "The parameter layout=grid shows half-hours and goes with no other aggregate.",
                remedy="Leave out aggregate, or use layout=wide.",
            )


def cell_errors_asked_for(pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether a link, however wrong the rest of it is, asks for its errors as a table."""
    return ("errors", "cell") in pairs


def nearest(word: str, known: Sequence[str]) -> str | None:
    """The known word within two edits of `word`, both of five letters or more, or None."""
    if len(word) < 5:  # noqa: PLR2004 - shorter names are often meant as something else
        return None
    distance, name = min(((_edits(word.lower(), name.lower()), name) for name in known), default=(3, ""))
    return name if distance <= 2 else None  # noqa: PLR2004 - the docstring's


def _checked(table: str, pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """The parameters of the table by name, with unknown ones dropped."""
    known = [name for name, parameter in PARAMETERS.items() if table in parameter.tables]
    given: dict[str, list[str]] = {}
    for name, text in pairs:
        if name in known:
            given.setdefault(name, []).append(text)
        elif meant := nearest(name, known):
            raise BadParameter(
                "A parameter has a name that is not known.",
                remedy=f"Did you mean {meant}=? Correct the name.",
            )
    for name, texts in given.items():
        if not PARAMETERS[name].built:
            raise BadParameter(f"The parameter {name} is not built yet.", remedy=f"Leave out {name}.")
        if len(texts) > 1 and name != "meter":
            raise BadParameter(f"The parameter {name} stands there twice.", remedy=f"Give {name} once.")
        if "" in texts and name != "key":
            raise BadParameter(f"The parameter {name} is empty.", remedy=f"Give {name} a value, or leave it out.")
    return given


def _meters(_name: str, texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _period(_name: str, texts: Sequence[str]) -> str:
    named_period(texts[0], ANY_DAY)
    return texts[0]


def _day(name: str, texts: Sequence[str]) -> date:
    return parse_day(texts[0], name)


def _one_of(name: str, text: str, choices: Sequence[str]) -> str:
    if text in choices:
        return text
    meant = nearest(text, choices)
    raise BadParameter(
        f"The parameter {name} is none of {', '.join(choices)}.",
        remedy=f"Did you mean {name}={meant}?" if meant else f"For example {name}={choices[0]}.",
    )


def _aggregate(name: str, texts: Sequence[str]) -> Aggregate:
    return Aggregate(_one_of(name, texts[0], list(Aggregate)))


def _layout(name: str, texts: Sequence[str]) -> Layout:
    return Layout(_one_of(name, texts[0], list(Layout)))


def _quantity(name: str, texts: Sequence[str]) -> Quantity:
    return Quantity(_one_of(name, texts[0], list(Quantity)))


def _zone_name(name: str, texts: Sequence[str]) -> str:
    zone = texts[0].replace(" ", "+")  # no zone has a space: a link that says Etc/GMT+1 means the plus
    if zone in _zone_names():
        return zone
    meant = nearest(zone, _zone_names())
    raise BadParameter(
        f"The parameter {name} is no time zone that is known.",
        remedy=f"Did you mean {name}={meant}?" if meant else f"Use an IANA name such as {name}=Europe/London.",
    )


@cache
def _zone_names() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


def _columns(name: str, texts: Sequence[str]) -> tuple[str, ...]:
    names = tuple(texts[0].split(","))
    if "" in names:
        raise BadParameter(
            f"The parameter {name} holds an empty name.", remedy=f"Write it like {name}=time,energy_kwh."
        )
    if len(set(names)) < len(names):
        raise BadParameter(f"The parameter {name} names a column twice.", remedy="Name each column once.")
    return names


def _cell(name: str, texts: Sequence[str]) -> str:
    return _one_of(name, texts[0], ["cell"])


def _flag(name: str, texts: Sequence[str]) -> bool:
    return bool(_one_of(name, texts[0], ["1"]))


_PARSERS: dict[str, Callable[[str, Sequence[str]], Any]] = {
    "meter": _meters,
    "period": _period,
    "start": _day,
    "end": _day,
    "aggregate": _aggregate,
    "tz": _zone_name,
    "layout": _layout,
    "value": _quantity,
    "columns": _columns,
    "errors": _cell,
    "bom": _flag,
}


def _written(name: str, value: Any) -> list[str]:
    """A parameter's value as the texts of a link, one a repetition."""
    if name == "meter":
        return list(value)
    if name == "columns":
        return [",".join(value)]
    return ["1" if value is True else str(value)]


def _edits(word: str, other: str) -> int:
    """How many letters must be put in, taken out or exchanged to make one word of the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, letter in enumerate(word, 1):
        above, row[0] = row[0], i
        for j, with_letter in enumerate(other, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (letter != with_letter))
    return row[-1]
