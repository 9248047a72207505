"""Meters: what is known of one, the short name it keeps, and which ones a link means."""

import difflib
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Any

from app.domain.errors import BadParameter, NotFound
from app.domain.spans import Span

NAME = re.compile(r"[a-z0-9-]{1,40}")
WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class ListedMeter:
    """A meter as PowerShaper lists it. `span` is its range, from `earliest` to and with `latest`; None if it has none.

    `further` are all other keys as they came, nested ones too.
    """

    consent_uuid: str
    type: str
    status: str | None
    span: Span | None
    further: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """What makes it this meter and no other: a consent can cover several types."""
        return self.consent_uuid, self.type


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter that is or was listed, with its short name and what is held of it.

    `held` runs from the first to the last half-hour of which a value is held. `id` is the archive's.
    """

    id: int
    name: str
    listed: ListedMeter
    is_listed: bool
    held: Span | None

    @property
    def type(self) -> str:
        """Electricity, gas, or whatever else PowerShaper calls it."""
        return self.listed.type

    @property
    def consent_uuid(self) -> str:
        """The consent that lets us read it."""
        return self.listed.consent_uuid

    @property
    def status(self) -> str | None:
        """PowerShaper's word for it, or that it is no longer listed."""
        return self.listed.status if self.is_listed else WITHDRAWN

    @property
    def span(self) -> Span | None:
        """The half-hours that are expected of it: its listed range, widened by what is held."""
        spans = [span for span in (self.listed.span, self.held) if span is not None]
        if not spans:
            return None
        return Span(min(span.first for span in spans), max(span.stop for span in spans))


def names_for(newcomers: Sequence[ListedMeter], known: Collection[Meter]) -> list[str]:
    """A short name for each meter that is seen for the first time, in their order; `known` keep theirs.

    Its type, if it is then the only one of that type ever seen, else the type and as much of the consent as
    makes it unique, at least 8 characters.
    """
    taken = {meter.name for meter in known}
    types = Counter([_slug(meter.type) for meter in newcomers] + [_slug(meter.type) for meter in known])
    names = []
    for newcomer in newcomers:
        name = _free_name(newcomer, taken, alone=types[_slug(newcomer.type)] == 1)
        taken.add(name)
        names.append(name)
    return names


def _free_name(meter: ListedMeter, taken: Collection[str], *, alone: bool) -> str:
    kind, consent = _slug(meter.type)[:20], _slug(meter.consent_uuid)
    if alone and kind not in taken:
        return kind
    by_consent = (f"{kind}-{consent[:n]}"[:40].strip("-") for n in range(8, max(9, len(consent) + 1)))
    by_number = (f"{kind}-{consent[:8]}-{n}" for n in count(2))
    return next(name for name in chain(by_consent, by_number) if name not in taken)


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "meter"


def checked_name(name: str) -> str:
    """`name`, if it can be a meter's short name; BadParameter otherwise."""
    if NAME.fullmatch(name):
        return name
    raise BadParameter(
        "That can't be the name of a meter.",
        remedy="Use 1 to 40 of the characters a to z, 0 to 9 and '-'.",
    )


def chosen(selectors: Sequence[str], meters: Iterable[Meter]) -> list[Meter]:
    """The meters that `selectors` mean, by name and once each; all of them if there is no selector.

    A selector is, in this order: a short name, `consent_uuid/type`, a consent (all its meters), a type (all of
    it). NotFound if one means no meter.
    """
    by_name = sorted(meters, key=lambda meter: meter.name)
    if not selectors:
        return by_name
    wanted = {meter.name for selector in selectors for meter in _meant(selector, by_name)}
    return [meter for meter in by_name if meter.name in wanted]


def _meant(selector: str, meters: Sequence[Meter]) -> list[Meter]:
    for matches in (
        [meter for meter in meters if meter.name == selector],
        [meter for meter in meters if f"{meter.consent_uuid}/{meter.type}" == selector],
        [meter for meter in meters if meter.consent_uuid == selector],
        [meter for meter in meters if meter.type == selector],
    ):
        if matches:
            return matches
    near = difflib.get_close_matches(selector.lower(), [meter.name for meter in meters], n=1)
    raise NotFound(
        "The parameter meter names no meter that this service can read.",
        remedy=(f"Did you mean meter={near[0]}? " if near else "") + "The table meters lists all of them.",
    )
