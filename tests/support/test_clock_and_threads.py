"""No deadline passes in virtual time because a thread takes its time."""

import time

import pytest
import trio
from trio.testing import MockClock

from tests.support.clock_and_threads import in_virtual_time

BUSY_S = 0.02
"""Of real time: very many jumps of a mock clock."""


async def test_time_stands_still_until_the_last_thread_is_done(autojump_clock: MockClock) -> None:
    with trio.fail_after(3.0):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.to_thread.run_sync, time.sleep, 2 * BUSY_S)
            await trio.to_thread.run_sync(time.sleep, BUSY_S)
    assert trio.current_time() == 0.0
    await trio.sleep(3_600.0)
    assert trio.current_time() == 3_600.0


async def test_time_goes_on_after_a_thread_that_failed(autojump_clock: MockClock) -> None:
    with pytest.raises(ZeroDivisionError):
        await trio.to_thread.run_sync(lambda: 1 // 0)
    await trio.sleep(60.0)
    assert trio.current_time() == 60.0


def test_a_run_of_its_own_stands_still_for_threads_too() -> None:
    async def busy() -> float:
        with trio.fail_after(3.0):
            await trio.to_thread.run_sync(time.sleep, BUSY_S)
        await trio.sleep(3_600.0)
        return trio.current_time()

    assert in_virtual_time(busy) == 3_600.0
