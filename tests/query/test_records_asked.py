"""The parameters of PowerShaper's own API: only those that it knows, checked, in one order."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import BadParameter
from app.query import records_asked

days = st.dates(date(1900, 1, 1), date(2199, 12, 31))
names = st.text(max_size=8).filter(lambda name: name not in {"start", "end", "aggregate", "tz"})


@given(days, st.integers(0, 3659), st.permutations(range(4)), names)
def test_what_is_known_comes_in_one_order_and_nothing_else(
    first: date, more: int, order: list[int], unknown: str
) -> None:
    last = min(first + timedelta(days=more), date(2199, 12, 31))
    known = (("start", str(first)), ("end", str(last)), ("aggregate", "hour"), ("tz", "Etc/GMT+1"))
    assert records_asked([known[i] for i in order] + [(unknown, "7")]) == known


def test_nothing_is_added_that_was_not_asked_for() -> None:
    asked = (("start", "2021-01-01"), ("end", "2021-01-01"))
    assert records_asked(asked) == asked


@pytest.mark.parametrize(
    ("pairs", "named"),
    [
        ([], "start is missing"),
        ([("start", "2021-01-01")], "end is missing"),
        ([("start", "2021-01-02"), ("end", "2021-01-01")], "start is after end"),
        ([("start", "2011-01-01"), ("end", "2021-01-08")], "too far apart"),
        ([("start", "2021-01-01"), ("end", "2021-01-01"), ("aggregate", "week")], "aggregate is none of none, hour"),
        ([("start", "2021-01-01"), ("end", "2021-01-01"), ("tz", "GMT+99")], "tz is no time zone"),
        ([("start", "2021-01-01"), ("end", "2021-01-01"), ("start", "2021-01-01")], "start stands there twice"),
    ],
)
def test_what_can_not_be_is_refused_by_name(pairs: list[tuple[str, str]], named: str) -> None:
    with pytest.raises(BadParameter, match=named):
        records_asked(pairs)
