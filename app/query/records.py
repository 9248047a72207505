"""What a program may ask of a meter in PowerShaper's own API: the same parameters, checked before PowerShaper is."""

from collections.abc import Sequence

from app.domain.errors import BadParameter
from app.domain.periods import parse_day
from app.query.parsers import one_of, zone_name

AGGREGATES = ("none", "hour", "day", "month", "profile")
NAMES = ("start", "end", "aggregate", "tz")
MOST_DAYS = 3660


def records_asked(pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The parameters that PowerShaper knows, in one order, just as many as were given. BadParameter.

    `start` and `end` are days, both included, at most ten years of them.
    """
    given: dict[str, str] = {}
    for name, text in pairs:
        if name in given:
            raise BadParameter(f"The parameter {name} stands there twice.", remedy=f"Give {name} once.")
        if name in NAMES:
            given[name] = text
    for name in ("start", "end"):
        if name not in given:
            raise BadParameter(f"The parameter {name} is missing.", remedy=f"Write it like {name}=2021-06-30.")
    first, last = (parse_day(given[name], name) for name in ("start", "end"))
    if first > last:
        raise BadParameter("The parameter start is after end.", remedy="Exchange start and end.")
    if (last - first).days >= MOST_DAYS:
        raise BadParameter(
            "The parameters start and end are too far apart.", remedy=f"Ask for at most {MOST_DAYS} days at once."
        )
    if "aggregate" in given:
        given["aggregate"] = one_of("aggregate", given["aggregate"], AGGREGATES)
    if "tz" in given:
        given["tz"] = zone_name("tz", [given["tz"]])
    return tuple((name, given[name]) for name in NAMES if name in given)
