"""The connected workbook: an ordinary one whose table is bound to its address by an embedded Power Query.

The parts are those that Excel for Windows writes when a query loads into a table: a connection, a query table, a hidden
name over the table, and the query itself in a part of custom XML ([MS-QDEFF], ISO/IEC 29500-1, 18.13 and 18.15).
"""

from base64 import b64encode
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from xml.sax.saxutils import escape, quoteattr

from openpyxl.packaging.workbook import ChildSheet, WorkbookPackage
from openpyxl.utils import absolute_coordinate, quote_sheetname
from openpyxl.workbook.defined_name import DefinedName, DefinedNameList
from openpyxl.worksheet.table import Table as ExcelTable

from app.formats import xlsx
from app.formats.about import About
from app.formats.charted import chart_sheet
from app.formats.mashup import NAMESPACE, Loaded, data_mashup
from app.formats.parts import Parts, read_part, written_part
from app.formats.power_query import Formula
from app.tables import Table

XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
CUSTOM_XML = "http://schemas.openxmlformats.org/officeDocument/2006/customXml"
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
CUSTOM_PROPERTIES = "application/vnd.openxmlformats-officedocument.customXmlProperties+xml"
CONNECTIONS, QUERY_TABLE = "xl/connections.xml", "xl/queryTables/queryTable1.xml"
ITEM, ITEM_PROPERTIES = "customXml/item1.xml", "customXml/itemProps1.xml"
AREA_NAME = "ExternalData_1"
CHART_SHEET = "chart"


@dataclass(frozen=True, slots=True)
class Binding:
    """What a table is bound to: the query that fills it, and whether a chart stands on a sheet of its own."""

    formula: Formula
    chart: bool = False


def write(table: Table, about: About, binding: Binding) -> bytes:
    """The workbook of xlsx.write with its table bound, and refreshed when it is opened.

    TooLarge, and BadParameter for a chart of a table that has nothing to draw.
    """
    parts = Parts.read(xlsx.write(table, about))
    workbook = next(iter(parts.targets("", "officeDocument").values()))
    book = read_part(WorkbookPackage, parts.by_name[workbook])
    place, sheet = next((i, sheet) for i, sheet in enumerate(book.sheets) if sheet.name == table.name)
    sheet_part = parts.targets(workbook, "worksheet")[str(sheet.id)]
    table_part = next(iter(parts.targets(sheet_part, "table").values()))
    area = _bind_table(parts, table_part)
    _name_area(book, place, table.name, area)
    if binding.chart:
        _add_chart(parts, workbook, book, place + 1, table)
    parts.by_name[workbook] = written_part(book)
    _connect(parts, workbook, table, binding.formula)
    return parts.packed()


def _bind_table(parts: Parts, table_part: str) -> str:
    """Makes the Excel table one that a query fills; its area."""
    bound = read_part(ExcelTable, parts.by_name[table_part])
    bound.tableType = "queryTable"
    for i, column in enumerate(bound.tableColumns, 1):
        column.uniqueName = str(i)
        column.queryTableFieldId = i
    parts.by_name[table_part] = written_part(bound)
    names = [(column.id, str(column.name)) for column in bound.tableColumns]
    parts.add(QUERY_TABLE, _query_table(names), f"{SPREADSHEET}.queryTable+xml")
    parts.relate(table_part, "queryTable", QUERY_TABLE)
    return str(bound.ref)


def _query_table(columns: list[tuple[int, str]]) -> bytes:
    fields = "".join(
        f'<queryTableField id="{i}" name={quoteattr(name)} tableColumnId="{column}"/>'
        for i, (column, name) in enumerate(columns, 1)
    )
    return (
        f'{XML}<queryTable xmlns="{MAIN}" name="{AREA_NAME}" refreshOnLoad="1" connectionId="1" autoFormatId="16" '
        'applyNumberFormats="0" applyBorderFormats="0" applyFontFormats="1" applyPatternFormats="1" '
        f'applyAlignmentFormats="0" applyWidthHeightFormats="0"><queryTableRefresh nextId="{len(columns) + 1}">'
        f'<queryTableFields count="{len(columns)}">{fields}</queryTableFields></queryTableRefresh></queryTable>'
    ).encode()


def _name_area(book: Any, place: int, sheet: str, area: str) -> None:
    """The hidden name by which Excel knows the area of external data."""
    if book.definedNames is None:
        book.definedNames = DefinedNameList()
    text = f"{quote_sheetname(sheet)}!{absolute_coordinate(area)}"
    added = DefinedName(AREA_NAME, localSheetId=place, hidden=True, attr_text=text)
    book.definedNames.definedName = [*book.definedNames.definedName, added]


def _connect(parts: Parts, workbook: str, table: Table, formula: Formula) -> None:
    """Adds the connection and the query that it names."""
    name = table.name
    source = (
        f"Provider=Microsoft.Mashup.OleDb.1;Data Source=$Workbook$;Location={name};Extended Properties=&quot;&quot;"
    )
    command = f"SELECT * FROM [{name}]"  # noqa: S608 - the name is one of our tables
    connection = (
        f'{XML}<connections xmlns="{MAIN}"><connection id="1" keepAlive="1" name="Query - {name}" '
        f'description="Connection to the \'{name}\' query in the workbook." type="5" refreshedVersion="8" '
        f'background="1" refreshOnLoad="1" saveData="1"><dbPr connection="{source}" '
        f'command="{command}"/></connection></connections>'
    )
    parts.add(CONNECTIONS, connection.encode(), f"{SPREADSHEET}.connections+xml")
    parts.relate(workbook, "connections", CONNECTIONS)
    binary = data_mashup(Loaded(name, formula, name, table.header))
    item = f'<?xml version="1.0" encoding="utf-16"?><DataMashup xmlns="{NAMESPACE}">{b64encode(binary).decode()}'
    parts.add(ITEM, b"\xff\xfe" + f"{item}</DataMashup>".encode("utf-16-le"))
    item_id = str(uuid5(NAMESPACE_URL, NAMESPACE)).upper()
    properties = (
        f'{XML}<ds:datastoreItem ds:itemID="{{{item_id}}}" xmlns:ds="{CUSTOM_XML}">'
        f'<ds:schemaRefs><ds:schemaRef ds:uri="{escape(NAMESPACE)}"/></ds:schemaRefs></ds:datastoreItem>'
    )
    parts.add(ITEM_PROPERTIES, properties.encode(), CUSTOM_PROPERTIES)
    parts.relate(ITEM, "customXmlProps", ITEM_PROPERTIES)
    parts.relate(workbook, "customXml", ITEM)


def _add_chart(parts: Parts, workbook: str, book: Any, place: int, table: Table) -> None:
    """Puts a sheet with the chart at `place`; names of the sheets behind it keep their sheets."""
    made = Parts.read(chart_sheet(table, CHART_SHEET))
    made_book = next(iter(made.targets("", "officeDocument").values()))
    sheet = next(iter(made.targets(made_book, "worksheet").values()))
    drawing = next(iter(made.targets(sheet, "drawing").values()))
    (chart,) = made.targets(drawing, "chart").values()
    sheet_part = f"xl/worksheets/sheet{len(book.sheets) + 1}.xml"
    for part, name in ((sheet, sheet_part), (drawing, drawing), (chart, chart)):
        parts.adopt(made, part, name)
    for defined in book.definedNames.definedName if book.definedNames else ():
        if defined.localSheetId is not None and defined.localSheetId >= place:
            defined.localSheetId += 1
    added = ChildSheet(
        name=CHART_SHEET,
        sheetId=max(sheet.sheetId for sheet in book.sheets) + 1,
        id=parts.relate(workbook, "worksheet", sheet_part),
    )
    book.sheets = [*book.sheets[:place], added, *book.sheets[place:]]
