"""PowerShaper asked politely: every call goes through the policy, and the policy hears what came of it."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Protocol, TypeVar

from app.domain.errors import (
    QuotaExceeded,
    UpstreamError,
    UpstreamFailing,
    UpstreamRefused,
    UpstreamSlow,
    UpstreamTooLarge,
    UpstreamUnavailable,
    UpstreamUnreadable,
)
from app.domain.halfhours import HalfHours
from app.domain.meters import ListedMeter
from app.upstream import policy
from app.upstream.client import PowerShaper
from app.upstream.policy import Go, Limits, No, State, Wait

LONGEST_SLEEP = 5.0
"""A wait is looked at again after it, for another process may have changed what is waited for."""

HALVED: tuple[type[UpstreamError], ...] = (UpstreamFailing, UpstreamSlow, UpstreamTooLarge)
"""Failures that a shorter span may not have."""

T = TypeVar("T")


class StateStore(Protocol):
    """Keeps the policy's state where every process that asks PowerShaper sees it."""

    async def change(self, change: Callable[[State], tuple[State, T]]) -> T:
        """Replaces the state by the first of what `change` makes of it, at once, and gives the second."""
        ...

    async def read(self) -> State:
        """The state as it is."""
        ...


class PolitePowerShaper:
    """PowerShaper inside its budget, with pauses, retries and a breaker.

    `clock` gives UTC seconds, `chance` a number from 0 to 1, `sleep` waits for seconds. `calls` counts those made.
    """

    def __init__(
        self,
        powershaper: PowerShaper,
        store: StateStore,
        limits: Limits,
        clock: Callable[[], float],
        *,
        chance: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._powershaper = powershaper
        self._store = store
        self._limits = limits
        self._clock = clock
        self._chance = chance
        self._sleep = sleep
        self.calls = 0

    async def meters(self) -> list[ListedMeter]:
        """All meters that the token can read. UpstreamError."""
        return await self._asked(self._powershaper.meters, None)

    async def half_hours(
        self, meter: ListedMeter, first_day: int, last_day: int, *, will_halve: bool = False, is_half: bool = False
    ) -> HalfHours:
        """All half-hours of the UTC days `first_day` to `last_day`, both included. UpstreamError.

        With `will_halve` a failure that a shorter span may not have isn't tried again as it is: whoever asks will ask
        for the halves, and says so then with `is_half`.
        """
        return await self._asked(
            lambda: self._powershaper.half_hours(meter, first_day, last_day),
            "/".join(meter.key),
            final=HALVED if will_halve else (),
            is_half=is_half,
        )

    async def meters_body(self) -> bytes:
        """The list of meters just as it comes, if it is JSON. UpstreamError."""
        return await self._asked(self._powershaper.meters_body, None)

    async def records_body(self, meter: ListedMeter, asked: Mapping[str, str]) -> bytes:
        """The records of a meter just as they come, if they are JSON; `asked` are the API's own parameters.

        UpstreamError.
        """
        return await self._asked(lambda: self._powershaper.records_body(meter, asked), "/".join(meter.key))

    async def state(self) -> State:
        """What is remembered of the calls so far."""
        return await self._store.read()

    async def has_spare(self) -> bool:
        """Whether a call may be made now that nobody waits for."""
        return policy.has_spare(await self._store.read(), self._limits, self._clock())

    async def _asked(
        self,
        call: Callable[[], Awaitable[T]],
        meter: str | None,
        final: tuple[type[UpstreamError], ...] = (),
        *,
        is_half: bool = False,
    ) -> T:
        """What a call gives, made when the policy lets it, and again if the connection or a gateway failed.

        A failure of the kinds `final` isn't tried again as it is.
        """
        tries = 0
        while True:
            await self._let_go(meter)
            try:
                answer = await call()
            except UpstreamRefused as error:
                await self._refused(meter, error)
                raise
            except UpstreamUnreadable as error:
                await self._heard(policy.succeeded, error)  # it is there, whatever it said
                raise
            except QuotaExceeded as error:
                raise await self._over_quota(error) from None
            except UpstreamUnavailable as error:
                await self._heard(lambda state, now: policy.failed(state, self._limits, now, is_half=is_half), error)
                if tries == self._limits.retries or isinstance(error, (UpstreamSlow, *final)):
                    raise
                await self._sleep(self._chance() * self._limits.retry * 2**tries)
                tries += 1
            except BaseException:  # whoever waits for this probe need not wait for nothing
                await self._heard(policy.given_up)
                raise
            else:
                await self._heard(lambda state, now: policy.succeeded(state, now, meter))
                return answer

    async def _refused(self, meter: str | None, error: UpstreamRefused) -> None:
        """If the list of meters is answered, one meter alone is refused; if it isn't, the token is."""
        if meter is not None:
            await self._heard(policy.given_up, error)  # else the list would wait until this very probe is over
            await self.meters()
        await self._heard(lambda state, now: policy.refused(state, self._limits, now, meter), error)

    async def _over_quota(self, error: QuotaExceeded) -> UpstreamError:
        """Begins a pause, and gives the error that says how long it is."""
        chance = self._chance()
        await self._heard(
            lambda state, now: policy.over_quota(state, self._limits, now, error.retry_after, chance), error
        )
        verdict = policy.decide(await self._store.read(), self._limits, self._clock())
        return _why_not(verdict) if isinstance(verdict, No) else error

    async def _let_go(self, meter: str | None) -> None:
        """Returns when the call may be made. QuotaExceeded, UpstreamUnavailable or UpstreamRefused if it must not."""
        while True:
            verdict = await self._store.change(lambda state: self._decided(state, meter))
            if isinstance(verdict, Go):
                self.calls += 1
                return
            if isinstance(verdict, No):
                raise _why_not(verdict)
            await self._sleep(min(verdict.seconds, LONGEST_SLEEP))

    def _decided(self, state: State, meter: str | None) -> tuple[State, Go | Wait | No]:
        verdict = policy.decide(state, self._limits, self._clock(), meter)
        return (verdict.state if isinstance(verdict, Go) else state), verdict

    async def _heard(self, change: Callable[[State, float], State], error: UpstreamError | None = None) -> None:
        """Keeps what a call has changed, and what went wrong: errors of ours, which hold no secret."""

        def heard(state: State) -> tuple[State, None]:
            now = self._clock()
            state = change(state, now)
            return (replace(state, last_error=str(error), last_error_at=now) if error else state), None

        await self._store.change(heard)


def _why_not(verdict: No) -> UpstreamUnavailable | UpstreamRefused:
    seconds = max(1, round(verdict.seconds))
    if verdict.why == "refused":
        return UpstreamRefused(
            f"PowerShaper refused the token of this service; it is asked again in {seconds} s.",
            remedy="Whoever runs this service: check POWERSHAPER_TOKEN, or make a new token at PowerShaper.",
        )
    if verdict.why == "quota":
        return QuotaExceeded(
            f"PowerShaper's quota of calls is used up; it is asked again in {seconds} s.",
            remedy="Try again in a minute or two.",
            retry_after=seconds,
        )
    return UpstreamUnavailable(
        f"PowerShaper failed several times in a row; it is asked again in {seconds} s.",
        remedy="Try again in a minute.",
        retry_after=seconds,
    )
