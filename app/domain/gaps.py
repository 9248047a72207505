"""Gaps: runs of half-hours that are missing, and runs of those that hold more than a home can use."""

import numpy as np
from numpy.typing import NDArray

from app.domain.halfhours import HalfHours
from app.domain.spans import Span

MOST_MICRO_KWH = {"electricity": 11_500_000, "gas": 34_000_000}
"""What a home's supply can give in a half-hour, by type of meter: 100 A of one phase at 230 V, and 6 m³/h of gas."""


def missing_runs(half_hours: HalfHours) -> list[Span]:
    """The runs of half-hours without a value, each as long as can be within `half_hours`, ascending."""
    return _runs(~half_hours.present, half_hours.first)


def suspect_runs(half_hours: HalfHours, meter_type: str) -> list[Span]:
    """The same of half-hours with more than such a meter can measure; none of a type whose limit isn't known."""
    most = MOST_MICRO_KWH.get(meter_type)
    if most is None:
        return []
    return _runs(half_hours.present & (half_hours.micro_kwh > most), half_hours.first)


def _runs(flags: NDArray[np.bool_], first: int) -> list[Span]:
    """The runs of True; the first flag is that of the half-hour `first`."""
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0)) + first
    return [Span(start, stop) for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)]
