"""When each of many things is due next, the soonest first.

For each key one time counts, the one planned last. The heap also holds times that were planned
before; they are skipped when they come up, and removed when there are too many of them.
"""

import heapq
from typing import Generic, TypeVar

K = TypeVar("K", bound="str | tuple[str, str]")

STALE_SLACK = 64
"""Entries that are out of date may outnumber the keys by this many."""


class DueTimes(Generic[K]):
    """Times by key, in Unix seconds. Bound: one time for each key, and twice as many entries of the
    heap and a few more."""

    __slots__ = ("_heap", "_planned")

    def __init__(self) -> None:
        self._planned: dict[K, float] = {}
        self._heap: list[tuple[float, K]] = []

    def __contains__(self, key: K) -> bool:
        return key in self._planned

    @property
    def heap_size(self) -> int:
        """Entries of the heap, those that are out of date included."""
        return len(self._heap)

    def plan(self, key: K, due_at: float) -> None:
        """It is due then, whatever was planned before."""
        self._planned[key] = due_at
        heapq.heappush(self._heap, (due_at, key))
        if len(self._heap) > 2 * len(self._planned) + STALE_SLACK:
            self._rebuild()

    def plan_sooner(self, key: K, due_at: float) -> None:
        """It is due then, unless it is due sooner anyway."""
        planned = self._planned.get(key)
        if planned is None or due_at < planned:
            self.plan(key, due_at)

    def forget(self, key: K) -> None:
        """It is not due any more."""
        self._planned.pop(key, None)

    def next_at(self) -> float | None:
        """When the next thing is due, None when nothing is."""
        while self._heap:
            due_at, key = self._heap[0]
            if self._planned.get(key) == due_at:
                return due_at
            heapq.heappop(self._heap)
        return None

    def take(self, now: float) -> K | None:
        """Take out the thing that has been due for the longest; None when nothing is due."""
        next_at = self.next_at()
        if next_at is None or next_at > now:
            return None
        key = heapq.heappop(self._heap)[1]
        del self._planned[key]
        return key

    def moved(self, by_s: float) -> None:
        """The machine's clock was set: every time moves by as much."""
        self._planned = {key: at + by_s for key, at in self._planned.items()}
        self._rebuild()

    def _rebuild(self) -> None:
        self._heap = [(at, key) for key, at in self._planned.items()]
        heapq.heapify(self._heap)
