"""The date follows the machine's clock; durations do not; both are told apart."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import trio
from trio.testing import MockClock

from actors.clocks.clock import ClockNews, RunClock, Steps
from actors.clocks.server_clock import ClockDifference
from actors.clocks.timekeeper import Timekeeper

START = 1_760_000_000.0


@dataclass
class Machine:
    """A host: its wall clock can be set, and it can sleep, during which Trio's clock stands."""

    set_s: float = 0.0
    slept_s: float = 0.0

    def elapsed(self) -> float:
        return trio.current_time() + self.slept_s

    def wall(self) -> float:
        return START + self.elapsed() + self.set_s

    def clock(self) -> RunClock:
        return RunClock(self.wall(), wall=self.wall, elapsed=self.elapsed)


async def test_the_date_follows_a_clock_that_is_set_and_durations_do_not(
    autojump_clock: MockClock,
) -> None:
    machine = Machine(set_s=-120.0)
    clock = machine.clock()
    steady = clock.steady()
    await trio.sleep(10)
    machine.set_s = 0.0
    assert clock.look() == ClockNews(stepped_s=pytest.approx(120.0))
    assert clock.now() == pytest.approx(machine.wall())
    assert clock.steady() - steady == pytest.approx(10.0)
    assert clock.stepped_s == pytest.approx(120.0)


async def test_a_sleep_of_the_host_is_time_that_passed(autojump_clock: MockClock) -> None:
    machine = Machine()
    clock = machine.clock()
    steady = clock.steady()
    machine.slept_s = 600.0
    assert clock.steady() - steady == 600.0
    assert clock.now() == pytest.approx(machine.wall())
    assert clock.look() == ClockNews(slept_s=600.0)
    assert not clock.look()


async def test_small_corrections_add_up_until_they_are_taken(autojump_clock: MockClock) -> None:
    machine = Machine()
    clock = machine.clock()
    machine.set_s = 0.3
    assert not clock.look()
    machine.set_s = 0.6
    assert clock.look().stepped_s == pytest.approx(0.6)
    assert not clock.look()


async def test_a_process_that_is_stopped_between_two_readings_sees_no_step(
    autojump_clock: MockClock,
) -> None:
    machine = Machine()
    stops = [0.0]

    def wall() -> float:
        read = machine.wall()
        machine.slept_s += stops.pop() if stops else 0.0  # stopped after it was read
        return read

    clock = RunClock(machine.wall(), wall=wall, elapsed=machine.elapsed)
    stops.append(30.0)
    assert clock.look().stepped_s == 0.0


async def test_every_step_is_handed_out_once_to_each_keeper(autojump_clock: MockClock) -> None:
    machine = Machine()
    clock = machine.clock()
    one, other = Steps(clock), Steps(clock)
    machine.set_s = 50.0
    clock.look()
    assert one.take() == pytest.approx(50.0)
    assert one.take() == 0.0
    machine.set_s = 20.0
    clock.look()
    assert one.take() == pytest.approx(-30.0)
    assert other.take() == pytest.approx(20.0)


async def test_the_steady_time_is_never_set(autojump_clock: MockClock) -> None:
    machine = Machine()
    clock = machine.clock()
    machine.set_s = -3_600.0
    clock.look()
    assert clock.steady() - clock.now() == pytest.approx(3_600.0)


async def test_the_real_clocks_of_this_machine_agree() -> None:
    clock = RunClock.of_machine()
    assert not clock.look()
    assert clock.now() == pytest.approx(clock.steady(), abs=0.01)


def changed(machine: Machine, **fields: float) -> Callable[[], None]:
    return lambda: machine.__dict__.update(fields)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"set_s": -3_600.0}, ClockNews(stepped_s=pytest.approx(-3_600.0))),
        ({"set_s": 1_024 * 7 * 86_400.0}, ClockNews(stepped_s=pytest.approx(619_315_200.0))),
        ({"slept_s": 1_800.0}, ClockNews(slept_s=pytest.approx(1_800.0))),
    ],
)
async def test_steps_and_sleeps_are_told_within_a_second(
    change: dict[str, float], told: ClockNews, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    machine = Machine()
    heard: list[tuple[float, ClockNews]] = []
    keeper = Timekeeper(
        machine.clock(),
        lambda: ClockDifference(None, None, 0.0),
        [lambda news: heard.append((trio.current_time(), news))],
    )
    await nursery.start(keeper.run)
    await trio.sleep(5.5)
    changed(machine, **change)()
    await trio.sleep(10)
    ((at, news),) = heard
    assert at <= 6.6
    assert news == told
    kept = keeper.statistics()
    assert kept.steps + kept.sleeps == 1
    assert (kept.last_set_s, kept.last_slept_s) == (news.stepped_s or None, news.slept_s or None)
