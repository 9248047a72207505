"""The policy's state in the archive: it outlives a restart, and all processes on one archive share it."""

import hashlib
from asyncio import Lock, wrap_future
from collections.abc import Callable
from dataclasses import asdict
from typing import TypeVar

import orjson
from pydantic import SecretStr

from app.archive import Threads
from app.domain.errors import ArchiveError
from app.upstream import Limits, State, fresh

T = TypeVar("T")


class ArchivedState:
    """See StateStore. Another token begins afresh, and so does a state that can't be read.

    `clock` gives UTC seconds. When the archive can't be written this process goes on with what it knows.
    """

    def __init__(self, threads: Threads, token: SecretStr, limits: Limits, clock: Callable[[], float]) -> None:
        self._threads = threads
        self._limits = limits
        self._clock = clock
        mark = hashlib.sha256(b"policy" + token.get_secret_value().encode()).hexdigest()[:12]
        self._name = f"upstream_{mark}"
        self._unwritten: State | None = None
        self._changing = Lock()

    async def change(self, change: Callable[[State], tuple[State, T]]) -> T:
        """Replaces the state by the first of what `change` makes of it, at once, and gives the second."""

        def of_text(text: str | None) -> tuple[str, T]:
            state, given = change(self._unwritten or self._read(text))
            return orjson.dumps(asdict(state)).decode(), given

        async with self._changing:  # else one that began while the archive failed could undo one that it took since
            try:
                given = await wrap_future(self._threads.write(lambda archive: archive.change_fact(self._name, of_text)))
            except ArchiveError:
                self._unwritten, given = change(await self.read())
            else:
                self._unwritten = None
            return given

    async def read(self) -> State:
        """The state as it is."""
        if self._unwritten is not None:
            return self._unwritten
        try:
            text = await wrap_future(self._threads.read(lambda archive: archive.fact(self._name)))
        except ArchiveError:
            text = None
        return self._read(text)

    def _read(self, text: str | None) -> State:
        if text is not None:
            try:
                return State(**orjson.loads(text))
            except (TypeError, ValueError):
                pass
        return fresh(self._limits, self._clock())
