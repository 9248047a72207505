"""Reads a body that may be anything: at most so many bytes, also after decompression."""

import zlib

import httpx

from app.domain.errors import UpstreamTooLarge, UpstreamUnreadable

MEGABYTE = 1024 * 1024
ACCEPT_ENCODING = "gzip"
GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS


async def bounded_body(response: httpx.Response, most: int) -> bytes:
    """The decoded body of a streamed response. UpstreamTooLarge past `most` bytes, UpstreamUnreadable if it is damaged.

    httpx decodes each chunk whole, and a chunk of 64 kB can be 64 MB of zeros: so it is decoded here, in steps.
    """
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip", "deflate"}:
        raise _damaged("it has an encoding that was not asked for")
    decoder = None if encoding == "identity" else zlib.decompressobj(GZIP_OR_ZLIB)
    body = bytearray()
    async for chunk in response.aiter_raw():
        if decoder is not None and (decoder.eof or decoder.unused_data):
            raise _damaged("it goes on after its end")
        body += chunk if decoder is None else _decoded(decoder, chunk, most + 1 - len(body))
        if len(body) > most:
            raise UpstreamTooLarge(
                f"PowerShaper's answer is larger than {most // MEGABYTE} MiB.", remedy="Ask for a shorter period."
            )
    if decoder is not None and (decoder.unused_data or not decoder.eof):
        raise _damaged("its gzip does not end where it ends")
    return bytes(body)


def _decoded(decoder: "zlib._Decompress", chunk: bytes, most: int) -> bytes:
    try:
        return decoder.decompress(chunk, most)
    except zlib.error as error:
        raise _damaged("it is no gzip") from error


def _damaged(what: str) -> UpstreamUnreadable:
    return UpstreamUnreadable(f"PowerShaper's answer can't be read: {what}.", remedy="Try again later.")
