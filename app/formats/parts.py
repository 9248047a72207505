"""A workbook's parts, so that parts can be added which openpyxl would drop: ISO/IEC 29500-2, Open Packaging."""

import io
import posixpath
import zipfile
from dataclasses import dataclass
from typing import Any

from openpyxl.packaging.manifest import FileExtension, Manifest, Override
from openpyxl.packaging.relationship import Relationship, RelationshipList
from openpyxl.xml.functions import fromstring, tostring

CONTENT_TYPES = "[Content_Types].xml"
RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
LONG_AGO = (1980, 1, 1, 0, 0, 0)
LEVEL = 1
"""Of compression: the sheet of five years is packed a second time here."""


def read_part(kind: Any, part: bytes) -> Any:
    """A part as an element of openpyxl's of that kind."""
    return kind.from_tree(fromstring(part))


def written_part(element: Any) -> bytes:
    """An element of openpyxl's as a part."""
    return bytes(tostring(element.to_tree()))


@dataclass(frozen=True, slots=True)
class Parts:
    """A workbook, its parts by their names, which have no slash before them, in the order in which they are written."""

    by_name: dict[str, bytes]

    @classmethod
    def read(cls, packed: bytes) -> "Parts":
        """The parts of a workbook's bytes."""
        with zipfile.ZipFile(io.BytesIO(packed)) as file:
            return cls({name: file.read(name) for name in file.namelist()})

    def packed(self) -> bytes:
        """The bytes of a workbook with these parts."""
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as package:
            for name, part in self.by_name.items():
                package.writestr(zipfile.ZipInfo(name, LONG_AGO), part, zipfile.ZIP_DEFLATED, LEVEL)
        return file.getvalue()

    def add(self, name: str, part: bytes, content_type: str | None = None) -> None:
        """Adds a part; without a content type it is plain XML."""
        self.by_name[name] = part
        manifest = read_part(Manifest, self.by_name[CONTENT_TYPES])
        if content_type is not None:
            manifest.Override.append(Override(f"/{name}", content_type))
        elif "xml" not in {default.Extension for default in manifest.Default}:
            manifest.Default.append(FileExtension("xml", "application/xml"))
        self.by_name[CONTENT_TYPES] = written_part(manifest)

    def adopt(self, other: "Parts", part: str, name: str) -> None:
        """Adds a part of another workbook as `name`, and what it points to: those parts are yet to be adopted."""
        manifest = read_part(Manifest, other.by_name[CONTENT_TYPES])
        self.add(name, other.by_name[part], next(o.ContentType for o in manifest.Override if o.PartName == f"/{part}"))
        if (relationships := _relationships_part(part)) in other.by_name:
            self.by_name[_relationships_part(name)] = other.by_name[relationships]

    def relate(self, source: str, kind: str, target: str) -> str:
        """Lets the part `source` point to the part `target` as a `kind` of Office's own; the relationship's id."""
        listed = self._relationships(source)
        taken = {relationship.Id for relationship in listed}
        free = next(name for i in range(1, len(taken) + 2) if (name := f"rId{i}") not in taken)
        listed.append(Relationship(Id=free, Type=f"{RELATIONSHIPS}/{kind}", Target=f"/{target}"))
        self.by_name[_relationships_part(source)] = written_part(listed)
        return free

    def targets(self, source: str, kind: str) -> dict[str, str]:
        """The parts that `source` points to as a `kind`, by the relationship's id."""
        folder = posixpath.dirname(source)
        return {
            str(relationship.Id): posixpath.normpath(posixpath.join("/", folder, str(relationship.Target)))[1:]
            for relationship in self._relationships(source)
            if relationship.Type == f"{RELATIONSHIPS}/{kind}"
        }

    def _relationships(self, source: str) -> Any:
        name = _relationships_part(source)
        return read_part(RelationshipList, self.by_name[name]) if name in self.by_name else RelationshipList()


def _relationships_part(source: str) -> str:
    folder, name = posixpath.split(source)
    return posixpath.join(folder, "_rels", f"{name}.rels")
