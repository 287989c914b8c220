"""When each light is to be looked at though nothing happened to it.

Of each light the soonest time counts; entries that are out of date are skipped.
"""

import heapq
from collections.abc import Iterator

STALE_SLACK = 64
"""Entries that are out of date may outnumber the lights by this many."""


class DueTimes:
    """A heap of times by DevEUI. Bound: twice the lights and a little."""

    __slots__ = ("_agenda", "_planned")

    def __init__(self) -> None:
        self._agenda: list[tuple[float, str]] = []
        self._planned: dict[str, float] = {}

    def plan(self, dev_eui: str, due_at: float) -> bool:
        """Look at the light then, unless that is planned sooner. True when it is news."""
        planned = self._planned.get(dev_eui)
        if planned is not None and planned <= due_at:
            return False
        self._planned[dev_eui] = due_at
        heapq.heappush(self._agenda, (due_at, dev_eui))
        if len(self._agenda) > 2 * len(self._planned) + STALE_SLACK:
            self._rebuild()
        return True

    def due(self, now: float, most: int) -> Iterator[str]:
        """The lights that are due; at most `most` entries of the heap are looked at."""
        for _ in range(most):
            if not self._agenda or self._agenda[0][0] > now:
                return
            due_at, dev_eui = heapq.heappop(self._agenda)
            if self._planned.get(dev_eui) == due_at:
                del self._planned[dev_eui]
                yield dev_eui

    def next_at(self) -> float | None:
        """The soonest time; it may be that of an entry that is out of date."""
        return self._agenda[0][0] if self._agenda else None

    def moved(self, by_s: float) -> None:
        """The machine's clock was set: every time moves by as much."""
        self._planned = {dev_eui: at + by_s for dev_eui, at in self._planned.items()}
        self._rebuild()

    def _rebuild(self) -> None:
        self._agenda = [(at, dev_eui) for dev_eui, at in self._planned.items()]
        heapq.heapify(self._agenda)
