"""The read-through: memory -> archive -> upstream. What is missing or due is fetched, once, and kept."""

from app.readthrough.flights import Flights, Upstream
from app.readthrough.listing import Listed, Outcome
from app.readthrough.memory import Memory
from app.readthrough.questions import Keeping, Questions, Said
from app.readthrough.refresher import Refresher
from app.readthrough.source import Answered, ReadThrough
from app.readthrough.state import ArchivedState
from app.readthrough.status import Status, Watch
from app.readthrough.unreadable import Unreadable
from app.readthrough.waits import Waits

__all__ = [
    "Answered",
    "ArchivedState",
    "Flights",
    "Keeping",
    "Listed",
    "Memory",
    "Outcome",
    "Questions",
    "ReadThrough",
    "Refresher",
    "Said",
    "Status",
    "Unreadable",
    "Upstream",
    "Waits",
    "Watch",
]
