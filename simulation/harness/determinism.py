"""Trio made deterministic: virtual time, and a scheduler that shuffles by the seed.

This needs two private names of Trio. Trio tests them itself
(src/trio/_tests/test_scheduler_determinism.py), and hypothesis relies on them.
"""

from collections.abc import Awaitable, Callable
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
        with quick_sleep():
            return trio.run(main, *args, clock=quick_clock())
    finally:
        hooks._ALLOW_DETERMINISTIC_SCHEDULING = before[0]
        hooks._r.setstate(before[1])
