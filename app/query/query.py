"""A link and a query are two forms of one value: `parse(TABLE, pairs of the link) == query`."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from app.domain.aggregates import Aggregate
from app.domain.errors import BadParameter, NotFound
from app.domain.periods import LocalDays, named_period
from app.query.parameters import COMPARED, DEFAULT_PERIOD, PARAMETERS, REPORTS, TABLES, Kind, Layout, Quantity
from app.query.parsers import parsed, written
from app.query.spelling import nearest

DEFAULTS: dict[str, dict[str, Any]] = {"compare": {"aggregate": Aggregate.PROFILE}}
"""Where a table's default is another than that of most."""
ORDINARY_DAYS = (date(2000, 2, 29), date(2009, 10, 18), date(2021, 7, 14))
"""No Monday, no first of a month, no January: two periods that are the same on all of them always are."""


@dataclass(frozen=True, slots=True)
class Query:
    """A table and the parameters of a link, checked, with the defaults filled in but for the time zone.

    `periods` are those of `compare`, `days` days of the week, Monday is 0, none is all. The access key of a link is no
    part of it: whether it opens has been seen before anybody asks what for.
    """

    table: str
    meter: tuple[str, ...] = ()
    period: str | None = None
    periods: tuple[str, ...] = ()
    start: date | None = None
    end: date | None = None
    aggregate: Aggregate = Aggregate.NONE
    days: tuple[int, ...] = ()
    tz: str | None = None
    layout: Layout = Layout.LONG
    value: Quantity = Quantity.ENERGY_KWH
    difference: bool = False
    kind: Kind = Kind.MISSING
    columns: tuple[str, ...] = ()
    first: int | None = None
    last: int | None = None
    errors: str | None = None
    bom: bool = False

    @classmethod
    def parse(cls, table: str, pairs: Sequence[tuple[str, str]]) -> "Query":
        """The query of a table's name and the decoded parameters of a link. NotFound, BadParameter."""
        if table not in (*TABLES, *REPORTS):
            raise NotFound("There is no such table.", remedy=f"The tables are {', '.join(TABLES)}.")
        given = _checked(table, pairs)
        values = {name: parsed(name, texts) for name, texts in given.items()}
        query = cls(table, **(DEFAULTS.get(table, {}) | values))
        query._check_together()
        if table == "compare":
            query._check_compared()
        return query

    def link(self, extension: str) -> str:
        """The path and query string that ask for this in a format: `/usage.csv?period=2021`; defaults are left out."""
        pairs: list[tuple[str, str]] = []
        for field in fields(self)[1:]:
            value = getattr(self, field.name)
            if value != DEFAULTS.get(self.table, {}).get(field.name, field.default):
                name = "period" if field.name == "periods" else field.name
                pairs += [(name, text) for text in written(field.name, value)]
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
        if self.first and self.last:
            raise BadParameter(
                "The parameters first and last can't be given together.", remedy="Leave out first or last."
            )
        if self.layout is Layout.GRID and self.aggregate is not Aggregate.NONE:
            raise BadParameter(
                "The parameter layout=grid shows half-hours and goes with no other aggregate.",
                remedy="Leave out aggregate, or use layout=wide.",
            )
        if self.days and self.aggregate is not Aggregate.PROFILE:
            raise BadParameter(
                "The parameter days chooses the days of a profile and goes with no other aggregate.",
                remedy="Use aggregate=profile, or leave out days.",
            )

    def _check_compared(self) -> None:
        if self.aggregate not in COMPARED:
            raise BadParameter(
                f"The parameter aggregate of compare is none of {', '.join(COMPARED)}.",
                remedy="For example aggregate=day.",
            )
        if len(self.periods) < 2:  # noqa: PLR2004 - one alone is compared with nothing
            raise BadParameter(
                "The table compare needs the parameter period twice or more.",
                remedy="For example period=2021-01&period=2021-07.",
            )
        meanings = {tuple(named_period(period, day) for day in ORDINARY_DAYS) for period in self.periods}
        if len(meanings) < len(self.periods):
            raise BadParameter(
                "The parameter period names the same days twice.", remedy="Give periods that are not the same."
            )


def cell_errors_asked_for(pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether a link, however wrong the rest of it is, asks for its errors as a table."""
    return ("errors", "cell") in pairs


def _checked(table: str, pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """The texts of the table's parameters by the query's names for them; unknown ones and the key are dropped."""
    known = [name for name, parameter in PARAMETERS.items() if table in parameter.tables]
    given: dict[str, list[str]] = {}
    for name, text in pairs:
        if name in known:
            given.setdefault(name, []).append(text)
        elif table == "compare" and name in {"start", "end"}:
            raise BadParameter(
                f"The table compare takes no parameter {name}.",
                remedy="Give each period by its name, for example period=2021-01&period=2021-07.",
            )
        elif meant := nearest(name, known):
            raise BadParameter(
                "A parameter has a name that is not known.",
                remedy=f"Did you mean {meant}=? Correct the name.",
            )
    repeated = {"meter", "period"} if table == "compare" else {"meter"}
    for name, texts in given.items():
        if len(texts) > 1 and name not in repeated:
            raise BadParameter(f"The parameter {name} stands there twice.", remedy=f"Give {name} once.")
        if "" in texts and name != "key":
            raise BadParameter(f"The parameter {name} is empty.", remedy=f"Give {name} a value, or leave it out.")
    given.pop("key", None)
    if table == "compare" and "period" in given:
        given["periods"] = given.pop("period")
    return given
