"""PowerShaper's API: the only place that knows how it is asked, how often, and what it answers."""

from app.upstream.client import PowerShaper
from app.upstream.policy import Limits, State, fresh
from app.upstream.polite import HALVED, SHORTEST_HALVED_DAYS, PolitePowerShaper, StateStore
from app.upstream.wire import meters_among

__all__ = [
    "HALVED",
    "SHORTEST_HALVED_DAYS",
    "Limits",
    "PolitePowerShaper",
    "PowerShaper",
    "State",
    "StateStore",
    "fresh",
    "meters_among",
]
