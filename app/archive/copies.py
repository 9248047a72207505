"""Copies of an SQLite file: consistent while others write, whole or not there, for their owner alone."""

import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import monotonic

from app.archive.faults import damaged, errors
from app.domain.errors import ArchiveError

LONGEST_WAIT_SECONDS = 60
"""How long a copy waits for a program that keeps the file locked."""
ELSEWHERE = "Choose a place that can be written and has space."


def copy_whole(source: sqlite3.Connection, target: Path) -> None:
    """Copies the database of `source` to `target`, on the disk when this returns. ArchiveError, ArchiveDamaged.

    It is written under another name and gets its own when it is whole; an existing file is never written over.
    """
    if target.exists():
        raise _exists(target)
    with errors(f"The copy {target} can't be written", ELSEWHERE), being_made(target) as part:
        with closing(sqlite3.connect(part, isolation_level=None)) as copy:
            copy.execute("PRAGMA journal_mode = OFF")  # a copy that was cut off is thrown away
            source.backup(copy, progress=_patience())
            copy.execute("PRAGMA journal_mode = DELETE")
            faults = [row[0] for row in copy.execute("PRAGMA quick_check(1)")]
        if faults != ["ok"]:
            raise damaged(faults[0])
        place(part, target)


@contextmanager
def being_made(target: Path) -> Iterator[Path]:
    """A new empty file beside `target`, 0600, that is gone after the block, unless it was given another name."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def place(part: Path, target: Path) -> None:
    """Gives a file that is whole its name, for good; ArchiveError if another has it."""
    _flush(part)
    link(part, target)
    part.unlink(missing_ok=True)
    flush_folder(target.parent)


def link(file: Path, target: Path) -> None:
    """A second name for a file, or, where a disk knows no such thing, another name. ArchiveError if it is taken."""
    try:
        target.hardlink_to(file)
    except FileExistsError as error:
        raise _exists(target) from error
    except (OSError, NotImplementedError):
        if target.exists():
            raise _exists(target) from None
        file.rename(target)


def flush_folder(folder: Path) -> None:
    """Sees to it that the names in a folder outlive a loss of power, where a folder can be opened."""
    if os.name == "posix":
        _flush(folder)


def free_name(wanted: Path) -> Path:
    """`wanted`, or the first of it with a number before its ending that no file has."""
    candidate, number = wanted, 2
    while candidate.exists():
        candidate = wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
        number += 1
    return candidate


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _exists(target: Path) -> ArchiveError:
    return ArchiveError(f"{target} exists already.", remedy="Choose another name: nothing is written over.")


def _patience() -> Callable[[int, int, int], None]:
    end = monotonic() + LONGEST_WAIT_SECONDS

    def waited(status: int, _left: int, _pages: int) -> None:
        if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED} and monotonic() > end:
            raise sqlite3.OperationalError("another program keeps the archive locked")

    return waited
