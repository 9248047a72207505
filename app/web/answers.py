"""Answers before they are HTTP, and what HTTP's own conditions make of them: ETag, 304, gzip."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

SMALLEST_GZIPPED = 500
GZIP_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Body:
    """A whole body in a content encoding. `etag` names these very bytes and no others, quotes included."""

    content: bytes
    etag: str
    encoding: str | None = None

    @classmethod
    def of(cls, plain: bytes) -> "Body":
        """A body that isn't encoded."""
        return cls(plain, f'"{hashlib.blake2b(plain, digest_size=16).hexdigest()}"')

    def gzipped(self) -> "Body":
        """The same gzipped; slow for large bodies, so done once and in a thread."""
        packed = gzip.compress(self.content, GZIP_LEVEL, mtime=0)
        return Body(packed, f'{self.etag[:-1]}-gzip"', "gzip")

    def __len__(self) -> int:
        return len(self.content)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a whole body and what is said of it. Everything that can fail is done when there is one."""

    status: int
    media_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def conditional(answer: Answer, body: Body, if_none_match: str) -> Answer:
    """`answer` with `body`, or a 304 if the caller has just that."""
    headers = {**answer.headers, "ETag": body.etag}
    if matches(if_none_match, body.etag):
        return replace(answer, status=304, headers=headers)
    encoded = {"Content-Encoding": body.encoding} if body.encoding else {}
    return replace(answer, body=body.content, headers={**headers, **encoded})


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
