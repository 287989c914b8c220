"""Requests of the store's writer, and those that wait because their part of the store is away."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence

import trio

from actors.messaging.reply import Reply
from store.port import Write

PART_REQUESTS = 512
"""Of one part that wait here; whoever has more for it waits for room. A third of the 65 shards (one
of three servers) are 22 x 512 x 6 kB = 68 MB at most, two thirds 132 MB. Those who had handed in
before the part was full come beyond that, one request for each caller, who would keep it anyway."""


class Request:
    """Some writes, the part of the store in which they lie, and the promise to whoever waits for
    them. Without writes it is a place in the order, lies in no part, and waits for what was handed
    in before for the parts `after`; None: for all."""

    __slots__ = ("after", "part", "reply", "writes")

    def __init__(
        self,
        writes: Sequence[Write],
        part: str,
        reply: Reply[None] | None,
        after: Collection[str] | None = None,
    ) -> None:
        self.writes = writes
        self.part = part if writes else None
        self.reply = reply
        self.after = after

    def comes_after(self, parts: Collection[str | None]) -> bool:
        """Whether it has to wait where requests for these parts do."""
        if self.part is not None:
            return self.part in parts
        if self.after is None:
            return bool(parts)
        return any(part in parts for part in self.after)

    def __repr__(self) -> str:
        return f"Request({len(self.writes)} writes)"


class WaitingRequests:
    """Those whose part is away, in the order in which they came."""

    def __init__(self) -> None:
        self.again_at = 0.0
        """When they are to be tried again, on the clock of Trio."""
        self.since = 0.0
        """Since when there were some all the time, likewise."""
        self._tries = 0
        self._requests: list[Request] = []
        self._by_part: Counter[str | None] = Counter()
        self._room: dict[str | None, trio.Event] = {}
        """For whoever waits to hand in more of a part; one for each that is away."""

    def __len__(self) -> int:
        return len(self._requests)

    def __iter__(self) -> Iterator[Request]:
        return iter(self._requests)

    def holds_up(self, request: Request) -> bool:
        """Whether something waits that has to be written before it."""
        return request.comes_after(self._by_part)

    def is_full(self, part: str | None) -> bool:
        """Whether no more of this part should be handed in."""
        return self._by_part[part] >= PART_REQUESTS

    async def has_room(self, part: str | None) -> None:
        """Return when it is not full any more."""
        while self.is_full(part):
            await self._room.setdefault(part, trio.Event()).wait()

    def keep(
        self,
        requests: Sequence[Request],
        now: float,
        delay_s: Callable[[int], float],
        *,
        again: bool,
    ) -> None:
        """These wait: instead of those before, which were tried `again`, or after them. While
        nothing of them is written they are tried later and later, by `delay_s` of the tries."""
        before = len(self._requests)
        if requests and not before:
            self.since = now
        if requests and (again or not before):
            self._tries = self._tries + 1 if 0 < before <= len(requests) else 1
            self.again_at = now + delay_s(self._tries)
        if again:
            self._requests, self._by_part = [], Counter()
        self._requests += requests
        self._by_part.update(one.part for one in requests)
        for part in [part for part in self._room if not self.is_full(part)]:
            self._room.pop(part).set()
