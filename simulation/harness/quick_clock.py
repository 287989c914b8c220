"""Trio's mock clock, with cheaper jumps: hours of virtual time are made of them.

At each jump Trio's own makes a report of the whole run, to learn the next deadline; then it is a
rounding error beside that deadline, and whoever waited is found in one more turn of the loop. This
one is set to the deadline itself, and wakes them in the same turn. It takes a fifth off what the
simulation costs, and changes no trace.

It needs private names of Trio; should they go, so does this file, and `MockClock` is used instead.
"""

from math import inf
from typing import Any

from trio._core._run import GLOBAL_RUN_CONTEXT
from trio.testing import MockClock


def quick_clock() -> MockClock:
    """A mock clock that jumps as soon as nobody has anything to do."""
    clock = MockClock(autojump_threshold=0.0)
    trios_time, trios_wait, trios_jump = (
        clock.current_time,
        clock.deadline_to_sleep_time,
        clock._autojump,
    )

    def current_time() -> float:
        return trios_time() if clock._rate else clock._virtual_base

    def deadline_to_sleep_time(deadline: float) -> float:
        if clock._rate:
            return trios_wait(deadline)
        return 0.0 if deadline <= clock._virtual_base else inf

    def autojump() -> None:
        if clock._rate:
            trios_jump()
            return
        deadlines = GLOBAL_RUN_CONTEXT.runner.deadlines
        next_at = deadlines.next_deadline()
        if clock._virtual_base < next_at < inf:
            clock._virtual_base = next_at
            deadlines.expire(next_at)

    methods: Any = clock  # nothing can be derived from its class
    methods.current_time = current_time
    methods.deadline_to_sleep_time = deadline_to_sleep_time
    methods._autojump = autojump
    return clock
