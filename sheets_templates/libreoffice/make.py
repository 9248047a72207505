"""Makes powershaper.ods: a workbook whose sheets are linked to the service's addresses.

Run by the Python that knows LibreOffice (`python3-uno`), with an office listening as the one that
tests/templates/libreoffice/office.py starts: `python3 make.py PIPE FILE`.
"""

import sys
from pathlib import Path
from typing import Any

import uno
from com.sun.star.awt import Rectangle
from com.sun.star.beans import PropertyValue
from com.sun.star.drawing.FillStyle import NONE as NO_FILL
from com.sun.star.drawing.LineStyle import NONE as NO_LINE
from com.sun.star.table import CellAddress
from com.sun.star.table.CellHoriJustify import RIGHT

ADDRESS = "http://127.0.0.1:8000"
CSV = ("Text - txt - csv (StarCalc)", "44,34,76,1,,2057,false,true")
"""LibreOffice's filter and its options: comma, quote, UTF-8, from line 1, English (UK), detect dates and numbers."""
HOUR = 3600
BOLD = 150
A4_LANDSCAPE = (29700, 21000)
"""Width and height, in hundredths of a millimetre."""
EVERYTHING = 1023
"""All of com.sun.star.sheet.CellFlags."""
NOT_YET = "Not loaded yet: start the service, and allow the update."
LINKS = {
    "Days": "usage.csv?period=last-31-days&aggregate=day&layout=wide",
    "Last month": "usage.csv?period=last-month&aggregate=profile&layout=wide",
    "Last 12 months": "usage.csv?period=last-12-months&aggregate=profile&layout=wide",
}
"""The sheets that are linked, one address each: a table that grows pushes aside what stands beside it."""
NARROW, WIDE = 3500, 7000
"""Room for a date or the name of a profile, and for that of a meter's column, in hundredths of a millimetre."""
FIRST_METER = 3
"""The column of the first meter in a wide table, after time and time_utc, counted from 1."""
ABOUT = [
    "Your half-hours in LibreOffice",
    "The sheets Days, Last month and Last 12 months are linked to powershaper-sheets on this machine, http://127.0.0.1:8000.",
    "To load them: start the service (powershaper-sheets serve, or demo), and allow the update when LibreOffice asks.",
    "To load them again: Edit > Links to External Files > Update. While the document is open that happens every hour.",
    "Another address, period or meter: Edit > Links to External Files > Modify.",
    f"Two profiles shows column {FIRST_METER} of the last two, the first meter: its formulas name it.",
]


def made(desktop: Any) -> Any:
    """The workbook, open and hidden; its links not yet followed."""
    book = desktop.loadComponentFromURL("private:factory/scalc", "_blank", 0, (PropertyValue("Hidden", 0, True, 0),))
    about = book.Sheets.getByIndex(0)
    about.Name = "About"
    for row, line in enumerate(ABOUT):
        about.getCellByPosition(0, row).String = line
    about.getCellByPosition(0, 0).CharWeight = BOLD
    for place, name in enumerate(["Two profiles", *LINKS], 1):
        book.Sheets.insertNewByName(name, place)
    for place, asked in enumerate(LINKS.values(), 2):
        book.AreaLinks.insertAtPosition(CellAddress(place, 0, 0), f"{ADDRESS}/{asked}", "CSV_all", *CSV)
        book.AreaLinks.getByIndex(book.AreaLinks.Count - 1).RefreshPeriod = HOUR
        sheet = book.Sheets.getByIndex(place)
        sheet.clearContents(EVERYTHING)
        sheet.getCellByPosition(0, 0).String = NOT_YET
        sheet.getCellRangeByName("A1").Columns.Width = NARROW
        sheet.getCellRangeByName("B1:J1").Columns.Width = WIDE
    compared(book)
    page = book.StyleFamilies.getByName("PageStyles").getByName("Default")
    page.IsLandscape, page.Width, page.Height = True, *A4_LANDSCAPE
    page.ScaleToPagesX, page.ScaleToPagesY = 1, 0
    return book


def compared(book: Any) -> None:
    """Fills the sheet of both profiles with formulas that hold however often the linked tables grow and shrink."""
    profiles = book.Sheets.getByName("Two profiles")
    headings = ("time", *list(LINKS)[1:])
    # A chart of cells that are still empty gets no lines: it is made on noughts, and the formulas come afterwards.
    profiles.getCellRangeByName("A1:C49").DataArray = (headings, *((0.0, 0.0, 0.0) for _ in range(48)))
    profiles.getCellRangeByName("A1:C1").CharWeight = BOLD
    charted(profiles)
    profiles.getCellRangeByName("A2:A49").NumberFormat = book.NumberFormats.queryKey("HH:MM", book.CharLocale, False)
    profiles.getCellRangeByName("B2:C49").NumberFormat = book.NumberFormats.addNew("0.000", book.CharLocale)
    for place, (sheet, column) in enumerate([("Last month", 1), *((name, FIRST_METER) for name in headings[1:])]):
        for row in range(1, 49):
            held = f"INDEX($'{sheet}'.$A$1:$AMJ$1048576;ROW();{column})"
            profiles.getCellByPosition(place, row).Formula = f'=IF({held}="";"";{held})'
    profiles.getCellRangeByName("A1:C1").HoriJustify = RIGHT
    profiles.getCellRangeByName("A1:C1").Columns.Width = NARROW


def charted(profiles: Any) -> None:
    """Puts the chart of both profiles beside them."""
    everything = profiles.getCellRangeByName("A1:C49").RangeAddress
    profiles.Charts.addNewByName("Profiles", Rectangle(11000, 500, 18000, 10000), (everything,), True, True)
    chart = profiles.Charts.getByName("Profiles").EmbeddedObject
    chart.Diagram = chart.createInstance("com.sun.star.chart.LineDiagram")
    chart.HasMainTitle = chart.HasLegend = True
    chart.Title.String = "A mean day: kWh a half-hour"
    chart.Diagram.Wall.FillStyle = chart.Legend.FillStyle = NO_FILL
    chart.Legend.LineStyle = NO_LINE


def main(pipe: str, file: Path) -> None:
    """Connects to the office that listens on a pipe, and saves the workbook as a file."""
    resolver = uno.getComponentContext().ServiceManager.createInstance("com.sun.star.bridge.UnoUrlResolver")
    office = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
    book = made(office.ServiceManager.createInstance("com.sun.star.frame.Desktop"))
    book.storeToURL(file.absolute().as_uri(), (PropertyValue("FilterName", 0, "calc8", 0),))
    book.close(True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
