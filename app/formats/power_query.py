"""Power Query's M: a table's link as a query that loads it with typed columns, for Excel and Power BI.

The first argument of Web.Contents is a plain text, and path and parameters stand in RelativePath and Query: only so can
the refresh service of Power BI tell where the data comes from (learn.microsoft.com, Web.Contents).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlsplit

from app.query import Layout, Query

DATETIME, DATE, TIME = "type datetime", "type date", "type time"
NUMBER, TEXT, ANY = "type number", "type text", "type any"
CULTURE = '"en-GB"'
"""Reads `2021-06-01 00:30:00` and `0.5` alike on every machine."""
LABELS = {"none": DATETIME, "hour": DATETIME, "profile": TIME}
"""What `time` is, by the aggregate; for all others it is a date."""
KINDS: Mapping[str, Mapping[str, str]] = {
    "usage": {
        "energy_kwh": NUMBER,
        "carbon_kg": NUMBER,
        "error_count": NUMBER,
        "meter": TEXT,
        "time_utc": DATETIME,
        "coverage_pct": NUMBER,
    },
    "meters": {
        "meter": TEXT,
        "type": TEXT,
        "consent_uuid": TEXT,
        "status": TEXT,
        "earliest": DATETIME,
        "latest": DATETIME,
        "days_since_latest": NUMBER,
    },
    "gaps": {
        "meter": TEXT,
        "start": DATETIME,
        "end": DATETIME,
        "half_hours": NUMBER,
        "start_utc": DATETIME,
        "end_utc": DATETIME,
    },
    "status": {"name": TEXT},
}
"""The columns of a table whose kind is known; a column that joins later comes through as it is."""


@dataclass(frozen=True, slots=True)
class Formula:
    """A query of M: pairs of a step's name and its expression, the last one the result."""

    steps: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """The query as it is written, lines ended by a line feed."""
        lines = ",\n".join(f"    {name} = {expression}" for name, expression in self.steps)
        return f"let\n{lines}\nin\n    {self.steps[-1][0]}"


def refreshed(query: Query) -> Query:
    """What M asks for to show `query`: an error as rows would take the place of rows, so it stays an error."""
    return replace(query, errors=None, bom=False)


def power_query(
    query: Query,
    address: str,
    source: str = "csv",
    *,
    key: str | None = None,
    asks_for_key: bool = False,
    columns: Sequence[str] = (),
) -> Formula:
    """M that loads a table from `address` as `source`, csv or json.

    `key` is put into the query. With `asks_for_key` Excel is told the parameter of a key that the user types in a
    dialogue. `columns` stand in for those of a JSON without rows, which names none.
    """
    load = [
        ("Source", _contents(query, address, source, key, asks_for_key=asks_for_key)),
        *(_json_rows(query, columns) if source == "json" else CSV_ROWS),
    ]
    known, others = _kinds(query)
    types = ", ".join(f"{_m_name(name)} = {kind}" for name, kind in known.items())
    convert = f"Table.TransformColumnTypes(\n        Rows, List.Transform({NAMES}, each {{_, TypeOf(_)}}), {CULTURE})"
    return Formula(
        (
            *load,
            ("Types", f"[{types}]"),
            ("TypeOf", f"(name) => Record.FieldOrDefault(Types, name, {others})"),
            ("Typed", convert),
        )
    )


NAMES = "Table.ColumnNames(Rows)"
CSV_ROWS = [
    ("Csv", 'Csv.Document(Binary.Buffer(Source), [Delimiter = ",", Encoding = 65001])'),
    ("Headed", "Table.PromoteHeaders(Csv, [PromoteAllScalars = true])"),
    ("Rows", 'Table.ReplaceValue(Headed, "", null, Replacer.ReplaceValue, Table.ColumnNames(Headed))'),
]


def _json_rows(query: Query, columns: Sequence[str]) -> list[tuple[str, str]]:
    """The steps from JSON to rows; a moment loses its offset, so that it is the clock on the wall as in the CSV."""
    known, _ = _kinds(query)
    moments = [name for name, kind in known.items() if kind == DATETIME]
    records = "Table.FromRecords(Json)"
    if columns:
        records = f"if List.IsEmpty(Json) then #table({_m_list(columns)}, {{}}) else {records}"
    return [
        ("Json", "Json.Document(Source)"),
        ("Records", records),
        ("Moments", f"List.Select(Table.ColumnNames(Records), each List.Contains({_m_list(moments)}, _))"),
        ("Clock", "(moment) => if moment = null then null else Text.Start(moment, 19)"),
        ("Rows", "Table.TransformColumns(Records, List.Transform(Moments, each {_, Clock}))"),
    ]


def _kinds(query: Query) -> tuple[dict[str, str], str]:
    """The kinds of the columns that are known by name, and of all others."""
    label = LABELS.get(query.aggregate, DATE)
    if query.table == "compare":
        return {"time": TIME if label == TIME else NUMBER}, NUMBER
    if query.table != "usage":
        return dict(KINDS[query.table]), ANY
    if query.layout is Layout.GRID:
        return {"date": DATE, "meter": TEXT}, NUMBER
    if query.layout is Layout.WIDE:
        return {"time": label, "time_utc": DATETIME}, NUMBER
    return {"time": label, **KINDS["usage"]}, ANY


def _contents(query: Query, address: str, source: str, key: str | None, *, asks_for_key: bool) -> str:
    parts = urlsplit(address + refreshed(query).link(source))
    fields: dict[str, list[str]] = {}
    for name, value in parse_qsl(parts.query):
        fields.setdefault(name, []).append(value)
    if key is not None:
        fields["key"] = [key]
    asked = ", ".join(f"{name} = {_m_value(values)}" for name, values in fields.items())
    options = f"RelativePath = {_m_text(parts.path.lstrip('/'))}"
    options += f", Query = [{asked}]" if asked else ""
    options += ', ApiKeyName = "key"' if asks_for_key else ""
    return f"Web.Contents({_m_text(f'{parts.scheme}://{parts.netloc}')}, [{options}])"


def _m_name(name: str) -> str:
    """The name of a field; `type` is a word of M."""
    return '#"type"' if name == "type" else name


def _m_value(values: Sequence[str]) -> str:
    return _m_text(values[0]) if len(values) == 1 else _m_list(values)


def _m_list(texts: Sequence[str]) -> str:
    return "{" + ", ".join(map(_m_text, texts)) + "}"


def _m_text(text: str) -> str:
    """A text of M: quotes doubled, control characters and the escape's own start escaped (M specification, 2.5.1)."""
    escaped = text.replace("#(", "#(#)(").replace('"', '""')
    return '"' + escaped.replace("\r", "#(cr)").replace("\n", "#(lf)").replace("\t", "#(tab)") + '"'
