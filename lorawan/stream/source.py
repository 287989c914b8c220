"""What is needed of ChirpStack's Redis, as a port: `redis_source` has the adapter."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from lorawan.stream.entries import EntryId, StreamEntry
from lorawan.stream.position import Look, Page


class EventSource(Protocol):
    """Reads streams and changes nothing. Raises only StreamErrors; each call ends within some
    seconds, and may be cancelled."""

    async def look(self) -> Look:
        """The server's clock and the newest entry; a connection is made where there is none."""
        ...

    async def read(
        self, after: EntryId, known: EntryId | None, *, most: int, wait_s: float
    ) -> Page:
        """Up to `most` entries of the stream of all devices after this one, oldest first; waits up
        to `wait_s` for the first. `known` is looked for, see `Page.kept`."""
        ...

    async def of_devices(
        self, dev_euis: Sequence[str], since: EntryId, until: EntryId | None, *, most: int
    ) -> Mapping[str, Sequence[StreamEntry]]:
        """What is kept of each of these devices from `since` to `until`, oldest first, the newest
        `most` of each. Those whose server does not answer are left out; raises where none does."""
        ...

    async def close(self) -> None:
        """Release all connections; idempotent."""
        ...
