"""The timer service: one timer a key, in order of time, never early, and hard to stop."""

from collections.abc import Iterator

import pytest
import structlog
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from actors.clocks.clock import RunClock
from actors.supervision import ChildSpec
from actors.timers import TimerService
from tests.support.supervision_kit import WALL_AT_START, Bench, settle


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[structlog.typing.EventDict]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


class Desk:
    """A service at work, and what it fired when, in seconds since the start."""

    def __init__(self) -> None:
        self.clock = RunClock(WALL_AT_START)
        self.service = TimerService(self.clock)
        self.fired: list[tuple[str, float]] = []

    def set(self, key: str, after_s: float) -> None:
        self.service.set(key, WALL_AT_START + after_s, lambda: self.note(key))

    def note(self, key: str) -> None:
        self.fired.append((key, round(self.clock.now() - WALL_AT_START, 3)))


async def test_the_run_clock_follows_virtual_time(autojump_clock: MockClock) -> None:
    clock = RunClock(WALL_AT_START)
    assert clock.now() == WALL_AT_START
    await trio.sleep(3600)
    assert clock.now() == pytest.approx(WALL_AT_START + 3600)


async def test_timers_fire_in_order_of_time_and_never_early(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    desk = Desk()
    await nursery.start(desk.service.run)
    for key, after_s in (("late", 30.0), ("early", 0.1), ("middle", 7.25)):
        desk.set(key, after_s)
    await trio.sleep(100)
    assert desk.fired == [("early", 0.1), ("middle", 7.25), ("late", 30.0)]
    assert desk.service.statistics().pending == 0
    assert desk.service.statistics().fired == 3
    assert 0 <= desk.service.statistics().late_s_max < 1e-3


async def test_a_key_has_one_timer_and_the_newest_counts(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    desk = Desk()
    await nursery.start(desk.service.run)
    desk.set("window", 10)
    desk.set("window", 3)
    assert desk.service.next_at("window") == WALL_AT_START + 3
    await trio.sleep(5)
    desk.set("window", 20)
    desk.set("window", 40)
    await trio.sleep(100)
    assert desk.fired == [("window", 3.0), ("window", 40.0)]


async def test_an_earlier_timer_wakes_the_service(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    desk = Desk()
    await nursery.start(desk.service.run)
    desk.set("far", 1000)
    await settle()
    desk.set("near", 1)
    await trio.sleep(2)
    assert desk.fired == [("near", 1.0)]


async def test_a_cancelled_timer_does_not_fire(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    desk = Desk()
    await nursery.start(desk.service.run)
    desk.set("a", 1)
    desk.service.cancel("a")
    desk.service.cancel("never set")
    await trio.sleep(5)
    assert desk.fired == []
    assert desk.service.next_at("a") is None


async def test_a_timer_may_cancel_another_that_is_due_with_it(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    desk = Desk()
    await nursery.start(desk.service.run)
    desk.service.set("first", WALL_AT_START + 1, lambda: desk.service.cancel("second"))
    desk.set("second", 1)
    desk.set("third", 1)
    await trio.sleep(2)
    assert desk.fired == [("third", 1.0)]


async def test_a_time_past_fires_at_once_but_not_within_set(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    desk = Desk()
    await nursery.start(desk.service.run)
    await trio.sleep(10)
    desk.set("past", 2)
    assert desk.fired == []
    await settle()
    assert desk.fired == [("past", 10.0)]


async def test_a_failing_timer_is_counted_and_the_others_go_on(
    autojump_clock: MockClock, nursery: trio.Nursery, logs: list[structlog.typing.EventDict]
) -> None:
    desk = Desk()
    await nursery.start(desk.service.run)

    def boom() -> None:
        raise ValueError("boom")

    desk.service.set("bad", WALL_AT_START + 1, boom)
    desk.set("good", 1)
    await trio.sleep(2)
    assert desk.fired == [("good", 1.0)]
    assert desk.service.statistics().failed == 1
    assert [entry["event"] for entry in logs] == ["timer failed"]


async def test_a_timer_that_sets_itself_anew_starves_nobody(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    desk = Desk()
    await nursery.start(desk.service.run)
    rounds = 0

    def again() -> None:
        nonlocal rounds
        rounds += 1
        desk.service.set("again", WALL_AT_START - 1, again)

    again()
    desk.set("other", -0.5)
    for _ in range(10):
        await trio.lowlevel.checkpoint()
    assert desk.fired == [("other", 0.0)]
    assert 1 < rounds < 20
    nursery.cancel_scope.cancel(reason="test")


async def test_timers_survive_a_crash_of_the_task(autojump_clock: MockClock) -> None:
    bench = Bench()
    service = TimerService(bench.clock)
    fired: list[str] = []
    crashes = iter([True])

    async def unlucky(task_status: trio.TaskStatus[None]) -> None:
        if next(crashes, False):
            with trio.move_on_after(5):
                await service.run(task_status)
            raise OSError("the task is gone")
        await service.run(task_status)

    bench.supervisor.start_child(ChildSpec("timers", unlucky))
    async with bench.running():
        service.set("before", bench.clock.now() + 1, lambda: fired.append("before"))
        service.set("during", bench.clock.now() + 5.1, lambda: fired.append("during"))
        service.set("after", bench.clock.now() + 60, lambda: fired.append("after"))
        await trio.sleep(100)
    assert fired == ["before", "during", "after"]
    assert service.statistics().late_s_max == pytest.approx(0.1, abs=0.1)


def test_a_time_that_is_no_number_is_refused() -> None:
    class Still:
        def now(self) -> float:
            return WALL_AT_START

        def steady(self) -> float:
            return WALL_AT_START

        @property
        def stepped_s(self) -> float:
            return 0.0

    service = TimerService(Still())
    for wrong in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="not a time"):
            service.set("a", wrong, lambda: None)


def test_timers_set_again_and_again_take_no_more_room() -> None:
    class Still:
        def now(self) -> float:
            return WALL_AT_START

        def steady(self) -> float:
            return WALL_AT_START

        @property
        def stepped_s(self) -> float:
            return 0.0

    service = TimerService(Still())
    for number in range(10_000):
        service.set("a", WALL_AT_START + number, lambda: None)
    assert len(service._heap) < 100
    assert service.statistics().pending == 1


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from("abcd"), st.one_of(st.none(), st.integers(0, 50))), max_size=30
    )
)
def test_what_fires_is_what_was_set_last(steps: list[tuple[str, int | None]]) -> None:
    async def scene() -> None:
        desk = Desk()
        wanted: dict[str, int] = {}
        for key, after_s in steps:
            if after_s is None:
                desk.service.cancel(key)
                wanted.pop(key, None)
            else:
                desk.set(key, after_s)
                wanted[key] = after_s
        with trio.move_on_after(100):
            await desk.service.run()
        assert sorted(desk.fired) == sorted(wanted.items())
        times = [at for _key, at in desk.fired]
        assert times == sorted(times)

    trio.run(scene, clock=MockClock(autojump_threshold=0))
