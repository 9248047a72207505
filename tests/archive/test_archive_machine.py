"""Fetches, failures, crashes, revisions and late data in any order, against a plain dict of half-hours."""

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from archive.stores import DAY, GAS, NOON
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from app.archive import SqliteArchive
from app.domain.errors import ArchiveError
from app.domain.halfhours import HalfHours
from app.domain.spans import Span

DAYS = 4
firsts = st.integers(0, DAYS - 1)
lengths = st.integers(1, 2)
values = st.integers(0, 3)
seeds = st.integers(0, 2**16)
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own in it; what is flushed thousands of times needs no disk
Value = tuple[int, int | None]
"""Millionths of a kWh, and of a kg if that is known."""


class ArchiveMachine(RuleBasedStateMachine):
    """An archive of one meter, and what it must hold."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.exists() else None))
        self.path = self.folder / "archive.db"
        self.now = NOON
        self.held: dict[int, Value] = {}
        self.revisions: list[tuple[int, Value, Value]] = []
        self.days: set[int] = set()
        self.archive = SqliteArchive(self.path)
        self.meter = self.archive.remember([GAS], NOON)[0]

    @rule(first=firsts, length=lengths, seed=seeds, share=st.sampled_from([0.0, 0.5, 1.0]), carbon=st.booleans())
    def fetch(self, first: int, length: int, seed: int, share: float, *, carbon: bool) -> None:
        """Some half-hours have values, others are missing or flagged: late data, gaps and revisions alike."""
        fetched = some_half_hours(DAY + first, length, seed, share, carbon=carbon)
        self.now += 60
        self.archive.store(self.meter.id, fetched, self.now)
        self._expect(fetched)

    @rule(first=firsts, length=lengths, seed=seeds, at=st.integers(0, 1))
    def fail(self, first: int, length: int, seed: int, at: int) -> None:
        """A store that breaks at one of its days, or at its revisions, leaves nothing of it."""
        fetched = some_half_hours(DAY + first, length, seed, 1.0, carbon=True)
        day = np.datetime64(DAY + first + min(at, length - 1), "D")
        with closing(sqlite3.connect(self.path)) as db:
            refusal = "BEGIN SELECT RAISE(ABORT, 'broken'); END"
            db.execute(f"CREATE TRIGGER broken BEFORE INSERT ON days WHEN NEW.day = '{day}' {refusal}")
        with pytest.raises(ArchiveError):
            self.archive.store(self.meter.id, fetched, self.now + 60)
        with closing(sqlite3.connect(self.path)) as db:
            db.execute("DROP TRIGGER broken")

    @rule(first=firsts, seed=seeds)
    def crash(self, first: int, seed: int) -> None:
        """The machine dies in the middle of a store: the file and its journal as they are on the disk then."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as db:
            db.execute("PRAGMA cache_size = 1")  # so that pages are on the disk before they are kept
            db.execute("BEGIN IMMEDIATE")
            db.execute("UPDATE days SET energy_kwh = '[]'")
            db.execute("DELETE FROM revisions")
            crashed = self.folder / "crashed"
            shutil.rmtree(crashed, ignore_errors=True)
            crashed.mkdir()
            for file in self.folder.glob("archive.db*"):
                shutil.copy(file, crashed / file.name)
            db.execute("ROLLBACK")
        self.archive.close()
        for file in crashed.iterdir():
            file.replace(self.folder / file.name)
        self.archive = SqliteArchive(self.path)

    @rule()
    def restore(self) -> None:
        """A backup takes the archive's place."""
        copy = self.folder / "copy.db"
        self.archive.backup(copy)
        self.archive.store(self.meter.id, some_half_hours(DAY, 1, 1, 1.0, carbon=False), self.now)
        copy.replace(self.path)

    @invariant()
    def the_archive_holds_what_the_dict_holds(self) -> None:
        """Half-hours, days and revisions."""
        days = self.archive.days(self.meter.id, DAY, DAY + DAYS)
        half_hours = days.half_hours
        found = {
            half_hours.first + i: (
                int(half_hours.micro_kwh[i]),
                int(half_hours.micro_kg[i]) if half_hours.has_carbon[i] else None,
            )
            for i in np.flatnonzero(half_hours.present).tolist()
        }
        assert found == self.held
        assert {DAY + i for i in np.flatnonzero(days.held).tolist()} == self.days
        with closing(sqlite3.connect(self.path)) as db:
            revisions = db.execute(
                "SELECT unixepoch(time_utc) / 1800, round(old_energy_kwh * 1e6), round(old_carbon_kg * 1e6),"
                " round(new_energy_kwh * 1e6), round(new_carbon_kg * 1e6) FROM revisions ORDER BY id"
            ).fetchall()
        assert revisions == [(half_hour, *old, *new) for half_hour, old, new in self.revisions]
        assert sum(self.archive.held().values()) == len(self.held)

    def teardown(self) -> None:
        """All that was written is whole."""
        assert self.archive.integrity() == []
        self.archive.close()
        shutil.rmtree(self.folder)

    def _expect(self, fetched: HalfHours) -> None:
        self.days |= set(range(fetched.span.first_day, fetched.span.last_day + 1))
        for i in np.flatnonzero(fetched.present).tolist():
            half_hour = fetched.first + i
            old = self.held.get(half_hour)
            energy, carbon = int(fetched.micro_kwh[i]), int(fetched.micro_kg[i]) if fetched.has_carbon[i] else None
            if old is not None and old[0] == energy and carbon is None:
                carbon = old[1]
            self.held[half_hour] = energy, carbon
            became_another = old is not None and (old[0] != energy or (old[1] is not None and old[1] != carbon))
            if old is not None and became_another:
                self.revisions.append((half_hour, old, (energy, carbon)))


def some_half_hours(first_day: int, days: int, seed: int, share: float, *, carbon: bool) -> HalfHours:
    """Few different values, so that some stay as they are; about `share` of them present."""
    random = np.random.default_rng(seed)
    half_hours = HalfHours.missing(Span.of_utc_days(first_day, first_day + days - 1))
    n = len(half_hours)
    half_hours.present[:] = random.random(n) < share
    half_hours.flagged[:] = ~half_hours.present & (random.random(n) < 0.5)
    half_hours.micro_kwh[:] = np.where(half_hours.present, random.integers(1, 4, n) * 100_001, 0)
    half_hours.has_carbon[:] = half_hours.present & carbon & (random.random(n) < 0.7)
    half_hours.micro_kg[:] = np.where(half_hours.has_carbon, random.integers(1, 3, n) * 10_001, 0)
    return half_hours


def test_in_any_order_the_archive_holds_what_it_was_given() -> None:
    run_state_machine_as_test(ArchiveMachine, settings=settings(max_examples=500, stateful_step_count=6, deadline=None))
