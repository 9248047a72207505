"""Columns and tables: typed arrays with names, before any format spells them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.domain.errors import BadParameter

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Cell = str | int | float | bool
"""A float is finite, and not too large to be written without an exponent."""


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """Fixed-point numbers: `scaled` ÷ 10^`decimals`, blank where `present` is False."""

    name: str
    scaled: Integers
    present: Flags
    decimals: int

    def take(self, at: Integers | slice) -> "Numbers":
        """The rows `at`, in that order."""
        return replace(self, scaled=self.scaled[at], present=self.present[at])


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """Moments to the second: the clock's seconds from 1970-01-01 00:00 and its offset from UTC in seconds."""

    name: str
    clock: Integers
    offset: Integers
    present: Flags
    is_utc: bool = False

    def take(self, at: Integers | slice) -> "Times":
        """The rows `at`, in that order."""
        return replace(self, clock=self.clock[at], offset=self.offset[at], present=self.present[at])


@dataclass(frozen=True, slots=True, eq=False)
class Dates:
    """Calendar days, counted from 1970-01-01."""

    name: str
    days: Integers

    def take(self, at: Integers | slice) -> "Dates":
        """The rows `at`, in that order."""
        return replace(self, days=self.days[at])


@dataclass(frozen=True, slots=True, eq=False)
class Clock:
    """Times of day, in seconds since midnight, shown to the minute."""

    name: str
    seconds: Integers

    def take(self, at: Integers | slice) -> "Clock":
        """The rows `at`, in that order."""
        return replace(self, seconds=self.seconds[at])


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Texts, whole numbers or truth values that may repeat: `codes` point into `values`, -1 is blank."""

    name: str
    codes: Integers
    values: tuple[Cell, ...]

    @classmethod
    def of(cls, name: str, cells: Sequence[Cell | None]) -> "Labels":
        """One cell a row, None is blank."""
        filled = [cell for cell in cells if cell is not None]
        codes = np.cumsum([cell is not None for cell in cells], dtype=np.int64) - 1
        codes[[i for i, cell in enumerate(cells) if cell is None]] = -1
        return cls(name, codes, tuple(filled))

    def take(self, at: Integers | slice) -> "Labels":
        """The rows `at`, in that order."""
        return replace(self, codes=self.codes[at])


Column = Numbers | Times | Dates | Clock | Labels


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table's name, its columns in order, and its number of rows. Column names are unique, whatever their case."""

    name: str
    columns: tuple[Column, ...]
    rows: int

    @property
    def header(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    def take(self, at: Integers | slice) -> "Table":
        """The rows `at`, in that order."""
        rows = len(range(*at.indices(self.rows))) if isinstance(at, slice) else len(at)
        return Table(self.name, tuple(column.take(at) for column in self.columns), rows)

    def select(self, names: Sequence[str]) -> "Table":
        """Only the columns `names`, in their order; all if there is none. BadParameter if one isn't there."""
        if not names:
            return self
        by_name = {column.name: column for column in self.columns}
        for name in names:
            if name not in by_name:
                shown = ", ".join(self.header[:12]) + (", …" if len(self.header) > 12 else "")  # noqa: PLR2004
                raise BadParameter(
                    "The parameter columns names a column that this table and layout don't have.",
                    remedy=f"The columns are {shown}.",
                )
        return replace(self, columns=tuple(by_name[name] for name in names))
