"""A mock clock that stands still while a worker thread works.

Trio's jumps as soon as no task can go on, also when one of them waits for a thread that is reading
a picture. On a busy machine that is many jumps, and whoever waits for an answer that needs the
thread runs into a deadline that in earnest would be seconds away.
"""

from collections.abc import Awaitable, Callable
from math import inf
from typing import Any, TypeVar

import pytest
import trio
from trio.testing import MockClock

from simulation.harness.quick_clock import quick_clock

T = TypeVar("T")


def in_virtual_time(main: Callable[..., Awaitable[T]], *args: object) -> T:
    """Run it in a Trio of its own, whose clock jumps when everybody waits, for no thread."""
    clock = quick_clock()
    with pytest.MonkeyPatch.context() as monkeypatch:
        stand_still_for_threads(clock, monkeypatch)
        return trio.run(main, *args, clock=clock)


def stand_still_for_threads(clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `clock` jump only when no call is in a thread of `trio.to_thread`."""
    threshold_s = clock.autojump_threshold
    in_thread = trio.to_thread.run_sync
    working = 0

    async def run_sync(*args: Any, **options: Any) -> Any:
        nonlocal working
        working += 1
        clock.autojump_threshold = inf
        try:
            return await in_thread(*args, **options)
        finally:
            working -= 1
            if not working:
                clock.autojump_threshold = threshold_s

    monkeypatch.setattr(trio.to_thread, "run_sync", run_sync)
