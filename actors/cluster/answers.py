"""Answers to other processes that asked, each process in a line of its own.

One whose node of the engine is silent holds up nobody else. What waits is bounded in all; of the
longest line the oldest gives way, for whoever asked gives up after some seconds.
"""

from collections import deque
from collections.abc import Callable, Iterable
from random import Random
from typing import NamedTuple, Protocol

import trio

from actors.cluster.messages import Answer, encode
from actors.supervision import Backoff
from store.errors import StoreUnavailable

ANSWERS_MOST = 1_000
ANSWERS_BYTES_MOST = 64 * 1024 * 1024
"""Of these together, 2 MiB each at most: requests go on to come where only that node of the engine
is silent which has the answers to one process."""
KEPT_S = 30.0
"""What could not be written for so long is old news."""
RETRY = Backoff(first_s=0.05, factor=2.0, most_s=1.0, jitter=0.2)


class AnswerEngine(Protocol):
    """What is needed of the engine."""

    async def reply(self, boot: str, message: bytes) -> None:
        """A message to one process."""
        ...


class _Waiting(NamedTuple):
    message: bytes
    until: float


class _Line:
    """To one process, oldest first."""

    def __init__(self) -> None:
        self.bytes = 0
        self._waiting: deque[_Waiting] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def first(self) -> _Waiting:
        """The oldest."""
        return self._waiting[0]

    def add(self, one: _Waiting) -> None:
        """The newest."""
        self._waiting.append(one)
        self.bytes += len(one.message)

    def drop_first(self) -> None:
        """It is told, or given up."""
        self.bytes -= len(self._waiting.popleft().message)


class Answers:
    """One for each process; `run` is its task."""

    def __init__(self, engine: AnswerEngine, rng: Random) -> None:
        self.dropped = self.failures = 0
        """Given up here; calls of the engine that failed, and were repeated."""
        self._engine = engine
        self._rng = rng
        self._lines: dict[str, _Line] = {}
        self._nursery: trio.Nursery | None = None

    def answer(self, boot: str, message: Answer) -> None:
        """Answer a process that asked."""
        line = self._lines.get(boot)
        if line is None:
            line = self._lines[boot] = _Line()
            if self._nursery is not None:
                self._nursery.start_soon(self._tell, boot, line)
        line.add(_Waiting(encode(message), trio.current_time() + KEPT_S))
        self._bound(len, ANSWERS_MOST)
        self._bound(lambda one: one.bytes, ANSWERS_BYTES_MOST)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Write what waits, until cancelled."""
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                for boot, line in self._lines.items():
                    nursery.start_soon(self._tell, boot, line)
                task_status.started()
                await trio.sleep_forever()
        finally:
            self._nursery = None

    def _bound(self, size: Callable[[_Line], int], most: int) -> None:
        """There are some processes, so the sum is over a few lines."""
        lines: Iterable[_Line] = self._lines.values()
        while sum(map(size, lines)) > most:
            self._drop(max(lines, key=size))

    def _drop(self, line: _Line) -> None:
        line.drop_first()
        self.dropped += 1

    async def _tell(self, boot: str, line: _Line) -> None:
        failures = 0
        while line:
            first = line.first
            if first.until < trio.current_time():
                self._drop(line)
                continue
            try:
                await self._engine.reply(boot, first.message)
            except StoreUnavailable:
                failures += 1
                self.failures += 1
                await trio.sleep(RETRY.delay_s(failures, self._rng.random()))
                continue
            failures = 0
            if line and line.first is first:  # else it gave way meanwhile
                line.drop_first()
        del self._lines[boot]
