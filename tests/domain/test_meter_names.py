"""Short names: given when a meter is first seen, kept ever after."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import BadParameter
from app.domain.meters import ListedMeter, Meter, checked_name, names_for
from app.domain.spans import Span

CONSENT_A = "5f1c9a52-3c1e-4d0b-9a77-0d2f6b1e8a41"
CONSENT_B = "b27d04e6-91f8-4c35-8e2a-6f4d9c0713ba"


def listed(kind: str, consent: str = CONSENT_A, span: Span | None = None) -> ListedMeter:
    return ListedMeter(consent, kind, "active", span)


def known(meter: ListedMeter, name: str) -> Meter:
    return Meter(1, name, meter, is_listed=True, held=None)


def test_the_only_meter_of_its_type_is_named_for_it() -> None:
    assert names_for([listed("electricity"), listed("gas")], []) == ["electricity", "gas"]


def test_two_of_a_type_in_the_first_answer_both_get_the_long_form() -> None:
    first = [listed("electricity", CONSENT_A), listed("gas", CONSENT_A), listed("electricity", CONSENT_B)]
    assert names_for(first, []) == ["electricity-5f1c9a52", "gas", "electricity-b27d04e6"]


def test_one_that_joins_later_gets_the_long_form() -> None:
    before = [known(listed("electricity", CONSENT_A), "electricity")]
    assert names_for([listed("electricity", CONSENT_B)], before) == ["electricity-b27d04e6"]


def test_a_type_counts_as_seen_also_when_its_meter_was_renamed() -> None:
    before = [known(listed("electricity", CONSENT_A), "home")]
    assert names_for([listed("electricity", CONSENT_B)], before) == ["electricity-b27d04e6"]


def test_a_type_whose_name_was_taken_by_a_renamed_meter_gets_the_long_form() -> None:
    before = [known(listed("electricity", CONSENT_A), "gas")]
    assert names_for([listed("gas", CONSENT_B)], before) == ["gas-b27d04e6"]


def test_consents_that_begin_alike_are_told_apart_by_more_characters() -> None:
    first, second = names_for([listed("gas", "abcdefgh-1"), listed("gas", "abcdefgh-2")], [])
    assert first == "gas-abcdefgh"
    assert second.startswith("gas-abcdefgh")
    assert first != second


meters = st.builds(
    listed,
    st.one_of(st.sampled_from(["electricity", "gas", "Gas", "heat network"]), st.text(min_size=1)),
    st.one_of(
        st.uuids().map(str),
        st.from_regex(r"abcdefgh[0-9A-Za-z_-]{0,56}", fullmatch=True),
        st.text("aA-_", min_size=1, max_size=64),
    ),
)
several = st.lists(meters, max_size=8, unique_by=lambda meter: meter.key)


@given(several, st.integers(0, 8))
def test_names_are_unique_and_of_the_allowed_letters(all_meters: list[ListedMeter], seen_first: int) -> None:
    first, later = all_meters[:seen_first], all_meters[seen_first:]
    names = names_for(first, [])
    names += names_for(later, [known(meter, name) for meter, name in zip(first, names, strict=True)])
    assert len(set(names)) == len(all_meters)
    for name in names:
        assert checked_name(name) == name


@given(several)
def test_every_name_tells_the_type(all_meters: list[ListedMeter]) -> None:
    for meter, name in zip(all_meters, names_for(all_meters, []), strict=True):
        if meter.type in ("electricity", "gas"):
            assert name.split("-")[0] == meter.type


@pytest.mark.parametrize("name", ["a", "home", "flat-2", "0", "-", "a" * 40])
def test_a_name_of_the_allowed_letters_is_taken(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize("name", ["", "A", "a b", "a_b", "a/b", "é", "a\n", "=1", "a" * 41])
def test_any_other_name_is_refused_with_a_remedy(name: str) -> None:
    with pytest.raises(BadParameter) as raised:
        checked_name(name)
    assert "40" in raised.value.remedy


def test_a_meter_that_is_no_longer_listed_is_withdrawn() -> None:
    meter = listed("gas")
    assert Meter(1, "gas", meter, is_listed=True, held=None).status == "active"
    assert Meter(1, "gas", meter, is_listed=False, held=None).status == "withdrawn"


@pytest.mark.parametrize(
    ("in_the_list", "held", "expected"),
    [
        (None, None, None),
        (Span(10, 20), None, Span(10, 20)),
        (None, Span(10, 20), Span(10, 20)),
        (Span(10, 20), Span(12, 18), Span(10, 20)),
        (Span(10, 20), Span(5, 12), Span(5, 20)),
        (Span(10, 20), Span(15, 30), Span(10, 30)),
        (Span(10, 20), Span(40, 50), Span(10, 50)),
    ],
)
def test_a_meters_range_is_widened_by_what_is_held(
    in_the_list: Span | None, held: Span | None, expected: Span | None
) -> None:
    assert Meter(1, "gas", listed("gas", span=in_the_list), is_listed=True, held=held).span == expected


def test_the_meters_of_ten_thousand_homes_are_named_apart() -> None:
    homes = [listed(kind, f"{home * 7919:08x}") for home in range(10_000) for kind in ("gas", "electricity")]
    names = names_for(homes, [])
    assert len(set(names)) == 20_000
    assert all(checked_name(name) == name for name in names)
