"""The report's heat map: a row a day, a column a half-hour of the day, and a colour for how much it was."""

from collections.abc import Iterator, Sequence

from openpyxl.formatting.rule import ColorScale, FormatObject, Rule
from openpyxl.styles import Alignment, Color, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from app.formats.chart_looks import colours
from app.formats.looks import GREY, Look, print_on_a4
from app.formats.report.pen import FONT, NOTE, TITLE, Pen
from app.formats.sheets import Loose, dimension, loose_row, table_rows
from app.tables import OfMeter

DATE_WIDTH, CELL_WIDTH, HEADER_HEIGHT = 16, 2.9, 34
DARKER = {"0A7D55": "053D29", "E09F1F": "7A4A00"}
BLACK = "262626"
FIRST_BLOCK = 4
MOST_LANDSCAPE, MOST_ROWS_OF_A_PAGE = 40, 100


def add_heat_map(pen: Pen, meters: Sequence[OfMeter], heading: str, note: str) -> None:
    """Adds the sheet, a block a meter one below the other; a block says so when it doesn't show all days."""
    sheet = pen.sheet("heat map")
    sheet.column_dimensions["A"].width = DATE_WIDTH
    widest = max((len(meter.heat.columns) for meter in meters), default=1)
    for i in range(2, widest + 1):
        sheet.column_dimensions[get_column_letter(i)].width = CELL_WIDTH
    shown = sum(meter.heat.rows for meter in meters)
    one_page = shown <= MOST_ROWS_OF_A_PAGE
    hours = None if one_page else f"{FIRST_BLOCK + 1}:{FIRST_BLOCK + 1}"  # the same above each meter
    print_on_a4(sheet, landscape=shown <= MOST_LANDSCAPE, title_rows=hours, one_page=one_page)
    sheet.freeze_panes = "B4"
    starts, row = [], FIRST_BLOCK
    for meter, colour in zip(meters, colours([meter.type for meter in meters]), strict=True):
        starts.append(row)
        if meter.heat.rows:
            area = f"B{row + 2}:{get_column_letter(widest)}{row + 1 + meter.heat.rows}"
            sheet.conditional_formatting.add(area, _scale(colour))
        row += meter.heat.rows + 3
    pen.pour(sheet, dimension(widest, max(row - 2, 2)), _rows(pen, sheet, meters, starts, (heading, note)))


def _scale(colour: str) -> Rule:
    """From white over the meter's colour, at what nine in ten half-hours stay below, to dark."""
    stops = [FormatObject(type="min"), FormatObject(type="percentile", val=90), FormatObject(type="max")]
    shades = [Color("FFFFFFFF"), Color(f"FF{colour}"), Color(f"FF{DARKER.get(colour, BLACK)}")]
    return Rule(type="colorScale", colorScale=ColorScale(cfvo=stops, color=shades))


def _rows(
    pen: Pen, sheet: Worksheet, meters: Sequence[OfMeter], starts: Sequence[int], top: tuple[str, str]
) -> Iterator[bytes]:
    small = Font(name=FONT, size=9, color=GREY)
    upright = Alignment(horizontal="center", vertical="bottom", text_rotation=90)
    turned = Look(font=small, alignment=upright).style(sheet)
    date = Look("ddd yyyy-mm-dd", Alignment(horizontal="left", indent=1), Font(name=FONT, size=10)).style(sheet)
    hidden = Look(";;;").style(sheet)  # the number is there for who clicks, the colour for who looks
    block = Look(font=Font(name=FONT, size=12, bold=True)).style(sheet)
    titles = [
        loose_row(1, [Loose(top[0], TITLE.style(sheet))], pen.strings, 24),
        loose_row(2, [Loose(top[1], NOTE.style(sheet))], pen.strings),
    ]

    def chunks() -> Iterator[bytes]:
        yield from titles
        for meter, start in zip(meters, starts, strict=True):
            labels = [Loose(name, turned) for name in meter.heat.header[1:]]
            yield loose_row(start, [Loose(_block_heading(meter), block)], pen.strings, 18)
            yield loose_row(start + 1, [None, *labels], pen.strings, HEADER_HEIGHT)
            yield from table_rows(meter.heat, start + 2, [date] + [hidden] * len(labels), pen.strings)

    return chunks()


def _block_heading(meter: OfMeter) -> str:
    if meter.heat.rows == meter.heat_days:
        return f"{meter.name}, kWh"
    shown = f"the last {meter.heat.rows:,} of {meter.heat_days:,} days; the sheet half-hours has all"
    return f"{meter.name}, kWh, {shown}"
