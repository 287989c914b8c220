"""What is done for a shard, one thing after the other; those of several shards run side by side."""

from collections import deque
from collections.abc import Awaitable, Callable

import trio

Work = Callable[[], Awaitable[None]]


class _Line:
    """What runs for one shard, and what waits."""

    __slots__ = ("scope", "waiting")

    def __init__(self) -> None:
        self.scope: trio.CancelScope | None = None
        self.waiting: deque[Work] = deque()  # two at most: `instead` empties it


class ShardLines:
    """One line for each shard on which something is done."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}  # 65 at most: one for each shard

    def then(self, nursery: trio.Nursery, shard: str, work: Work) -> None:
        """Do this when all before it is done."""
        line = self._lines.get(shard)
        if line is None:
            line = self._lines[shard] = _Line()
            nursery.start_soon(self._run, shard, line)
        line.waiting.append(work)

    def instead(self, nursery: trio.Nursery, shard: str, work: Work) -> None:
        """Cancel what runs, drop what waits, and do this as soon as that has ended."""
        line = self._lines.get(shard)
        if line is not None:
            line.waiting.clear()
            if line.scope is not None:
                line.scope.cancel(reason="the shard is another's")
        self.then(nursery, shard, work)

    def busy(self, shard: str) -> bool:
        """Whether anything is done for the shard now."""
        return shard in self._lines

    def forget(self) -> None:
        """Their tasks are gone: the nursery that they ran in was left."""
        self._lines.clear()

    async def _run(self, shard: str, line: _Line) -> None:
        while line.waiting:
            work = line.waiting.popleft()
            with trio.CancelScope() as line.scope:
                await work()
            line.scope = None
        del self._lines[shard]
