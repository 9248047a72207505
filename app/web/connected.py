"""What a link wants: a table in a format, or the connected workbook, whose table of usage is bound to its address."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from app.domain.errors import BadParameter, NotFound
from app.formats import FORMATS, About, Format, connected
from app.formats.power_query import power_query, refreshed
from app.query import PARAMETERS, REPORTS, Layout, Query, nearest
from app.tables import Table

CONNECTED = "connected"
EXTENSION = "xlsx"
SOURCES = ("csv", "json")
CHOICES = {"format": SOURCES, "embed_key": ("1",), "chart": ("1",)}
"""The parameters that the workbook takes beside those of usage, and their values."""


@dataclass(frozen=True, slots=True)
class Connection:
    """A link of the connected workbook: the usage that fills it, the format that it fetches, what is put into it."""

    query: Query
    source: str = "csv"
    embed_key: bool = False
    chart: bool = False

    @classmethod
    def parse(cls, pairs: Sequence[tuple[str, str]]) -> "Connection":
        """The connection of the decoded parameters of a link. BadParameter, as of Query.parse."""
        known = [*CHOICES, *(name for name, parameter in PARAMETERS.items() if "usage" in parameter.tables)]
        for name, _ in pairs:
            if name not in known and (meant := nearest(name, known)):
                raise BadParameter(
                    "A parameter has a name that is not known.", remedy=f"Did you mean {meant}=? Correct the name."
                )
        chosen = {name: _chosen(name, [text for key, text in pairs if key == name]) for name in CHOICES}
        rest = [(name, text) for name, text in pairs if name not in CHOICES]
        if chosen["chart"] and "layout" not in dict(rest):
            rest.append(("layout", Layout.WIDE))
        query = Query.parse("usage", rest)
        if chosen["chart"] and query.layout is not Layout.WIDE:
            raise BadParameter(
                "The parameter chart draws a line a meter and goes with no layout but wide.",
                remedy="Leave out layout, or chart.",
            )
        return cls(query, chosen["format"] or "csv", bool(chosen["embed_key"]), bool(chosen["chart"]))

    def link(self) -> str:
        """The path and query string that ask for this; defaults and the key are left out."""
        asked = self.query.link(EXTENSION).partition("?")[2]
        own = {"format": self.source if self.source != "csv" else "", "embed_key": self.embed_key, "chart": self.chart}
        pairs = {name: "1" if value is True else value for name, value in own.items() if value}
        question = "&".join(part for part in (asked, urlencode(pairs)) if part)
        return f"/{CONNECTED}.{EXTENSION}" + (f"?{question}" if question else "")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A link that was read: its table, the format that writes it, its own spelling, and facts for the sheet `about`.

    `holds_key`: an access key is in what is written.
    """

    query: Query
    format: Format
    link: str
    facts: tuple[tuple[str, str], ...] = ()
    holds_key: bool = False


def wanted(
    table: str, extension: str, pairs: Sequence[tuple[str, str]], address: str, given_key: Callable[[], str | None]
) -> Wanted:
    """What a link wants. `given_key` gives the access key that came with it. NotFound, BadParameter."""
    if table == CONNECTED:
        if extension != EXTENSION:
            raise NotFound(
                "The connected workbook comes as xlsx alone.", remedy=f"Ask for /{CONNECTED}.{EXTENSION}, or for usage."
            )
        return _connected(Connection.parse(pairs), address, given_key())
    if extension not in FORMATS:
        raise NotFound("There is no such format.", remedy=f"The formats are {', '.join(FORMATS)}.")
    if table in REPORTS and extension != EXTENSION:
        raise NotFound(f"The {table} comes as {EXTENSION} alone.", remedy=f"Ask for /{table}.{EXTENSION}.")
    query = Query.parse(table, pairs)
    return Wanted(query, FORMATS[extension], query.link(extension))


def _connected(connection: Connection, address: str, key: str | None) -> Wanted:
    if connection.embed_key and key is None:
        raise BadParameter(
            "The parameter embed_key puts the access key of a request into the workbook, and this one came without.",
            remedy="Add key= and the key, or leave out embed_key.",
        )
    kept = key if connection.embed_key else None
    in_words = "in this file: whoever has it can read what the key opens" if kept else "not in this file: Excel asks"
    facts = (
        ("refreshed from", address + refreshed(connection.query).link(connection.source)),
        *((("access key", in_words),) if key is not None else ()),
    )

    def write(table: Table, about: About) -> bytes:
        formula = power_query(
            connection.query,
            address,
            connection.source,
            key=kept,
            asks_for_key=key is not None and kept is None,
            columns=table.header,
        )
        return connected.write(table, about, connected.Binding(formula, connection.chart))

    workbook = replace(FORMATS[EXTENSION], write=write)
    return Wanted(connection.query, workbook, connection.link(), facts, kept is not None)


def _chosen(name: str, texts: Sequence[str]) -> str | None:
    """The value of a parameter that is one of few; None if it isn't there."""
    if not texts:
        return None
    if len(texts) > 1:
        raise BadParameter(f"The parameter {name} stands there twice.", remedy=f"Give {name} once.")
    if texts[0] not in CHOICES[name]:
        raise BadParameter(
            f"The parameter {name} is none of {', '.join(CHOICES[name])}.",
            remedy=f"For example {name}={CHOICES[name][0]}.",
        )
    return texts[0]
