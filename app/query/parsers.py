"""From the texts of a parameter to its value, and back."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from app.domain.aggregates import Aggregate
from app.domain.errors import BadParameter
from app.domain.periods import named_period, parse_day
from app.domain.weekdays import parse_weekdays, weekdays_text
from app.query.parameters import Kind, Layout, Quantity
from app.query.spelling import nearest

ANY_DAY = date(2000, 2, 29)
"""To check the words of a period before anybody has asked what day it is."""
MOST_DIGITS = 9


def parsed(name: str, texts: Sequence[str]) -> Any:
    """The value of a parameter of the texts that a link gives, one a repetition. BadParameter."""
    return _PARSERS[name](name, texts)


def written(name: str, value: Any) -> list[str]:
    """A parameter's value as the texts of a link, one a repetition."""
    if name in {"meter", "periods"}:
        return list(value)
    if name == "columns":
        return [",".join(value)]
    if name == "days":
        return [weekdays_text(value)]
    return ["1" if value is True else str(value)]


def _meters(_name: str, texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))


def _period(_name: str, texts: Sequence[str]) -> str:
    named_period(texts[0], ANY_DAY)
    return texts[0]


def _periods(_name: str, texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(_period("period", [text]) for text in texts)


def _day(name: str, texts: Sequence[str]) -> date:
    return parse_day(texts[0], name)


def one_of(name: str, text: str, choices: Sequence[str]) -> str:
    """The text, if it is one of the choices. BadParameter."""
    if text in choices:
        return text
    meant = nearest(text, choices)
    raise BadParameter(
        f"The parameter {name} is none of {', '.join(choices)}.",
        remedy=f"Did you mean {name}={meant}?" if meant else f"For example {name}={choices[0]}.",
    )


def _aggregate(name: str, texts: Sequence[str]) -> Aggregate:
    return Aggregate(one_of(name, texts[0], list(Aggregate)))


def _layout(name: str, texts: Sequence[str]) -> Layout:
    return Layout(one_of(name, texts[0], list(Layout)))


def _quantity(name: str, texts: Sequence[str]) -> Quantity:
    return Quantity(one_of(name, texts[0], list(Quantity)))


def _kind(name: str, texts: Sequence[str]) -> Kind:
    return Kind(one_of(name, texts[0], list(Kind)))


def _weekdays(_name: str, texts: Sequence[str]) -> tuple[int, ...]:
    return parse_weekdays(texts[0])


def zone_name(name: str, texts: Sequence[str]) -> str:
    """The IANA name of a time zone. BadParameter."""
    zone = texts[0].replace(" ", "+")  # no zone has a space: a link that says Etc/GMT+1 means the plus
    if zone in _zone_names():
        return zone
    meant = nearest(zone, _zone_names())
    raise BadParameter(
        f"The parameter {name} is no time zone that is known.",
        remedy=f"Did you mean {name}={meant}?" if meant else f"Use an IANA name such as {name}=Europe/London.",
    )


@cache
def _zone_names() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))


def _columns(name: str, texts: Sequence[str]) -> tuple[str, ...]:
    names = tuple(texts[0].split(","))
    if "" in names:
        raise BadParameter(
            f"The parameter {name} holds an empty name.", remedy=f"Write it like {name}=time,energy_kwh."
        )
    if len(set(names)) < len(names):
        raise BadParameter(f"The parameter {name} names a column twice.", remedy="Name each column once.")
    return names


def _cell(name: str, texts: Sequence[str]) -> str:
    return one_of(name, texts[0], ["cell"])


def _flag(name: str, texts: Sequence[str]) -> bool:
    return bool(one_of(name, texts[0], ["1"]))


def _count(name: str, texts: Sequence[str]) -> int:
    text = texts[0]
    if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS and int(text):
        return int(text)
    raise BadParameter(
        f"The parameter {name} is not a number of rows.",
        remedy=f"Write a whole number from 1 to {10**MOST_DIGITS - 1}, for example {name}=10.",
    )


_PARSERS: dict[str, Callable[[str, Sequence[str]], Any]] = {
    "meter": _meters,
    "period": _period,
    "periods": _periods,
    "start": _day,
    "end": _day,
    "aggregate": _aggregate,
    "days": _weekdays,
    "tz": zone_name,
    "layout": _layout,
    "value": _quantity,
    "difference": _flag,
    "kind": _kind,
    "columns": _columns,
    "first": _count,
    "last": _count,
    "errors": _cell,
    "bom": _flag,
}
