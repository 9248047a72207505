"""Workbooks: openpyxl makes all but the rows; they are poured into its empty sheets here."""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from openpyxl import Workbook

from app.formats.package import Package
from app.formats.sheets import Strings

SHARED_STRINGS = "xl/sharedStrings.xml"
STRINGS_TYPE = (
    b'<Override PartName="/xl/sharedStrings.xml" '
    b'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"/>'
)
STRINGS_RELATIONSHIP = (
    b'<Relationship Id="rIdStrings" Target="sharedStrings.xml" '
    b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"/>'
)
"""openpyxl writes texts into their cells and makes no such part; Excel itself shares them."""
EMPTY_ROWS = re.compile(rb"<sheetData\s*/>|<sheetData></sheetData>")
DIMENSION = re.compile(rb"<dimension [^>]*/>")
MOMENTS = re.compile(rb"<dcterms:(created|modified)[^>]*>[^<]*</dcterms:\1>")
"""When openpyxl made the shell: nothing about the data, and other bytes for the same table."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a sheet as XML, and the area that they fill."""

    dimension: str
    chunks: Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Shell:
    """A workbook without rows: the parts of its package by name, and the parts of its sheets by title."""

    parts: Mapping[str, bytes]
    sheets: Mapping[str, str]

    @classmethod
    def of(cls, book: Workbook) -> "Shell":
        """What openpyxl saves of a workbook whose sheets are empty, with a place for shared strings."""
        book.properties.creator = "powershaper-sheets"
        book.calculation.fullCalcOnLoad = False  # every formula has its value: nothing to ask about on closing
        file = io.BytesIO()
        book.save(file)
        with zipfile.ZipFile(file) as package:
            parts = {name: package.read(name) for name in package.namelist()}
        parts["docProps/core.xml"] = MOMENTS.sub(b"", parts["docProps/core.xml"])
        _add(parts, "[Content_Types].xml", STRINGS_TYPE, b"</Types>")
        _add(parts, "xl/_rels/workbook.xml.rels", STRINGS_RELATIONSHIP, b"</Relationships>")
        sheets = {title: f"xl/worksheets/sheet{i}.xml" for i, title in enumerate(book.sheetnames, 1)}
        return cls(parts, sheets)

    def filled(self, rows: Mapping[str, Rows], strings: Strings, changed: Mapping[str, bytes]) -> bytes:
        """The file, with the `rows` of every sheet by its title, and `changed` parts in the place of the shell's.

        `strings` are the texts of the rows. TooLarge past 64 MB.
        """
        package = Package()
        of_sheets = {self.sheets[title]: its for title, its in rows.items()}
        for name, part in self.parts.items():
            if name in of_sheets:
                package.add(name, _poured(part, of_sheets[name]))
            else:
                package.add(name, [changed.get(name, part)])
        package.add(SHARED_STRINGS, strings.xml())  # last: the rows have added their texts by now
        return package.packed()


def _add(parts: dict[str, bytes], name: str, element: bytes, before: bytes) -> None:
    parts[name] = parts[name].replace(before, element + before)


def _poured(sheet: bytes, rows: Rows) -> Iterator[bytes]:
    before, after = EMPTY_ROWS.split(sheet)
    yield DIMENSION.sub(f'<dimension ref="{rows.dimension}"/>'.encode(), before) + b"<sheetData>"
    yield from rows.chunks
    yield b"</sheetData>" + after
