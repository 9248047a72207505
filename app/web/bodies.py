"""Bodies that were made before: kept by what they were made from, bounded in bytes, and made once for all who wait."""

import asyncio
from collections.abc import Callable, Hashable

from cachetools import LRUCache

from app.web.answers import Body

BYTES_BESIDE = 3000
"""What is kept with a body: what it was made from, and the question."""


class Bodies:
    """Remembers bodies up to `most_bytes` in all."""

    def __init__(self, most_bytes: int) -> None:
        self._kept: LRUCache[Hashable, Body] = LRUCache(most_bytes, getsizeof=_bytes)
        self._making: dict[Hashable, asyncio.Task[Body]] = {}

    async def get(self, key: Hashable, make: Callable[[], Body]) -> Body:
        """The body of `key`; `make` makes it in a thread if it isn't there, and raises for all who wait."""
        if key in self._kept:
            return self._kept[key]
        task = self._making.get(key)
        if task is None:
            task = asyncio.create_task(asyncio.to_thread(make))
            self._making[key] = task
            task.add_done_callback(lambda made: self._made(key, made))
        return await asyncio.shield(task)

    def _made(self, key: Hashable, task: "asyncio.Task[Body]") -> None:
        del self._making[key]
        if task.cancelled() or task.exception():
            return
        body = task.result()
        if _bytes(body) <= self._kept.maxsize:
            self._kept[key] = body


def _bytes(body: Body) -> int:
    return len(body) + BYTES_BESIDE
