"""Trio made deterministic: virtual time, and a scheduler that shuffles by the seed.

This needs private names of Trio. Two of them Trio tests itself
(src/trio/_tests/test_scheduler_determinism.py), and hypothesis relies on them.
"""

import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from heapq import heappush
from typing import Any, TypeVar

import trio
import trio._core._run as scheduler

from simulation.harness.quick_clock import quick_clock
from simulation.harness.quick_sleep import quick_sleep

T = TypeVar("T")


def run(main: Callable[..., Awaitable[T]], *args: Any, seed: int) -> T:
    """`trio.run` in virtual time: the same seed runs the same tasks in the same order."""
    hooks: Any = scheduler
    before = hooks._ALLOW_DETERMINISTIC_SCHEDULING, hooks._r.getstate()
    hooks._ALLOW_DETERMINISTIC_SCHEDULING = True
    hooks._r.seed(seed)
    try:
        with quick_sleep(), _ties_by_the_seed(seed):
            return trio.run(main, *args, clock=quick_clock())
    finally:
        hooks._ALLOW_DETERMINISTIC_SCHEDULING = before[0]
        hooks._r.setstate(before[1])


@contextmanager
def _ties_by_the_seed(seed: int) -> Iterator[None]:
    """Of deadlines that are due at one instant, Trio meets first whose scope lies lower in memory,
    which differs from run to run. Meanwhile chance decides, by the seed."""
    deadlines: Any = scheduler.Deadlines
    before, chance = deadlines.add, random.Random(f"ties/{seed}").random

    def add(self: Any, deadline: float, scope: object) -> None:
        heappush(self._heap, (deadline, chance(), scope))
        self._active += 1

    deadlines.add = add
    try:
        yield
    finally:
        deadlines.add = before
