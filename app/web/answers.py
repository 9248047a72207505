"""Answers before they are HTTP, and what HTTP's own conditions make of them: ETag, 304, gzip."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

SMALLEST_GZIPPED = 500
GZIP_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Body:
    """A whole body, and the same gzipped if that is worth it. `etag` names the plain bytes and no others."""

    plain: bytes
    gzipped: bytes | None
    etag: str

    @classmethod
    def of(cls, plain: bytes, *, is_packed: bool) -> "Body":
        """Compresses once what isn't compressed already; slow for large bodies, so done in a thread."""
        worth_it = len(plain) >= SMALLEST_GZIPPED and not is_packed
        gzipped = gzip.compress(plain, GZIP_LEVEL, mtime=0) if worth_it else None
        return cls(plain, gzipped, hashlib.blake2b(plain, digest_size=16).hexdigest())

    def __len__(self) -> int:
        return len(self.plain) + len(self.gzipped or b"")


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a whole body and what is said of it. Everything that can fail is done when there is one."""

    status: int
    media_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def negotiated(answer: Answer, body: Body, accept_encoding: str, if_none_match: str) -> Answer:
    """`answer` with `body` in the encoding that is accepted, or a 304 if the caller has just that."""
    gzipped = body.gzipped if takes_gzip(accept_encoding) else None
    etag = f'"{body.etag}"' if gzipped is None else f'"{body.etag}-gzip"'
    headers = {**answer.headers, "ETag": etag}
    if matches(if_none_match, etag):
        return replace(answer, status=304, body=b"", headers=headers)
    if gzipped is None:
        return replace(answer, body=body.plain, headers=headers)
    return replace(answer, body=gzipped, headers={**headers, "Content-Encoding": "gzip"})


def takes_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header takes gzip (RFC 9110, 12.5.3)."""
    qualities: dict[str, float] = {}
    for item in accept_encoding.lower().split(","):
        name, _, parameter = item.partition(";")
        qualities[name.strip()] = _quality(parameter)
    return qualities.get("gzip", qualities.get("x-gzip", qualities.get("*", 0))) > 0


def matches(if_none_match: str, etag: str) -> bool:
    """Whether an If-None-Match header names `etag` (RFC 9110, 13.1.2: the weak comparison)."""
    if if_none_match.strip() == "*":
        return True
    return etag in {name.strip().removeprefix("W/") for name in if_none_match.split(",")}


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1
    except ValueError:
        return 0
