"""Status: what a service knows of itself, gathered in values: at once whether it can answer, with a scan the rest."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.domain.errors import ArchiveDamaged
from app.domain.meters import Meter
from app.readthrough.flights import Upstream
from app.readthrough.memory import Memory
from app.readthrough.source import ReadThrough
from app.upstream import Limits, No, State, Wait, decide, rate

NO_WORDS = {"quota": "paused", "down": "down", "refused": "refused"}


@dataclass(frozen=True, slots=True)
class Health:
    """Moments are UTC seconds; `listed_at`, when the list of meters was last fetched, is None before the first time.

    `trouble` tells why the archive can't be written, or what of it is damaged.
    """

    now: float
    listed_at: int | None
    trouble: str | None
    is_damaged: bool
    state: State
    limits: Limits

    @property
    def upstream(self) -> str:
        """A word for how PowerShaper is: ok, paused (over quota), down, or refused."""
        verdict = decide(self.state, self.limits, self.now)
        if isinstance(verdict, No):
            return NO_WORDS[verdict.why]
        return "down" if isinstance(verdict, Wait) and verdict.is_for_probe else "ok"

    @property
    def can_answer(self) -> bool:
        """Whether tables can be answered: from what is held, or because PowerShaper isn't known to be away.

        Of a damaged archive nobody knows, and a new start mends it.
        """
        if self.is_damaged:
            return False
        return self.listed_at is not None or self.upstream == "ok"


@dataclass(frozen=True, slots=True)
class Status:
    """`held` are the half-hours that have a value, by meter id.

    `questions` counts the meters of all tables that were asked for since the start, `calls` the calls made since;
    `under_way` are the fetches that go on now.
    """

    health: Health
    meters: list[Meter]
    held: Mapping[int, int]
    archive_bytes: int
    questions: int
    calls: int
    under_way: int

    @property
    def calls_per_minute(self) -> float:
        """How many calls a minute are allowed now."""
        return rate(self.health.state, self.health.limits)

    @property
    def calls_saved(self) -> int:
        """How many calls fewer were made than a call for every meter of every table would have been."""
        return max(0, self.questions - self.calls)


class Watch:
    """Gathers the status of a service whenever it is asked to. `clock` gives UTC seconds."""

    def __init__(
        self, memory: Memory, source: ReadThrough, upstream: Upstream, limits: Limits, clock: Callable[[], float]
    ) -> None:
        self._memory = memory
        self._source = source
        self._upstream = upstream
        self._limits = limits
        self._clock = clock

    async def health(self) -> Health:
        """Whether it can answer: cheap to ask, however much is held. ArchiveError if the archive can't be read."""
        damage = None
        try:
            await self._memory.try_to_read()
        except ArchiveDamaged as error:
            damage = str(error)
        state = await self._upstream.state()
        moments, _ = await self._memory.meters()
        return Health(
            now=self._clock(),
            listed_at=None if moments is None else moments[0],
            trouble=damage or self._memory.trouble,
            is_damaged=damage is not None,
            state=state,
            limits=self._limits,
        )

    async def status(self) -> Status:
        """How all is now; counts all that is held. ArchiveError if the archive can't be read."""
        held, archive_bytes = await self._memory.sizes()
        _, meters = await self._memory.meters()
        return Status(
            health=await self.health(),
            meters=meters,
            held=held,
            archive_bytes=archive_bytes,
            questions=self._source.questions,
            calls=self._upstream.calls,
            under_way=self._source.under_way,
        )
