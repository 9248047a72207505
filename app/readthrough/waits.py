"""Waits: how long a request waits for PowerShaper, in moments of the event loop's clock."""

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds: `whole` for what only PowerShaper can answer, `patience` for what is newer than what is held."""

    whole: float
    patience: float

    def deadline(self) -> float:
        """The moment until which a request that begins now may wait in all."""
        return asyncio.get_running_loop().time() + self.whole

    def patient(self, deadline: float) -> float:
        """The moment, `deadline` or before, until which a request waits in all that could be answered at once."""
        return deadline - max(0.0, self.whole - self.patience)
