"""An inbox that keeps the newest value of each key: for news that replaces what was told before.

A mailbox holds messages, each of which counts; here a newer value takes the place of the one that
waits, so that the inbox is never longer than there are keys, and to put something in never fails.
A value keeps its predecessor's place in the line: a key that is told of often is not put off by it.
"""

from typing import Generic, TypeVar

import trio

K = TypeVar("K")
V = TypeVar("V")


class LatestPerKey(Generic[K, V]):
    """Values by key, the key that waits longest first. Any number of tasks may take."""

    __slots__ = ("_takers", "_values")

    def __init__(self) -> None:
        self._values: dict[K, V] = {}
        self._takers = trio.lowlevel.ParkingLot()

    def __len__(self) -> int:
        return len(self._values)

    def put(self, key: K, value: V) -> None:
        """Hand in a value, in place of an older one of the same key."""
        self._values[key] = value
        self._takers.unpark()

    def put_older(self, key: K, value: V) -> None:
        """Hand in a value that gives way to whatever waits under its key already."""
        if key not in self._values:
            self.put(key, value)

    async def wait(self) -> None:
        """Wait until something is there. Always a checkpoint. For an inbox with one reader."""
        await trio.lowlevel.checkpoint()
        while not self._values:
            await self._takers.park()

    async def take(self) -> tuple[K, V]:
        """Wait for a value and take it out with its key. Always a checkpoint; a cancelled `take`
        has taken nothing."""
        await self.wait()
        key = next(iter(self._values))
        return key, self._values.pop(key)

    def take_all(self) -> list[tuple[K, V]]:
        """Take out all that waits, without waiting."""
        taken, self._values = self._values, {}
        return list(taken.items())

    def first(self) -> tuple[K, V] | None:
        """What waits longest, left where it is; None when nothing waits."""
        return next(iter(self._values.items()), None)

    def is_newest(self, key: K, value: V) -> bool:
        """Whether this very value still waits under its key."""
        return self._values.get(key) is value

    def remove(self, key: K, value: V) -> None:
        """This value is dealt with; a newer one of its key goes on waiting."""
        if self.is_newest(key, value):
            del self._values[key]
