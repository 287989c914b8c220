"""What most actors need of the store's writer."""

from collections.abc import Sequence
from typing import Protocol

from store.port import Write


class Commits(Protocol):
    """Hands writes to the store, all or nothing."""

    async def commit(self, writes: Sequence[Write]) -> None:
        """Return when the writes are durable."""
        ...
