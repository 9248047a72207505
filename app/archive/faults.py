"""What SQLite and the disk say when something is wrong, in words: unusable for now, or damaged."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from app.domain.errors import ArchiveDamaged, ArchiveError

CHECK_THE_FOLDER = "Whoever runs this service: check that the archive's folder exists, can be written and has space."
START_ANEW = (
    "Whoever runs this service: start `powershaper-sheets serve` again, or `sync`. It moves the damaged file aside, "
    "keeps the meters' names and the access keys, and fetches the half-hours again."
)
WORDS = {
    sqlite3.SQLITE_BUSY: "another program keeps it locked",
    sqlite3.SQLITE_READONLY: "it can only be read",
    sqlite3.SQLITE_FULL: "the disk is full",
}


def damaged(why: str) -> ArchiveDamaged:
    """The error that says so; `why` is a part of a sentence."""
    return ArchiveDamaged(f"The archive is damaged: {why}.", remedy=START_ANEW)


@contextmanager
def errors(what: str = "The archive can't be used", remedy: str = CHECK_THE_FOLDER) -> Iterator[None]:
    """Errors of SQLite and of files as ArchiveError, or ArchiveDamaged."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)  # of the module's own errors only a wrong UTF-8 is met
        primary = None if code is None else code & 0xFF
        if primary in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB} or "decode" in str(error):
            raise damaged(str(error)) from error
        why = str(error) if primary is None else WORDS.get(primary, str(error))
        raise ArchiveError(f"{what}: {why}.", remedy=remedy) from error
    except OSError as error:
        raise ArchiveError(f"{what}: {error.strerror or error}.", remedy=remedy) from error


@contextmanager
def parsing() -> Iterator[None]:
    """What a row can't mean as ArchiveDamaged: we wrote no such row."""
    try:
        yield
    except (ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError) as error:
        raise damaged(f"a row of it can't be read ({error})") from error
