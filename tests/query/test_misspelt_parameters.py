"""Parameters that nobody knows: ignored, unless they look like one that was meant."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain.errors import BadParameter
from app.query import PARAMETERS, Query

letters = st.sampled_from("abcdefghijklmnopqrstuvwxyzAGKMST0189-_")
KNOWN = sorted(name for name, parameter in PARAMETERS.items() if "usage" in parameter.tables)
LONGEST = max(map(len, KNOWN))


@st.composite
def misspelt(draw: st.DrawFn) -> str:
    """A known name after one or two letters were put in, taken out or exchanged."""
    name = draw(st.sampled_from(KNOWN))
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(name)))
        skipped = draw(st.integers(0, 1))
        put_in = draw(st.text(letters, min_size=0 if skipped else 1, max_size=1))
        name = name[:at] + put_in + name[at + skipped :]
    return name


@given(misspelt())
def test_a_name_of_five_letters_within_two_edits_of_a_known_one_is_refused(name: str) -> None:
    assume(len(name) >= 5 and name not in KNOWN)
    with pytest.raises(BadParameter) as raised:
        Query.parse("usage", [(name, "x")])
    assert any(f"Did you mean {known}=?" in raised.value.remedy for known in KNOWN)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("agregate", "aggregate"),
        ("aggregates", "aggregate"),
        ("Aggregate", "aggregate"),
        ("meters", "meter"),
        ("metre", "meter"),
        ("perod", "period"),
        ("periods", "period"),
        ("starts", "start"),
        ("colums", "columns"),
        ("collumns", "columns"),
        ("lay-out", "layout"),
        ("values", "value"),
        ("dayss", "days"),
        ("firsts", "first"),
    ],
)
def test_the_name_that_was_meant_is_told(name: str, meant: str) -> None:
    with pytest.raises(BadParameter) as raised:
        Query.parse("usage", [(name, "x")])
    assert f"Did you mean {meant}=?" in raised.value.remedy


@given(st.text(max_size=4))
def test_a_short_name_that_is_not_known_is_ignored(name: str) -> None:
    assume(name not in KNOWN)
    assert Query.parse("usage", [(name, "7")]) == Query("usage")


@given(st.text(min_size=LONGEST + 3))
def test_a_long_name_that_is_far_from_all_is_ignored(name: str) -> None:
    assert Query.parse("usage", [(name, ""), (name, "again")]) == Query("usage")


@pytest.mark.parametrize("name", ["nocache", "utm_source", "fbclid", "refresh", "gclid", "_", "cache", "v", "t"])
def test_what_people_add_to_fetch_again_is_ignored_and_stands_in_no_link(name: str) -> None:
    query = Query.parse("usage", [("period", "2021"), (name, "7")])
    assert query.link("csv") == "/usage.csv?period=2021"


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("aggregate", "montly", "month"),
        ("layout", "grids", "grid"),
        ("value", "energy_kw", "energy_kwh"),
        ("tz", "europe/london", "Europe/London"),
    ],
)
def test_the_value_that_was_meant_is_told(name: str, value: str, meant: str) -> None:
    with pytest.raises(BadParameter, match=name) as raised:
        Query.parse("usage", [(name, value)])
    assert f"Did you mean {name}={meant}?" in raised.value.remedy
