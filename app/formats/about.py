"""What is said about a table beside its rows: where it comes from and how sure it is."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class About:
    """Facts as pairs of a name and a text, the path and query that made the table, and whether a CSV has a BOM.

    `link` gives the path and query of the same table in another format.
    """

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, str], ...] = field(default=())
    bom: bool = False
