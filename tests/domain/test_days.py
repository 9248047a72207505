"""Days as they are held: laying an answer over them, and the calls that it takes to look at them again."""

from itertools import combinations, pairwise

import numpy as np
from domain.half_hour_cells import BAD, GAP, Cell, cells, cells_of, half_hours_of
from hypothesis import given
from hypothesis import strategies as st

from app.domain.days import Days, Revision, calls_to_cover, joined_days
from app.domain.halfhours import HalfHours

DAY = 18_000
NOON = DAY * 86_400 + 43_200
LATER = NOON + 3600


def day_of_cells(first: Cell, others: Cell = GAP) -> HalfHours:
    return half_hours_of(DAY * 48, [first] + [others] * 47)


def held(half_hours: HalfHours, now: int = NOON) -> Days:
    first = half_hours.first // 48
    days, revisions = Days.none_held(first, first + len(half_hours) // 48 - 1).refreshed(half_hours, now)
    assert revisions == []
    return days


def test_days_that_were_never_fetched_are_not_held() -> None:
    days = Days.none_held(DAY, DAY + 2)
    assert (days.first_day, len(days), len(days.half_hours)) == (DAY, 3, 144)
    assert not days.held.any()
    assert not days.half_hours.present.any()


def test_a_first_answer_makes_its_days_held_even_if_it_is_empty() -> None:
    days = held(day_of_cells(GAP))
    assert days.held.tolist() == [True]
    assert days.fetched_at.tolist() == days.changed_at.tolist() == [NOON]


def test_the_same_answer_again_confirms_and_changes_nothing() -> None:
    days, revisions = held(day_of_cells(Cell(5, 1), BAD)).refreshed(day_of_cells(Cell(5, 1), BAD), LATER)
    assert revisions == []
    assert (days.fetched_at.tolist(), days.changed_at.tolist()) == ([LATER], [NOON])


def test_an_empty_answer_confirms_and_takes_nothing_away() -> None:
    days, revisions = held(day_of_cells(Cell(5, 1), Cell(7, 2))).refreshed(day_of_cells(GAP), LATER)
    assert revisions == []
    assert cells_of(days.half_hours) == [Cell(5, 1)] + [Cell(7, 2)] * 47
    assert (days.fetched_at.tolist(), days.changed_at.tolist()) == ([LATER], [NOON])


def test_a_value_that_became_another_is_a_revision() -> None:
    days, revisions = held(day_of_cells(Cell(5, 1), Cell(7))).refreshed(day_of_cells(Cell(6), Cell(7)), LATER)
    assert revisions == [Revision(DAY * 48, 5, 6, 1, None)]
    assert days.changed_at.tolist() == [LATER]


def test_a_value_that_arrives_late_is_a_change_but_no_revision() -> None:
    days, revisions = held(day_of_cells(BAD)).refreshed(day_of_cells(Cell(6)), LATER)
    assert revisions == []
    assert days.changed_at.tolist() == [LATER]
    assert cells_of(days.half_hours)[0] == Cell(6)


def test_only_the_day_that_changed_is_marked_changed() -> None:
    before = half_hours_of(DAY * 48, [Cell(1)] * 144)
    after = half_hours_of(DAY * 48, [Cell(1)] * 95 + [Cell(2)] + [Cell(1)] * 48)
    days, revisions = held(before).refreshed(after, LATER)
    assert days.changed_at.tolist() == [NOON, LATER, NOON]
    assert days.fetched_at.tolist() == [LATER] * 3
    assert [revision.half_hour for revision in revisions] == [DAY * 48 + 95]


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=48))
def test_an_answer_leaves_every_value_that_was_held_or_a_revision_of_it(changes: list[tuple[Cell, Cell]]) -> None:
    rest = [(GAP, GAP)] * (48 - len(changes))
    before, after = (list(listed) for listed in zip(*changes, *rest, strict=True))
    days, revisions = held(half_hours_of(DAY * 48, before)).refreshed(half_hours_of(DAY * 48, after), LATER)
    now = dict(enumerate(cells_of(days.half_hours), DAY * 48))
    revised = {revision.half_hour: revision for revision in revisions}
    assert len(revised) == len(revisions)
    for half_hour, old in enumerate(before, DAY * 48):
        if revision := revised.get(half_hour):
            assert Cell(revision.old_micro_kwh, revision.old_micro_kg) == old
            assert Cell(revision.new_micro_kwh, revision.new_micro_kg) == now[half_hour] != old
        elif old.micro_kwh is not None:
            assert now[half_hour].micro_kwh == old.micro_kwh
            assert old.micro_kg in (None, now[half_hour].micro_kg)


@given(st.integers(2, 6), st.data())
def test_days_cut_apart_join_again(count: int, data: st.DataObject) -> None:
    days = held(half_hours_of(DAY * 48, [Cell(i) for i in range(48 * count)]))
    cut = data.draw(st.integers(1, count - 1))
    joint = joined_days([days.between(DAY, DAY + cut - 1), days.between(DAY + cut, DAY + count - 1)])
    assert joint.first_day == DAY
    assert cells_of(joint.half_hours) == cells_of(days.half_hours)
    for name in ("fetched_at", "changed_at", "checks"):
        assert np.array_equal(getattr(joint, name), getattr(days, name))


def covered(calls: list[tuple[int, int]]) -> set[int]:
    return {day for first, last in calls for day in range(first, last + 1)}


def fewest_calls(needed: set[int], longest: int) -> int:
    """Found by trying all ways to place 0, 1, 2, … calls of the full length."""
    for count in range(len(needed) + 1):
        for starts in combinations(sorted(needed), count):
            if needed <= covered([(start, start + longest - 1) for start in starts]):
                return count
    raise AssertionError


@given(st.sets(st.integers(0, 16), max_size=9), st.integers(1, 7))
def test_the_calls_are_as_few_as_can_be(needed: set[int], longest: int) -> None:
    calls = list(calls_to_cover(np.array(sorted(needed), dtype=np.int64), longest))
    assert len(calls) == fewest_calls(needed, longest)


@given(st.sets(st.integers(0, 5000), max_size=80), st.integers(1, 400))
def test_the_calls_cover_every_day_once_and_are_never_too_long(needed: set[int], longest: int) -> None:
    calls = list(calls_to_cover(np.array(sorted(needed), dtype=np.int64), longest))
    assert needed <= covered(calls)
    assert all(0 <= last - first < longest for first, last in calls)
    assert all(first in needed and last in needed for first, last in calls)
    assert all(before[1] < after[0] for before, after in pairwise(calls))
