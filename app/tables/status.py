"""The table `status`: facts about the service, a row each."""

from collections.abc import Sequence

from app.tables.columns import Cell, Labels, Table


def status_table(facts: Sequence[tuple[str, Cell | None]]) -> Table:
    """A row a fact: its name and its value, None is blank."""
    names = Labels.of("name", [name for name, _ in facts])
    return Table("status", (names, Labels.of("value", [value for _, value in facts])), len(facts))
