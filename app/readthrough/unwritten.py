"""What was fetched and can't be written yet: kept in memory, laid over what the archive gives, by the same rules."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from app.archive import Archive
from app.domain.days import Days, joined_days
from app.domain.errors import ArchiveError
from app.domain.halfhours import HalfHours
from app.domain.meters import ListedMeter, Meter, names_for
from app.domain.spans import Span

MOST_BYTES = 32 * 1024 * 1024
"""Ten meters' first five years (16 MB) twice: more than a first fetch of all that most accounts have."""
BYTES_A_HALF_HOUR = 19
Key = tuple[str, str]
Moments = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class _Fetched:
    """Whole days of the meter of a consent and type, confirmed at `now` (UTC seconds)."""

    key: Key
    half_hours: HalfHours
    now: int


def store_days(archive: Archive, key: Key, half_hours: HalfHours, now: int) -> int:
    """Stores days of the meter of a consent and type; gives its id, which may have become another. ArchiveError."""
    for meter in archive.meters():
        if meter.listed.key == key:
            archive.store(meter.id, half_hours, now)
            return meter.id
    raise ArchiveError(
        "The archive doesn't know the meter of the days that were fetched.",
        remedy="Ask for the table meters: it fetches the list of meters.",
    )


class Unwritten:
    """Days and a list of meters in the order in which they were fetched. It takes at most `most_bytes` of days."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._days: deque[_Fetched] = deque()
        self._list: tuple[Sequence[ListedMeter], int] | None = None
        self._newcomers: dict[Key, int] = {}

    def __bool__(self) -> bool:
        return bool(self._days) or self._list is not None

    @property
    def size_bytes(self) -> int:
        """What the days take in memory."""
        return sum(len(fetched.half_hours) for fetched in self._days) * BYTES_A_HALF_HOUR

    def has_room_for(self, half_hours: int) -> bool:
        """Whether so many half-hours more can be kept."""
        return self.size_bytes + half_hours * BYTES_A_HALF_HOUR <= self._most_bytes

    def add(self, meter: Meter, fetched: HalfHours, now: int) -> None:
        """Keeps whole UTC days of a meter."""
        self._days.append(_Fetched(meter.listed.key, fetched, now))

    def add_list(self, listed: Sequence[ListedMeter], now: int) -> None:
        """Keeps a list of meters instead of an older one."""
        self._list = listed, now

    def drop_list(self) -> None:
        """Forgets the list of meters: a newer one is written."""
        self._list = None

    def next_write(self) -> tuple[Callable[[Archive], object], Callable[[], None]] | None:
        """What is to be written first, and what is to be called when that is done. The list comes before days."""
        if (kept := self._list) is not None:
            listed, now = kept
            return lambda archive: archive.remember(listed, now), lambda: self._list_is_written(kept)
        if self._days:
            first = self._days[0]
            write = partial(store_days, key=first.key, half_hours=first.half_hours, now=first.now)
            return write, lambda: self._are_written(first)
        return None

    def over(self, meter: Meter) -> Callable[[Days], Days]:
        """Lays what is unwritten of a meter now over days of it that the archive gave."""
        waiting = [fetched for fetched in self._days if fetched.key == meter.listed.key]

        def laid(days: Days) -> Days:
            for fetched in waiting:
                days = _laid_over(days, fetched.half_hours, fetched.now)
            return days

        return laid

    def meters(self, moments: Moments | None, meters: list[Meter]) -> tuple[Moments | None, list[Meter]]:
        """The list of meters with what is unwritten: as it was last listed, widened by the days that wait.

        A meter that the archive doesn't know yet has a number below 0 until it does.
        """
        if self._list is not None:
            listed, now = self._list
            moments, meters = (now, now), self._with_list(meters, {meter.key: meter for meter in listed})
        return moments, sorted((self._widened(meter) for meter in meters), key=lambda meter: meter.name)

    def _with_list(self, known: list[Meter], listed: dict[Key, ListedMeter]) -> list[Meter]:
        known_keys = {meter.listed.key for meter in known}
        newcomers = [meter for key, meter in listed.items() if key not in known_keys]
        named = [
            Meter(self._number_of(meter.key), name, meter, is_listed=True, held=None)
            for meter, name in zip(newcomers, names_for(newcomers, known), strict=True)
        ]
        return named + [
            replace(meter, listed=listed[meter.listed.key], is_listed=True)
            if meter.listed.key in listed
            else replace(meter, is_listed=False)
            for meter in known
        ]

    def _widened(self, meter: Meter) -> Meter:
        spans = [fetched.half_hours.present_span for fetched in self._days if fetched.key == meter.listed.key]
        held = [span for span in (meter.held, *spans) if span is not None]
        if not held:
            return meter
        return replace(meter, held=Span(min(span.first for span in held), max(span.stop for span in held)))

    def _number_of(self, key: Key) -> int:
        return self._newcomers.setdefault(key, -1 - len(self._newcomers))

    def _list_is_written(self, kept: tuple[Sequence[ListedMeter], int]) -> None:
        if self._list is kept:
            self._list = None

    def _are_written(self, first: _Fetched) -> None:
        if self._days and self._days[0] is first:
            self._days.popleft()


def _laid_over(days: Days, fetched: HalfHours, now: int) -> Days:
    inside = days.half_hours.span & fetched.span
    if not len(inside):
        return days
    first, last = inside.first_day, inside.last_day
    refreshed, _ = days.between(first, last).refreshed(fetched.between(inside), now)
    last_of_all = days.first_day + len(days) - 1
    pieces = [refreshed]
    if days.first_day < first:
        pieces.insert(0, days.between(days.first_day, first - 1))
    if last < last_of_all:
        pieces.append(days.between(last + 1, last_of_all))
    return joined_days(pieces)
