"""A link in the forms that people paste: a URL, a formula of Google Sheets, Power Query's M, a curl line."""

from urllib.parse import parse_qsl, urlencode, urlsplit

from app.query import REPORTS, Query

PLACEHOLDER_KEY = "YOUR-KEY"
M_TYPES = (
    "[time = {time}, date = type date, time_utc = type datetime, earliest = type datetime, latest = type datetime, "
    "start = type datetime, end = type datetime, start_utc = type datetime, end_utc = type datetime, meter = type text]"
)
M_TIMES = {"none": "type datetime", "hour": "type datetime", "profile": "type time"}


def forms_of(query: Query, extension: str, address: str, key: str | None) -> list[tuple[str, str]]:
    """Pairs of a form's name and its text. `key` is put into each if it is given."""
    url = address + query.link(extension)
    if key is not None:
        url += ("&" if "?" in url else "?") + urlencode({"key": key})
    if query.table in REPORTS:
        return [("URL", url), ("curl", f'curl -o {query.table}.{extension} "{url}"')]
    return [
        ("URL", url),
        ("Google Sheets", f'=IMPORTDATA("{_with_csv(url, extension)}")'),
        ("Power Query", power_query(query, _with_csv(url, extension))),
        ("curl", f'curl -o {query.table}.{extension} "{url}"'),
    ]


def power_query(query: Query, url: str) -> str:
    """M that loads a CSV link with typed columns.

    A fixed first argument with RelativePath and Query is what lets a refresh service take it.
    """
    parts = urlsplit(url)
    fields: dict[str, list[str]] = {}
    for name, value in parse_qsl(parts.query):
        fields.setdefault(name, []).append(value)
    asked = ", ".join(f"{name} = {_m_value(values)}" for name, values in fields.items())
    options = f"[RelativePath = {_m_text(parts.path.lstrip('/'))}" + (f", Query = [{asked}]]" if asked else "]")
    of_days = "Int64.Type" if query.table == "compare" else "type date"
    types = M_TYPES.format(time=M_TIMES.get(query.aggregate, of_days))
    other = "type any" if query.table == "meters" else "type number"
    return (
        "let\n"
        f"    Source = Web.Contents({_m_text(f'{parts.scheme}://{parts.netloc}')}, {options}),\n"
        '    Csv = Csv.Document(Binary.Buffer(Source), [Delimiter = ",", Encoding = 65001]),\n'
        "    Rows = Table.PromoteHeaders(Csv, [PromoteAllScalars = true]),\n"
        f"    Types = {types},\n"
        f"    TypeOf = (name) => Record.FieldOrDefault(Types, name, {other}),\n"
        "    Typed = Table.TransformColumnTypes(\n"
        '        Rows, List.Transform(Table.ColumnNames(Rows), each {_, TypeOf(_)}), "en-GB")\n'
        "in\n"
        "    Typed"
    )


def _with_csv(url: str, extension: str) -> str:
    return url.replace(f".{extension}", ".csv", 1)


def _m_value(values: list[str]) -> str:
    texts = [_m_text(value) for value in values]
    return texts[0] if len(texts) == 1 else "{" + ", ".join(texts) + "}"


def _m_text(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
