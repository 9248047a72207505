"""The archive: every half-hour that was ever fetched. The only place with SQL."""

from app.archive.protocol import Archive
from app.archive.sqlite import SqliteArchive
from app.archive.threads import Threads

__all__ = ["Archive", "SqliteArchive", "Threads", "open_archive"]


def open_archive(url: str) -> Archive:
    """The archive at a URL, made if it isn't there: `sqlite:///relative.db`, `sqlite:////absolute/path.db`."""
    return SqliteArchive.at(url)
