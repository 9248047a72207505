"""`doctor`: looks at everything that a service depends on, and says what to do where it finds a fault."""

from collections.abc import AsyncIterator
from datetime import datetime

import httpx

from app.archive import START_ANEW
from app.config import Settings
from app.domain.errors import SheetsError
from app.domain.meters import ListedMeter
from app.domain.spans import HALF_HOURS_A_DAY
from app.main import Service, build

Finding = tuple[bool, str]
"""Whether it is well, and a sentence."""


async def findings(settings: Settings) -> AsyncIterator[Finding]:
    """One finding after another, as they are made."""
    try:
        service = build(settings)
    except SheetsError as error:
        yield _fault(error)
        return
    try:
        yield True, "The settings can be used and a token is set."
        held = await service.source.held_half_hours()
        yield True, f"The archive {settings.archive} opens; it holds {held:,} half-hours."
        async for finding in _integrity(service):
            yield finding
        try:
            async for finding in _upstream(service):
                yield finding
        except SheetsError as error:
            yield _fault(error)
        async for finding in _public(settings):
            yield finding
    except SheetsError as error:
        yield _fault(error)
    finally:
        await service.aclose()


async def _integrity(service: Service) -> AsyncIterator[Finding]:
    faults = await service.integrity()
    for fault in faults:
        yield False, f"The archive: {fault}."
    yield not faults, f"If it is damaged: {START_ANEW}" if faults else "All that it holds was read, and is whole."


async def _upstream(service: Service) -> AsyncIterator[Finding]:
    meters = await service.upstream.meters()
    yield True, f"PowerShaper at {service.settings.base_url} takes the token and lists {len(meters)} meters."
    for meter in meters:
        if (day := _ordinary_day(meter)) is not None:
            yield convention(await service.upstream.labels(meter, day))
            return
    yield True, "No meter has a whole day yet, so what its labels mean could not be looked at."


def _ordinary_day(meter: ListedMeter) -> int | None:
    """A UTC day well inside a meter's range, or None."""
    if meter.span is None or len(meter.span) < 3 * HALF_HOURS_A_DAY:
        return None
    return meter.span.last_day - min(7, len(meter.span) // HALF_HOURS_A_DAY - 2)


def convention(labels: list[datetime]) -> Finding:
    """What the labels of one UTC day say: 00:00 first means that a label is the start of its half-hour."""
    times = {(label.hour, label.minute) for label in labels}
    if len(labels) < HALF_HOURS_A_DAY - 2:
        return True, "The day looked at has gaps, so what its labels mean could not be told."
    first = min(labels)
    if (first.hour, first.minute) == (0, 0) and (23, 30) in times and first.date() == max(labels).date():
        return True, "A label is the start of its half-hour, as this service takes it."
    return False, (
        f"A day's labels run from {first:%H:%M} to {max(labels):%H:%M}: they look like the ends of half-hours, and "
        "this service takes them as starts. Every half-hour would stand 30 minutes late: please report this."
    )


async def _public(settings: Settings) -> AsyncIterator[Finding]:
    async with httpx.AsyncClient(timeout=10, follow_redirects=False, trust_env=False) as http:
        for url in settings.public_urls:
            try:
                status = (await http.get(f"{url}/meters.csv")).status_code
            except httpx.HTTPError:
                yield True, f"{url} does not answer from here."
                continue
            if status == httpx.codes.OK:
                yield (
                    False,
                    f"{url} gives data to anybody, without a key. Take it off the internet until it asks for one.",
                )
            else:
                yield True, f"{url} gives nothing away without a key (status {status})."


def _fault(error: SheetsError) -> Finding:
    return False, f"{error} {error.remedy}"
