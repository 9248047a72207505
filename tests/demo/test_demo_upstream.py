"""The demonstration upstream over its ASGI app: what it answers to whom, in each variant."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from app.demo import DEMO_TOKEN, DemoUpstream, Missing, Numbers, Times

HOME_A, HOME_B = "5f1c9a52-3c1e-4d0b-9a77-0d2f6b1e8a41", "b27d04e6-91f8-4c35-8e2a-6f4d9c0713ba"
AFTER_THE_DATA = datetime(2022, 12, 20, 12, tzinfo=UTC)
METERS = "/meters/api/v1/meters/"
KG_A_KWH = 0.207074
DAYLIGHT_SAVING = [("2021-03-28", 46), ("2021-03-29", 48), ("2021-10-31", 50)]


def where_measured(**variant: Any) -> DemoUpstream:
    return DemoUpstream(moved=False, clock=AFTER_THE_DATA.timestamp, **variant)


def ask(upstream: DemoUpstream, path: str, token: str = f"Token {DEMO_TOKEN}", **parameters: str) -> httpx.Response:
    async def scenario() -> httpx.Response:
        transport = httpx.ASGITransport(upstream.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
            return await http.get(path, params=parameters or None, headers={"Authorization": token} if token else {})

    return asyncio.run(scenario())


def rows(upstream: DemoUpstream, consent: str = HOME_A, kind: str = "electricity", **parameters: str) -> list[Any]:
    response = ask(upstream, f"/meters/api/v1/meter/{consent}/{kind}", **parameters)
    assert response.status_code == 200, response.text
    answer: list[Any] = response.json()
    return answer


@pytest.mark.parametrize("token", ["", DEMO_TOKEN, f"Bearer {DEMO_TOKEN}", "Token ", f"Token {DEMO_TOKEN}x"])
def test_a_bad_token_is_refused(token: str) -> None:
    upstream = where_measured()
    for path in (METERS, f"/meters/api/v1/meter/{HOME_A}/gas", "/meters/api/v1/meter/nobody/gas"):
        response = ask(upstream, path, token)
        assert response.status_code == 403
        assert set(response.json()) == {"detail"}


@pytest.mark.parametrize("path", [f"{HOME_B}/gas", f"{HOME_A}/water", "nobody/electricity", f"{HOME_A[:-1]}/gas"])
def test_an_unknown_meter_is_not_found(path: str) -> None:
    response = ask(where_measured(), f"/meters/api/v1/meter/{path}", start="2021-06-01", end="2021-06-01")
    assert response.status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [{"start": ""}, {"end": "yesterday"}, {"start": "2021-06-31"}, {"aggregate": "week"}, {"tz": "Mars/Olympus"}],
)
def test_a_question_that_means_nothing_is_refused(wrong: dict[str, str]) -> None:
    asked = {"start": "2021-06-01", "end": "2021-06-01"} | wrong
    assert ask(where_measured(), f"/meters/api/v1/meter/{HOME_A}/gas", **asked).status_code == 400


def test_a_question_without_days_is_refused() -> None:
    assert ask(where_measured(), f"/meters/api/v1/meter/{HOME_A}/gas").status_code == 400


def test_every_call_is_counted_with_its_parameters_and_refused_ones_too() -> None:
    upstream = where_measured()
    ask(upstream, METERS)
    ask(upstream, METERS, "Token wrong")
    rows(upstream, kind="gas", start="2021-06-01", end="2021-06-02", aggregate="none", tz="UTC")
    gas = f"/meters/api/v1/meter/{HOME_A}/gas?start=2021-06-01&end=2021-06-02&aggregate=none&tz=UTC"
    assert upstream.calls == [METERS, METERS, gas]


def test_the_list_of_meters_says_what_is_there() -> None:
    listed = ask(where_measured(), METERS).json()
    assert [(meter["consent_uuid"], meter["type"], meter["range"]) for meter in listed] == [
        (HOME_A, "electricity", {"earliest": "2020-04-01T01:00:00Z", "latest": "2022-12-06T12:30:00Z"}),
        (HOME_A, "gas", {"earliest": "2020-04-01T01:00:00Z", "latest": "2022-12-06T12:30:00Z"}),
        (HOME_B, "electricity", {"earliest": "2012-02-20T13:00:00Z", "latest": "2014-02-28T00:00:00Z"}),
    ]
    for meter in listed:
        assert meter["links"] == {"records": f"/meters/api/v1/meter/{meter['consent_uuid']}/{meter['type']}"}
        assert len(meter["mpan_last_four"]) == 4


def test_the_list_of_meters_spells_its_times_as_the_rows_do() -> None:
    summer = DemoUpstream(moved=False, clock=datetime(2021, 6, 2, tzinfo=UTC).timestamp, times=Times.NONE)
    assert ask(summer, METERS).json()[0]["range"]["latest"] == "2021-06-02T00:30:00"
    summer.times = Times.OFFSET
    assert ask(summer, METERS).json()[0]["range"]["latest"] == "2021-06-01T23:30:00+00:00"


@pytest.mark.parametrize("tz", ["UTC", "Etc/UTC"])
def test_utc_days_are_their_48_half_hours(tz: str) -> None:
    answer = rows(where_measured(), start="2021-06-01", end="2021-06-02", aggregate="none", tz=tz)
    starts = [datetime(2021, 6, 1, tzinfo=UTC) + i * timedelta(minutes=30) for i in range(96)]
    assert [row["time"] for row in answer] == [f"{start:%Y-%m-%dT%H:%M:%SZ}" for start in starts]
    assert all(set(row) == {"time", "energy_kwh", "carbon_kg", "error_count"} for row in answer)
    assert [row["carbon_kg"] for row in answer] == pytest.approx([row["energy_kwh"] * KG_A_KWH for row in answer])


@pytest.mark.parametrize(("day", "half_hours"), DAYLIGHT_SAVING)
def test_local_days_have_46_48_or_50_half_hours(day: str, half_hours: int) -> None:
    for zone in ({}, {"tz": "Europe/London"}):
        answer = rows(where_measured(), start=day, end=day, **zone)
        moments = [datetime.fromisoformat(row["time"]) for row in answer]
        assert len(answer) == half_hours
        assert {moment.astimezone(ZoneInfo("Europe/London")).date().isoformat() for moment in moments} == {day}
        assert moments[-1] - moments[0] == (half_hours - 1) * timedelta(minutes=30)


def test_gas_has_no_carbon() -> None:
    answer = rows(where_measured(), kind="gas", start="2021-06-01", end="2021-06-01", tz="UTC")
    assert [row["carbon_kg"] for row in answer] == [None] * 48


def test_days_outside_the_data_are_an_empty_array() -> None:
    assert rows(where_measured(), start="2019-01-01", end="2019-12-31") == []
    assert rows(where_measured(), start="2021-06-02", end="2021-06-01") == []


def test_no_day_after_yesterday_is_there_yet() -> None:
    upstream = DemoUpstream(moved=False, clock=datetime(2021, 6, 2, 23, 59, tzinfo=UTC).timestamp)
    answer = rows(upstream, start="2021-05-31", end="2021-06-30", tz="UTC")
    assert answer[-1]["time"] == "2021-06-01T23:30:00Z"
    assert ask(upstream, METERS).json()[0]["range"]["latest"] == "2021-06-01T23:30:00Z"
    before_all = DemoUpstream(moved=False, clock=datetime(2012, 1, 1, tzinfo=UTC).timestamp)
    assert ask(before_all, METERS).json() == []


@pytest.mark.parametrize(("missing", "numbers", "times"), list(product(Missing, Numbers, Times)))
def test_each_variant_says_the_same_in_other_words(missing: Missing, numbers: Numbers, times: Times) -> None:
    asked = {"start": "2012-10-03", "end": "2012-10-03", "aggregate": "none", "tz": "UTC"}
    plain = rows(where_measured(), HOME_B, **asked)
    answer = rows(where_measured(missing=missing, numbers=numbers, times=times), HOME_B, **asked)
    gaps = [i for i, row in enumerate(plain) if row["error_count"]]
    assert gaps == list(range(4, 10))
    if missing is Missing.LEFT_OUT:
        plain = [row for i, row in enumerate(plain) if i not in gaps]
    ending = {Times.Z: "Z", Times.OFFSET: "+00:00", Times.NONE: ""}[times]
    assert [row["time"] for row in answer] == [row["time"].removesuffix("Z") + ending for row in plain]
    for row, expected in zip(answer, plain, strict=True):
        for key in ("energy_kwh", "carbon_kg", "error_count"):
            if expected["error_count"] and missing is Missing.NULL and key != "error_count":
                assert row[key] is None
            else:
                assert isinstance(row[key], str) is (numbers is Numbers.TEXT)
                assert float(row[key]) == expected[key]
    flagged_zeros = [row for row in plain if row["error_count"]]
    assert all((row["energy_kwh"], row["carbon_kg"], row["error_count"]) == (0, 0, 1) for row in flagged_zeros)


def test_a_half_hour_that_stands_twice_stays_twice() -> None:
    answer = rows(where_measured(), HOME_B, start="2012-01-01", end="2014-12-31", tz="UTC")
    counted = Counter(row["time"] for row in answer)
    assert Counter(counted.values())[2] == 24
    assert set(counted.values()) == {1, 2}
    assert [row["time"] for row in answer] == sorted(row["time"] for row in answer)
    assert counted["2014-02-28T00:00:00Z"] == 2


TOTALS = {
    "hour": lambda at: at.replace(minute=0).isoformat(),
    "day": lambda at: at.date().isoformat(),
    "month": lambda at: at.date().replace(day=1).isoformat(),
}


@pytest.mark.parametrize("tz", ["UTC", "Europe/London", "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("aggregate", list(TOTALS))
@pytest.mark.parametrize(("first", "last"), [("2013-03-25", "2013-04-02"), ("2013-10-25", "2013-11-12")])
def test_sums_are_the_sums_of_their_half_hours(aggregate: str, tz: str, first: str, last: str) -> None:
    upstream = where_measured()
    answer = rows(upstream, HOME_B, start=first, end=last, aggregate=aggregate, tz=tz)
    kwh: dict[str, dict[str, float]] = {}
    errors: Counter[str] = Counter()
    for row in rows(upstream, HOME_B, start=first, end=last, aggregate="none", tz=tz):
        label = TOTALS[aggregate](datetime.fromisoformat(row["time"]).astimezone(ZoneInfo(tz)))
        kwh.setdefault(label, {})[row["time"]] = row["energy_kwh"]
        errors[label] += row["error_count"]
    assert [row["time"].replace("Z", "+00:00") for row in answer] == list(kwh)
    assert [row["energy_kwh"] for row in answer] == pytest.approx([sum(values.values()) for values in kwh.values()])
    assert [row["error_count"] for row in answer] == [errors[label] for label in kwh]


def test_both_hours_that_are_called_one_are_there() -> None:
    answer = rows(where_measured(), start="2021-10-31", end="2021-10-31", aggregate="hour")
    ones = [row["time"] for row in answer if row["time"].startswith("2021-10-31T01:00:00")]
    assert ones == ["2021-10-31T01:00:00+01:00", "2021-10-31T01:00:00+00:00"]
    assert len(answer) == 25


@pytest.mark.parametrize("tz", ["UTC", "Europe/London", "America/New_York"])
def test_a_profile_is_the_mean_day(tz: str) -> None:
    upstream = where_measured()
    asked = {"start": "2012-10-01", "end": "2012-10-30", "tz": tz}
    answer = rows(upstream, HOME_B, aggregate="profile", **asked)
    assert [row["time"] for row in answer] == [f"{i // 2:02}:{i % 2 * 30:02}" for i in range(48)]
    values: dict[str, dict[str, float]] = {}
    for row in rows(upstream, HOME_B, aggregate="none", **asked):
        if not row["error_count"]:
            clock = f"{datetime.fromisoformat(row['time']).astimezone(ZoneInfo(tz)):%H:%M}"
            values.setdefault(clock, {})[row["time"]] = row["energy_kwh"]
    means = [sum(values[row["time"]].values()) / len(values[row["time"]]) for row in answer]
    assert [row["energy_kwh"] for row in answer] == pytest.approx(means)


def test_an_answer_takes_as_long_as_it_is_told() -> None:
    upstream = where_measured(delay=0.2)
    began = datetime.now(UTC)
    assert ask(upstream, METERS).status_code == 200
    assert datetime.now(UTC) - began >= timedelta(seconds=0.2)


@pytest.mark.parametrize("today", [date(2022, 12, 7), date(2026, 2, 28), date(2031, 7, 1)])
def test_the_data_reaches_yesterday_and_no_further(today: date) -> None:
    clock = datetime(today.year, today.month, today.day, 0, 5, tzinfo=UTC).timestamp
    upstream = DemoUpstream(clock=clock)
    yesterday = today - timedelta(days=1)
    for meter in ask(upstream, METERS).json():
        asked = {"start": yesterday.isoformat(), "end": "2099-01-01", "tz": "UTC"}
        answer = rows(upstream, meter["consent_uuid"], meter["type"], **asked)
        assert {row["time"][:10] for row in answer} == {yesterday.isoformat()}
        assert answer[-1]["time"] == meter["range"]["latest"]
