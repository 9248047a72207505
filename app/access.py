"""Access keys: how one is made, what of it is kept, and who holds one that opens."""

import asyncio
import hashlib
import secrets
import zlib
from collections.abc import Callable
from datetime import UTC, date, datetime
from time import monotonic
from zoneinfo import ZoneInfo

from app.archive import Threads
from app.domain.keys import AccessKey

PREFIX = "pss_"
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
RANDOM_LETTERS, CHECK_LETTERS = 30, 6
"""30 letters of 62 are 178 bits. The check tells a key that was cut off from one that was revoked."""
ID_LETTERS = 8
LOOK_AGAIN_SECONDS = 0.5
LAST_USED_SECONDS = 60


def new_key() -> str:
    """A key that nobody has: `pss_`, 30 random letters and digits, 6 of a CRC-32 of these."""
    text = "".join(secrets.choice(BASE62) for _ in range(RANDOM_LETTERS))
    return PREFIX + text + _check_letters(text)


def is_whole(key: str) -> bool:
    """Whether a text is a key that was copied whole, known or not."""
    text = key.removeprefix(PREFIX)
    random, check = text[:RANDOM_LETTERS], text[RANDOM_LETTERS:]
    return key.startswith(PREFIX) and len(text) == RANDOM_LETTERS + CHECK_LETTERS and check == _check_letters(random)


def key_hash(key: str) -> bytes:
    """SHA-256 of a key: enough, since it is as random as its hash."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def access_key(
    key: str, name: str, scope: frozenset[tuple[str, str]] | None, expires_on: date | None, now: int
) -> AccessKey:
    """What is kept of a new key. `now` is UTC seconds."""
    key_id = "".join(secrets.choice(BASE62[:10] + BASE62[36:]) for _ in range(ID_LETTERS))
    return AccessKey(key_id, name, key_hash(key), scope, now, expires_on)


class Access:
    """The keys of an archive as a running service sees them; a change by another process is seen within a second.

    `clock` gives UTC seconds; a key's last day is a day in `tz`.
    """

    def __init__(self, threads: Threads, clock: Callable[[], float], tz: str) -> None:
        self._threads = threads
        self._clock = clock
        self._tz = ZoneInfo(tz)
        self._keys: dict[bytes, AccessKey] = {}
        self._looked_at = -LOOK_AGAIN_SECONDS
        self._looking: asyncio.Future[None] | None = None
        self._used: dict[str, int] = {}
        self._writing: set[asyncio.Future[None]] = set()

    async def holder(self, key: str) -> AccessKey | None:
        """The key that is kept of `key`, if it opens now. It counts as used."""
        await self._look()
        kept = self._keys.get(key_hash(key)) if is_whole(key) else None
        now = int(self._clock())
        today = datetime.fromtimestamp(now, tz=UTC).astimezone(self._tz).date()
        if kept is None or not kept.opens(today):
            return None
        if now - self._used.get(kept.id, 0) >= LAST_USED_SECONDS:
            self._used[kept.id] = now
            written = asyncio.wrap_future(self._threads.write(lambda archive: archive.key_used(kept.id, now)))
            self._writing.add(written)
            written.add_done_callback(self._written)
        return kept

    def _written(self, written: "asyncio.Future[None]") -> None:
        """A last use that could not be written is not worth failing for."""
        self._writing.discard(written)
        if not written.cancelled():
            written.exception()

    async def _look(self) -> None:
        """Reads the keys again when they were read too long ago; all who come meanwhile wait for that."""
        if monotonic() - self._looked_at < LOOK_AGAIN_SECONDS:
            return
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._read())
        await asyncio.shield(self._looking)

    async def _read(self) -> None:
        began = monotonic()
        keys = await asyncio.wrap_future(self._threads.read(lambda archive: archive.keys()))
        self._keys = {key.sha256: key for key in keys}
        self._looked_at = began


def _check_letters(text: str) -> str:
    number = zlib.crc32(text.encode("utf-8", "surrogatepass"))
    letters = ""
    for _ in range(CHECK_LETTERS):
        number, place = divmod(number, len(BASE62))
        letters = BASE62[place] + letters
    return letters
