"""Hears the engine's bells, and wakes whoever reads what they ring for."""

from collections.abc import Callable
from typing import Protocol

import trio

from actors.cluster.follower import Follower
from actors.cluster.inbox import InboxReader
from actors.cluster.replies import Replies
from store.engine.port import FEED_BELL


class HearEngine(Protocol):
    """What is needed of the engine."""

    async def hear(
        self,
        ring: Callable[[str], None],
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Call `ring(shard)`, `ring(FEED_BELL + shard)` and `ring(boot)` until cancelled."""
        ...


class Bells:
    """One for each process; `run` is its task. `others` hear of every shard as well, but not of
    commits."""

    def __init__(
        self,
        engine: HearEngine,
        inbox: InboxReader,
        follower: Follower,
        replies: Replies,
        *,
        boot: str,
        others: Callable[[str], None] = lambda shard: None,
    ) -> None:
        self._engine = engine
        self._inbox = inbox
        self._follower = follower
        self._replies = replies
        self._boot = boot
        self._others = others
        self.rung = 0

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Until cancelled."""
        await self._engine.hear(self._ring, task_status)

    def _ring(self, name: str) -> None:
        self.rung += 1
        if name == self._boot:
            self._replies.ring()
            return
        shard = name.removeprefix(FEED_BELL)
        if shard == name:
            self._inbox.ring(shard)
            self._others(shard)
        else:
            self._follower.ring(shard)
