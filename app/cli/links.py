"""A link in the forms that people paste: a URL, a formula of Google Sheets, Power Query's M, a curl line."""

from urllib.parse import urlencode

from app.formats.power_query import power_query
from app.query import REPORTS, Query

PLACEHOLDER_KEY = "YOUR-KEY"
SHEETS, NOT_YET = "Google Sheets", "Google Sheets, once the service has an address on the internet"
"""Google fetches from its own machines, by https."""


def forms_of(query: Query, extension: str, address: str, key: str | None) -> list[tuple[str, str]]:
    """Pairs of a form's name and its text. `key` is put into each if it is given."""
    url = _url(query, extension, address, key)
    if query.table in REPORTS:
        return [("URL", url), ("curl", f'curl -o {query.table}.{extension} "{url}"')]
    return [
        ("URL", url),
        (SHEETS if address.startswith("https://") else NOT_YET, f'=IMPORTDATA("{_url(query, "csv", address, key)}")'),
        ("Power Query", power_query(query, address, key=key).text),
        ("curl", f'curl -o {query.table}.{extension} "{url}"'),
    ]


def _url(query: Query, extension: str, address: str, key: str | None) -> str:
    url = address + query.link(extension)
    return url if key is None else url + ("&" if "?" in url else "?") + urlencode({"key": key})
