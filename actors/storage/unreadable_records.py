"""Records that this version cannot read: kept as they are, told, and listed.

Nothing is written here. What is not understood was perhaps written by a newer version, which will
understand it again.
"""

from collections.abc import Callable, Sequence

import msgspec
import structlog

from store.port import Table

log = structlog.get_logger()

LISTED_MOST = 1_000
"""Some 200 bytes each. A store of a newer version is refused as a whole, so they are few."""


class UnreadableRecord(Exception):
    """A record that was asked for is there, but cannot be read; it is kept as it is."""


class Unreadable(msgspec.Struct, frozen=True):
    """One record, and why it cannot be read."""

    table: str
    key: str
    why: str


class UnreadableRecords:
    """What was found at the start. `told` hears how many there are, in words, or None."""

    def __init__(self, told: Callable[[str | None], None]) -> None:
        self._told = told
        self._found: list[Unreadable] = []
        self.count = 0

    def found(self, table: Table, key: str, error: Exception) -> None:
        """One more; nothing happens for one that was found before."""
        if self.holds(table, key):
            return
        log.error("a record cannot be read; it is kept", table=table, key=key, problem=str(error))
        self.count += 1
        if len(self._found) < LISTED_MOST:
            self._found.append(Unreadable(table.value, key, str(error)))

    def holds(self, table: Table, key: str) -> bool:
        """Whether this record is one of those listed."""
        return any((one.table, one.key) == (table.value, key) for one in self._found)

    def listed(self) -> Sequence[Unreadable]:
        """Those found, at most 1,000."""
        return tuple(self._found)

    def tell(self) -> None:
        """Say how many there are; also that there are none any more."""
        if not self.count:
            self._told(None)
            return
        some = ", ".join(f"{one.table} {one.key}" for one in self._found[:3])
        more = f" and {self.count - 3} more" if self.count > 3 else ""
        self._told(f"records that cannot be read are kept as they are: {some}{more}")
