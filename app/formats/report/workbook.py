"""The report put together: which sheets there are, in which order, what they are called and how they are printed."""

from openpyxl.chart._chart import ChartBase
from openpyxl.utils import get_column_letter

from app.formats.about import About
from app.formats.chart_looks import colours
from app.formats.looks import print_on_a4
from app.formats.report.charts import Line, column_chart, line_chart
from app.formats.report.heat import add_heat_map
from app.formats.report.overview import add_overview
from app.formats.report.pen import HEADER_ROW, Pen, Placed
from app.formats.sheets import dimension
from app.formats.xlsx import about_rows, about_sheet
from app.tables import Report

MOST_DAYS_CHARTED, MOST_DAYS_ON_OVERVIEW = 400, 62
MOST_NAMES, MOST_ROWS_OF_A_PAGE = 4, 62
WIDE = 7
"""Columns from which on a sheet without a chart is printed in landscape."""
MOST_WIDTH_BESIDE = 110
"""Characters up to which a table and the charts beside it are printed side by side; else each chart has a page."""
ROWS_OF_CHART, COLUMNS_OF_CHART = 20, 14
DAY_FORMAT, MONTH_FORMAT, CLOCK_FORMAT = "d mmm", "mmm yyyy", "hh:mm"


def write(report: Report, about: About) -> bytes:
    """The workbook; `about` has the facts `meter` and `period`. TooLarge past a sheet's rows or 64 MB."""
    facts = dict(about.facts)
    none = "" if report.half_hours.rows else ". There are no half-hours in this period"
    note = f"{facts.get('period', '')}, time zone {facts.get('time zone', '')}{none}"
    pen = Pen()
    add_chart = add_overview(pen, report.meters, _heading(report), note)
    days, months = _days(pen, report, note), _months(pen, report, note)
    _profile(pen, report, note)
    add_heat_map(pen, report.meters, "Heat map", f"{note}. Click a cell for its number.")
    _further(pen, report, note)
    if report.days.rows <= MOST_DAYS_ON_OVERVIEW:
        add_chart(days, "Energy a day", DAY_FORMAT)
    else:
        add_chart(months, "Energy a month", MONTH_FORMAT)
    styles = about_sheet(pen.book)
    pen.pour(pen.book["about"], dimension(2, 1 + len(about.facts)), about_rows(about, styles, pen.strings))
    return pen.packed()


def _heading(report: Report) -> str:
    names = [meter.name for meter in report.meters]
    if not names:
        return "No meter"
    if len(names) > MOST_NAMES:
        return f"{len(names)} meters"
    text = ", ".join(names[:-1]) + " and " + names[-1] if names[1:] else names[0]
    return text[:1].upper() + text[1:]


def _days(pen: Pen, report: Report, note: str) -> Placed:
    charted = report.days.rows <= MOST_DAYS_CHARTED
    said = note if charted else f"{note}. Too many days for a chart: the sheet months has one."
    placed = pen.table("days", "Days", said, report.days, 2, totals=True)
    charts = _energy_charts(placed, report, "a day", DAY_FORMAT) if charted else 0
    _print(placed, landscape=True, charts=charts)
    return placed


def _months(pen: Pen, report: Report, note: str) -> Placed:
    said = f"{note}. The first and last month are as much of them as lies within."
    placed = pen.table("months", "Months", said, report.months, 1, totals=True)
    charts = _energy_charts(placed, report, "a month", MONTH_FORMAT)
    _print(placed, landscape=True, charts=charts)
    return placed


def _energy_charts(placed: Placed, report: Report, each: str, category_format: str) -> int:
    """A chart a meter, beside the table and below one another; gives how many there are."""
    if not placed.table.rows:
        return 0
    for i, (meter, colour) in enumerate(_coloured(report)):
        line = Line(f"{meter} kWh", meter, colour)
        title = f"{meter}, energy {each}"
        _beside(placed, i, column_chart(placed, [line], title=title, unit="kWh", category_format=category_format))
    return len(report.meters)


def _profile(pen: Pen, report: Report, note: str) -> None:
    placed = pen.table("profile", "Mean day", f"{note}. kWh a half-hour.", report.profile, 3, totals=False)
    meters = _coloured(report) if report.half_hours.rows else []
    for i, (meter, colour) in enumerate(meters):
        lines = [
            Line(f"{meter} weekday", "weekday", colour),
            Line(f"{meter} weekend", "weekend", colour, dashed=True),
        ]
        title, unit = f"{meter}, mean day", "kWh a half-hour"
        _beside(placed, i, line_chart(placed, lines, title=title, unit=unit, category_format=CLOCK_FORMAT))
    _print(placed, landscape=True, charts=len(meters))


def _further(pen: Pen, report: Report, note: str) -> None:
    """The tables that have no chart."""
    none = "" if report.gaps.rows else " No half-hour is missing."
    for placed in (
        pen.table("half-hours", "Half-hours", note, report.half_hours, 3, totals=False),
        pen.table("gaps", "Gaps", f"{note}. Runs of half-hours that are missing.{none}", report.gaps, 0, totals=True),
    ):
        _print(placed, landscape=len(placed.table.columns) >= WIDE)


def _print(placed: Placed, *, landscape: bool, charts: int = 0) -> None:
    sheet, columns = placed.sheet, len(placed.table.columns)
    widths = [sheet.column_dimensions[get_column_letter(i)].width for i in range(1, columns + 1)]
    follow = charts > 0 and sum(widths) > MOST_WIDTH_BESIDE
    if follow:
        first, last = get_column_letter(columns + 1), get_column_letter(columns + 1 + COLUMNS_OF_CHART)
        tops = range(HEADER_ROW, HEADER_ROW + charts * ROWS_OF_CHART, ROWS_OF_CHART)
        areas = [f"A1:{get_column_letter(columns)}{placed.last + 1}"]
        areas += [f"{first}{top}:{last}{top + ROWS_OF_CHART - 1}" for top in tops]
        sheet.print_area = ",".join(areas)
    one_page = not follow and placed.table.rows <= MOST_ROWS_OF_A_PAGE
    print_on_a4(sheet, landscape=landscape, title_rows=f"{HEADER_ROW}:{HEADER_ROW}", one_page=one_page)


def _coloured(report: Report) -> list[tuple[str, str]]:
    names = [meter.name for meter in report.meters]
    return list(zip(names, colours([meter.type for meter in report.meters]), strict=True))


def _beside(placed: Placed, place: int, chart: ChartBase) -> None:
    column = get_column_letter(len(placed.table.columns) + 2)
    placed.sheet.add_chart(chart, f"{column}{HEADER_ROW + 1 + ROWS_OF_CHART * place}")
