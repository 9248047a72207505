"""The threads that an archive is called in: one that writes, so that writes queue up, and a few that read."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from app.archive.protocol import Archive
from app.domain.errors import ArchiveError

READERS = 4
T = TypeVar("T")


class Threads:
    """Calls an archive in threads of its own."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="archive-writer")
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="archive-reader")
        self._trouble: str | None = None

    @property
    def trouble(self) -> str | None:
        """Why the last write failed; None if it didn't."""
        return self._trouble

    def write(self, work: Callable[[Archive], T]) -> Future[T]:
        """Does `work` on the one thread that writes."""
        return self._writer.submit(self._written, work)

    def look(self, work: Callable[[Archive], T]) -> Future[T]:
        """Does `work`, which writes nothing, on the one thread that writes."""
        return self._writer.submit(work, self._archive)

    def read(self, work: Callable[[Archive], T]) -> Future[T]:
        """Does `work` on one of the threads that read."""
        return self._readers.submit(work, self._archive)

    def close(self) -> None:
        """Lets what has begun end, then closes the archive."""
        self._writer.shutdown()
        self._readers.shutdown()
        self._archive.close()

    def _written(self, work: Callable[[Archive], T]) -> T:
        try:
            done = work(self._archive)
        except ArchiveError as error:
            self._trouble = str(error)
            raise
        self._trouble = None
        return done
