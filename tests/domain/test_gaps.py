"""Runs of half-hours: as long as they can be, cut where the half-hours are."""

from itertools import pairwise

import pytest
from domain.half_hour_cells import BAD, GAP, Cell, half_hours_of, random_half_hours
from hypothesis import given
from hypothesis import strategies as st

from app.domain.gaps import missing_runs, suspect_runs
from app.domain.halfhours import HalfHours
from app.domain.spans import Span


@given(st.integers(0, 800_000), st.integers(0, 300), st.integers(0, 2**32))
def test_runs_hold_every_missing_half_hour_once_and_none_that_is_there(first: int, length: int, seed: int) -> None:
    half_hours = random_half_hours(first, length, seed)
    runs = missing_runs(half_hours)
    inside = [i for run in runs for i in range(run.first, run.stop)]
    assert inside == [first + i for i in range(length) if not half_hours.present[i]]
    assert all(one.stop < other.first for one, other in pairwise(runs)), "no two are neighbours"


def test_a_run_that_reaches_an_end_is_cut_there() -> None:
    assert missing_runs(half_hours_of(100, [GAP, BAD, Cell(0), GAP])) == [Span(100, 102), Span(103, 104)]
    assert missing_runs(half_hours_of(100, [GAP, GAP])) == [Span(100, 102)]
    assert missing_runs(HalfHours.missing(Span(5, 5))) == []


@pytest.mark.parametrize(("meter_type", "most"), [("electricity", 11_500_000), ("gas", 34_000_000)])
def test_what_is_above_the_limit_of_the_type_is_suspect(meter_type: str, most: int) -> None:
    half_hours = half_hours_of(7, [Cell(most), Cell(most + 1), Cell(2 * most), GAP, Cell(most + 1), Cell(-most - 1)])
    assert suspect_runs(half_hours, meter_type) == [Span(8, 10), Span(11, 12)]


def test_nothing_is_suspect_of_a_type_whose_limit_is_not_known() -> None:
    assert suspect_runs(half_hours_of(7, [Cell(10**12)]), "electricity-export") == []
