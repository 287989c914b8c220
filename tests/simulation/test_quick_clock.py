"""The quick clock is Trio's: who sleeps wakes in the same order, at the same time."""

from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from simulation.harness.quick_clock import quick_clock

CLOCKS = [quick_clock, lambda: MockClock(autojump_threshold=0.0)]


@pytest.mark.parametrize("make", CLOCKS)
def test_sleepers_wake_in_their_order_and_just_in_time(make: Callable[[], MockClock]) -> None:
    woken: list[tuple[float, str]] = []

    async def sleep(name: str, *naps_s: float) -> None:
        for nap_s in naps_s:
            await trio.sleep(nap_s)
            woken.append((round(trio.current_time(), 6), name))

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sleep, "a", 0.1, 0.2, 86_400.0)
            nursery.start_soon(sleep, "b", 0.2, 1e-6, 0.05)
            with trio.move_on_after(0.15) as limit:
                await trio.sleep_forever()
            assert limit.cancelled_caught
            woken.append((round(trio.current_time(), 6), "limit"))
        with trio.move_on_after(0.0) as limit:
            await trio.sleep(0.0)
        assert limit.cancelled_caught

    trio.run(main, clock=make())
    assert woken == [
        (0.1, "a"),
        (0.15, "limit"),
        (0.2, "b"),
        (0.200001, "b"),
        (0.250001, "b"),
        (0.3, "a"),
        (86_400.3, "a"),
    ]


@pytest.mark.parametrize("make", CLOCKS)
def test_it_never_jumps_while_anybody_has_something_to_do(make: Callable[[], MockClock]) -> None:
    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep, 60.0)
            for _ in range(1_000):
                await trio.lowlevel.checkpoint()
            await wait_all_tasks_blocked()
            assert trio.current_time() == 0.0
            await trio.to_thread.run_sync(lambda: None)
        assert trio.current_time() == 60.0

    trio.run(main, clock=make())


@pytest.mark.parametrize("make", CLOCKS)
def test_it_can_be_moved_by_hand_and_made_to_run(make: Callable[[], MockClock]) -> None:
    clock = make()

    async def main() -> None:
        clock.jump(5.0)
        assert trio.current_time() == 5.0
        clock.rate = 1_000.0
        with trio.fail_after(3_600.0):
            await trio.sleep(1.0)
        assert trio.current_time() >= 6.0

    trio.run(main, clock=clock)
