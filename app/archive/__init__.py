"""The archive: every half-hour that was ever fetched. The only place with SQL."""

from app.archive.anew import start_anew
from app.archive.faults import START_ANEW
from app.archive.protocol import Archive
from app.archive.sqlite import SqliteArchive, path_of
from app.archive.threads import Threads
from app.domain.errors import ArchiveDamaged

__all__ = ["START_ANEW", "Archive", "SqliteArchive", "Threads", "open_archive"]


def open_archive(url: str, *, anew_if_damaged: bool = False) -> Archive:
    """The archive at a URL, made if it isn't there: `sqlite:///relative.db`, `sqlite:////absolute/path.db`.

    A damaged one is set aside with `anew_if_damaged`, and another made in its place; else ArchiveDamaged. ArchiveError.
    """
    try:
        return SqliteArchive.at(url)
    except ArchiveDamaged as damage:
        if not anew_if_damaged:
            raise
        start_anew(path_of(url), damage)
    return SqliteArchive.at(url)
