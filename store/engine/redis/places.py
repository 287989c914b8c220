"""Where a shard lies: on one server, on the master that sentinels know, or in a cluster.

Nothing here waits except `dial`, which is called in the thread of the connection that it makes.
"""

from collections.abc import Hashable
from typing import Protocol

from store.engine.redis.node import Connection
from store.engine.redis.target import Target


class Places(Protocol):
    """Finds the node for a hash tag."""

    def node_of(self, tag: str) -> Hashable:
        """The node that has it, as far as is known. Raises StoreUnavailable where none is known."""
        ...

    def nodes(self) -> list[Hashable]:
        """All nodes that have something."""
        ...

    def dial(self, node: Hashable) -> Connection:
        """A connection to it, found out anew. Blocks.

        Raises what redis-py raises, or StoreError.
        """
        ...

    def lost(self, node: Hashable, error: Exception) -> None:
        """It did not answer, or says that another one is to be asked."""
        ...

    def era(self) -> int:
        """Changes when connections made before may lead to a server that is not the master any
        more: one that was replaced is readable for some seconds, and would show what is past."""
        ...

    def open(self) -> None:
        """Find out for the first time. Blocks. Raises StoreError."""
        ...

    def close(self) -> None:
        """End what runs beside."""
        ...


class OneServer:
    """The server that the URL names."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def node_of(self, tag: str) -> Hashable:
        """The server."""
        return self._target.name

    def nodes(self) -> list[Hashable]:
        """The server."""
        return [self._target.name]

    def dial(self, node: Hashable) -> Connection:
        """A connection to it."""
        return self._target.connected(self._target.addresses[0] if self._target.addresses else None)

    def lost(self, node: Hashable, error: Exception) -> None:
        """There is no other."""

    def era(self) -> int:
        """There is but one."""
        return 0

    def open(self) -> None:
        """Nothing is to be found out."""

    def close(self) -> None:
        """Nothing runs."""
