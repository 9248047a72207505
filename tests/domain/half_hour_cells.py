"""Half-hours as plain lists of cells: to write down what goes in, and to read what came out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from app.domain.halfhours import HalfHours


@dataclass(frozen=True)
class Cell:
    """One half-hour; energy and carbon are millionths, None is missing."""

    micro_kwh: int | None
    micro_kg: int | None = None
    flagged: bool = False


GAP = Cell(None)
BAD = Cell(None, flagged=True)

values = st.builds(
    Cell,
    st.integers(-5_000_000, 40_000_000),
    st.one_of(st.none(), st.integers(0, 9_000_000)),
)
cells = st.one_of(st.sampled_from([GAP, BAD]), values)


def half_hours_of(first: int, listed: Sequence[Cell]) -> HalfHours:
    """The cells as half-hours from `first` on."""
    return HalfHours(
        first,
        np.array([cell.micro_kwh or 0 for cell in listed], dtype=np.int64),
        np.array([cell.micro_kg or 0 for cell in listed], dtype=np.int64),
        np.array([cell.micro_kwh is not None for cell in listed], dtype=np.bool_),
        np.array([cell.micro_kg is not None for cell in listed], dtype=np.bool_),
        np.array([cell.flagged for cell in listed], dtype=np.bool_),
    )


def cells_of(half_hours: HalfHours) -> list[Cell]:
    """The half-hours as cells; what is not there must be 0 in the arrays."""
    assert not half_hours.micro_kwh[~half_hours.present].any()
    assert not half_hours.micro_kg[~half_hours.has_carbon].any()
    return [
        Cell(
            int(half_hours.micro_kwh[i]) if half_hours.present[i] else None,
            int(half_hours.micro_kg[i]) if half_hours.has_carbon[i] else None,
            bool(half_hours.flagged[i]),
        )
        for i in range(len(half_hours))
    ]


def random_half_hours(first: int, length: int, seed: int, multiple_of: int = 1) -> HalfHours:
    """Half-hours of which some are missing, some flagged and some without carbon, the same for the same seed."""
    chance = np.random.default_rng(seed)
    present = chance.random(length) < chance.choice([0.5, 0.9, 1.0])
    has_carbon = present & (chance.random(length) < chance.choice([0.0, 0.97, 1.0]))
    return HalfHours(
        first,
        np.where(present, chance.integers(0, 30_000, length) * multiple_of, 0),
        np.where(has_carbon, chance.integers(0, 9_000, length) * multiple_of, 0),
        present,
        has_carbon,
        ~present & (chance.random(length) < 0.3),
    )
