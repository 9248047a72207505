"""Buckets: what is summed once is summed whole, and means are rounded half-even."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from domain.half_hour_cells import BAD, GAP, Cell, cells_of, half_hours_of, random_half_hours
from hypothesis import given
from hypothesis import strategies as st

from app.domain.aggregates import Aggregate, Buckets, buckets, mean
from app.domain.halfhours import HalfHours
from app.domain.spans import Span

LONDON = ZoneInfo("Europe/London")
zones = st.sampled_from(
    ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo", "Pacific/Apia"]
).map(ZoneInfo)
firsts = st.one_of(
    st.integers(500_000, 900_000),
    st.sampled_from([736_244, 750_438, 758_160, 758_478, 768_240]).flatmap(lambda at: st.integers(at - 150, at + 100)),
)
seeds = st.integers(0, 2**32)
SUMS = [aggregate for aggregate in Aggregate if aggregate is not Aggregate.PROFILE]
Row = tuple[int, int, bool, int, bool, int, int]


def rows_of(part: Buckets) -> dict[int, Row]:
    """Key -> first half-hour, kWh, is it there, kg, is it there, missing, expected."""
    arrays = (part.first, part.micro_kwh, part.present, part.micro_kg, part.has_carbon, part.missing, part.expected)
    rows = dict(zip(part.key.tolist(), zip(*(array.tolist() for array in arrays), strict=True), strict=True))
    assert len(rows) == len(part)
    assert list(rows) == sorted(rows)
    return rows


def added(one: Row, other: Row) -> Row:
    """The row of a bucket of which two parts were summed apart; blank carbon in a part with energy stays blank."""
    carbon = all(row[4] or not row[2] for row in (one, other)) and (one[4] or other[4])
    return (
        min(one[0], other[0]),
        one[1] + other[1],
        one[2] or other[2],
        one[3] + other[3] if carbon else 0,
        carbon,
        one[5] + other[5],
        one[6] + other[6],
    )


@pytest.mark.parametrize("aggregate", SUMS)
@given(firsts, st.integers(0, 400), st.integers(0, 400), seeds, zones)
def test_the_sums_of_a_split_are_the_sums_of_the_whole(
    aggregate: Aggregate, first: int, before: int, after: int, seed: int, tz: ZoneInfo
) -> None:
    whole = random_half_hours(first, before + after, seed)
    cut = first + before
    split = rows_of(buckets(whole.between(Span(first, cut)), aggregate, tz))
    for key, row in rows_of(buckets(whole.between(Span(cut, cut + after)), aggregate, tz)).items():
        split[key] = added(split[key], row) if key in split else row
    assert split == rows_of(buckets(whole, aggregate, tz))


@pytest.mark.parametrize("aggregate", SUMS)
@given(firsts, st.integers(0, 2000), seeds, zones)
def test_every_half_hour_is_counted_once(
    aggregate: Aggregate, first: int, length: int, seed: int, tz: ZoneInfo
) -> None:
    half_hours = random_half_hours(first, length, seed)
    part = buckets(half_hours, aggregate, tz)
    assert part.expected.sum() == length
    assert part.missing.sum() == length - half_hours.present.sum()
    assert part.micro_kwh.sum() == half_hours.micro_kwh.sum()
    if half_hours.has_carbon.all():
        assert part.micro_kg.sum() == half_hours.micro_kg.sum()
    assert np.array_equal(part.present, part.expected > part.missing)


@given(firsts, st.integers(0, 6 * 48), seeds, zones)
def test_a_profiles_means_times_their_counts_are_the_total(first: int, length: int, seed: int, tz: ZoneInfo) -> None:
    half_hours = random_half_hours(first, length, seed, multiple_of=840)  # 840 is divided by each number up to 8
    part = buckets(half_hours, Aggregate.PROFILE, tz)
    counts = part.expected - part.missing
    assert part.expected.sum() == length
    assert part.missing.sum() == length - half_hours.present.sum()
    assert (part.micro_kwh * counts).sum() == half_hours.micro_kwh.sum()


def plain_key(aggregate: Aggregate, half_hour: int, tz: ZoneInfo) -> Any:
    local = datetime.fromtimestamp(half_hour * 1800, tz)
    day = local.date()
    keys: dict[Aggregate, Callable[[], Any]] = {
        Aggregate.NONE: lambda: half_hour,
        Aggregate.HOUR: lambda: (day, local.hour, local.utcoffset()),
        Aggregate.DAY: lambda: day,
        Aggregate.WEEK: lambda: day.isocalendar()[:2],
        Aggregate.MONTH: lambda: (day.year, day.month),
        Aggregate.YEAR: lambda: day.year,
        Aggregate.PROFILE: lambda: (local.hour, local.minute >= 30),
    }
    return keys[aggregate]()


@pytest.mark.parametrize("aggregate", list(Aggregate))
@given(firsts, st.integers(0, 500), seeds, zones)
def test_buckets_hold_what_a_plain_calendar_puts_into_them(
    aggregate: Aggregate, first: int, length: int, seed: int, tz: ZoneInfo
) -> None:
    half_hours = random_half_hours(first, length, seed)
    grouped: dict[Any, list[Cell]] = defaultdict(list)
    earliest: dict[Any, int] = {}
    for i, cell in enumerate(cells_of(half_hours), first):
        key = plain_key(aggregate, i, tz)
        grouped[key].append(cell)
        earliest.setdefault(key, i)
    part = buckets(half_hours, aggregate, tz)
    rows = {row[0]: row[1:] for row in rows_of(part).values()}
    assert rows == {earliest[key]: plain_row(bucket, aggregate) for key, bucket in grouped.items()}


def plain_row(bucket: list[Cell], aggregate: Aggregate) -> tuple[int, bool, int, bool, int, int]:
    energy = [cell.micro_kwh for cell in bucket if cell.micro_kwh is not None]
    carbon = [cell.micro_kg for cell in bucket if cell.micro_kg is not None]
    with_carbon = bool(energy) and len(carbon) == len(energy)
    shown = half_even_mean if aggregate is Aggregate.PROFILE else sum
    kwh, kg = shown(energy) if energy else 0, shown(carbon) if with_carbon else 0
    return kwh, bool(energy), kg, with_carbon, len(bucket) - len(energy), len(bucket)


def half_even_mean(numbers: Iterable[int]) -> int:
    listed = list(numbers)
    return round(Fraction(sum(listed), len(listed)))


@given(st.lists(st.tuples(st.integers(-(10**15), 10**15), st.integers(1, 100_000)), max_size=20))
def test_means_are_rounded_half_even(pairs: list[tuple[int, int]]) -> None:
    totals, counts = (np.array([pair[i] for pair in pairs], dtype=np.int64) for i in (0, 1))
    expected = [int((Decimal(total) / count).quantize(Decimal(1), ROUND_HALF_EVEN)) for total, count in pairs]
    assert mean(totals, counts).tolist() == expected


@given(st.integers(-(10**12), 10**12), st.integers(1, 5000))
def test_a_mean_halfway_goes_to_the_even_neighbour(half: int, count: int) -> None:
    halfway = np.array([(2 * half + 1) * count])
    rounded = int(mean(halfway, np.array([2 * count]))[0])
    assert rounded % 2 == 0
    assert abs(Fraction(rounded) - Fraction(2 * half + 1, 2)) == Fraction(1, 2)


@given(st.integers(1, 5000), st.data())
def test_coverage_is_rounded_down_and_100_means_complete(expected: int, data: st.DataObject) -> None:
    missing = data.draw(st.one_of(st.integers(0, expected), st.integers(0, min(3, expected))))
    part = buckets(half_hours_of(0, [BAD] * missing + [Cell(1)] * (expected - missing)), Aggregate.YEAR, LONDON)
    tenths = part.coverage_tenths.tolist()
    exact = [Decimal(1000 * (n - m)) / n for n, m in zip(part.expected.tolist(), part.missing.tolist(), strict=True)]
    assert tenths == [int(share.to_integral_value(ROUND_DOWN)) for share in exact]
    assert (1000 in tenths) == (0 in part.missing.tolist())


def test_the_hour_that_comes_twice_in_october_is_two_hours_and_one_day() -> None:
    first = int(datetime.fromisoformat("2013-10-27T00:00+01:00").timestamp()) // 1800
    half_hours = half_hours_of(first, [Cell(10)] * 50)
    hours = buckets(half_hours, Aggregate.HOUR, LONDON)
    assert len(hours) == 25
    assert hours.label[:4].tolist() == [hours.label[0] + 3600 * i for i in (0, 1, 1, 2)]
    assert hours.offset[:4].tolist() == [3600, 3600, 0, 0]
    assert buckets(half_hours, Aggregate.DAY, LONDON).expected.tolist() == [50]


@pytest.mark.parametrize(
    ("aggregate", "label"),
    [("day", "2021-06-16"), ("week", "2021-06-14"), ("month", "2021-06-01"), ("year", "2021-01-01")],
)
def test_a_partial_bucket_is_labelled_with_its_own_first_day(aggregate: str, label: str) -> None:
    begin = datetime.fromisoformat("2021-06-16T10:00+01:00")
    first = int(begin.timestamp()) // 1800
    part = buckets(half_hours_of(first, [Cell(1), GAP]), Aggregate(aggregate), LONDON)
    days = timedelta(seconds=int(part.label[0])) // timedelta(days=1)
    assert part.label[0] % 86_400 == 0
    assert days == (datetime.fromisoformat(label) - datetime.fromisoformat("1970-01-01")).days
    assert part.first.tolist() == [first]
    assert part.coverage_tenths.tolist() == [500]


def test_carbon_is_blank_if_a_present_half_hour_lacks_it_but_not_for_a_missing_one() -> None:
    for listed, has_carbon in (
        ([Cell(1, 1), Cell(1, 2)], True),
        ([Cell(1, 1), Cell(1)], False),
        ([Cell(1, 1), GAP, BAD], True),
        ([GAP, BAD], False),
    ):
        part = buckets(half_hours_of(48, listed), Aggregate.DAY, ZoneInfo("UTC"))
        assert part.has_carbon.tolist() == [has_carbon]


@pytest.mark.parametrize("aggregate", list(Aggregate))
def test_no_half_hours_are_no_buckets(aggregate: Aggregate) -> None:
    assert len(buckets(HalfHours.missing(Span(5, 5)), aggregate, LONDON)) == 0
