"""The tables as answers: the walk from a link to bytes, over HTTP and for the command line alike."""

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from app.domain.errors import NotFound, SheetsError
from app.domain.periods import LocalDays
from app.domain.spans import ONE_DAY, Span, midnight
from app.formats import FORMATS, About
from app.query import DEFAULT_PERIOD, Layout, Query, cell_errors_asked_for
from app.readthrough import Answered, Outcome, ReadThrough
from app.tables import NOTHING, Measured, Table, meters_table, usage_grid, usage_long, usage_wide
from app.web.answers import Answer
from app.web.errors import cell_answer, error_answer

log = logging.getLogger(__name__)
BEYOND_ALL_DATA = 2**40
Pairs = Sequence[tuple[str, str]]
CACHE_STATUS = {
    Outcome.HIT: "powershaper-sheets; hit",
    Outcome.MISS: "powershaper-sheets; fwd=miss",
    Outcome.PARTIAL: "powershaper-sheets; fwd=partial",
    Outcome.STALE: "powershaper-sheets; fwd=stale",
}


@dataclass(frozen=True, slots=True)
class Made:
    """A table with what is said about it: facts, the moment (UTC seconds) it was confirmed, where it came from."""

    table: Table
    facts: tuple[tuple[str, str], ...]
    confirmed_at: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Exports:
    """Answers links. `clock` gives UTC seconds, `default_tz` is the zone of links that name none."""

    source: ReadThrough
    clock: Callable[[], float]
    default_tz: str

    async def answer(self, table: str, extension: str, pairs: Pairs, address: str) -> Answer:
        """The whole answer to a link, errors included; never raises. `address` is the service's own, for `about`."""
        try:
            return await self.table(table, extension, pairs, address)
        except SheetsError as error:
            failure = error
        except Exception:
            log.exception("A table could not be made.")
            failure = SheetsError(
                "Something went wrong in this service.",
                remedy="Try again; if it stays, report it with the log.",
            )
        name = table if re.fullmatch(r"[a-z]{1,20}", table) else "error"
        if cell_errors_asked_for(pairs) and extension in FORMATS:
            return cell_answer(failure, name, extension)
        return error_answer(failure, name, extension)

    async def table(self, table: str, extension: str, pairs: Pairs, address: str) -> Answer:
        """The answer to a link that can be answered. SheetsError for all others."""
        if extension not in FORMATS:
            raise NotFound("There is no such format.", remedy=f"The formats are {', '.join(FORMATS)}.")
        query = Query.parse(table, pairs)
        made = await MAKERS[query.table](self, query)
        shown = made.table.select(query.columns)
        writer = FORMATS[extension]
        about = self._about(query, made, extension, address)
        body = await asyncio.to_thread(writer.write, shown, about)
        headers = {
            "Cache-Control": "private, no-cache",
            "Cache-Status": CACHE_STATUS[made.outcome],
            "Content-Disposition": f'inline; filename="{query.table}.{extension}"',
            "X-Data-As-Of": _iso(made.confirmed_at),
        }
        return Answer(200, writer.media_type, body, headers)

    def today(self, tz: ZoneInfo) -> date:
        """The local day that it is now."""
        return datetime.fromtimestamp(self.clock(), tz=UTC).astimezone(tz).date()

    def _about(self, query: Query, made: Made, extension: str, address: str) -> About:
        facts = (
            *made.facts,
            ("time zone", query.tz or self.default_tz),
            ("last confirmed", _iso(made.confirmed_at)),
            ("address", address + query.link(extension)),
        )
        links = tuple((name, query.link(name)) for name in FORMATS if name != extension)
        return About(query.table, facts, links, query.bom)

    async def meters(self, query: Query) -> Made:
        """The table of meters. SheetsError."""
        meters = await self.source.meters(query.meter)
        tz = query.zone(self.default_tz)
        table = meters_table(meters, tz, self.today(tz))
        return Made(table, (("meters", str(len(meters))),), await self.source.listed_at(), Outcome.HIT)

    async def usage(self, query: Query) -> Made:
        """The table of usage. SheetsError."""
        meters = await self.source.meters(query.meter)
        tz = query.zone(self.default_tz)
        days = query.local_days(self.today(tz))
        span = _span(days, tz)
        if query.columns:  # a wrong name is refused before anything is fetched
            _laid_out(query, [Measured(meter.name, NOTHING) for meter in meters], tz).select(query.columns)
        answers = await asyncio.gather(*(self.source.answer(meter, span) for meter in meters))
        measured = [Measured(answer.meter.name, answer.half_hours) for answer in answers]
        table = await asyncio.to_thread(_laid_out, query, measured, tz)
        facts = (
            ("meter", ", ".join(meter.name for meter in meters)),
            ("period", _period_text(query, days)),
            ("coverage", _coverage(answers)),
        )
        confirmed_at = min((answer.confirmed_at for answer in answers), default=int(self.clock()))
        return Made(table, facts, confirmed_at, _overall([answer.outcome for answer in answers]))


MAKERS = {"meters": Exports.meters, "usage": Exports.usage}


def _span(days: LocalDays, tz: ZoneInfo) -> Span:
    """The half-hours of local days; a side that is open lies beyond all data."""
    first = midnight(days.first, tz) if days.first else -BEYOND_ALL_DATA
    return Span(first, midnight(days.last + ONE_DAY, tz) if days.last else BEYOND_ALL_DATA)


def _laid_out(query: Query, measured: list[Measured], tz: ZoneInfo) -> Table:
    if query.layout is Layout.GRID:
        return usage_grid(measured, tz, query.value)
    if query.layout is Layout.WIDE:
        return usage_wide(measured, query.aggregate, tz, query.value)
    return usage_long(measured, query.aggregate, tz)


def _overall(outcomes: Sequence[Outcome]) -> Outcome:
    """One word for several meters: stale if any is, a hit only if all are, a miss only if all missed."""
    if Outcome.STALE in outcomes:
        return Outcome.STALE
    kinds = set(outcomes)
    return kinds.pop() if len(kinds) == 1 else Outcome.PARTIAL if kinds else Outcome.HIT


def _coverage(answers: Sequence[Answered]) -> str:
    expected = sum(len(answer.half_hours) for answer in answers)
    present = sum(int(answer.half_hours.present.sum()) for answer in answers)
    if not expected:
        return "no half-hours in this period"
    return f"{1000 * present // expected / 10:g} % ({present:,} of {expected:,} half-hours)"


def _period_text(query: Query, days: LocalDays) -> str:
    asked = "" if query.start or query.end else f" ({query.period or DEFAULT_PERIOD})"
    return f"{days.first or 'the first day'} to {days.last or 'the last day'}{asked}"


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
