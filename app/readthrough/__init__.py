"""The read-through: memory -> archive -> upstream. What is missing or due is fetched, once, and kept."""

from app.readthrough.flights import Upstream
from app.readthrough.memory import Memory
from app.readthrough.source import Answered, Listed, Outcome, ReadThrough
from app.readthrough.state import ArchivedState

__all__ = ["Answered", "ArchivedState", "Listed", "Memory", "Outcome", "ReadThrough", "Upstream"]
