"""Answers that can't be read: whoever asks the same again soon is told at once, and PowerShaper is left alone."""

from collections.abc import Awaitable, Callable, Hashable
from typing import TypeVar

from cachetools import LRUCache

from app.domain.errors import UpstreamUnreadable

MOST_QUESTIONS = 1000
T = TypeVar("T")


class Unreadable:
    """Remembers for `seconds` which questions were answered by what can't be read. `clock` gives UTC seconds."""

    def __init__(self, clock: Callable[[], float], seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._answers: LRUCache[Hashable, tuple[float, UpstreamUnreadable]] = LRUCache(MOST_QUESTIONS)

    async def asked(self, question: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` brings; UpstreamUnreadable without asking, if that was raised for `question` a while ago."""
        at, known = self._answers.get(question, (0.0, None))
        if known is not None and 0 <= self._clock() - at < self._seconds:
            raise type(known)(str(known), remedy=known.remedy)
        try:
            return await ask()
        except UpstreamUnreadable as error:
            self._answers[question] = self._clock(), error
            raise
