"""Processes that write to an archive until they are killed, and say what they were told is kept."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from itertools import count
from pathlib import Path

from archive.stores import NOON, measured

from app.archive import SqliteArchive
from app.domain.errors import ArchiveError

DAYS_A_SPAN = 3
"""Of one value each: all three are there, or none is."""
SPANS = 1000
"""Then a writer begins again at its first day."""


BREATH_SECONDS = 0.01
"""SQLite gives the lock to whoever tries first: one that never pauses would keep it from the others."""


def store_until_killed(said: Path, path: Path, meter_id: str, first_day: str) -> None:
    """Says the number of each span after it is stored."""
    with closing(SqliteArchive(path)) as archive:
        for i in count():
            first = int(first_day) + i % SPANS * DAYS_A_SPAN
            archive.store(int(meter_id), measured(first, DAYS_A_SPAN, micro_kwh=i + 1), NOON)
            say(said, i)
            time.sleep(BREATH_SECONDS)


def back_up_until_killed(said: Path, path: Path, folder: str) -> None:
    """Says the number of each copy after it is made."""
    with closing(SqliteArchive(path)) as archive:
        for i in count():
            archive.backup(Path(folder) / f"copy{i}.db")
            say(said, i)


def bring_forward(said: Path, path: Path) -> None:
    """Opens the archive once it is there."""
    say(said, 0)
    while not path.exists():
        time.sleep(0.0005)
    with suppress(ArchiveError):
        SqliteArchive(path).close()
        say(said, 1)


def say(said: Path, number: int) -> None:
    """One write: a killed process says a number whole, or not at all."""
    with said.open("ab", buffering=0) as file:
        file.write(f"{number}\n".encode())


def numbers_in(said: Path) -> list[int]:
    """What was said so far."""
    return [int(line) for line in said.read_text().split()] if said.exists() else []


class Writers:
    """Processes of their own, each forked from one that has imported everything, for it takes a second to do so."""

    def __init__(self) -> None:
        tests = Path(__file__).parents[1]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tests.parent), str(tests)])}
        self._parent = subprocess.Popen(
            [sys.executable, __file__], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._running: set[int] = set()

    def start(self, task: Callable[..., None], said: Path, *words: object) -> int:
        """The number of a process that does a task of this module."""
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        self._parent.stdin.write("\t".join(map(str, (task.__name__, said, *words))) + "\n")
        self._parent.stdin.flush()
        process = int(self._parent.stdout.readline())
        self._running.add(process)
        return process

    def kill(self, process: int) -> None:
        """Kills one with SIGKILL and waits until it is gone; it may have ended before."""
        self._running.discard(process)
        with suppress(ProcessLookupError):
            while True:
                os.kill(process, signal.SIGKILL)
                time.sleep(0.001)

    def close(self) -> None:
        """Kills all that still run."""
        for process in list(self._running):
            self.kill(process)
        self._parent.communicate(timeout=60)


def main() -> None:
    """Forks a process for each line that comes, and says its number."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # so that the dead are gone at once
    for line in sys.stdin:
        name, said, path, *words = line.rstrip("\n").split("\t")
        process = os.fork()
        if process == 0:
            try:
                TASKS[name](Path(said), Path(path), *words)
            finally:
                os._exit(0)
        sys.stdout.write(f"{process}\n")
        sys.stdout.flush()


TASKS: dict[str, Callable[..., None]] = {
    task.__name__: task for task in (store_until_killed, back_up_until_killed, bring_forward)
}

if __name__ == "__main__":
    main()
