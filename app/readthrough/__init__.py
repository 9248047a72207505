"""The read-through: memory -> archive -> upstream. What is missing or due is fetched, once, and kept."""

from app.readthrough.flights import Upstream
from app.readthrough.memory import Memory
from app.readthrough.questions import Keeping, Questions, Said
from app.readthrough.source import Answered, Listed, Outcome, ReadThrough
from app.readthrough.state import ArchivedState

__all__ = [
    "Answered",
    "ArchivedState",
    "Keeping",
    "Listed",
    "Memory",
    "Outcome",
    "Questions",
    "ReadThrough",
    "Said",
    "Upstream",
]
