"""How often PowerShaper may be asked, and when not at all: decisions as values, without a clock, chance or network.

Before a call `decide` says go, wait or no; what came of it is told with `succeeded`, `failed`, `over_quota`,
`refused` and `given_up`, which give the next state. All moments are UTC seconds. The state is small, and is kept where
every process that asks PowerShaper sees it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

MINUTE = 60
LOOK_AT_PROBE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers of the policy, in seconds where nothing else is said."""

    calls_per_minute: float = 10
    burst: int = 5
    pause: float = MINUTE
    pause_jitter: float = 15
    longest_pause: float = 15 * MINUTE
    clean: float = 15 * MINUTE
    failures_to_open: int = 5
    open: float = 30
    longest_open: float = 10 * MINUTE
    probe: float = 90
    refused: float = 60 * MINUTE
    retries: int = 2
    retry: float = 2


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered between calls.

    At `counted_at` `tokens` calls were left; `withheld` of the calls a minute are not allowed since `rated_at`. `pause`
    is the length of the last pause, 0 once all is clean again. `failures` in a row have opened the breaker `openings`
    times; one probe at a time runs until `probing_until`. `refused_meters` are meters that alone are refused, and
    until when. `calls` is how many were let go in all. `answered_at` is when the last one was answered; `last_error`
    says what the last failure was, at `last_error_at`. A moment that never was is 0.
    """

    tokens: float
    counted_at: float
    withheld: float
    rated_at: float
    paused_until: float = 0
    pause: float = 0
    failures: int = 0
    openings: int = 0
    open_until: float = 0
    probing_until: float = 0
    refused_until: float = 0
    refused_meters: Mapping[str, float] = field(default_factory=dict)
    calls: int = 0
    answered_at: float = 0
    last_error: str = ""
    last_error_at: float = 0


@dataclass(frozen=True, slots=True)
class Go:
    """The call may be made; `state` counts it."""

    state: State


@dataclass(frozen=True, slots=True)
class Wait:
    """Ask again in so many seconds: the budget has a call again then, or (`is_for_probe`) a probe may have ended."""

    seconds: float
    is_for_probe: bool = False


@dataclass(frozen=True, slots=True)
class No:
    """The call must not be made. `why` is quota, down or refused; ask again in `seconds`."""

    why: str
    seconds: float


def fresh(limits: Limits, now: float) -> State:
    """The state of a service that has never asked."""
    return State(tokens=limits.burst, counted_at=now, withheld=0, rated_at=now)


def decide(state: State, limits: Limits, now: float, meter: str | None = None) -> Go | Wait | No:
    """Whether PowerShaper may be asked now, about `meter` or, with None, for the list of meters.

    A moment further ahead than the policy ever sets one means that the clock was moved: it is over.
    """
    longest_pause = limits.longest_pause + limits.pause_jitter
    for why, until, longest in (
        ("quota", state.paused_until, longest_pause),
        ("refused", state.refused_until, limits.refused),
        ("refused", state.refused_meters.get(meter or "", 0), limits.refused),
        ("down", state.open_until, limits.longest_open),
    ):
        if left := _left(until, now, longest):
            return No(why, left)
    is_probe = state.failures >= limits.failures_to_open
    if is_probe and (left := _left(state.probing_until, now, limits.probe)):
        return Wait(min(left, LOOK_AT_PROBE_SECONDS), is_for_probe=True)
    rated = _sped_up(state, limits, now)
    tokens = _tokens(rated, limits, now)
    if tokens < 1:
        return Wait((1 - tokens) * MINUTE / rate(rated, limits))
    probing_until = now + limits.probe if is_probe else 0
    return Go(replace(rated, tokens=tokens - 1, counted_at=now, probing_until=probing_until, calls=state.calls + 1))


def rate(state: State, limits: Limits) -> float:
    """The calls a minute that are allowed now: at least one, or what the limit is if that is less."""
    return max(min(1.0, limits.calls_per_minute), limits.calls_per_minute - state.withheld)


def has_spare(state: State, limits: Limits, now: float) -> bool:
    """Whether a call may be made that nobody waits for: about half of a burst stays for those who do."""
    verdict = decide(state, limits, now)
    return isinstance(verdict, Go) and verdict.state.tokens >= limits.burst // 2


def succeeded(state: State, now: float, meter: str | None = None) -> State:
    """After a call that was answered: the breaker is closed, and nobody is refused whom it was about."""
    refused_meters = {key: until for key, until in state.refused_meters.items() if key != meter}
    return replace(
        state,
        failures=0,
        openings=0,
        open_until=0,
        probing_until=0,
        refused_until=0,
        refused_meters=refused_meters,
        answered_at=now,
    )


def given_up(state: State, _now: float) -> State:
    """After a call that tells nothing: if it was a probe, another one may go."""
    return replace(state, probing_until=0)


def failed(state: State, limits: Limits, now: float, *, is_half: bool = False) -> State:
    """After a call that found PowerShaper down or slow: so many in a row open the breaker, longer each time.

    A half of a span that has just failed says nothing new and doesn't count, but as a probe.
    """
    if is_half and state.failures < limits.failures_to_open:
        return state
    failures = state.failures + 1
    is_open = _left(state.open_until, now, limits.longest_open) > 0
    if failures < limits.failures_to_open:
        return replace(state, failures=failures, probing_until=0)
    openings = state.openings + 1
    if is_open:  # a call that was under way when it opened: the next turn is longer, as after a probe
        return replace(state, failures=failures, openings=openings, probing_until=0)
    open_until = now + min(limits.open * openings, limits.longest_open)
    return replace(state, failures=failures, openings=openings, open_until=open_until, probing_until=0)


def over_quota(state: State, limits: Limits, now: float, retry_after: float, chance: float) -> State:
    """After a 426: a pause, doubled if the last one was not long enough, and half the rate. `chance` is 0 to 1."""
    if _left(state.paused_until, now, limits.longest_pause + limits.pause_jitter):  # calls that were under way
        until = now + min(retry_after, limits.longest_pause)
        return replace(state, paused_until=max(state.paused_until, until), probing_until=0)
    pause = min(max(limits.pause, retry_after, 2 * state.pause), limits.longest_pause)
    return replace(
        state,
        pause=pause,
        paused_until=now + pause + chance * limits.pause_jitter,
        withheld=limits.calls_per_minute - rate(state, limits) / 2,
        rated_at=now,
        probing_until=0,
    )


def refused(state: State, limits: Limits, now: float, meter: str | None) -> State:
    """After a 403 of everything (`meter` None) or of one meter: no more calls about it but a probe an hour."""
    until = now + limits.refused
    if meter is None:
        return replace(state, refused_until=until, probing_until=0)
    return replace(state, refused_meters={**state.refused_meters, meter: until}, probing_until=0)


def _left(until: float, now: float, longest: float) -> float:
    left = until - now
    return left if 0 < left <= longest else 0


def _sped_up(state: State, limits: Limits, now: float) -> State:
    """Each clean quarter of an hour gives one call a minute back, and the first forgets the length of pauses."""
    clean = int((now - state.rated_at) // limits.clean) if now > state.rated_at else 0
    if not clean:
        return state if now >= state.rated_at else replace(state, rated_at=now)
    withheld = max(0.0, min(state.withheld, limits.calls_per_minute) - clean)
    return replace(state, withheld=withheld, rated_at=state.rated_at + clean * limits.clean, pause=0)


def _tokens(state: State, limits: Limits, now: float) -> float:
    """A count from further ahead than a minute means that the clock was moved: it begins with a burst again."""
    if state.counted_at - now > MINUTE:
        return limits.burst
    elapsed = max(0.0, now - state.counted_at)
    return min(limits.burst, state.tokens + elapsed * rate(state, limits) / MINUTE)
