"""HalfHours: what a meter measured, half-hour by half-hour, in exact millionths, and what is missing."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.domain.spans import Span

MILLION = 1_000_000
METER_ERROR_CODES = frozenset({4_294_967_295_000, 2_147_483_647_000})
"""Millionths of a kWh that meters report when they have no reading (2³²-1 and 2³¹-1 Wh)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One half-hour as it was reported. Energy and carbon are millionths of a kWh and a kg; None is missing."""

    half_hour: int
    micro_kwh: int | None
    micro_kg: int | None
    flagged: bool


@dataclass(frozen=True, slots=True, eq=False)
class HalfHours:
    """Consecutive half-hours of one meter, from the UTC half-hour `first` on; all arrays have one length.

    `micro_kwh` and `micro_kg` are int64 millionths, 0 where `present` or `has_carbon` is False. `flagged` marks
    the half-hours that were reported as bad: they are missing, whatever their value was.
    """

    first: int
    micro_kwh: NDArray[np.int64]
    micro_kg: NDArray[np.int64]
    present: NDArray[np.bool_]
    has_carbon: NDArray[np.bool_]
    flagged: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.present)

    @property
    def span(self) -> Span:
        """The half-hours that this covers."""
        return Span(self.first, self.first + len(self))

    @property
    def present_span(self) -> Span | None:
        """From the first half-hour that is present to the last, or None when none is."""
        at = np.flatnonzero(self.present)
        return Span(self.first + int(at[0]), self.first + int(at[-1]) + 1) if len(at) else None

    @classmethod
    def missing(cls, span: Span) -> "HalfHours":
        """All half-hours of `span`, all of them missing and none of them flagged."""
        n = len(span)
        integers, flags = np.zeros((2, n), dtype=np.int64), np.zeros((3, n), dtype=np.bool_)
        return cls(span.first, integers[0], integers[1], flags[0], flags[1], flags[2])

    @classmethod
    def of(cls, readings: Iterable[Reading], span: Span) -> "HalfHours":
        """The half-hours of `span` from readings in any order.

        Of several readings of one half-hour the last that is present stands. Readings outside `span` are dropped.
        """
        half_hours = cls.missing(span)
        for reading in readings:
            i = reading.half_hour - span.first
            if not 0 <= i < len(span):
                continue
            if reading.flagged or reading.micro_kwh is None or reading.micro_kwh in METER_ERROR_CODES:
                half_hours.flagged[i] = not half_hours.present[i]
                continue
            half_hours.flagged[i] = False
            half_hours.present[i] = True
            half_hours.micro_kwh[i] = reading.micro_kwh
            half_hours.has_carbon[i] = reading.micro_kg is not None
            half_hours.micro_kg[i] = reading.micro_kg or 0
        return half_hours

    def between(self, span: Span) -> "HalfHours":
        """Exactly the half-hours of `span`; those that are not held here are missing."""
        inside = self.span & span
        if inside == span:
            return self._cut(span)
        padded = HalfHours.missing(span)
        if len(inside):
            padded._paste(self._cut(inside))  # noqa: SLF001 - its own class
        return padded

    def merged(self, newer: "HalfHours") -> tuple["HalfHours", NDArray[np.bool_]]:
        """This with `newer` laid over it (the same span), and which values that were present became others.

        A gap never overwrites a value: what is missing in `newer` stays as it is here.
        """
        same_energy = self.present & newer.present & (self.micro_kwh == newer.micro_kwh)
        keeps_carbon = ~newer.present | (same_energy & ~newer.has_carbon)
        present = self.present | newer.present
        merged = HalfHours(
            self.first,
            np.where(newer.present, newer.micro_kwh, self.micro_kwh),
            np.where(keeps_carbon, self.micro_kg, newer.micro_kg),
            present,
            np.where(keeps_carbon, self.has_carbon, newer.has_carbon),
            (self.flagged | newer.flagged) & ~present,
        )
        carbon_differs = (merged.micro_kg != self.micro_kg) | (merged.has_carbon != self.has_carbon)
        revised = self.present & newer.present & (~same_energy | (self.has_carbon & carbon_differs))
        return merged, revised

    def differs(self, other: "HalfHours") -> NDArray[np.bool_]:
        """Where this and `other` (the same span) don't hold the same."""
        pairs = [
            (self.micro_kwh, other.micro_kwh),
            (self.micro_kg, other.micro_kg),
            (self.present, other.present),
            (self.has_carbon, other.has_carbon),
            (self.flagged, other.flagged),
        ]
        return np.asarray(np.logical_or.reduce([mine != theirs for mine, theirs in pairs]))

    def _cut(self, span: Span) -> "HalfHours":
        at = slice(span.first - self.first, span.stop - self.first)
        return HalfHours(
            span.first,
            self.micro_kwh[at],
            self.micro_kg[at],
            self.present[at],
            self.has_carbon[at],
            self.flagged[at],
        )

    def _paste(self, other: "HalfHours") -> None:
        at = slice(other.first - self.first, other.first - self.first + len(other))
        self.micro_kwh[at] = other.micro_kwh
        self.micro_kg[at] = other.micro_kg
        self.present[at] = other.present
        self.has_carbon[at] = other.has_carbon
        self.flagged[at] = other.flagged


def joined(pieces: list[HalfHours]) -> HalfHours:
    """Pieces that follow one another without a gap, as one; at least one piece."""
    return HalfHours(
        pieces[0].first,
        np.concatenate([piece.micro_kwh for piece in pieces]),
        np.concatenate([piece.micro_kg for piece in pieces]),
        np.concatenate([piece.present for piece in pieces]),
        np.concatenate([piece.has_carbon for piece in pieces]),
        np.concatenate([piece.flagged for piece in pieces]),
    )
