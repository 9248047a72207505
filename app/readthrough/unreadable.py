"""Answers that can't be read: whoever asks the same again soon is told at once, and PowerShaper is left alone."""

from collections.abc import Awaitable, Callable, Hashable
from typing import TypeVar

from cachetools import LRUCache

from app.domain.errors import UpstreamUnreadable

MOST_QUESTIONS = 1000
MOST_DOUBLINGS = 3
T = TypeVar("T")


class Unreadable:
    """Remembers which questions were answered by what can't be read. `clock` gives UTC seconds.

    For `seconds` the first time; each further time twice as long, at most eight times.
    """

    def __init__(self, clock: Callable[[], float], seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._answers: LRUCache[Hashable, tuple[float, int, UpstreamUnreadable]] = LRUCache(MOST_QUESTIONS)

    async def asked(self, question: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` brings; UpstreamUnreadable without asking, if that was raised for `question` a while ago."""
        at, doublings, known = self._answers.get(question, (0.0, -1, None))
        if known is not None and 0 <= self._clock() - at < self._seconds * 2**doublings:
            raise type(known)(str(known), remedy=known.remedy)
        try:
            answer = await ask()
        except UpstreamUnreadable as error:
            self._answers[question] = self._clock(), min(doublings + 1, MOST_DOUBLINGS), error
            raise
        self._answers.pop(question, None)
        return answer
