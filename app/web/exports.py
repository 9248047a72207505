"""The tables as answers: the walk from a link to bytes, over HTTP and for the command line alike."""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import numpy as np

from app.domain.errors import SheetsError
from app.domain.meters import Meter
from app.domain.periods import LocalDays
from app.domain.spans import ONE_DAY, Span, midnight
from app.formats import FORMATS, About
from app.query import DEFAULT_PERIOD, Layout, Query
from app.readthrough import Answered, Outcome, ReadThrough
from app.tables import NOTHING, Measured, Table, meters_table, usage_grid, usage_long, usage_wide
from app.web.answers import SMALLEST_GZIPPED, Answer, Body, conditional, takes_gzip
from app.web.bodies import Bodies
from app.web.connected import Wanted, wanted
from app.web.errors import failed

log = logging.getLogger(__name__)
BEYOND_ALL_DATA = 2**40
MOST_SECONDS_KEPT = 300
Pairs = Sequence[tuple[str, str]]
CACHE_STATUS = {
    Outcome.HIT: "powershaper-sheets; hit",
    Outcome.MISS: "powershaper-sheets; fwd=miss",
    Outcome.PARTIAL: "powershaper-sheets; fwd=partial",
    Outcome.STALE: "powershaper-sheets; fwd=stale",
}


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
class Made:
    """What a table will be made from: `fingerprint` is another for every other content.

    Moments are UTC seconds. `build` makes the table; it is slow for large ones, so it is called in a thread.
    """

    facts: tuple[tuple[str, str], ...]
    fingerprint: bytes
    confirmed_at: int
    changed_at: int
    outcome: Outcome
    build: Callable[[], Table]


@dataclass(frozen=True, slots=True)
class Exports:
    """Answers links. `clock` gives UTC seconds, `default_tz` is the zone of links that name none."""

    source: ReadThrough
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
            return Body.of(writer.write(made.build().select(query.columns), about))

        key = (asked.table, asked.extension, query, about, made.fingerprint)
        body = await (asyncio.to_thread(make) if want.holds_key else self.bodies.get(key, make))
        if not writer.is_packed and len(body) >= SMALLEST_GZIPPED and takes_gzip(asked.accept_encoding):
            body = await self.bodies.get((*key, "gzip"), body.gzipped)
        headers = {
            "Cache-Control": "private, no-store" if want.holds_key else f"private, max-age={self._max_age(query)}",
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
        deadline = self.source.deadline()
        listed = await self.source.meters(query.meter, permits, deadline)
        meters = listed.meters
        tz = query.zone(self.default_tz)
        days = query.local_days(self.today(tz))
        span = _span(days, tz)
        if query.columns:  # a wrong name is refused before anything is fetched
            _laid_out(query, [Measured(meter.name, NOTHING) for meter in meters], tz).select(query.columns)
        answers = await asyncio.gather(*(self.source.answer(meter, span, deadline) for meter in meters))
        measured = [Measured(answer.meter.name, answer.half_hours) for answer in answers]
        confirmed_at = _confirmed_at(answers) or int(self.clock())
        stale = [Outcome.STALE] if listed.outcome is Outcome.STALE else []
        return Made(
            facts=(
                ("meter", ", ".join(meter.name for meter in meters)),
                ("period", _period_text(query, days)),
                ("coverage", _coverage(answers)),
            ),
            fingerprint=b"".join(_fingerprint(one) for one in measured),
            confirmed_at=confirmed_at,
            changed_at=max((answer.changed_at or 0 for answer in answers), default=0) or confirmed_at,
            outcome=_overall([answer.outcome for answer in answers] + stale),
            build=lambda: _laid_out(query, measured, tz),
        )


MAKERS = {"meters": Exports.meters, "usage": Exports.usage}


def _span(days: LocalDays, tz: ZoneInfo) -> Span:
    """The half-hours of local days; a side that is open lies beyond all data."""
    first = midnight(days.first, tz) if days.first else -BEYOND_ALL_DATA
    return Span(first, midnight(days.last + ONE_DAY, tz) if days.last else BEYOND_ALL_DATA)


def _fingerprint(one: Measured) -> bytes:
    """32 bytes that are others for every other name, span and content."""
    half_hours = one.half_hours
    content = hashlib.blake2b(f"{one.meter} {half_hours.first} {len(half_hours)}".encode(), digest_size=32)
    for array in (half_hours.micro_kwh, half_hours.micro_kg, half_hours.present, half_hours.has_carbon):
        content.update(np.ascontiguousarray(array).view(np.uint8).data)
    return content.digest()


def _laid_out(query: Query, measured: list[Measured], tz: ZoneInfo) -> Table:
    if query.layout is Layout.GRID:
        return usage_grid(measured, tz, query.value)
    if query.layout is Layout.WIDE:
        return usage_wide(measured, query.aggregate, tz, query.value)
    return usage_long(measured, query.aggregate, tz)


def _confirmed_at(answers: Sequence[Answered]) -> int | None:
    """The oldest confirmation of a day that is still rechecked; if none is, the newest of all; None without a day."""
    rechecked = [answer.rechecked_at for answer in answers if answer.rechecked_at is not None]
    confirmed = [answer.confirmed_at for answer in answers if answer.confirmed_at is not None]
    return min(rechecked) if rechecked else max(confirmed, default=None)


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
