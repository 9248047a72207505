"""Meters in an archive, whichever database keeps it."""

from dataclasses import replace
from itertools import product

import pytest
from archive.stores import CONSENT_A, CONSENT_B, DAY, GAS, HOUR, NOON, Opened, measured, one_meter, same

from app.archive import Archive
from app.domain.errors import BadParameter, NotFound, UpstreamUnreadable
from app.domain.meters import WITHDRAWN, ListedMeter
from app.domain.spans import Span
from app.upstream import wire


def test_newcomers_are_named(archive: Archive) -> None:
    electricity = [ListedMeter(consent, "electricity", None, None) for consent in (CONSENT_A, CONSENT_B)]
    archive.remember([*electricity, GAS], NOON)
    assert [meter.name for meter in archive.meters()] == ["electricity-5f1c9a52", "electricity-b27d04e6", "gas"]


def test_a_name_stays_when_others_come(archive: Archive) -> None:
    archive.remember([GAS], NOON)
    both = archive.remember([replace(GAS, consent_uuid=CONSENT_B), GAS], NOON)
    assert {meter.consent_uuid: meter.name for meter in both} == {CONSENT_A: "gas", CONSENT_B: "gas-b27d04e6"}


def test_a_meter_is_remembered_as_it_was_last_listed(opened: Opened) -> None:
    span = Span(DAY * 48 + 1, DAY * 48 + 99)
    last = replace(GAS, status="ended", span=span, further={"mpan": {"four": "1"}, "é": [None, 1, "x"]})
    archive = opened()
    archive.remember([replace(GAS, further={"old": 1})], NOON)
    given = archive.remember([last, last], NOON + HOUR)
    assert given == archive.meters() == opened().meters()
    assert [(meter.listed, meter.is_listed) for meter in given] == [(last, True)]
    listed_at, _ = archive.listed() or (0, 0)
    assert listed_at == NOON + HOUR


def test_a_meter_that_is_withdrawn_is_kept_as_not_listed(archive: Archive) -> None:
    meter = one_meter(archive)
    archive.store(meter.id, measured(), NOON)
    other = replace(GAS, type="electricity", status=None)
    assert [(m.name, m.status) for m in archive.remember([other], NOON)] == [("electricity", None), ("gas", WITHDRAWN)]
    assert [m.is_listed for m in archive.remember([], NOON)] == [False, False]
    assert same(archive.days(meter.id, DAY, DAY).half_hours, measured())
    again = {m.name: (m.id, m.status) for m in archive.remember([GAS], NOON)}
    assert again["gas"] == (meter.id, "active")


def test_a_renamed_meter_keeps_its_name_and_its_days(opened: Opened) -> None:
    archive = opened()
    meter = one_meter(archive)
    archive.store(meter.id, measured(), NOON)
    archive.rename("gas", "the-boiler-1")
    renamed = archive.remember([GAS], NOON)
    assert [(m.id, m.name) for m in renamed] == [(meter.id, "the-boiler-1")]
    assert opened().meters() == renamed
    assert sum(archive.held().values()) == 48


def test_a_rename_is_refused_where_it_cannot_be(archive: Archive) -> None:
    archive.remember([GAS, replace(GAS, type="electricity")], NOON)
    before = archive.meters()
    with pytest.raises(NotFound):
        archive.rename("water", "boiler")
    for name in ("electricity", "", "Gas", "a b", "é", "x" * 41, "a/b", "gas\n", "='gas'"):
        with pytest.raises(BadParameter) as caught:
            archive.rename("gas", name)
        assert caught.value.remedy
    archive.rename("gas", "gas")
    assert archive.meters() == before


@pytest.mark.parametrize("offset", ["Z", "+14:00", "-14:00", ""])
def test_whatever_range_can_be_read_can_be_kept(archive: Archive, offset: str) -> None:
    firsts = ["1970-01-01T00:00", "1000-01-01T00:00", "0999-12-31T00:00", "0001-01-01T00:00"]
    for earliest, latest in product(firsts, ["2021-06-01T00:00", "9999-12-31T23:30"]):
        limits = f'{{"earliest": "{earliest}{offset}", "latest": "{latest}{offset}"}}'
        try:
            listed = wire.meters_of(f'[{{"consent_uuid": "c", "type": "gas", "range": {limits}}}]'.encode())
        except UpstreamUnreadable:
            continue
        assert archive.remember(listed, NOON)[0].listed == archive.meters()[0].listed == listed[0]
