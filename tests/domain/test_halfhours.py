"""Half-hours from readings, and one answer of PowerShaper laid over another."""

from itertools import permutations
from random import Random

from domain.half_hour_cells import BAD, GAP, Cell, cells, cells_of, half_hours_of, values
from hypothesis import given
from hypothesis import strategies as st

from app.domain.halfhours import HalfHours, Reading, joined
from app.domain.spans import Span

FIRST = 700_000
KWH = 1_000_000
several = st.lists(cells, min_size=1, max_size=12)
pairs = st.lists(st.tuples(cells, cells), min_size=1, max_size=12)


def readings_of(listed: list[Cell], first: int = FIRST) -> list[Reading]:
    """What PowerShaper lists of the cells: nothing of a gap, a flag of a bad one."""
    return [
        Reading(first + i, cell.micro_kwh, cell.micro_kg, cell.flagged) for i, cell in enumerate(listed) if cell != GAP
    ]


@given(several, st.randoms())
def test_readings_may_come_in_any_order(listed: list[Cell], chance: Random) -> None:
    readings = readings_of(listed)
    chance.shuffle(readings)
    half_hours = HalfHours.of(readings, Span(FIRST, FIRST + len(listed)))
    assert half_hours.first == FIRST
    assert cells_of(half_hours) == listed


@given(several, st.integers(-15, 15), st.integers(0, 15))
def test_readings_outside_the_span_are_dropped(listed: list[Cell], shift: int, length: int) -> None:
    span = Span(FIRST + shift, FIRST + shift + length)
    by_place = dict(enumerate(listed, FIRST))
    half_hours = HalfHours.of(readings_of(listed), span)
    assert cells_of(half_hours) == [by_place.get(i, GAP) for i in range(span.first, span.stop)]


@given(values, values)
def test_of_two_values_of_one_half_hour_the_last_stands(earlier: Cell, later: Cell) -> None:
    readings = [*readings_of([earlier]), *readings_of([later])]
    assert cells_of(HalfHours.of(readings, Span(FIRST, FIRST + 1))) == [later]


@given(values, st.sampled_from([None, 0, 4_294_967_295_000]), st.booleans())
def test_a_bad_duplicate_takes_nothing_from_a_value(good: Cell, micro_kwh: int | None, first: bool) -> None:  # noqa: FBT001
    bad = Reading(FIRST, micro_kwh, None, flagged=True)
    readings = [bad, *readings_of([good])] if first else [*readings_of([good]), bad]
    assert cells_of(HalfHours.of(readings, Span(FIRST, FIRST + 1))) == [good]


@given(st.integers(0, 40 * KWH), st.one_of(st.none(), st.integers(0, KWH)))
def test_a_flagged_half_hour_is_missing_whatever_its_value(micro_kwh: int, micro_kg: int | None) -> None:
    reading = Reading(FIRST, micro_kwh, micro_kg, flagged=True)
    assert cells_of(HalfHours.of([reading], Span(FIRST, FIRST + 1))) == [BAD]


def test_the_error_codes_of_meters_are_missing_and_what_is_beside_them_is_not() -> None:
    codes = [4_294_967_295_000, 2_147_483_647_000, 2_147_483_646_999, 4_294_967_295_001]
    readings = [Reading(FIRST + i, code, 5, flagged=False) for i, code in enumerate(codes)]
    half_hours = HalfHours.of(readings, Span(FIRST, FIRST + 4))
    assert half_hours.present.tolist() == [False, False, True, True]
    assert half_hours.has_carbon.tolist() == [False, False, True, True]


def test_a_null_is_missing_and_a_zero_is_a_value() -> None:
    readings = [Reading(FIRST, None, 3, flagged=False), Reading(FIRST + 1, 0, 0, flagged=False)]
    missing, zero = cells_of(HalfHours.of(readings, Span(FIRST, FIRST + 2)))
    assert (missing.micro_kwh, missing.micro_kg) == (None, None)
    assert zero == Cell(0, 0)


@given(pairs)
def test_a_gap_never_overwrites_a_value(listed: list[tuple[Cell, Cell]]) -> None:
    older, newer = zip(*listed, strict=True)
    merged, _ = half_hours_of(FIRST, older).merged(half_hours_of(FIRST, newer))
    for old, new, now in zip(older, newer, cells_of(merged), strict=True):
        if new.micro_kwh is None and old.micro_kwh is not None:
            assert now == old
        if new.micro_kwh is None and old.micro_kwh is None:
            assert now == (BAD if BAD in (old, new) else GAP)


@given(pairs)
def test_a_changed_value_is_the_newer_one_and_is_marked_revised(listed: list[tuple[Cell, Cell]]) -> None:
    older, newer = zip(*listed, strict=True)
    merged, revised = half_hours_of(FIRST, older).merged(half_hours_of(FIRST, newer))
    for old, new, now, marked in zip(older, newer, cells_of(merged), revised.tolist(), strict=True):
        if new.micro_kwh is not None:
            assert now.micro_kwh == new.micro_kwh
            assert now.micro_kg == new.micro_kg or (new.micro_kg is None and old.micro_kwh == new.micro_kwh)
        both = old.micro_kwh is not None and new.micro_kwh is not None
        other_energy = both and old.micro_kwh != new.micro_kwh
        other_carbon = both and old.micro_kg is not None and new.micro_kg not in (None, old.micro_kg)
        assert marked == (other_energy or other_carbon)


@given(several)
def test_merging_with_itself_changes_nothing(listed: list[Cell]) -> None:
    half_hours = half_hours_of(FIRST, listed)
    merged, revised = half_hours.merged(half_hours)
    assert cells_of(merged) == listed
    assert not revised.any()
    assert not merged.differs(half_hours).any()


@st.composite
def pieces_of_one_truth(draw: st.DrawFn) -> list[list[Cell]]:
    """Up to four answers that know more or less of the same half-hours and contradict each other nowhere."""
    truth = draw(st.lists(values, min_size=1, max_size=8))
    known_as = [st.sampled_from([GAP, BAD, value, Cell(value.micro_kwh)]) for value in truth]
    return draw(st.lists(st.tuples(*known_as).map(list), min_size=2, max_size=4))


@given(pieces_of_one_truth())
def test_pieces_that_contradict_nowhere_merge_to_the_same_in_any_order(pieces: list[list[Cell]]) -> None:
    outcomes = []
    for order in permutations(pieces):
        merged = half_hours_of(FIRST, order[0])
        for piece in order[1:]:
            merged, revised = merged.merged(half_hours_of(FIRST, piece))
            assert not revised.any()
        outcomes.append(cells_of(merged))
    assert all(outcome == outcomes[0] for outcome in outcomes)


@given(pairs)
def test_two_differ_exactly_where_their_cells_do(listed: list[tuple[Cell, Cell]]) -> None:
    older, newer = zip(*listed, strict=True)
    differs = half_hours_of(FIRST, older).differs(half_hours_of(FIRST, newer))
    assert differs.tolist() == [old != new for old, new in listed]


@given(several, st.integers(-15, 15), st.integers(0, 15))
def test_what_lies_between_is_cut_or_filled_with_gaps(listed: list[Cell], shift: int, length: int) -> None:
    span = Span(FIRST + shift, FIRST + shift + length)
    by_place = dict(enumerate(listed, FIRST))
    half_hours = half_hours_of(FIRST, listed).between(span)
    assert half_hours.span == span
    assert cells_of(half_hours) == [by_place.get(i, GAP) for i in range(span.first, span.stop)]


@given(several, st.data())
def test_what_is_cut_apart_joins_again(listed: list[Cell], data: st.DataObject) -> None:
    whole = half_hours_of(FIRST, listed)
    at = FIRST + data.draw(st.integers(0, len(listed)))
    parts = [whole.between(Span(FIRST, at)), whole.between(Span(at, FIRST + len(listed)))]
    assert joined(parts).first == FIRST
    assert cells_of(joined(parts)) == listed


@given(several)
def test_the_present_span_runs_from_the_first_value_to_the_last(listed: list[Cell]) -> None:
    places = [FIRST + i for i, cell in enumerate(listed) if cell.micro_kwh is not None]
    expected = Span(places[0], places[-1] + 1) if places else None
    assert half_hours_of(FIRST, listed).present_span == expected
