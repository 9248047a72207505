"""Answers that are passed on as they come: all that is asked is that they are JSON, and a list can be shortened."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import UpstreamUnreadable
from app.upstream import wire

JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
METER = st.fixed_dictionaries(
    {"consent_uuid": st.sampled_from(["a", "b", "c"]) | JSON, "type": st.sampled_from(["gas", "electricity"]) | JSON},
    optional={"], [": JSON, '"}': JSON},
)


@given(st.lists(METER | JSON, max_size=6), st.sampled_from([None, 1, "\t"]))
def test_a_list_keeps_the_meters_that_may_be_read_just_as_they_are_written(
    items: list[object], indent: int | str | None
) -> None:
    keys = {("a", "gas"), ("b", "electricity")}
    written = [json.dumps(item, indent=indent) for item in items]
    kept = [
        text
        for item, text in zip(items, written, strict=True)
        if isinstance(item, dict) and [item.get("consent_uuid"), item.get("type")] in [list(key) for key in keys]
    ]
    body = (" [\n" + " ,\r\n\t".join(written) + "\n] ").encode()
    assert wire.meters_among(body, keys).decode() == f"[{','.join(kept)}]"


def test_numbers_stay_as_they_are_written() -> None:
    meter = '{"type":"gas","consent_uuid":"a","n":1.50000000000000000001,"e":1E2}'
    assert wire.meters_among(f"[{meter}]".encode(), {("a", "gas")}).decode() == f"[{meter}]"


@pytest.mark.parametrize("body", [b'{"consent_uuid": "a"}', b'"["', b"7"])
def test_what_is_no_list_is_not_shortened(body: bytes) -> None:
    with pytest.raises(UpstreamUnreadable, match="no array"):
        wire.meters_among(body, {("a", "gas")})


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[", b"\xff", b"[1,]", b"[" * 100_000, b"9" * 5000, b"\xef\xbb\xbf[]"]
)
def test_what_is_no_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(UpstreamUnreadable, match="no JSON"):
        wire.check_json(body)


@pytest.mark.parametrize("body", [b"[]", b"{}", b' [{"time": "2021-06-01T00:00:00Z", "energy_kwh": "1.5"}] ', b"null"])
def test_any_json_is_passed_on(body: bytes) -> None:
    wire.check_json(body)
