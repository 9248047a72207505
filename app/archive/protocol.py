"""What an archive does, whichever database keeps it. It is synchronous and is called from threads."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from app.domain.days import Days
from app.domain.halfhours import HalfHours
from app.domain.keys import AccessKey
from app.domain.meters import ListedMeter, Meter

T = TypeVar("T")


class Archive(Protocol):
    """Keeps meters and their days. `now` is UTC seconds. Every method may raise ArchiveError.

    It is ArchiveDamaged where what is held isn't what was written.
    """

    def meters(self) -> list[Meter]:
        """All meters that were ever listed."""
        ...

    def listed(self) -> tuple[int, int] | None:
        """When the list of meters was last fetched and last changed, in UTC seconds; None before the first time."""
        ...

    def remember(self, listed: Sequence[ListedMeter], now: int) -> list[Meter]:
        """Keeps a list of meters as PowerShaper gave it, names newcomers, and gives all meters ever listed.

        A meter that isn't on the list is kept, as no longer listed.
        """
        ...

    def rename(self, old: str, new: str) -> None:
        """Gives a meter another short name. NotFound, BadParameter."""
        ...

    def days(self, meter_id: int, first_day: int, last_day: int) -> Days:
        """The UTC days `first_day` to `last_day` of a meter, both included, counted from 1970-01-01."""
        ...

    def store(self, meter_id: int, fetched: HalfHours, now: int) -> None:
        """Lays whole UTC days, all confirmed at `now`, over what is held, in one transaction.

        A gap never overwrites a value; a value that became another is kept as a revision.
        """
        ...

    def fact(self, name: str) -> str | None:
        """A fact's text; None if there is none."""
        ...

    def change_fact(self, name: str, change: Callable[[str | None], tuple[str, T]]) -> T:
        """Replaces a fact's text (None: there is none) by the first of what `change` makes of it; gives the second."""
        ...

    def asked(self, meter_ids: Collection[int], now: int) -> None:
        """Keeps when meters were last asked for."""
        ...

    def asked_since(self, since: int) -> set[int]:
        """The ids of the meters that were asked for at `since` (UTC seconds) or after."""
        ...

    def held(self) -> dict[int, int]:
        """How many half-hours are held that have a value, by the ids of the meters of which days are held."""
        ...

    def size_bytes(self) -> int:
        """The size of the file and of the journal beside it."""
        ...

    def integrity(self) -> list[str]:
        """Faults of what is held, a part of a sentence each; empty is well. It reads everything."""
        ...

    def backup(self, path: Path) -> None:
        """Makes a consistent copy at `path`, 0600, while others write. ArchiveError if that exists or can't be written.

        It has its name only when it is whole and on the disk.
        """
        ...

    def try_to_read(self) -> None:
        """ArchiveError if the archive can't be read, ArchiveDamaged also if damage was met anywhere in it."""
        ...

    def try_to_write(self) -> None:
        """Changes nothing, and raises ArchiveError if the archive can't be written."""
        ...

    def keys(self) -> list[AccessKey]:
        """All access keys, revoked and expired ones too, in the order of their making."""
        ...

    def add_key(self, key: AccessKey) -> None:
        """Keeps a new access key."""
        ...

    def revoke_key(self, key_id: str, now: int) -> bool:
        """Revokes an access key; False if there is none of that id that isn't revoked yet."""
        ...

    def key_used(self, key_id: str, now: int) -> None:
        """Keeps when an access key was last used."""
        ...

    def version(self) -> int:
        """A number that changes when another process has written to the archive."""
        ...

    def close(self) -> None:
        """Closes all connections."""
        ...
