"""What waits to be written is neither lost nor undone, whatever fails and comes at the same time."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any, TypeVar

from archive.stores import DAY, GAS, NOON, measured, same
from pydantic import SecretStr

from app.archive import Threads
from app.archive.sqlite import SqliteArchive
from app.domain.errors import ArchiveError
from app.domain.halfhours import HalfHours
from app.domain.meters import ListedMeter, Meter
from app.readthrough import ArchivedState, Memory
from app.readthrough.memory import LOOK_AGAIN_SECONDS
from app.upstream import Limits, State

T = TypeVar("T")


class FailingArchive(SqliteArchive):
    """An archive that takes nothing as often as `failures` says, as if its disk had been full for a moment."""

    failures = 0
    looks = 0

    def version(self) -> int:
        self.looks += 1
        return super().version()

    def remember(self, listed: Sequence[ListedMeter], now: int) -> list[Meter]:
        self._fail()
        return super().remember(listed, now)

    def store(self, meter_id: int, fetched: HalfHours, now: int) -> None:
        self._fail()
        super().store(meter_id, fetched, now)

    def change_fact(self, name: str, change: Callable[[str | None], tuple[str, T]]) -> T:
        self._fail()
        return super().change_fact(name, change)

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise ArchiveError("The disk is full.", remedy="Make space.")


def with_memory(folder: Path, scenario: Callable[[FailingArchive, Threads, Memory], Coroutine[Any, Any, T]]) -> T:
    """Plays a scenario on a memory in front of an archive in `folder`, and closes both."""
    archive = FailingArchive(folder / "archive.db")
    threads = Threads(archive)

    async def played() -> T:
        memory = Memory(threads, most_bytes=1_000_000)
        given = await scenario(archive, threads, memory)
        await memory.aclose()
        return given

    try:
        return asyncio.run(played())
    finally:
        threads.close()


def test_an_older_fetch_that_had_to_wait_is_not_laid_over_a_newer_one(tmp_path: Path) -> None:
    older, newer = measured(micro_kwh=100_000), measured(micro_kwh=200_000)

    async def scenario(archive: FailingArchive, _: Threads, memory: Memory) -> None:
        await memory.remember([GAS], NOON)
        meter = (await memory.meters())[1][0]
        archive.failures = 1
        await asyncio.gather(memory.store(meter, older, NOON), memory.store(meter, newer, NOON + 1))
        await memory.write_what_waits()
        assert same((await memory.days(meter, DAY, DAY)).half_hours, newer)
        assert same(archive.days(meter.id, DAY, DAY).half_hours, newer)

    with_memory(tmp_path, scenario)


def test_an_older_list_that_had_to_wait_does_not_undo_a_newer_one(tmp_path: Path) -> None:
    renewed = replace(GAS, status="renewed")

    async def scenario(archive: FailingArchive, _: Threads, memory: Memory) -> None:
        archive.failures = 1
        await asyncio.gather(memory.remember([GAS], NOON), memory.remember([renewed], NOON + 1))
        await memory.write_what_waits()
        assert [meter.listed for meter in archive.meters()] == [renewed]

    with_memory(tmp_path, scenario)


def test_days_of_a_newcomer_are_seen_under_the_number_that_it_gets(tmp_path: Path) -> None:
    async def scenario(archive: FailingArchive, _: Threads, memory: Memory) -> None:
        archive.failures = 1
        await memory.remember([GAS], NOON)
        unnumbered = (await memory.meters())[1][0]
        await memory.write_what_waits()
        numbered = (await memory.meters())[1][0]
        assert unnumbered.id < 0 < numbered.id
        assert not (await memory.days(numbered, DAY, DAY)).held.any()
        await memory.store(unnumbered, measured(), NOON)
        assert same((await memory.days(numbered, DAY, DAY)).half_hours, measured())

    with_memory(tmp_path, scenario)


def test_no_change_of_the_policys_state_is_lost_while_the_archive_takes_none_and_takes_them_again(
    tmp_path: Path,
) -> None:
    def counted(state: State) -> tuple[State, None]:
        return replace(state, calls=state.calls + 1), None

    async def scenario(archive: FailingArchive, threads: Threads, _: Memory) -> None:
        store = ArchivedState(threads, SecretStr("x" * 40), Limits(), lambda: NOON)
        for failures in (0, 3, 0, 1, 2):
            archive.failures = failures
            await asyncio.gather(*(store.change(counted) for _ in range(10)))
        assert (await store.read()).calls == 50

    with_memory(tmp_path, scenario)


def test_no_second_look_waits_behind_a_write_that_waits_itself(tmp_path: Path) -> None:
    async def scenario(archive: FailingArchive, threads: Threads, memory: Memory) -> None:
        await memory.remember([GAS], NOON)
        meters = await memory.meters()
        looks = archive.looks
        locked = Event()
        waiting = threads.write(lambda _: locked.wait(timeout=60))
        for _ in range(3):
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            assert await memory.meters() == meters
        locked.set()
        await asyncio.wrap_future(waiting)
        await asyncio.wrap_future(threads.look(lambda _: None))
        assert archive.looks == looks + 1

    with_memory(tmp_path, scenario)
