"""All processes of a cluster begin with the engine's time of day, and nobody sets it afterwards."""

import pytest
import trio
from trio.testing import MockClock

from actors.clocks.clock import RunClock
from actors.cluster.house_clock import house_clock

ENGINE_AHEAD_S = 40.0


class Engine:
    """Its clock is ahead; the first answers are held on their way back."""

    def __init__(self, late_s: list[float]) -> None:
        self._late_s = late_s

    async def time(self) -> float:
        told = 1_000.0 + trio.current_time() + ENGINE_AHEAD_S
        await trio.sleep(self._late_s.pop(0) if self._late_s else 0.0)
        return told


async def test_it_shows_the_engines_time_whatever_some_answers_took(
    autojump_clock: MockClock,
) -> None:
    machine = RunClock(1_000.0 + trio.current_time())
    clock, ahead_s = await house_clock(Engine([5.0, 3.0]), machine)
    assert ahead_s == pytest.approx(-ENGINE_AHEAD_S)
    assert clock.now() == pytest.approx(machine.now() + ENGINE_AHEAD_S)


async def test_a_step_of_the_machines_clock_changes_nothing_here(
    autojump_clock: MockClock,
) -> None:
    began, step_s = trio.current_time(), 0.0
    machine = RunClock(1_000.0 + began, wall=lambda: 1_000.0 + trio.current_time() + step_s)
    clock, _ = await house_clock(Engine([]), machine)
    before = clock.now()
    step_s = 3_600.0
    await trio.sleep(10)
    assert not clock.look()
    assert clock.now() == pytest.approx(before + 10)
