"""What `meter=` means: a short name, a consent and a type, a consent, or a type, in this order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import NotFound
from app.domain.meters import ListedMeter, Meter, chosen

A, B = "5f1c9a52-3c1e-4d0b-9a77-0d2f6b1e8a41", "b27d04e6-91f8-4c35-8e2a-6f4d9c0713ba"


def meter(name: str, consent: str, kind: str) -> Meter:
    return Meter(1, name, ListedMeter(consent, kind, "active", None), is_listed=True, held=None)


HOME = [
    meter("gas", A, "gas"),
    meter("electricity-b27d04e6", B, "electricity"),
    meter("electricity-5f1c9a52", A, "electricity"),
]


def names(selectors: list[str], meters: list[Meter]) -> list[str]:
    return [one.name for one in chosen(selectors, meters)]


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        ([], ["electricity-5f1c9a52", "electricity-b27d04e6", "gas"]),
        (["gas"], ["gas"]),
        (["electricity-b27d04e6"], ["electricity-b27d04e6"]),
        ([f"{A}/electricity"], ["electricity-5f1c9a52"]),
        ([A], ["electricity-5f1c9a52", "gas"]),
        (["electricity"], ["electricity-5f1c9a52", "electricity-b27d04e6"]),
        (["gas", "electricity-b27d04e6", f"{B}/electricity", "gas"], ["electricity-b27d04e6", "gas"]),
        ([B, A], ["electricity-5f1c9a52", "electricity-b27d04e6", "gas"]),
    ],
)
def test_meters_are_chosen_by_name_consent_or_type(selectors: list[str], expected: list[str]) -> None:
    assert names(selectors, HOME) == expected


def test_a_short_name_goes_before_a_type() -> None:
    assert names(["gas"], [meter("gas", A, "electricity"), meter("old-gas", A, "gas")]) == ["gas"]


def test_a_short_name_goes_before_a_consent() -> None:
    assert names(["abc"], [meter("abc", A, "gas"), meter("electricity", "abc", "electricity")]) == ["abc"]


def test_a_consent_goes_before_a_type() -> None:
    assert names(["gas"], [meter("one", "gas", "electricity"), meter("two", A, "gas")]) == ["one"]


@pytest.mark.parametrize("selector", ["oil", "", "Gas", A[:8], f"{B}/gas", f"{A}/", "electricity-5f1c9a5"])
def test_what_means_no_meter_is_not_found(selector: str) -> None:
    with pytest.raises(NotFound) as raised:
        chosen([selector], HOME)
    assert "table meters" in raised.value.remedy


def test_one_wrong_meter_among_right_ones_is_not_found() -> None:
    with pytest.raises(NotFound):
        chosen(["gas", "oil"], HOME)


def test_a_near_miss_is_told() -> None:
    with pytest.raises(NotFound) as raised:
        chosen(["electricty-5f1c9a52"], HOME)
    assert "meter=electricity-5f1c9a52" in raised.value.remedy


def test_no_meters_at_all_are_no_meters() -> None:
    assert chosen([], []) == []


@given(st.permutations(HOME), st.lists(st.sampled_from(["gas", A, B, "electricity", f"{B}/electricity"]), min_size=1))
def test_neither_the_order_of_meters_nor_of_selectors_matters(meters: list[Meter], selectors: list[str]) -> None:
    assert names(selectors, meters) == names(sorted(set(selectors)), HOME)
