"""Access keys: what is kept of one (never the key itself), and what it lets its holder read."""

from dataclasses import dataclass
from datetime import date

from app.domain.meters import Meter


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key as the archive keeps it. Moments are UTC seconds; `sha256` is the hash of the key's ASCII text.

    `scope` are the pairs of consent and type that it may read, None is all meters. `expires_on` is its last local day.
    """

    id: str
    name: str
    sha256: bytes
    scope: frozenset[tuple[str, str]] | None
    created_at: int
    expires_on: date | None = None
    last_used_at: int | None = None
    revoked_at: int | None = None

    def opens(self, today: date) -> bool:
        """Whether it still lets anybody in on the local day `today`."""
        return self.revoked_at is None and (self.expires_on is None or today <= self.expires_on)

    def permits(self, meter: Meter) -> bool:
        """Whether it may read `meter`."""
        return self.scope is None or meter.listed.key in self.scope
