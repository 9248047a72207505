"""A package: the zip that a workbook is. Parts are deflated as they come; each one's size stands before it."""

import struct
from collections.abc import Iterable, Iterator

from app.domain.errors import TooLarge
from app.formats.deflate import crc32, deflated
from app.formats.rows import LARGEST_TEXT

LOCAL, CENTRAL, END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
VERSION, FLAGS, DEFLATED = 20, 0, 8
NEW_YEAR_1980 = 0, 0x21
"""A zip's first moment: a part made from the same rows has the same bytes."""


class Package:
    """Takes parts one after another; `packed` is the whole."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._directory: list[bytes] = []
        self._size = 0

    def add(self, name: str, chunks: Iterable[bytes]) -> None:
        """A part of the package. TooLarge past 64 MB."""
        checksum = plain_size = packed_size = 0

        def watched() -> Iterator[bytes]:
            nonlocal checksum, plain_size
            for chunk in chunks:
                checksum = crc32(chunk, checksum)
                plain_size += len(chunk)
                yield chunk

        body: list[bytes] = []
        for piece in deflated(watched()):
            body.append(piece)
            packed_size += len(piece)
            if self._size + packed_size > LARGEST_TEXT:
                raise TooLarge("The workbook is larger than 64 MB.", remedy="Ask for a shorter period, or for CSV.")
        path = name.encode()
        common = struct.pack(
            "<5H3L2H", VERSION, FLAGS, DEFLATED, *NEW_YEAR_1980, checksum, packed_size, plain_size, len(path), 0
        )
        self._directory.append(
            CENTRAL + struct.pack("<H", VERSION) + common + struct.pack("<3H2L", 0, 0, 0, 0, self._size) + path
        )
        self._append(LOCAL + common + path, *body)

    def packed(self) -> bytes:
        """The zip."""
        directory = b"".join(self._directory)
        count = len(self._directory)
        end = END + struct.pack("<4H2LH", 0, 0, count, count, len(directory), self._size, 0)
        return b"".join([*self._pieces, directory, end])

    def _append(self, *pieces: bytes) -> None:
        self._pieces += pieces
        self._size += sum(len(piece) for piece in pieces)
