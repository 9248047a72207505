"""The DataMashup binary that holds a workbook's Power Query.

Its layout is [MS-QDEFF], Query Definition File Format; the spelling of its parts is what Excel itself writes.
"""

import io
import json
import struct
import zipfile
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5
from xml.sax.saxutils import escape, quoteattr

from app.formats.power_query import Formula

NAMESPACE = "http://schemas.microsoft.com/DataMashup"
DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'
SCHEMAS = 'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
CONFIG = (
    f"{DECLARATION}<Package {SCHEMAS}><Version>2.157.151.0</Version><MinVersion>2.21.0.0</MinVersion>"
    "<Culture>en-GB</Culture></Package>"
)
CONTENT_TYPES = (
    f'{DECLARATION}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="text/xml" /><Default Extension="m" ContentType="application/x-ms-m" />'
    "</Types>"
)
PERMISSIONS = (
    f"{DECLARATION}<PermissionList {SCHEMAS}><CanEvaluateFuturePackages>false</CanEvaluateFuturePackages>"
    "<FirewallEnabled>true</FirewallEnabled></PermissionList>"
)
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)
BOM = "\ufeff"
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The time of every part: the same query gives the same bytes."""


class Loaded(NamedTuple):
    """A query of a workbook: its name, its M, and the columns of the Excel table `target` that it fills."""

    name: str
    formula: Formula
    target: str
    columns: Sequence[str]


def data_mashup(loaded: Loaded) -> bytes:
    """The binary: version 0, then package, permissions, metadata and bindings, each behind its length in bytes."""
    parts = (_package(loaded), PERMISSIONS.encode(), _metadata(loaded), b"")
    return struct.pack("<I", 0) + b"".join(map(_sized, parts))


def _sized(part: bytes) -> bytes:
    return struct.pack("<I", len(part)) + part


def _package(loaded: Loaded) -> bytes:
    section = f"section Section1;\n\nshared {loaded.name} = {loaded.formula.text};\n".replace("\n", "\r\n")
    texts = {"Config/Package.xml": CONFIG, "[Content_Types].xml": CONTENT_TYPES, "Formulas/Section1.m": section}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in texts.items():
            package.writestr(zipfile.ZipInfo(name, LONG_AGO), text.encode(), zipfile.ZIP_DEFLATED)
    return file.getvalue()


def _metadata(loaded: Loaded) -> bytes:
    """One item for all formulas, one for the query, which says where it loads to, and one for each of its steps."""
    path = f"Section1/{quote(loaded.name, safe='')}"
    items = _item("AllFormulas", "", {}) + _item("Formula", path, _entries(loaded))
    for step, _ in loaded.formula.steps:
        items += _item("Formula", f"{path}/{quote(step, safe='')}", {})
    xml = f"{BOM}{DECLARATION}<LocalPackageMetadataFile {SCHEMAS}><Items>{items}</Items></LocalPackageMetadataFile>"
    return struct.pack("<I", 0) + _sized(xml.encode()) + _sized(EMPTY_ZIP)


def _entries(loaded: Loaded) -> dict[str, str]:
    """What is said of the query; a value's first letter is its type: l whole number, s text."""
    return {
        "IsPrivate": "l0",
        "FillEnabled": "l1",
        "FillObjectType": "sTable",
        "FillToDataModelEnabled": "l0",
        "FillTarget": f"s{loaded.target}",
        "FillTargetNameCustomized": "l1",
        "FillColumnNames": f"s{json.dumps(list(loaded.columns), separators=(',', ':'))}",
        "NameUpdatedAfterFill": "l0",
        "ResultType": "sTable",
        "QueryID": f"s{uuid5(NAMESPACE_URL, loaded.formula.text)}",
    }


def _item(kind: str, path: str, entries: dict[str, str]) -> str:
    written = "".join(f"<Entry Type={quoteattr(name)} Value={quoteattr(value)} />" for name, value in entries.items())
    return (
        f"<Item><ItemLocation><ItemType>{kind}</ItemType>"
        + (f"<ItemPath>{escape(path)}</ItemPath>" if path else "<ItemPath />")
        + "</ItemLocation>"
        + (f"<StableEntries>{written}</StableEntries>" if written else "<StableEntries />")
        + "</Item>"
    )
