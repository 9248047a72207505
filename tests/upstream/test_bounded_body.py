"""A body that may be anything: decoded in steps, bounded in size."""

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator

import httpx
import pytest

from app.domain.errors import UpstreamTooLarge, UpstreamUnreadable
from app.upstream import Bounds
from app.upstream.body import bounded_body

MEGABYTE = 1_000_000
LARGEST_BODY = Bounds().body_bytes


def read(*chunks: bytes, encoding: str | None = None) -> bytes:
    """What comes of a body that arrives in chunks."""

    async def arriving() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async def scenario() -> bytes:
        headers = {} if encoding is None else {"Content-Encoding": encoding}
        return await bounded_body(httpx.Response(200, headers=headers, content=arriving()), LARGEST_BODY)

    return asyncio.run(scenario())


def peak_of_too_large(*chunks: bytes, encoding: str | None = None) -> int:
    """The most bytes held while a body is found too large."""
    tracemalloc.start()
    try:
        with pytest.raises(UpstreamTooLarge) as caught:
            read(*chunks, encoding=encoding)
        assert caught.value.remedy
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    packed = [packer.compress(bytes(MEGABYTE)) for _ in range(size // MEGABYTE)]
    return b"".join([*packed, packer.flush()])


@pytest.mark.parametrize("encoding", [None, "identity"])
def test_a_plain_body_comes_as_it_is(encoding: str | None) -> None:
    assert read(b"[1,", b"", b"2]", encoding=encoding) == b"[1,2]"


@pytest.mark.parametrize("size", [1, 7, 64, 100_000])
def test_a_gzip_may_arrive_in_chunks_of_any_size(size: int) -> None:
    body = b"".join(b"%d," % i for i in range(3000))
    packed = gzip.compress(body)
    chunks = [packed[at : at + size] for at in range(0, len(packed), size)]
    assert read(*chunks, encoding="gzip") == body


def test_deflate_is_taken_although_it_is_not_asked_for() -> None:
    assert read(zlib.compress(b"[]"), encoding="deflate") == b"[]"


def test_a_body_of_exactly_the_bound_is_taken() -> None:
    assert len(read(bytes(LARGEST_BODY))) == LARGEST_BODY
    assert len(read(gzip.compress(bytes(LARGEST_BODY), 1), encoding="gzip")) == LARGEST_BODY


def test_a_byte_more_than_the_bound_is_too_large() -> None:
    with pytest.raises(UpstreamTooLarge):
        read(bytes(LARGEST_BODY), b" ")
    with pytest.raises(UpstreamTooLarge):
        read(gzip.compress(bytes(LARGEST_BODY + 1), 1), encoding="gzip")


def test_a_gzip_bomb_in_one_chunk_does_not_fill_the_memory() -> None:
    assert peak_of_too_large(bomb(200 * MEGABYTE), encoding="gzip") < 200 * MEGABYTE


def test_a_gzip_bomb_in_chunks_does_not_fill_the_memory() -> None:
    packed = bomb(200 * MEGABYTE)
    chunks = [packed[at : at + 4096] for at in range(0, len(packed), 4096)]
    assert peak_of_too_large(*chunks, encoding="gzip") < 200 * MEGABYTE


def test_a_plain_body_without_end_does_not_fill_the_memory() -> None:
    assert peak_of_too_large(*[bytes(MEGABYTE)] * 200) < 200 * MEGABYTE


def test_what_follows_the_end_of_a_gzip_is_bounded_too() -> None:
    with pytest.raises(UpstreamUnreadable):
        read(gzip.compress(b"[]"), *[bytes(MEGABYTE)] * 100, encoding="gzip")


WHOLE = gzip.compress(b"[]", mtime=0)


@pytest.mark.parametrize("packed", [b"", WHOLE[:-1], WHOLE[:5], b"[]", bytes(50)])
def test_a_damaged_gzip_is_unreadable(packed: bytes) -> None:
    with pytest.raises(UpstreamUnreadable) as caught:
        read(packed, encoding="gzip")
    assert type(caught.value) is UpstreamUnreadable
    assert caught.value.remedy


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "gzip, br", "x" * 5000])
def test_an_encoding_that_was_not_asked_for_is_unreadable(encoding: str) -> None:
    with pytest.raises(UpstreamUnreadable):
        read(b"[]", encoding=encoding)
