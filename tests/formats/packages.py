"""The rules of OOXML packages that can be checked without Excel."""

import io
import zipfile
from collections import Counter
from pathlib import PurePosixPath
from xml.etree import ElementTree as ET

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def assert_sound(body: bytes) -> None:
    """No part twice, none dangling, none without a type, all well-formed; tables lie over their headers."""
    with zipfile.ZipFile(io.BytesIO(body)) as package:
        assert package.testzip() is None
        names = package.namelist()
        parts = {name: ET.fromstring(package.read(name)) for name in names}  # noqa: S314 - our own file
    assert [name for name, count in Counter(names).items() if count > 1] == []
    types = parts["[Content_Types].xml"]
    overrides = [item.attrib["PartName"].lstrip("/") for item in types if "PartName" in item.attrib]
    extensions = {item.attrib["Extension"] for item in types if "Extension" in item.attrib}
    assert len(set(overrides)) == len(overrides)
    assert set(overrides) <= set(names)
    assert {name.rpartition(".")[2] for name in names} <= extensions
    pointed_at = {"[Content_Types].xml"}
    for name, part in parts.items():
        if name.endswith(".rels"):
            pointed_at |= {name, *targets(name, part)}
    assert pointed_at == set(names)
    for name, part in parts.items():
        if name.startswith("xl/worksheets/sheet"):
            assert_sheet_sound(name, part, parts)


def targets(name: str, rels: ET.Element) -> list[str]:
    """The parts that relationships point at; their ids are unique."""
    assert len({item.attrib["Id"] for item in rels}) == len(rels)
    folder = PurePosixPath(name).parent.parent
    found = []
    for item in rels:
        steps: list[str] = []
        for step in PurePosixPath("/" + str(folder), item.attrib["Target"]).parts[1:]:
            steps = steps[:-1] if step == ".." else [*steps, step]
        found.append("/".join(step for step in steps if step != "."))
    return found


def assert_sheet_sound(name: str, sheet: ET.Element, parts: dict[str, ET.Element]) -> None:
    """Rows and cells ascend, the dimension holds them, texts exist, and every table's header is its columns' names."""
    strings = ["".join(item.itertext()) for item in parts["xl/sharedStrings.xml"]]
    styles = len(parts["xl/styles.xml"].findall(f"{MAIN}cellXfs/{MAIN}xf"))
    rows = [int(row.attrib["r"]) for row in sheet.iter(f"{MAIN}row")]
    assert rows == sorted(set(rows))
    texts: dict[str, str] = {}
    places = []
    for row in sheet.iter(f"{MAIN}row"):
        columns = [place(cell.attrib["r"]) for cell in row]
        assert columns == sorted(set(columns))
        places += columns
        for cell in row:
            assert int(cell.attrib["s"]) < styles
            assert place(cell.attrib["r"])[1] == int(row.attrib["r"])
            if cell.get("t") == "s":
                texts[cell.attrib["r"]] = strings[int(cell.findtext(f"{MAIN}v") or "")]
    dimension = sheet.find(f"{MAIN}dimension")
    assert dimension is not None
    last = place(dimension.attrib["ref"].partition(":")[2] or "A1")
    assert max((column for column, _ in places), default=1) <= last[0]
    assert max(rows, default=1) <= last[1]
    rels = parts.get(name.replace("worksheets/", "worksheets/_rels/") + ".rels")
    for path in targets(name.replace("worksheets/", "worksheets/_rels/"), rels) if rels is not None else ():
        if path.startswith("xl/tables/"):
            assert_table_sound(parts[path], texts)


def assert_table_sound(table: ET.Element, texts: dict[str, str]) -> None:
    """The header cells are the columns' names, and a row is below them."""
    first, last = (place(corner) for corner in table.attrib["ref"].split(":"))
    names = [column.attrib["name"] for column in table.iter(f"{MAIN}tableColumn")]
    assert len({name.lower() for name in names}) == len(names) == last[0] - first[0] + 1
    header = {place(at): text for at, text in texts.items()}
    assert names == [header[column, first[1]] for column in range(first[0], last[0] + 1)]
    assert last[1] > first[1] + int(table.get("totalsRowCount", "0"))


def place(cell: str) -> tuple[int, int]:
    """Column and row of a cell's name, counted from 1."""
    letters = cell.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = 26 * column + ord(letter) - 64
    return column, int(cell[len(letters) :])
