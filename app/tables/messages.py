"""The table that says what went wrong, for the formats whose readers see nothing but cells."""

from app.domain.errors import SheetsError
from app.tables.columns import Labels, Table


def error_table(table: str, error: SheetsError) -> Table:
    """One row `error, remedy`, under the name of the table that was asked for."""
    return Table(table, (Labels.of("error", [str(error)]), Labels.of("remedy", [error.remedy])), 1)
