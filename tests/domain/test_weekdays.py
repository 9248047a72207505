"""Days of the week: the words of a link."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from domain.half_hour_cells import random_half_hours
from hypothesis import given
from hypothesis import strategies as st

from app.domain.aggregates import Aggregate, buckets
from app.domain.errors import BadParameter
from app.domain.spans import EPOCH
from app.domain.weekdays import parse_weekdays, weekdays_text

some_days = st.lists(st.integers(0, 6), min_size=1, max_size=6, unique=True).map(sorted).map(tuple)


@given(some_days)
def test_the_words_of_days_read_back(days: tuple[int, ...]) -> None:
    assert parse_weekdays(weekdays_text(days)) == days


@pytest.mark.parametrize(
    ("text", "days"),
    [("weekday", (0, 1, 2, 3, 4)), ("weekend", (5, 6)), ("sun,mon", (0, 6)), ("weekday,weekend", ()),
     ("weekend,mon", (0, 5, 6))],
)  # fmt: skip
def test_words_mean_days(text: str, days: tuple[int, ...]) -> None:
    assert parse_weekdays(text) == days


@pytest.mark.parametrize("text", ["", "monday", "Mon", "mon tue", "mon,,tue", "sat,sat", "weekends"])
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(BadParameter, match="days"):
        parse_weekdays(text)


@given(st.integers(-10_000, 800_000), st.integers(0, 700), st.integers(0, 2**32), some_days)
def test_days_that_are_not_asked_for_are_not_counted(first: int, length: int, seed: int, days: tuple[int, ...]) -> None:
    half_hours = random_half_hours(first, length, seed)
    tz = ZoneInfo("Europe/London")
    every, some = buckets(half_hours, Aggregate.DAY, tz), buckets(half_hours, Aggregate.DAY, tz, days)
    kept = [_day(int(label)).weekday() in days for label in every.label]
    assert some.label.tolist() == every.label[np.array(kept, dtype=bool)].tolist()
    assert some.micro_kwh.tolist() == every.micro_kwh[np.array(kept, dtype=bool)].tolist()


def _day(local_seconds: int) -> date:
    return EPOCH + timedelta(days=local_seconds // 86_400)
