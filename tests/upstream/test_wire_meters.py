"""The list of meters from JSON: what is known, what is kept beside it, and what can't be read."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from app.domain.errors import UpstreamTooLarge, UpstreamUnreadable
from app.domain.meters import ListedMeter
from app.domain.spans import Span, half_hour_of
from app.upstream import wire

CONSENT = "5f1c9a52-3c1e-4d0b-9a77-0d2f6b1e8a41"


def listed(**keys: Any) -> ListedMeter:
    """The one meter of a list, whose further keys are given."""
    return only(json.dumps([{"consent_uuid": CONSENT, "type": "electricity"} | keys]))


def only(text: str) -> ListedMeter:
    (meter,) = wire.meters_of(text.encode())
    return meter


def half_hour(text: str) -> int:
    return half_hour_of(datetime.fromisoformat(text).replace(tzinfo=UTC))


def texts_in(value: Any) -> Iterator[str]:
    """All texts in a value of JSON, names too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from texts_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_in(item)


def test_a_meter_is_what_is_known_of_it_and_all_else_beside() -> None:
    meter = listed(
        status="active",
        range={"earliest": "2021-06-01T00:00:00Z", "latest": "2021-06-02T23:30:00Z"},
        mpan_last_four="1047",
        links={"records": "/meters/api/v1/meter/x/electricity"},
    )
    assert meter == ListedMeter(
        CONSENT,
        "electricity",
        "active",
        Span(half_hour("2021-06-01T00:00"), half_hour("2021-06-03T00:00")),
        {"mpan_last_four": "1047", "links": {"records": "/meters/api/v1/meter/x/electricity"}},
    )


def test_further_keys_are_kept_nested_ones_too() -> None:
    further = {
        "mpan": {"last": {"four": "1047"}, "lists": [1, [2, {"x": None}], True]},
        "": "no name",
        "größe": "ü",
        "n": 2**62,
        "empty": {},
    }
    assert listed(**further).further == further


def test_further_keys_of_the_range_are_kept() -> None:
    meter = listed(range={"earliest": None, "latest": None, "source": "DCC", "days": 3})
    assert meter.further == {"range": {"source": "DCC", "days": 3}}


def test_the_order_of_the_list_is_kept_and_a_consent_may_stand_twice() -> None:
    rows = [{"consent_uuid": CONSENT, "type": kind} for kind in ("gas", "electricity", "electricity-export")]
    assert [meter.type for meter in wire.meters_of(json.dumps(rows).encode())] == [row["type"] for row in rows]


def test_an_empty_list_is_no_meters() -> None:
    assert wire.meters_of(b"[]") == []


@pytest.mark.parametrize(
    "limits",
    [
        None,
        {},
        [],
        "2021",
        {"earliest": None, "latest": None},
        {"earliest": "2021-06-01T00:00:00Z"},
        {"earliest": "2021-06-01T00:00:00Z", "latest": None},
        {"latest": "2021-06-01T00:00:00Z"},
        {"earliest": "2021-06-02T00:00:00Z", "latest": "2021-06-01T00:00:00Z"},
    ],
)
def test_a_meter_may_have_no_range(limits: Any) -> None:
    assert listed(range=limits).span is None
    assert listed().span is None


@pytest.mark.parametrize(
    ("earliest", "latest"),
    [
        ("2021-06-01T00:00:00Z", "2021-06-01T12:00:00Z"),
        ("2021-06-01T00:00:00+00:00", "2021-06-01T12:00:00.000Z"),
        ("2021-06-01T01:00:00+01:00", "2021-06-01T08:00:00-04:00"),
        ("2021-06-01T01:00:00", "2021-06-01T13:00:00"),
        ("2021-06-01T01:00:00", "2021-06-01T12:00:00Z"),
        ("2021-06-01 01:00", "2021-06-01 13:00"),
        ("2021-06-01T00:12:34.5Z", "2021-06-01T12:29:59.999Z"),
    ],
)
def test_a_range_may_be_spelled_in_any_way(earliest: str, latest: str) -> None:
    span = listed(range={"earliest": earliest, "latest": latest}).span
    assert span == Span(half_hour("2021-06-01T00:00"), half_hour("2021-06-01T12:30"))


def test_a_range_of_one_half_hour_is_one_half_hour() -> None:
    span = listed(range={"earliest": "2021-06-01T00:00:00Z", "latest": "2021-06-01T00:00:00Z"}).span
    assert span is not None
    assert len(span) == 1


@pytest.mark.parametrize("status", [None, "active", "", "withdrawn", "é"])
def test_the_status_is_powershapers_own_word(status: str | None) -> None:
    assert listed(status=status).status == status


@pytest.mark.parametrize("status", [1, True, ["a"], {"code": 3}])
def test_a_status_that_is_no_word_becomes_one(status: Any) -> None:
    assert isinstance(listed(status=status).status, str)


def test_bare_surrogates_go_no_further() -> None:
    spelled = '{"\\udfff": ["\\ud800", {"\\ud800": "a\\udc00b"}]}'
    rest = f'"status": "\\ud800", "note": {spelled}, "range": {spelled}'
    meter = only(f'[{{"consent_uuid": "{CONSENT}", "type": "gas\\ud800", {rest}}}]')
    for text in texts_in([meter.type, meter.status, meter.further]):
        assert text.encode("utf-8").decode() == text
    assert only(f'[{{"consent_uuid": "c", "type": "gas", "note": "{chr(0x1F600)}"}}]').further == {"note": "😀"}
    assert only('[{"consent_uuid": "c", "type": "gas", "note": "\\ud83d\\ude00"}]').further == {"note": "😀"}


@pytest.mark.parametrize("number", ["1e999", "1e-999", "0.1", "123456789012345678901234567890", str(2**63), "-1e30"])
def test_further_keys_hold_only_numbers_that_every_reader_can_hold(number: str) -> None:
    meter = only(f'[{{"consent_uuid": "c", "type": "gas", "n": {number}, "list": [{number}]}}]')
    kept = orjson.loads(orjson.dumps(meter.further))
    assert kept == meter.further


def nested(depth: int) -> list[bytes]:
    """Lists of a meter in which one key's value is nested so deeply."""
    keys = ("note", "status", "range", "links")
    values = ["[" * depth + "1" + "]" * depth, '{"a":' * depth + "1" + "}" * depth]
    return [f'[{{"consent_uuid": "c", "type": "gas", "{key}": {value}}}]'.encode() for key in keys for value in values]


@pytest.mark.parametrize("depth", range(1, 11))
def test_nesting_that_people_use_is_kept(depth: int) -> None:
    for body in nested(depth):
        (meter,) = wire.meters_of(body)
        assert meter.status or orjson.loads(orjson.dumps(meter.further)) == meter.further


@pytest.mark.parametrize("depth", range(20, 1300, 40))
def test_no_depth_of_nesting_breaks_the_reader(depth: int) -> None:
    for body in nested(depth):
        with suppress(UpstreamUnreadable):
            orjson.dumps([meter.further for meter in wire.meters_of(body)])


GOOD = {"consent_uuid": CONSENT, "type": "gas"}
NO_CONSENTS: list[Any] = [
    None,
    "",
    5,
    True,
    [],
    {},
    "a b",
    "a/b",
    "..",
    "a?b",
    "é",
    "a\n",
    "x" * 65,
    "\ud800",
    "../../admin",
]
NO_TYPES: list[Any] = [None, "", " ", ".", "..", "...", 5, True, [], {}]
NO_LIMITS = ["2021-06-01", "", "yesterday", 1622505600, True, [], {}, "00:00", "2021-06-31T00:00:00Z", "\ud800:"]
UNREADABLE: dict[str, Any] = {
    "no consent": [{"type": "gas"}],
    "no type": [{"consent_uuid": CONSENT}],
    **{f"consent {value!r:.30}": [GOOD | {"consent_uuid": value}] for value in NO_CONSENTS},
    **{f"type {value!r}": [GOOD | {"type": value}] for value in NO_TYPES},
    **{
        f"{end} {value!r}": [
            GOOD | {"range": {"earliest": "2021-06-01T00:00:00Z", "latest": "2021-06-01T00:00:00Z", end: value}}
        ]
        for end in ("earliest", "latest")
        for value in NO_LIMITS
    },
    "an object": {"detail": "Not found."},
    "pages": {"count": 1, "results": [GOOD]},
    "a meter that is no object": [GOOD, "gas"],
    "a meter that is null": [None],
    "NaN under a further key": [GOOD | {"note": float("nan")}],
    "5,000 digits under a further key": [GOOD | {"note": 10**4000}],
}


@pytest.mark.parametrize("answer", UNREADABLE.values(), ids=[ascii(name) for name in UNREADABLE])
def test_a_list_that_cannot_be_read_is_said(answer: Any) -> None:
    with pytest.raises(UpstreamUnreadable) as caught:
        wire.meters_of(json.dumps(answer).encode())
    assert caught.value.remedy
    str(caught.value).encode()


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe[\x00]\x00", b"[" * 100_000, b"null", b'[{"a": "\xe9"}]'])
def test_a_list_that_is_no_json_is_said(body: bytes) -> None:
    with pytest.raises(UpstreamUnreadable):
        wire.meters_of(body)


@pytest.mark.parametrize("item", ["{}", "[]", "1"])
def test_what_would_take_very_much_more_memory_than_it_has_bytes_is_not_taken_apart(item: str) -> None:
    body = f"[{','.join([item] * 2_100_000)}]".encode()
    for read in (wire.check_json, wire.meters_of):
        with pytest.raises(UpstreamTooLarge):
            read(body)


def test_a_list_of_more_meters_than_anybody_has_is_said() -> None:
    meters = [{"consent_uuid": f"a{number}", "type": "gas"} for number in range(50_001)]
    assert len(wire.meters_of(json.dumps(meters[1:]).encode())) == 50_000
    with pytest.raises(UpstreamUnreadable, match="more than 50,000 meters"):
        wire.meters_of(json.dumps(meters).encode())
