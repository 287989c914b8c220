"""The world's one clock and one event heap, driven by a single Trio task or by hand.

Callbacks are synchronous and run one at a time in the order of their time, then of their
scheduling, so that the same seed gives the same trace. World time starts at 0 and is mapped to
Unix time by `epoch_at`; inside a callback `now` is exactly the callback's own time.
"""

import heapq
import math
from collections.abc import Callable
from typing import Any

import msgspec
import trio


class KernelStatistics(msgspec.Struct, frozen=True):
    """Counters of one kernel: callbacks run, timers waiting (cancelled ones included)."""

    now_s: float
    callbacks_run: int
    timers_waiting: int


class Timer:
    """One scheduled callback; `cancel` is idempotent and also allowed after it ran."""

    __slots__ = ("args", "at", "callback")

    def __init__(self, at: float, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        self.at = at
        self.callback: Callable[..., object] | None = callback
        self.args = args

    def cancel(self) -> None:
        """Never call it (again). The heap drops it when its time comes."""
        self.callback = None
        self.args = ()

    @property
    def waiting(self) -> bool:
        """True until it ran or was cancelled."""
        return self.callback is not None


class Kernel:
    """Schedules callbacks on world time, in seconds since the world began."""

    __slots__ = ("_began_at", "_heap", "_now", "_origin", "_ran", "_sequence", "_sleep", "epoch_at")

    def __init__(self, epoch_at: float) -> None:
        self._began_at = epoch_at
        self.epoch_at = epoch_at
        """Unix time of world second 0 by the server's clock, which may be set while it runs."""
        self._heap: list[tuple[float, int, Timer]] = []
        self._now = 0.0
        self._sequence = 0
        self._ran = 0
        self._origin: float | None = None
        self._sleep: trio.CancelScope | None = None

    @property
    def now(self) -> float:
        """World time in seconds: that of the running callback, or of the latest one."""
        return self._now

    @property
    def right_at(self) -> float:
        """Unix time of world second 0 by a right clock."""
        return self._began_at

    @property
    def now_at(self) -> float:
        """World time in Unix seconds UTC."""
        return self.epoch_at + self._now

    def at(self, when_s: float, callback: Callable[..., object], *args: Any) -> Timer:
        """Call `callback(*args)` at this world time; at once (but not now) when that is past."""
        timer = Timer(max(when_s, self._now), callback, args)
        self._sequence += 1
        heapq.heappush(self._heap, (timer.at, self._sequence, timer))
        if self._sleep is not None and self._origin is not None:
            self._sleep.deadline = min(self._sleep.deadline, self._origin + timer.at)
        return timer

    def after(self, delay_s: float, callback: Callable[..., object], *args: Any) -> Timer:
        """Call `callback(*args)` this many seconds from now."""
        return self.at(self._now + delay_s, callback, *args)

    def advance(self, until_s: float) -> None:
        """Without Trio: run everything due up to this world time, which then is now."""
        if self._origin is not None:
            raise RuntimeError("Trio drives this kernel; it cannot be advanced by hand")
        self._run_due(until_s)
        self._now = max(self._now, until_s)

    def set_clock(self, off_s: float) -> None:
        """Somebody sets the server's clock, so many seconds off the right time."""
        self.epoch_at = self._began_at + off_s

    def catch_up(self) -> None:
        """Bring the world to Trio's present before a call from another task looks at it.

        A no-op while no Trio task drives the kernel.
        """
        if self._origin is not None:
            present_s = trio.current_time() - self._origin
            self._run_due(present_s)
            self._now = max(self._now, present_s)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Drive the world from Trio's clock, mock or real, until cancelled.

        It sleeps until the next callback and is woken by nothing else but an earlier one.
        """
        if self._origin is not None:
            raise RuntimeError("this kernel is driven already")
        self._origin = trio.current_time() - self._now
        try:
            task_status.started()
            while True:
                # Compared on Trio's scale: the sum is what its deadline was, so a rounding
                # error can never leave a due timer behind and spin.
                present = trio.current_time()
                while self._heap and self._origin + self._heap[0][0] <= present:
                    self._run_first()
                deadline = self._origin + self._heap[0][0] if self._heap else math.inf
                with trio.CancelScope(deadline=deadline) as self._sleep:
                    await trio.sleep_forever()
                self._sleep = None
        finally:
            self._sleep = None
            self._origin = None

    def statistics(self) -> KernelStatistics:
        """How much has run and how much waits."""
        return KernelStatistics(
            now_s=self._now, callbacks_run=self._ran, timers_waiting=len(self._heap)
        )

    def _run_due(self, until_s: float) -> None:
        heap = self._heap
        while heap and heap[0][0] <= until_s:
            self._run_first()

    def _run_first(self) -> None:
        when_s, _, timer = heapq.heappop(self._heap)
        callback, args = timer.callback, timer.args
        if callback is None:
            return
        timer.cancel()
        self._now = max(self._now, when_s)
        self._ran += 1
        callback(*args)
