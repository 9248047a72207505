"""The tables as answers: the walk from a link to bytes, over HTTP and for the command line alike."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from zoneinfo import ZoneInfo

from app.domain.errors import BadParameter, SheetsError
from app.domain.meters import Meter
from app.domain.periods import LocalDays, named_period
from app.domain.spans import ONE_DAY, Span, midnight
from app.formats import FORMATS, About
from app.query import Query
from app.readthrough import Answered, Outcome, ReadThrough, Watch
from app.tables import NOTHING, Measured, Report, Table, meters_table, status_table
from app.web.answers import SMALLEST_GZIPPED, Answer, Body, conditional, takes_gzip
from app.web.bodies import Bodies
from app.web.connected import Wanted, wanted
from app.web.errors import failed
from app.web.layouts import compare_of, gaps_of, report_of, usage_of, written
from app.web.made import CACHE_STATUS, MOST_SECONDS_KEPT, Made, days_text, ends_found, made_of, measured_of, period_text
from app.web.status import status_facts

log = logging.getLogger(__name__)
BEYOND_ALL_DATA = 2**40
Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request for a table: its link's decoded parameters, and what of it HTTP wants to know.

    `address` is the service's own. `permits` tells which meters the asker may read, `given_key` the access key that
    came with the request: a function, so that it is printed nowhere.
    """

    table: str
    extension: str
    pairs: Pairs
    address: str
    permits: Callable[[Meter], bool] = lambda _: True
    given_key: Callable[[], str | None] = lambda: None
    accept_encoding: str = ""
    if_none_match: str = ""


@dataclass(frozen=True, slots=True)
class Exports:
    """Answers links. `clock` gives UTC seconds, `default_tz` is the zone of links that name none."""

    source: ReadThrough
    watch: Watch
    bodies: Bodies
    clock: Callable[[], float]
    default_tz: str

    async def answer(self, asked: Asked) -> Answer:
        """The whole answer to a link, errors included; never raises."""
        try:
            return await self.table(asked)
        except SheetsError as error:
            failure = error
        except Exception:
            log.exception("A table could not be made.")
            failure = SheetsError(
                "Something went wrong in this service.", remedy="Try again; if it stays, report it with the log."
            )
        return failed(failure, asked.table, asked.extension, asked.pairs)

    async def table(self, asked: Asked) -> Answer:
        """The answer to a link that can be answered. SheetsError for all others."""
        want = wanted(asked.table, asked.extension, asked.pairs, asked.address, asked.given_key)
        query, writer = want.query, want.format
        made = await MAKERS[query.table](self, query, asked.permits)
        about = self._about(want, made, asked)

        def make() -> Body:
            return Body.of(written(query, made.build(), writer, about))

        key = (asked.table, asked.extension, query, about, made.fingerprint)
        body = await (asyncio.to_thread(make) if want.holds_key else self.bodies.get(key, make))
        if not writer.is_packed and len(body) >= SMALLEST_GZIPPED and takes_gzip(asked.accept_encoding):
            body = await self.bodies.get((*key, "gzip"), body.gzipped)
        seconds = min(made.most_seconds_kept, self._max_age(query))
        headers = {
            "Cache-Control": "private, no-store" if want.holds_key else f"private, max-age={seconds}",
            "Cache-Status": CACHE_STATUS[made.outcome],
            "Content-Disposition": f'inline; filename="{asked.table}.{asked.extension}"',
            "Last-Modified": format_datetime(datetime.fromtimestamp(made.changed_at, tz=UTC), usegmt=True),
            "Vary": "Accept-Encoding, Authorization",
            "X-Data-As-Of": _iso(made.confirmed_at),
        }
        answer = Answer(200, writer.media_type, b"", headers)
        return conditional(answer, body, asked.if_none_match)

    def _max_age(self, query: Query) -> int:
        """Seconds that an answer may be kept: never past midnight, when a relative period means other days."""
        now = datetime.fromtimestamp(self.clock(), tz=UTC)
        tz = query.zone(self.default_tz)
        midnight = datetime.combine(self.today(tz) + ONE_DAY, time(), tz)
        return max(0, min(MOST_SECONDS_KEPT, int((midnight - now).total_seconds())))

    def today(self, tz: ZoneInfo) -> date:
        """The local day that it is now."""
        return datetime.fromtimestamp(self.clock(), tz=UTC).astimezone(tz).date()

    def _about(self, want: Wanted, made: Made, asked: Asked) -> About:
        query = want.query
        facts = (
            *made.facts,
            ("time zone", query.tz or self.default_tz),
            ("last confirmed", _iso(made.confirmed_at)),
            ("address", asked.address + want.link),
            *want.facts,
        )
        links = tuple((name, query.link(name)) for name in FORMATS if name != asked.extension)
        return About(query.table, facts, links, query.bom)

    async def meters(self, query: Query, permits: Callable[[Meter], bool]) -> Made:
        """What the table of meters is made from. SheetsError."""
        listed = await self.source.meters(query.meter, permits)
        tz = query.zone(self.default_tz)
        today = self.today(tz)
        return Made(
            facts=(("meters", str(len(listed.meters))),),
            fingerprint=repr((listed.meters, today)).encode(),
            confirmed_at=listed.confirmed_at,
            changed_at=listed.changed_at,
            outcome=listed.outcome,
            build=lambda: meters_table(listed.meters, tz, today),
        )

    async def usage(self, query: Query, permits: Callable[[Meter], bool]) -> Made:
        """What the table of usage is made from. SheetsError."""
        tz = query.zone(self.default_tz)

        def build(measured: list[Measured]) -> Table:
            return usage_of(query, measured, tz)

        return await self._of_a_period(
            query,
            permits,
            lambda meters: build([Measured(meter.name, NOTHING) for meter in meters]),
            lambda answers: build(measured_of(answers)),
        )

    async def gaps(self, query: Query, permits: Callable[[Meter], bool]) -> Made:
        """What the table of gaps is made from. SheetsError."""
        tz = query.zone(self.default_tz)
        return await self._of_a_period(
            query, permits, lambda _: gaps_of(query, [], tz), lambda answers: gaps_of(query, answers, tz)
        )

    async def workbook(self, query: Query, permits: Callable[[Meter], bool]) -> Made:
        """What the report is made from. SheetsError."""
        tz = query.zone(self.default_tz)
        return await self._of_a_period(
            query, permits, lambda _: gaps_of(query, [], tz), lambda answers: report_of(answers, tz)
        )

    async def _of_a_period(
        self,
        query: Query,
        permits: Callable[[Meter], bool],
        empty: Callable[[Sequence[Meter]], Table],
        build: Callable[[Sequence[Answered]], Table | Report],
    ) -> Made:
        """What a table of half-hours of one period is made from; `empty` is the table without any. SheetsError."""
        deadline = self.source.deadline()
        listed = await self.source.meters(query.meter, permits, deadline)
        tz = query.zone(self.default_tz)
        days = query.local_days(self.today(tz))
        if query.columns:  # a wrong name is refused before anything is fetched
            empty(listed.meters).select(query.columns)
        span = _span(days, tz)
        answers = await asyncio.gather(*(self.source.answer(meter, span, deadline) for meter in listed.meters))
        return made_of(
            answers,
            meters=", ".join(meter.name for meter in listed.meters),
            period=period_text(query, ends_found(days, [answer.half_hours for answer in answers], tz)),
            listing=listed.outcome,
            now=int(self.clock()),
            build=lambda: build(answers),
        )

    async def compare(self, query: Query, permits: Callable[[Meter], bool]) -> Made:
        """What the table of periods side by side is made from. SheetsError, BadParameter unless it is of one meter."""
        deadline = self.source.deadline()
        listed = await self.source.meters(query.meter, permits, deadline)
        meters = [meter.name for meter in listed.meters]
        if len(meters) > 1:
            raise BadParameter(
                "The table compare takes one meter, and the parameter meter means several.",
                remedy=f"For example meter={meters[0]}; the table meters lists all of them.",
            )
        tz = query.zone(self.default_tz)
        today = self.today(tz)
        days = [named_period(period, today) for period in query.periods]
        if query.columns:
            compare_of(query, days, [NOTHING] * len(days), tz).select(query.columns)
        spans = [_span(these, tz) for these in days]
        answers: list[Answered] = []
        for meter in listed.meters:
            await self.source.begin(meter, spans)
            answers = await asyncio.gather(*(self.source.answer(meter, span, deadline) for span in spans))
        half_hours = [answer.half_hours for answer in answers] or [NOTHING] * len(days)
        return made_of(
            answers,
            meters=", ".join(meters),
            period=", ".join(
                f"{days_text(ends_found(these, [its], tz))} ({period})"
                for these, its, period in zip(days, half_hours, query.periods, strict=True)
            ),
            listing=listed.outcome,
            now=int(self.clock()),
            build=lambda: compare_of(query, days, half_hours, tz),
        )

    async def status(self, _query: Query, permits: Callable[[Meter], bool]) -> Made:
        """What the table of facts about the service is made from. SheetsError."""
        status = await self.watch.status()
        facts = status_facts(status, permits)
        return Made(
            facts=(),
            fingerprint=repr(facts).encode(),
            confirmed_at=int(status.health.now),
            changed_at=int(status.health.now),
            outcome=Outcome.HIT,
            build=lambda: status_table(facts),
            most_seconds_kept=0,
        )


MAKERS = {
    "meters": Exports.meters,
    "usage": Exports.usage,
    "compare": Exports.compare,
    "gaps": Exports.gaps,
    "status": Exports.status,
    "workbook": Exports.workbook,
}


def _span(days: LocalDays, tz: ZoneInfo) -> Span:
    """The half-hours of local days; a side that is open lies beyond all data."""
    first = midnight(days.first, tz) if days.first else -BEYOND_ALL_DATA
    return Span(first, midnight(days.last + ONE_DAY, tz) if days.last else BEYOND_ALL_DATA)


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
