"""Following the board: first what is (or what was missed), then every change, in batches.

Nobody waits for a reader. One that falls behind by more than its capacity is closed with a reason;
it may come back and resume from the last number it saw.
"""

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import msgspec
import trio

from actors.board.changes import ActorView, AlertView, Change, GatewayView
from actors.board.plan import PlanHead
from actors.board.ring import ChangeRing
from actors.board.rollout import Rollout
from actors.device.model import Device

CAPACITY = 1_000
"""Changes a reader may be behind: two seconds of the busiest fleet (500 changes a second)."""


class Snapshot(msgspec.Struct, frozen=True):
    """The whole board at one number: every later change has a higher one.

    `actors` are only those that are not well. `boot` names this run of the service: numbers start
    anew with each.
    """

    boot: str
    number: int
    at: float
    devices: tuple[Device, ...]
    gateways: tuple[GatewayView, ...]
    alerts: tuple[AlertView, ...]
    actors: tuple[ActorView, ...] = ()
    rollouts: tuple[Rollout, ...] = ()
    plans: tuple[PlanHead, ...] = ()


class Subscription:
    """Iterate it (`async for batch in subscription`) for lists of changes, each 1 to capacity long.

    Iteration ends once it is closed, whoever closed it: see `closed_reason`. Close it when done,
    or use it as a context manager. One task iterates; any may close.
    """

    __slots__ = (
        "_ended",
        "_forget",
        "_reader",
        "_ring",
        "capacity",
        "closed_reason",
        "cursor",
        "delivered",
        "missed",
        "snapshot",
    )

    def __init__(
        self,
        ring: ChangeRing,
        capacity: int,
        *,
        snapshot: Snapshot | None,
        missed: Sequence[Change],
        forget: Callable[["Subscription"], None],
    ) -> None:
        if not 1 <= capacity <= ring.capacity:
            raise ValueError(f"a subscription of {capacity} changes; 1 to {ring.capacity} fit")
        self.capacity = capacity
        self.snapshot = snapshot
        """What was there when it began; None when it resumed."""
        self.missed = missed
        """The changes since the number it resumed from, oldest first."""
        self.cursor = ring.number
        """The number of the last change handed out."""
        self.closed_reason: str | None = None
        self.delivered = 0
        """Changes handed out by iteration."""
        self._ring = ring
        self._forget = forget
        self._reader: trio.lowlevel.Task | None = None
        self._ended: trio.Event | None = None

    @property
    def lag(self) -> int:
        """Changes that wait for this reader."""
        return 0 if self.closed_reason is not None else self._ring.number - self.cursor

    def close(self, reason: str) -> None:
        """End it; the first reason stays. What was not read yet is not delivered any more."""
        if self.closed_reason is None:
            self.closed_reason = reason
            self._forget(self)
            self.wake()
            if self._ended is not None:
                self._ended.set()

    async def wait_closed(self) -> str:
        """Wait until somebody closes it, and return the reason: a sender stuck in its socket is
        freed by this, not by iteration."""
        while self.closed_reason is None:
            if self._ended is None:
                self._ended = trio.Event()
            await self._ended.wait()
        return self.closed_reason

    def wake(self) -> None:
        """For the board: let a waiting reader look."""
        if self._reader is not None:
            reader, self._reader = self._reader, None
            trio.lowlevel.reschedule(reader)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Change]:
        if self._reader is not None:
            raise RuntimeError("a subscription has one reader")
        await trio.lowlevel.checkpoint()
        while self.closed_reason is None and self._ring.number == self.cursor:
            self._reader = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(self._abort)
        if self.closed_reason is not None:
            raise StopAsyncIteration
        batch = self._ring.since(self.cursor, self.capacity)
        self.cursor = batch[-1].number
        self.delivered += len(batch)
        return batch

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close("the reader left")

    def _abort(self, _raise_cancel: object) -> trio.lowlevel.Abort:
        self._reader = None
        return trio.lowlevel.Abort.SUCCEEDED
