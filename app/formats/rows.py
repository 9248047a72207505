"""Rows of text, made without a loop over rows: every column is a matrix of characters, and a mask says which count.

A row is a sequence of columns and fixed texts between them. Side by side they are one matrix, and the characters
that count, read row by row, are the text.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.domain.errors import TooLarge
from app.domain.spans import DAY_SECONDS, EPOCH
from app.tables import Cell, Clock, Column, Dates, Labels, Numbers, Table, Times

ROWS_AT_ONCE = 8192
LARGEST_TEXT = 64 * 1024 * 1024
SERIAL_OF_EPOCH = 25_569
"""What Excel calls 1970-01-01: it counts days, from 1900."""
POWERS_OF_TEN = 10 ** np.arange(19, dtype=np.int64)


class Characters(NamedTuple):
    """A cell a row: ASCII or UTF-8 bytes (uint8, rows × width) and which of them count (bool, the same shape)."""

    byte: NDArray[np.uint8]
    counts: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Spelling:
    """How a format spells what isn't the same in all of them.

    `blank` stands for a missing cell, `quote` around times, `cell` spells a text, whole number or truth value;
    `iso` writes moments as ISO 8601 with their offset, `serial` dates and times as Excel counts them.
    """

    blank: bytes
    quote: bytes
    cell: Callable[[Cell], bytes]
    iso: bool = False
    serial: bool = False


def number_text(number: float) -> str:
    """A whole or other number as the contract prints it: at most 6 decimals, no exponent, no trailing zeros."""
    text = str(number) if isinstance(number, int) else f"{number:.6f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def text_of_rows(table: Table, between: Sequence[bytes], spelling: Spelling) -> bytes:
    """The text of all rows: `between[0]`, first cell, `between[1]`, second cell, … and the last of `between`.

    TooLarge past 64 MB.
    """
    pieces, size = [], 0
    for first in range(0, table.rows, ROWS_AT_ONCE):
        part = table.take(slice(first, first + ROWS_AT_ONCE))
        pieces.append(_lines(part, between, spelling))
        size += len(pieces[-1])
        if size > LARGEST_TEXT:
            raise TooLarge(
                "The table is larger than 64 MB in this format.",
                remedy="Ask for a shorter period, one meter, fewer columns or a coarser aggregate.",
            )
    return b"".join(pieces)


def _lines(table: Table, between: Sequence[bytes], spelling: Spelling) -> bytes:
    parts: list[Characters] = []
    for fixed, column in zip(between[:-1], table.columns, strict=True):
        parts += [same(fixed, table.rows), cells(column, spelling)]
    parts.append(same(between[-1], table.rows))
    return text_of(parts)


def text_of(parts: Sequence[Characters]) -> bytes:
    """What counts of parts that stand side by side, row by row."""
    characters = np.hstack([part.byte for part in parts])
    return characters[np.hstack([part.counts for part in parts])].tobytes()


def cells(column: Column, spelling: Spelling) -> Characters:
    """A column's cells as a format spells them."""
    match column:
        case Numbers():
            return _or_blank(_numbers(column.scaled, column.decimals), column.present, spelling.blank)
        case Times():
            return _or_blank(_times(column, spelling), column.present, spelling.blank)
        case Dates():
            return _quoted(_spelled(column.days, _serial_day if spelling.serial else _date), spelling.quote)
        case Clock():
            return _quoted(_spelled(column.seconds, _serial_clock if spelling.serial else _clock), spelling.quote)
        case Labels():
            used, at = np.unique(column.codes, return_inverse=True)
            spelled = [spelling.blank if code < 0 else spelling.cell(column.values[code]) for code in used]
            return _taken(_packed(spelled), at)


def _numbers(scaled: NDArray[np.int64], decimals: int) -> Characters:
    """Fixed-point numbers without exponent, leading or trailing zeros: 0.3, -12, 0."""
    size = np.abs(scaled)
    whole, fraction = np.divmod(size, POWERS_OF_TEN[decimals])
    width = len(str(int(whole.max(initial=0))))
    digits = whole[:, None] // POWERS_OF_TEN[:width][::-1] % 10
    parts = [Characters(np.full((len(scaled), 1), ord("-"), dtype=np.uint8), (scaled < 0)[:, None])]
    counts = whole[:, None] >= POWERS_OF_TEN[:width][::-1]
    counts[:, -1] = True
    parts.append(Characters((digits + ord("0")).astype(np.uint8), counts))
    if decimals and fraction.any():
        parts.append(Characters(np.full((len(scaled), 1), ord("."), dtype=np.uint8), (fraction > 0)[:, None]))
        powers = POWERS_OF_TEN[:decimals][::-1]
        digits = fraction[:, None] // powers % 10
        parts.append(Characters((digits + ord("0")).astype(np.uint8), fraction[:, None] % (powers * 10) > 0))
    return beside(parts)


def _times(column: Times, spelling: Spelling) -> Characters:
    days, seconds = np.divmod(column.clock, DAY_SECONDS)
    n = len(days)
    if spelling.serial:
        return beside([_spelled(days, _serial_day), _spelled(seconds, _part_of_day)])
    parts = [
        _spelled(days, _date),
        same(b"T" if spelling.iso else b" ", n),
        _spelled(seconds, _second),
    ]
    if spelling.iso:
        parts.append(same(b"Z", n) if column.is_utc else _spelled(column.offset, _offset))
    return _quoted(beside(parts), spelling.quote)


def _date(day: int) -> str:
    return (EPOCH + timedelta(days=day)).isoformat()


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}"


def _second(seconds: int) -> str:
    return f"{_clock(seconds)}:{seconds % 60:02}"


def _offset(seconds: int) -> str:
    sign = "-" if seconds < 0 else "+"
    return sign + (_second(abs(seconds)) if seconds % 60 else _clock(abs(seconds)))


def _serial_day(day: int) -> str:
    """A day as Excel counts them, right from 1900-03-01 on."""
    return str(day + SERIAL_OF_EPOCH)


def _part_of_day(seconds: int) -> str:
    """What stands behind the serial day: with 12 decimals a reader has the double that Excel computes itself."""
    return f"{seconds / DAY_SECONDS:.12f}"[1:].rstrip("0").rstrip(".")


def _serial_clock(seconds: int) -> str:
    return repr(seconds // 60 * 60 / DAY_SECONDS)


def _spelled(values: NDArray[np.int64], spell: Callable[[int], str]) -> Characters:
    """Each value spelled once, however many rows have it."""
    used, at = np.unique(values, return_inverse=True)
    return _taken(_packed([spell(int(value)).encode() for value in used]), at)


def _packed(texts: Sequence[bytes]) -> Characters:
    lengths = np.fromiter((len(text) for text in texts), dtype=np.int64, count=len(texts))
    width = int(lengths.max(initial=1)) or 1
    joined = b"".join(text.ljust(width) for text in texts)
    matrix = np.frombuffer(joined, dtype=np.uint8).reshape(len(texts), width)
    return Characters(matrix, np.arange(width) < lengths[:, None])


def _taken(characters: Characters, at: NDArray[np.int64]) -> Characters:
    return Characters(characters.byte[at], characters.counts[at])


def same(text: bytes, rows: int) -> Characters:
    matrix = np.broadcast_to(np.frombuffer(text, dtype=np.uint8), (rows, len(text)))
    return Characters(matrix, np.ones(matrix.shape, dtype=np.bool_))


def _quoted(characters: Characters, quote: bytes) -> Characters:
    if not quote:
        return characters
    mark = same(quote, len(characters.byte))
    return beside([mark, characters, mark])


def _or_blank(characters: Characters, present: NDArray[np.bool_], blank: bytes) -> Characters:
    if present.all():
        return characters
    filler = same(blank, len(present))
    return beside(
        [
            Characters(characters.byte, characters.counts & present[:, None]),
            Characters(filler.byte, filler.counts & ~present[:, None]),
        ]
    )


def beside(parts: Sequence[Characters]) -> Characters:
    return Characters(np.hstack([part.byte for part in parts]), np.hstack([part.counts for part in parts]))
