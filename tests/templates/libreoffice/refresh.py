"""Run by the Python that knows LibreOffice: opens a workbook, points its links at a service, and refreshes them.

Arguments: the office's pipe, the workbook, the address in its links and that instead of it, a file to keep the workbook
as. Prints the cells of every sheet, the chart's values, the addresses and the columns that are too narrow as JSON.
"""

import json
import sys
from pathlib import Path
from typing import Any

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.document.UpdateDocMode import FULL_UPDATE


def cells(sheet: Any) -> list[list[Any]]:
    """The used cells of a sheet as rows: numbers, texts, and "" where nothing is."""
    cursor = sheet.createCursor()
    cursor.gotoEndOfUsedArea(False)
    end = cursor.RangeAddress
    used = sheet.getCellRangeByPosition(0, 0, end.EndColumn, end.EndRow)
    return [list(row) for row in used.DataArray]


def narrow(sheet: Any) -> list[str]:
    """The columns whose cells need more room than they have."""
    cursor = sheet.createCursor()
    cursor.gotoEndOfUsedArea(False)
    found = []
    for column in (sheet.Columns.getByIndex(place) for place in range(cursor.RangeAddress.EndColumn + 1)):
        width = column.Width
        column.setPropertyValue("OptimalWidth", True)
        if column.Width > width:
            found.append(f"{sheet.Name} {column.Name}")
    return found


def main(pipe: str, source: Path, before: str, address: str, kept: Path) -> None:
    """Does what a person does under Edit > Links to External Files, and saves."""
    resolver = uno.getComponentContext().ServiceManager.createInstance("com.sun.star.bridge.UnoUrlResolver")
    office = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
    desktop = office.ServiceManager.createInstance("com.sun.star.frame.Desktop")
    hidden, allowed = PropertyValue("Hidden", 0, True, 0), PropertyValue("UpdateDocMode", 0, FULL_UPDATE, 0)
    book = desktop.loadComponentFromURL(source.absolute().as_uri(), "_blank", 0, (hidden, allowed))
    for _ in range(book.AreaLinks.Count):
        first = book.AreaLinks.getByIndex(0)
        first.Url = first.Url.replace(before, address)  # a link that is changed becomes the last one
    links = [book.AreaLinks.getByIndex(place) for place in range(book.AreaLinks.Count)]
    for link in links:
        link.refresh()
    book.calculateAll()
    sheets = {name: cells(book.Sheets.getByName(name)) for name in book.Sheets.ElementNames}
    dates = book.Sheets.getByName("Days").getCellByPosition(0, 1).String if "Days" in sheets else ""
    chart = book.Sheets.getByName("Two profiles").Charts.getByIndex(0).EmbeddedObject
    lines = [list(row) for row in chart.Data.Data]
    said: dict[str, Any] = {"sheets": sheets, "links": [link.Url for link in links], "shown": dates, "lines": lines}
    book.storeToURL(kept.absolute().as_uri(), (PropertyValue("FilterName", 0, "calc8", 0),))
    said["narrow"] = [name for sheet in book.Sheets if sheet.Name != "About" for name in narrow(sheet)]
    book.close(True)
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4], Path(sys.argv[5]))
