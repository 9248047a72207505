"""JSON -> domain. What PowerShaper answers becomes meters and half-hours here, or UpstreamUnreadable is raised.

Strict about what is known, tolerant about what is not: numbers may be texts, times may have any offset or none,
missing half-hours may be flagged, null or left out, and further keys are kept.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from app.domain.errors import UpstreamTooLarge, UpstreamUnreadable
from app.domain.halfhours import HalfHours, Reading
from app.domain.meters import ListedMeter
from app.domain.spans import HALF_HOUR_SECONDS, Span, half_hour_of

DEFAULT_ZONE = ZoneInfo("Europe/London")
"""The API's own default: the zone of a time without an offset when no zone was asked for."""
LARGEST_KWH = Decimal(10_000_000)
"""No meter of a home measures 10 GWh in a half-hour; below it sums of decades stay exact in 64 bits."""
ONE_MILLIONTH = Decimal("0.000001")
MOST_ITEMS = 2_000_000
"""Twice what ten years of half-hours in one answer have. Two bytes of JSON can take a hundred in memory."""
MOST_METERS = 50_000
"""Those of ten thousand homes and more."""
LONGEST_NUMBER = 64
DEEPEST = 20
BETWEEN = re.compile(r"[ \t\n\r,]*")
"""What may stand between the items of an array."""
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
FIRST_HALF_HOUR = 0
LAST_HALF_HOUR = half_hour_of(datetime(2200, 1, 1, tzinfo=UTC))
CONSENT = re.compile(r"[0-9A-Za-z_-]{1,64}")


def meters_of(body: bytes) -> list[ListedMeter]:
    """The meters of an answer of `/meters/`, in its order."""
    items = _array(body)
    if len(items) > MOST_METERS:
        _unreadable(f"it lists more than {MOST_METERS:,} meters")
    return [_meter(item, place) for place, item in enumerate(items, 1)]


def check_json(body: bytes) -> None:
    """Raises UpstreamUnreadable if an answer is no JSON; of what is in it nothing is asked."""
    _check_items(body)
    try:
        json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        _unreadable("it is no JSON in UTF-8")


def meters_among(body: bytes, keys: Collection[tuple[str, str]]) -> bytes:
    """The list of meters with only those whose consent and type are in `keys`, each just as it came."""
    text = body.decode("utf-8")
    listed = list(keys)  # not by hash: what stands there may be anything
    meters = [item for item, meter in _items(text) if (meter.get("consent_uuid"), meter.get("type")) in listed]
    return f"[{','.join(meters)}]".encode()


def _items(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The objects of a text that is known to be JSON, each as it is written and as it reads."""
    at = _after(text, 0)
    if text[at] != "[":
        _unreadable("it is no array")
    decoder, at = json.JSONDecoder(), _after(text, at + 1)
    while text[at] != "]":
        item, end = decoder.raw_decode(text, at)
        if isinstance(item, Mapping):
            yield text[at:end], item
        at = _after(text, end)


def _after(text: str, at: int) -> int:
    """The place of the next character that is part of an item, or ends the array."""
    between = BETWEEN.match(text, at)
    return between.end() if between else at


def half_hours_of(body: bytes, span: Span, tz: tzinfo) -> HalfHours:
    """The half-hours of `span` in an answer with `aggregate=none`; `tz` is the zone that was asked for."""
    return HalfHours.of((reading for _, reading in readings_of(body, tz)), span)


def readings_of(body: bytes, tz: tzinfo) -> Iterator[tuple[datetime, Reading]]:
    """Every row of an answer with `aggregate=none`, with its label as it was given, in its order."""
    for place, row in enumerate(_array(body), 1):
        if not isinstance(row, Mapping):
            _unreadable(f"row {place} is not an object")
        label = _time(row, "time", place, tz)
        if "energy_kwh" not in row:
            _unreadable(f"row {place} has no energy_kwh")
        if label.timestamp() % HALF_HOUR_SECONDS:
            _unreadable(f"the time of row {place} is not the start of a half-hour")
        yield (
            label,
            Reading(
                half_hour=half_hour_of(label),
                micro_kwh=_millionths(row, "energy_kwh", place),
                micro_kg=_millionths(row, "carbon_kg", place),
                flagged=bool(_millionths(row, "error_count", place)),
            ),
        )


def _meter(item: Any, place: int) -> ListedMeter:
    if not isinstance(item, Mapping):
        _unreadable(f"meter {place} is not an object")
    consent, kind = item.get("consent_uuid"), item.get("type")
    if not isinstance(consent, str) or not CONSENT.fullmatch(consent):
        _unreadable(f"meter {place} has no consent_uuid that can be one")
    if not isinstance(kind, str) or not kind.strip(". "):
        _unreadable(f"meter {place} has no type")
    known = {"consent_uuid", "type", "status", "range"}
    further = {_text(str(key)): _plain(value, DEEPEST) for key, value in item.items() if key not in known}
    limits = item.get("range")
    limits = limits if isinstance(limits, Mapping) else {}
    beside = {_text(str(key)): _plain(limits[key], DEEPEST) for key in limits if key not in {"earliest", "latest"}}
    status = item.get("status")
    return ListedMeter(
        consent_uuid=consent,
        type=_text(kind),
        status=None if status is None else _text(str(status)),
        span=_range(limits, place),
        further=further | ({"range": beside} if beside else {}),
    )


def _range(limits: Mapping[str, Any], place: int) -> Span | None:
    """From `earliest` to and with `latest`, floored to half-hours; None if one of them is null or absent."""
    if limits.get("earliest") is None or limits.get("latest") is None:
        return None
    first, last = (half_hour_of(_time(limits, key, place, DEFAULT_ZONE)) for key in ("earliest", "latest"))
    if first < FIRST_HALF_HOUR or last > LAST_HALF_HOUR:
        _unreadable(f"the range of meter {place} is not of this time")
    return Span(first, last + 1) if first <= last else None


def _check_items(body: bytes) -> None:
    """Raises UpstreamTooLarge if an answer would take very much more memory than it has bytes."""
    if sum(body.count(mark) for mark in b",[{") > MOST_ITEMS:
        raise UpstreamTooLarge(
            f"PowerShaper's answer has more than {MOST_ITEMS:,} items.", remedy="Ask for a shorter period."
        )


def _array(body: bytes) -> list[Any]:
    _check_items(body)
    try:
        answer = json.loads(
            body.decode("utf-8"),
            parse_float=_decimal,
            parse_int=_integer,
            parse_constant=lambda name: _unreadable(f"it holds {name}"),
        )
    except (ValueError, ArithmeticError, RecursionError):
        _unreadable("it is no JSON in UTF-8")
    if not isinstance(answer, list):
        _unreadable("it is no array")
    return answer


def _decimal(text: str) -> Decimal:
    if len(text) > LONGEST_NUMBER:
        _unreadable("it holds a number of too many digits")
    return Decimal(text)


def _integer(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        _unreadable("it holds a number of too many digits")
    return int(text)


def _time(row: Mapping[str, Any], key: str, place: int, tz: tzinfo) -> datetime:
    text = row.get(key)
    if isinstance(text, str) and text[10:11] in {"T", " "} and ":" in text:
        with suppress(ValueError, OverflowError):
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=tz)
            moment.timestamp()
            return moment
    return _unreadable(f"{key} of row {place} is no date and time")


def _millionths(row: Mapping[str, Any], key: str, place: int) -> int | None:
    """A number as exact millionths, rounded half-even; None if it is null or absent."""
    value = row.get(key)
    if value is None:
        return None
    try:
        number = _number(value)
        if abs(number) < LARGEST_KWH:
            return int(number.quantize(ONE_MILLIONTH, ROUND_HALF_EVEN).scaleb(6))
    except (ArithmeticError, TypeError):
        pass
    return _unreadable(f"{key} of row {place} is no number that can be one")


def _number(value: Any) -> Decimal:
    """A JSON number, or a text that looks like one. TypeError, ArithmeticError."""
    if isinstance(value, str) and len(value) <= LONGEST_NUMBER and NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError
    return Decimal(value)


def _plain(value: Any, depth: int) -> Any:
    """A further key's value as JSON that every reader can hold: no bare surrogates, no numbers past 64 bits."""
    if depth == 0:
        _unreadable("it is nested too deeply")
    if isinstance(value, Mapping):
        return {_text(str(key)): _plain(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, depth - 1) for item in value]
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Decimal):
        return float(value) if abs(value) < LARGEST_KWH else str(value)
    if isinstance(value, int) and abs(value) >= 2**63:
        return str(value)
    return value


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _unreadable(what: str) -> NoReturn:
    raise UpstreamUnreadable(
        f"PowerShaper's answer can't be read: {what}.",
        remedy="Try again later; if it stays, report this message to the makers of powershaper-sheets.",
    )
