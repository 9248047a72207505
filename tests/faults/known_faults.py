"""The faults to survive, a row each: what the server does, and what a reader without the days is told."""

import gzip
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

import orjson
from faults.faulty import JUNE, Hits, Spoils, everywhere, listing, records
from upstream.raw_server import answer, drips, hangs, resets, sends

from app.demo import DEMO_TOKEN

UNREADABLE, BREAKER, PAUSE, REFUSED = 301, 60, 75, 3600
"""Seconds that PowerShaper is left alone at most: after an answer that couldn't be read, after one turn of failures
(30, but a list that failed waits longer), after a 426, after a refusal."""
ECHO = f'{{"detail": "{DEMO_TOKEN} is wrong"}}'.encode()
A_ROW = {"time": "2021-06-16T00:00:00Z", "energy_kwh": 0.25, "carbon_kg": None, "error_count": 0}
"""What a page without rows is given, so that there is something to spoil."""
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\nfffff\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
BRIEF = {"call_seconds": 0.5}


@dataclass(frozen=True)
class Fault:
    """`spoils` is what the server does with a good page, of the calls that it `hits`; None: the network does it.

    `cold` is the status of an answer that would need the page. PowerShaper is asked again after `pause` seconds.
    `more` are settings that make the fault show in time.
    """

    name: str
    cold: int
    spoils: Spoils | None
    hits: Hits = everywhere
    pause: int = UNREADABLE
    more: dict[str, Any] = field(default_factory=dict)


def unfinished(good: bytes) -> bytes:
    """A whole good page that is said to go on."""
    return answer(good, length=len(good) + 1_000_000)


def status(line: str, head: str = "", body: bytes = ECHO) -> Spoils:
    """Another status than 200, with the token in its body."""
    return lambda _: sends(answer(body, line, head=head))


def page(spoiled: Callable[[bytes], bytes], head: str = "") -> Spoils:
    """Another body."""
    return lambda good: sends(answer(spoiled(good), head=head))


def rows(spoiled: Callable[[list[Any]], Any]) -> Spoils:
    """Other JSON."""
    return page(lambda good: orjson.dumps(spoiled(orjson.loads(good) or [A_ROW])))


def rows_of_text(spoiled: Callable[[bytes], bytes]) -> Spoils:
    """Another body in place of one with rows."""
    return page(lambda good: spoiled(orjson.dumps(orjson.loads(good) or [A_ROW])))


def last_row(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Spoils:
    """Only the last of all rows is another: what stands before it is good."""
    return rows(lambda all_rows: [*all_rows[:-1], change(all_rows[-1])])


def last_energy(text: bytes) -> Spoils:
    """The last energy is written as `text`, which needn't be JSON."""
    return rows_of_text(lambda good: re.sub(rb'("energy_kwh":)[^,}]+(?!.*energy_kwh)', rb"\g<1>" + text, good))


def without(key: str) -> Spoils:
    """The last row lacks a key."""
    return last_row(lambda row: {name: value for name, value in row.items() if name != key})


def bomb(megabytes: int) -> bytes:
    """A gzip of so many million spaces."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([packer.compress(b" " * 1_000_000) for _ in range(megabytes)]) + packer.flush()


NOW, IN_FIVE_MINUTES = (format_datetime(JUNE + timedelta(minutes=later), usegmt=True) for later in (0, 5))
LARGE = answer(length=80_000_000)
BOMB = bomb(200)

FAULTS = [
    Fault("refused", 503, None, pause=BREAKER),
    Fault("DNS failure", 503, None, pause=BREAKER),
    Fault("reset before headers", 503, lambda _: resets(), pause=BREAKER),
    Fault("reset in the body", 503, lambda good: resets(unfinished(good)), pause=BREAKER),
    Fault("hang", 503, lambda _: hangs(), pause=BREAKER, more=BRIEF),
    Fault("hang in the body", 503, lambda good: hangs(unfinished(good)), pause=BREAKER, more=BRIEF),
    Fault("drip", 503, lambda good: drips(unfinished(good), b" ", 0.05), pause=BREAKER, more=BRIEF),
    Fault("slow headers", 503, lambda _: drips(HEAD, b"X-Slow: 1\r\n", 0.05), pause=BREAKER, more=BRIEF),
    Fault("truncated Content-Length", 503, lambda good: sends(unfinished(good)), pause=BREAKER),
    Fault("truncated chunks", 503, lambda good: sends(HEAD + CHUNKED + good), pause=BREAKER),
    Fault("no HTTP", 503, lambda _: sends(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), pause=BREAKER),
    Fault("401", 502, status("401 Unauthorized"), pause=REFUSED),
    Fault("403 of all", 502, status("403 Forbidden"), pause=REFUSED),
    Fault("403 of a meter", 502, status("403 Forbidden"), records, pause=REFUSED),
    Fault("404 of all", 502, status("404 Not Found")),
    Fault("404 of a meter", 502, status("404 Not Found"), records),
    Fault("426", 503, status("426 Upgrade Required"), pause=PAUSE),
    Fault("426 in seconds", 503, status("426 Upgrade Required", "Retry-After: 120"), pause=135),
    Fault(
        "426 at a date",
        503,
        status("426 Upgrade Required", f"Date: {NOW}\r\nRetry-After: {IN_FIVE_MINUTES}"),
        pause=315,
    ),
    Fault("426 with garbage", 503, status("426 Upgrade Required", "Retry-After: soon, \xb2"), pause=PAUSE),
    Fault("426 for a year", 503, status("426 Upgrade Required", "Retry-After: 31536000"), pause=915),
    Fault("429", 503, status("429 Too Many Requests"), pause=PAUSE),
    *(Fault(f"{code}", 503, status(f"{code} Oops"), pause=BREAKER) for code in (500, 502, 503, 504)),
    Fault("301 to another host", 502, status("301 Moved Permanently", "Location: http://localhost:9/meters/")),
    Fault("302 to itself", 502, status("302 Found", "Location: /meters/api/v1/meters/")),
    Fault("204", 502, status("204 No Content", body=b"")),
    Fault("206", 502, status("206 Partial Content", body=b"[]")),
    Fault("HTML", 502, page(lambda _: b"<!doctype html><title>Sign in</title>", "Content-Type: text/html")),
    Fault("empty body", 502, page(lambda _: b"")),
    Fault("invalid JSON", 502, page(lambda good: good[:-1])),
    Fault("object", 502, rows(lambda good: {"results": good})),
    Fault("null", 502, page(lambda _: b"null")),
    Fault("deep nesting", 502, page(lambda _: b"[" * 100_000 + b"]" * 100_000)),
    Fault("5,000 digits", 502, page(lambda good: b"[" + b"7" * 5000 + b"," + good[1:])),
    Fault("wrong charset", 502, page(lambda good: good.decode().encode("utf-16"), "Content-Type: application/json")),
    Fault("Latin-1", 502, page(lambda good: b'[{"\xe9": 1},' + good[1:], "Content-Type: application/json")),
    Fault("wrong encoding", 502, page(lambda good: good, "Content-Encoding: br")),
    Fault("gzip cut short", 502, page(lambda good: gzip.compress(good)[:-9], "Content-Encoding: gzip")),
    Fault("gzip bomb", 502, page(lambda _: BOMB, "Content-Encoding: gzip")),
    Fault("80 MB", 502, lambda _: sends(LARGE, *[b" " * 1_000_000] * 80)),
    Fault("rows that are none", 502, rows(lambda good: [*good, 7])),
    Fault("NaN", 502, last_energy(b"NaN"), records),
    Fault("Infinity", 502, last_energy(b"-Infinity"), records),
    Fault("1e999", 502, last_energy(b"1e999"), records),
    Fault("1e999999999", 502, last_energy(b"1e999999999"), records),
    Fault("5,000 digits of energy", 502, last_energy(b"0." + b"3" * 5000), records),
    Fault("text as energy", 502, last_energy(b'"much"'), records),
    Fault("missing time", 502, without("time"), records),
    Fault("missing energy_kwh", 502, without("energy_kwh"), records),
    Fault("null time", 502, last_row(lambda row: row | {"time": None}), records),
    Fault("off the grid", 502, last_row(lambda row: row | {"time": "2021-06-11T00:10:00Z"}), records),
    Fault(
        "off the grid by its offset", 502, last_row(lambda row: row | {"time": "2021-06-11T00:00:00+00:20"}), records
    ),
    Fault("a day as time", 502, last_row(lambda row: row | {"time": "2021-06-11"}), records),
    Fault("a meter without consent", 502, without("consent_uuid"), listing),
    Fault("a meter without type", 502, last_row(lambda meter: meter | {"type": ""}), listing),
    Fault("a consent that is a path", 502, last_row(lambda meter: meter | {"consent_uuid": "../../admin"}), listing),
    Fault(
        "a range of no time", 502, last_row(lambda meter: meter | {"range": {"earliest": "x", "latest": "y"}}), listing
    ),
    Fault(
        "deep nesting of a meter",
        502,
        page(lambda good: good[:-2] + b',"a":' + b"[" * 500 + b"]" * 500 + b"}]"),
        listing,
    ),
]
