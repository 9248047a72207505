"""The policy as values: budget, pause, breaker and refusal, with the moments and the chance as arguments."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.upstream.policy import (
    Go,
    Limits,
    No,
    State,
    Wait,
    decide,
    failed,
    fresh,
    has_spare,
    over_quota,
    rate,
    refused,
    succeeded,
)

LIMITS = Limits()
NOON = 1_700_000_000.0
MINUTE, HOUR, DAY, YEAR = 60, 3600, 86_400, 365 * 86_400


def goes(state: State, now: float, meter: str | None = None) -> State:
    verdict = decide(state, LIMITS, now, meter)
    assert isinstance(verdict, Go), verdict
    return verdict.state


def waits(state: State, now: float, *, is_for_probe: bool = False) -> float:
    verdict = decide(state, LIMITS, now)
    assert isinstance(verdict, Wait), verdict
    assert verdict.is_for_probe == is_for_probe
    return verdict.seconds


def is_told_no(state: State, now: float, meter: str | None = None) -> tuple[str, int]:
    verdict = decide(state, LIMITS, now, meter)
    assert isinstance(verdict, No), verdict
    return verdict.why, round(verdict.seconds)


def after_a_burst() -> State:
    state = fresh(LIMITS, NOON)
    for _ in range(5):
        state = goes(state, NOON)
    return state


def test_five_calls_go_at_once_and_then_one_every_six_seconds() -> None:
    state = after_a_burst()
    assert waits(state, NOON) == pytest.approx(6)
    assert waits(state, NOON + 4) == pytest.approx(2)
    state = goes(state, NOON + 6)
    assert waits(state, NOON + 6) == pytest.approx(6)
    assert state.calls == 6


def test_a_426_pauses_for_a_minute_and_some_luck_and_halves_the_rate() -> None:
    state = over_quota(fresh(LIMITS, NOON), LIMITS, NOON, retry_after=0, chance=1)
    assert is_told_no(state, NOON + 74) == ("quota", 1)
    state = goes(state, NOON + 76)
    assert rate(state, LIMITS) == 5


def test_a_pause_is_as_long_as_retry_after_says_but_not_beyond_a_quarter_of_an_hour() -> None:
    assert is_told_no(over_quota(fresh(LIMITS, NOON), LIMITS, NOON, 200, 0), NOON) == ("quota", 200)
    assert is_told_no(over_quota(fresh(LIMITS, NOON), LIMITS, NOON, 99_999, 0), NOON) == ("quota", 900)


def test_pauses_double_up_to_a_quarter_of_an_hour_until_all_is_clean() -> None:
    state, now, lengths = fresh(LIMITS, NOON), NOON, []
    for _ in range(6):
        state = over_quota(state, LIMITS, now, 0, 0)
        lengths.append(state.paused_until - now)
        now = state.paused_until + 1
    assert lengths == [60, 120, 240, 480, 900, 900]
    later = goes(state, now + 15 * MINUTE)
    assert over_quota(later, LIMITS, now + 15 * MINUTE, 0, 0).pause == 60


def test_each_clean_quarter_of_an_hour_gives_one_call_a_minute_back() -> None:
    state = over_quota(fresh(LIMITS, NOON), LIMITS, NOON, 0, 0)
    assert rate(goes(state, NOON + 14 * MINUTE), LIMITS) == 5
    assert rate(goes(state, NOON + 16 * MINUTE), LIMITS) == 6
    assert rate(goes(state, NOON + 46 * MINUTE), LIMITS) == 8
    assert rate(goes(state, NOON + DAY), LIMITS) == 10


def test_calls_under_way_when_a_pause_or_the_breaker_begins_do_not_count_again() -> None:
    state = fresh(LIMITS, NOON)
    for _ in range(4):
        state = over_quota(state, LIMITS, NOON, 0, 0)
    assert is_told_no(state, NOON) == ("quota", 60)
    assert rate(state, LIMITS) == 5
    assert is_told_no(over_quota(state, LIMITS, NOON + 1, 300, 0), NOON + 1) == ("quota", 300)
    assert is_told_no(down(fresh(LIMITS, NOON), NOON, 8), NOON) == ("down", 30)


@pytest.mark.parametrize("under_way", [0, 1, 3])
def test_a_day_of_outage_costs_158_calls_however_many_were_under_way_when_it_began(under_way: int) -> None:
    state, now, calls = down(fresh(LIMITS, NOON), NOON, 5 + under_way), NOON, 5 + under_way
    while (now := now + 1) < NOON + DAY:
        if isinstance(verdict := decide(state, LIMITS, now), Go):
            state, calls = failed(verdict.state, LIMITS, now), calls + 1
    assert calls in (157, 158)


def test_another_budget_holds_at_once() -> None:
    slow = replace(LIMITS, calls_per_minute=0.5)
    state = over_quota(fresh(LIMITS, NOON), LIMITS, NOON, 0, 0)
    assert rate(state, slow) == 0.5
    assert rate(over_quota(fresh(slow, NOON), slow, NOON, 0, 0), slow) == 0.5
    assert rate(fresh(LIMITS, NOON), replace(LIMITS, calls_per_minute=60)) == 60


def down(state: State, now: float, times: int) -> State:
    for _ in range(times):
        state = failed(state, LIMITS, now)
    return state


def test_five_failures_in_a_row_open_the_breaker_longer_each_time_and_at_most_ten_minutes() -> None:
    state = down(fresh(LIMITS, NOON), NOON, 4)
    goes(state, NOON)
    now, lengths = NOON, []
    for _ in range(25):
        state = failed(state, LIMITS, now)
        lengths.append(is_told_no(state, now)[1])
        now += lengths[-1] + 1
    assert lengths[:3] == [30, 60, 90]
    assert lengths[-1] == 600


def test_the_halves_of_a_span_that_failed_do_not_open_the_breaker_but_a_probe_of_one_does() -> None:
    state = down(fresh(LIMITS, NOON), NOON, 1)
    for _ in range(10):
        state = failed(state, LIMITS, NOON, is_half=True)
    goes(state, NOON)
    probing = goes(down(state, NOON, 4), NOON + 31)
    assert is_told_no(failed(probing, LIMITS, NOON + 31, is_half=True), NOON + 31) == ("down", 60)


def test_a_call_that_nobody_waits_for_leaves_half_a_burst_to_those_who_do() -> None:
    state, made = fresh(LIMITS, NOON), 0
    while has_spare(state, LIMITS, NOON):
        state, made = goes(state, NOON), made + 1
    assert (made, state.tokens) == (3, 2)
    single = replace(LIMITS, burst=1)
    assert has_spare(fresh(single, NOON), single, NOON)
    assert not has_spare(over_quota(fresh(LIMITS, NOON), LIMITS, NOON, 0, 0), LIMITS, NOON)


def test_one_probe_at_a_time_goes_through_a_breaker_and_closes_it() -> None:
    state = goes(down(fresh(LIMITS, NOON), NOON, 5), NOON + 31)
    assert waits(state, NOON + 32, is_for_probe=True) == 0.25
    assert not has_spare(state, LIMITS, NOON + 32)
    goes(state, NOON + 31 + 91)
    assert is_told_no(failed(state, LIMITS, NOON + 33), NOON + 33) == ("down", 60)
    healed = succeeded(state, NOON)
    goes(goes(healed, NOON + 32), NOON + 32)


def test_a_success_between_failures_begins_the_count_anew() -> None:
    state = succeeded(down(fresh(LIMITS, NOON), NOON, 4), NOON)
    goes(down(state, NOON, 4), NOON)


def test_a_refused_token_is_probed_once_an_hour() -> None:
    state = refused(fresh(LIMITS, NOON), LIMITS, NOON, None)
    assert is_told_no(state, NOON + 59 * MINUTE, "a/gas")[0] == "refused"
    goes(state, NOON + 61 * MINUTE)


def test_a_refused_meter_is_left_alone_by_itself() -> None:
    state = refused(fresh(LIMITS, NOON), LIMITS, NOON, "a/gas")
    assert is_told_no(state, NOON + MINUTE, "a/gas")[0] == "refused"
    goes(state, NOON + MINUTE, "a/electricity")
    goes(state, NOON + MINUTE)
    assert succeeded(state, NOON, "a/gas").refused_meters == {}


@given(
    moved=st.sampled_from([-10 * YEAR, -DAY, DAY, 10 * YEAR]),
    trouble=st.sampled_from(["quota", "down", "refused", "meter", "budget", "probe"]),
)
def test_a_clock_that_moves_neither_hangs_nor_storms(moved: int, trouble: str) -> None:
    state = {
        "quota": over_quota(after_a_burst(), LIMITS, NOON, 900, 1),
        "down": down(after_a_burst(), NOON, 40),
        "refused": refused(after_a_burst(), LIMITS, NOON, None),
        "meter": refused(after_a_burst(), LIMITS, NOON, "a/gas"),
        "budget": after_a_burst(),
        "probe": replace(down(after_a_burst(), NOON, 5), open_until=0, probing_until=NOON + 90),
    }[trouble]
    now = NOON + moved
    made = 0
    for second in range(15 * MINUTE):
        verdict = decide(state, LIMITS, now + second, "a/gas")
        if isinstance(verdict, No):
            assert verdict.seconds <= 15 * MINUTE
        if isinstance(verdict, Go):
            state, made = verdict.state, made + 1
    assert 1 <= made <= 5 + 15 * 10 + 1


@given(
    outcomes=st.lists(st.sampled_from(["ok", "down", "quota", "refused"]), max_size=60),
    gaps=st.lists(st.floats(0, 300), min_size=60, max_size=60),
)
def test_whatever_comes_back_no_minute_sees_more_calls_than_burst_and_rate(
    outcomes: list[str], gaps: list[float]
) -> None:
    state, now, went = fresh(LIMITS, NOON), NOON, []
    for outcome, gap in zip(outcomes, gaps, strict=False):
        verdict = decide(state, LIMITS, now)
        if isinstance(verdict, Go):
            went.append(now)
            state = {
                "ok": succeeded(verdict.state, now),
                "down": failed(verdict.state, LIMITS, now),
                "quota": over_quota(verdict.state, LIMITS, now, 0, 0.5),
                "refused": refused(verdict.state, LIMITS, now, None),
            }[outcome]
        now += gap
    for begin in went:
        assert len([moment for moment in went if begin <= moment < begin + MINUTE]) <= 5 + 10
