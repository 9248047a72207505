"""Half-hours from JSON: every variant that isn't known gives the same, and what can't be read is said."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction
from itertools import permutations
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import UpstreamUnreadable
from app.domain.halfhours import HalfHours
from app.domain.spans import Span, day_number
from app.upstream import wire

DAY = day_number(date(2021, 6, 1))
MIDNIGHT = datetime(2021, 6, 1, tzinfo=UTC)
SPAN = Span.of_utc_days(DAY, DAY)
Row = dict[str, Any]


def read(rows: list[Any] | str | bytes, span: Span = SPAN) -> HalfHours:
    text = rows if isinstance(rows, str | bytes) else json.dumps(rows)
    return wire.half_hours_of(text.encode() if isinstance(text, str) else text, span, UTC)


def row(half_hour: int = 0, kwh: Any = 0.25, **more: Any) -> Row:
    starts_at = MIDNIGHT + half_hour * timedelta(minutes=30)
    return {"time": f"{starts_at:%Y-%m-%dT%H:%M:%SZ}", "energy_kwh": kwh} | more


def kwh_and_kg(half_hours: HalfHours) -> list[tuple[int | None, int | None]]:
    """Millionths of each half-hour, None where one is missing."""
    columns = (half_hours.micro_kwh, half_hours.present, half_hours.micro_kg, half_hours.has_carbon)
    return [
        (int(kwh) if present else None, int(kg) if has_carbon else None)
        for kwh, present, kg, has_carbon in zip(*columns, strict=True)
    ]


PLAIN = [row(i, i / 8, carbon_kg=i / 16, error_count=0) for i in range(48) if i not in {7, 8, 30}]
EXPECTED = [(None, None) if i in {7, 8, 30} else (i * 125_000, i * 62_500) for i in range(48)]


def labelled(spell: Callable[[datetime], str]) -> list[Row]:
    return [plain | {"time": spell(datetime.fromisoformat(plain["time"]))} for plain in PLAIN]


def in_zone(hours: float) -> list[Row]:
    return labelled(lambda at: at.astimezone(timezone(timedelta(hours=hours))).isoformat())


GAPS = (7, 8, 30)
VARIANTS: dict[str, list[Row]] = {
    "left out": PLAIN,
    "flagged 0": [*PLAIN, *(row(i, 0, carbon_kg=0, error_count=1) for i in GAPS)],
    "flagged with a value": [*PLAIN, *(row(i, 9.9, carbon_kg=1, error_count=2) for i in GAPS)],
    "flagged as text": [*PLAIN, *(row(i, "0", carbon_kg="0", error_count="1") for i in GAPS)],
    "null": [*PLAIN, *(row(i, None, carbon_kg=None, error_count=None) for i in GAPS)],
    "null and flagged": [*PLAIN, *(row(i, None, error_count=1) for i in GAPS)],
    "null with carbon": [*PLAIN, *(row(i, None, carbon_kg=0.5, error_count=0) for i in GAPS)],
    "meter error codes": [*PLAIN, row(7, 4294967.295), row(8, "2147483.647"), row(30, "4294967.295000")],
    "texts": [{key: str(value) for key, value in plain.items()} for plain in PLAIN],
    "texts in spaces": [plain | {"energy_kwh": f" {plain['energy_kwh']}\n"} for plain in PLAIN],
    "texts with exponents": [plain | {"energy_kwh": f"{plain['energy_kwh'] * 1000:.1f}E-3"} for plain in PLAIN],
    "error_count null": [plain | {"error_count": None} for plain in PLAIN],
    "error_count absent": [{key: value for key, value in plain.items() if key != "error_count"} for plain in PLAIN],
    "error_count as text": [plain | {"error_count": "0"} for plain in PLAIN],
    "error_count as a decimal": [plain | {"error_count": 0.0} for plain in PLAIN],
    "+00:00": labelled(datetime.isoformat),
    "-00:00": labelled(lambda at: f"{at:%Y-%m-%dT%H:%M:%S}-00:00"),
    "+01:00": in_zone(1),
    "+05:45": in_zone(5.75),
    "-03:30": in_zone(-3.5),
    "no offset": labelled(lambda at: f"{at:%Y-%m-%dT%H:%M:%S}"),
    "no seconds": labelled(lambda at: f"{at:%Y-%m-%dT%H:%MZ}"),
    "fractions of seconds": labelled(lambda at: f"{at:%Y-%m-%dT%H:%M:%S}.000000Z"),
    "a space for the T": labelled(lambda at: f"{at:%Y-%m-%d %H:%M:%S}"),
    "backwards": PLAIN[::-1],
    "rotated": PLAIN[20:] + PLAIN[:20],
    "twice": PLAIN + PLAIN,
    "another value before": [*(plain | {"energy_kwh": 99} for plain in PLAIN), *PLAIN],
    "a gap after": [*PLAIN, *(plain | {"energy_kwh": None} for plain in PLAIN)],
    "a flagged 0 after": [*PLAIN, *(plain | {"energy_kwh": 0, "error_count": 1} for plain in PLAIN)],
    "a gap before": [*(plain | {"energy_kwh": None} for plain in PLAIN), *PLAIN],
    "rows outside": [*(row(i, 5) for i in (-1, -48, 48, 49, 20_000)), *PLAIN, row(-2, 7)],
    "further keys": [plain | {"quality": {"codes": [1, None, "é"]}, "a": [[{}]], "n": 1e300} for plain in PLAIN],
    "keys in another order": [dict(reversed(plain.items())) for plain in PLAIN],
}


@pytest.mark.parametrize("rows", VARIANTS.values(), ids=VARIANTS)
def test_every_variant_gives_the_same_half_hours(rows: list[Row]) -> None:
    half_hours = read(rows)
    assert half_hours.span == SPAN
    assert kwh_and_kg(half_hours) == EXPECTED
    assert not (half_hours.flagged & half_hours.present).any()


@pytest.mark.parametrize("carbon", [{}, {"carbon_kg": None}])
def test_gas_may_carry_no_carbon(carbon: Row) -> None:
    half_hours = read([row(i, 1, **carbon) for i in range(48)])
    assert kwh_and_kg(half_hours) == [(1_000_000, None)] * 48


@pytest.mark.parametrize("kind", ["flagged 0", "flagged as text", "null", "null and flagged", "meter error codes"])
def test_a_gap_that_is_listed_is_told_from_one_that_is_left_out(kind: str) -> None:
    assert read(VARIANTS[kind]).flagged.nonzero()[0].tolist() == list(GAPS)
    assert not read(VARIANTS["left out"]).flagged.any()


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_of_several_rows_the_last_that_is_present_stands(order: tuple[int, ...]) -> None:
    rows = [row(3, 1, error_count=0), row(3, 0, error_count=1), row(3, 2)]
    half_hours = read([rows[i] for i in order])
    assert kwh_and_kg(half_hours)[3] == ([1_000_000, 2_000_000][order.index(2) > order.index(0)], None)
    assert not half_hours.flagged.any()


def test_an_empty_array_is_a_span_without_values() -> None:
    half_hours = read([])
    assert kwh_and_kg(half_hours) == [(None, None)] * 48
    assert not half_hours.flagged.any()


def test_times_without_an_offset_are_in_the_zone_that_was_asked_for() -> None:
    body = json.dumps([row(0, 1) | {"time": "2021-06-01T01:00:00"}]).encode()
    assert wire.half_hours_of(body, SPAN, ZoneInfo("Europe/London")).present.nonzero()[0].tolist() == [0]
    assert wire.half_hours_of(body, SPAN, UTC).present.nonzero()[0].tolist() == [2]


EXACT = [
    ("0.3", 300_000),
    ("0.1234565", 123_456),
    ("0.1234575", 123_458),
    ("0.12345650000000000001", 123_457),
    ("0.0000005", 0),
    ("0.0000015", 2),
    ("-0.0000015", -2),
    ("-0.25", -250_000),
    ("0.028999999999999998", 29_000),
    ("1234567.654321", 1_234_567_654_321),
    ("9999999.999999", 9_999_999_999_999),
    ("2.5e-1", 250_000),
    ("25E-2", 250_000),
    ("1e+3", 1_000_000_000),
    ("1E3", 1_000_000_000),
    ("1e-400", 0),
    ("0e999", 0),
    ("-0", 0),
    ("-0.0", 0),
    ("12", 12_000_000),
    ("0.1000000000000000055511151231257827", 100_000),
]


@pytest.mark.parametrize(("spelled", "millionths"), EXACT)
def test_values_are_exact_millionths_rounded_half_even(spelled: str, millionths: int) -> None:
    as_number = read(f'[{{"time": "2021-06-01T00:00:00Z", "energy_kwh": {spelled}, "carbon_kg": {spelled}}}]')
    as_text = read([row(0, spelled, carbon_kg=spelled)])
    assert kwh_and_kg(as_number)[0] == kwh_and_kg(as_text)[0] == (millionths, millionths)


@given(st.decimals(min_value=-9_999_999, max_value=9_999_999, allow_nan=False, places=9))
def test_any_value_is_rounded_as_a_fraction_is(value: object) -> None:
    expected = round(Fraction(str(value)) * 1_000_000)
    assert kwh_and_kg(read([row(0, f"{value:f}")]))[0] == (expected, None)
    assert kwh_and_kg(read(f'[{{"time": "2021-06-01T00:00Z", "energy_kwh": {value:f}}}]'))[0] == (expected, None)


def raw(**fields: str) -> str:
    """An answer of one row whose values are spelled in JSON."""
    spelled = {"time": '"2021-06-01T00:00:00Z"', "energy_kwh": "1"} | fields
    return "[{" + ", ".join(f'"{key}": {value}' for key, value in spelled.items() if value) + "}]"


NO_NUMBERS = [
    *("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e99999999999999999999", "9" * 5000, "0." + "1" * 5000),
    *('"NaN"', '"inf"', '"1e999"', '"' + "9" * 5000 + '"', '""', '" "', '"12,5"', '"0x1F"', '"1_000"', '"\u0663"'),
    *('"1 000"', '"kWh"', '"\\ud800"', "true", "false", "[]", "[1]", "{}", "10000000", "-10000000", "1e7"),
]
NO_TIMES = [
    *('"2021-06-01"', '"20210601"', '"2021-06"', '"00:00"', '"00:00:00"', '"2021-06-01T00"', '"01/06/2021 00:00"'),
    *('"2021-06-01T00:15:00Z"', '"2021-06-01T00:00:01Z"', '"2021-06-01T00:29:59.999Z"', '"2021-06-31T00:00:00Z"'),
    *('"2021-06-01T00:00:00.000001Z"', '"2021-06-01T00:00:00+00:20"', '"2021-06-01T25:00:00Z"', '"::"', '""', ""),
    *('"June 1, 2021, 00:00"', "1622505600", "null", "true", "{}", "[]", '"\\ud800:00"', '"\\u0000:"'),
    *('"' + "9" * 5000 + ':00"', '"10000-01-01T00:00:00Z"', '"0000-01-01T00:00:00Z"', '"2021-06-01T00:00:00+25:00"'),
]
UNREADABLE: dict[str, str | bytes] = {
    **{f"energy_kwh {text[:20]}": raw(energy_kwh=text) for text in NO_NUMBERS},
    **{f"carbon_kg {text[:20]}": raw(carbon_kg=text) for text in NO_NUMBERS},
    **{f"error_count {text[:20]}": raw(error_count=text) for text in NO_NUMBERS},
    **{f"time {text[:35]}": raw(time=text) for text in NO_TIMES},
    "no energy_kwh": raw(energy_kwh=""),
    "NaN under a further key": raw(further="NaN"),
    "5,000 digits under a further key": raw(further="9" * 5000),
    "deep arrays": "[" * 100_000 + "]" * 100_000,
    "deep objects": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "deep in a value": raw(energy_kwh="[" * 500 + "]" * 500),
    "deep, not closed": "[" * 1_000_000,
    "an object": '{"detail": "Not found."}',
    "an object of rows": '{"results": []}',
    "null": "null",
    "a number": "1",
    "a text": '"[]"',
    "an array of numbers": "[1, 2]",
    "an array of arrays": "[[]]",
    "an array of nulls": "[null]",
    "a row that is no object at the end": json.dumps([*PLAIN, None]),
    "HTML": "<!doctype html><html><title>Sign in</title></html>",
    "empty": "",
    "spaces": " \n",
    "cut off": json.dumps(PLAIN)[:-20],
    "two arrays": "[][]",
    "a comma too many": "[{},]",
    "single quotes": "[{'time': 1}]",
    "Latin-1": '[{"note": "é"}]'.encode("latin-1"),
    "UTF-16": "[]".encode("utf-16"),
    "UTF-32": "[]".encode("utf-32"),
    "a surrogate in UTF-8": b'[{"note": "\xed\xa0\x80"}]',
    "zeros": bytes(100),
    "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_said(body: str | bytes) -> None:
    with pytest.raises(UpstreamUnreadable) as caught:
        read(body)
    assert caught.value.remedy
    assert len(str(caught.value)) < 300
    str(caught.value).encode()


@pytest.mark.parametrize("depth", range(100, 1500, 100))
def test_no_depth_of_nesting_is_too_much_to_be_said(depth: int) -> None:
    for opened, closed in (("[", "]"), ('{"a":', "}")):
        nested = opened * depth + "1" + closed * depth
        for body in (nested, f"[{nested}]", raw(energy_kwh=nested), raw(time=nested)):
            with pytest.raises(UpstreamUnreadable):
                read(body)


def test_one_bad_row_makes_the_whole_answer_unreadable() -> None:
    with pytest.raises(UpstreamUnreadable, match="row 46"):
        read([*PLAIN, row(3) | {"time": "2021-06-01T00:10:00Z"}])


def test_a_bad_row_outside_the_span_makes_the_answer_unreadable_too() -> None:
    with pytest.raises(UpstreamUnreadable):
        read([*PLAIN, row(4800, "many")])


def test_the_missing_key_is_named_with_its_row() -> None:
    with pytest.raises(UpstreamUnreadable, match=r"row 2 has no energy_kwh"):
        read([row(), {"time": "2021-06-01T00:30:00Z"}])
    with pytest.raises(UpstreamUnreadable, match="time of row 1"):
        read([{"energy_kwh": 1}])
