"""From a link and what was measured to a table: the only place that knows which builder a link means."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from app.domain.gaps import missing_runs, suspect_runs
from app.domain.halfhours import HalfHours
from app.domain.periods import LocalDays
from app.formats import About, Format, write_report
from app.query import Kind, Layout, Query
from app.readthrough import Answered
from app.tables import (
    Compared,
    Measured,
    Report,
    Runs,
    Table,
    compare_table,
    gaps_table,
    report,
    usage_grid,
    usage_long,
    usage_wide,
)
from app.web.made import measured_of


def usage_of(query: Query, measured: list[Measured], tz: ZoneInfo) -> Table:
    """The table usage in the layout that a link asks for."""
    if query.layout is Layout.GRID:
        return usage_grid(measured, tz, query.value)
    if query.layout is Layout.WIDE:
        return usage_wide(measured, query.aggregate, tz, query.value, query.days)
    return usage_long(measured, query.aggregate, tz, query.days)


def gaps_of(query: Query, answers: Sequence[Answered], tz: ZoneInfo) -> Table:
    """The table gaps of the kind that a link asks for, of what each meter measured."""
    if query.kind is Kind.SUSPECT:
        runs = [suspect_runs(answer.half_hours, answer.meter.type) for answer in answers]
    else:
        runs = [missing_runs(answer.half_hours) for answer in answers]
    found = [Runs(answer.meter.name, its) for answer, its in zip(answers, runs, strict=True)]
    return gaps_table(found, tz)


def compare_of(query: Query, days: Sequence[LocalDays], half_hours: Sequence[HalfHours], tz: ZoneInfo) -> Table:
    """The table compare of the half-hours of each period, whose local days are `days`."""
    compared = [
        Compared(period, these.first, its) for period, these, its in zip(query.periods, days, half_hours, strict=True)
    ]
    return compare_table(compared, query.aggregate, tz, query.value, weekdays=query.days, difference=query.difference)


def report_of(answers: Sequence[Answered], tz: ZoneInfo) -> Report:
    """The ready-made report on what each meter measured."""
    return report(measured_of(answers), [answer.meter.type for answer in answers], tz)


def written(query: Query, content: Table | Report, writer: Format, about: About) -> bytes:
    """What a link asks for, in its format. TooLarge."""
    if isinstance(content, Report):
        return write_report(content, about)
    return writer.write(chosen_rows(query, content), about)


def chosen_rows(query: Query, table: Table) -> Table:
    """The columns and rows that a link asks for of a table."""
    table = table.select(query.columns)
    if query.first:
        return table.take(slice(0, query.first))
    if query.last:
        return table.take(slice(max(0, table.rows - query.last), table.rows))
    return table
