"""PowerShaper's API: the only place that knows how it is asked, how often, and what it answers."""

from app.upstream.client import Bounds, PowerShaper
from app.upstream.policy import Go, Limits, No, State, Wait, decide, fresh, rate
from app.upstream.polite import HALVED, PolitePowerShaper, StateStore
from app.upstream.wire import meters_among

__all__ = [
    "HALVED",
    "Bounds",
    "Go",
    "Limits",
    "No",
    "PolitePowerShaper",
    "PowerShaper",
    "State",
    "StateStore",
    "Wait",
    "decide",
    "fresh",
    "meters_among",
    "rate",
]
