"""Crashes, restarts, backoff, parking, revival."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog
import trio
from trio.testing import MockClock

from actors.messaging.mailbox import Mailbox, Offer
from actors.supervision import (
    ActorCrashed,
    Backoff,
    Budget,
    ChildSpec,
    ChildState,
    Exhausted,
    Restart,
)
from tests.support.supervision_kit import (
    STEADY,
    WALL_AT_START,
    Bench,
    Question,
    idle,
    raising,
    serving,
    settle,
)

BACKING_OFF, RUNNING, PARKED = ChildState.BACKING_OFF, ChildState.RUNNING, ChildState.PARKED


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[structlog.typing.EventDict]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


class Fragile:
    """An actor that runs `lives_s` seconds each time, and notes when it was started."""

    def __init__(self, *lives_s: float) -> None:
        self.lives_s = list(lives_s)
        self.starts: list[float] = []
        self.began = trio.current_time()

    async def body(self, task_status: trio.TaskStatus[None]) -> None:
        self.starts.append(round(trio.current_time() - self.began, 6))
        task_status.started()
        if not self.lives_s:
            await trio.sleep_forever()
        await trio.sleep(self.lives_s.pop(0))
        raise OSError(f"crash {len(self.starts)}")


async def test_a_crashed_child_comes_back_after_growing_waits(autojump_clock: MockClock) -> None:
    actor = Fragile(0, 0, 0)
    bench = Bench([ChildSpec("a", actor.body, backoff=STEADY)])
    async with bench.running():
        await trio.sleep(10)
        assert actor.starts == pytest.approx([0, 0.2, 0.6, 1.4])
        assert bench.states("a") == [BACKING_OFF, RUNNING] * 3
        report = bench.supervisor.child("a")
        assert report is not None
        assert (report.state, report.restarts) == (RUNNING, 3)
        assert report.last_error == "OSError: crash 3"
        assert report.last_crash_at == pytest.approx(WALL_AT_START + 0.6)
    assert bench.supervisor.statistics().crashes == 3
    assert bench.supervisor.statistics().restarts == 3


async def test_jitter_keeps_children_that_crash_together_apart(autojump_clock: MockClock) -> None:
    actors = [Fragile(1) for _ in range(20)]
    bench = Bench([ChildSpec(f"a{n}", actor.body) for n, actor in enumerate(actors)])
    async with bench.running():
        await trio.sleep(10)
    returns = {actor.starts[1] for actor in actors}
    assert len(returns) == 20
    assert all(1.16 <= at <= 1.2 for at in returns)


async def test_a_quiet_period_starts_the_backoff_anew(autojump_clock: MockClock) -> None:
    actor = Fragile(0, 0, 61, 0)
    bench = Bench([ChildSpec("a", actor.body, backoff=STEADY)])
    async with bench.running():
        await trio.sleep(200)
    assert actor.starts == pytest.approx([0, 0.2, 0.6, 61.8, 62.2])


async def test_past_the_budget_a_child_is_parked_and_the_others_never_notice(
    autojump_clock: MockClock,
) -> None:
    box: Mailbox[Any] = Mailbox("box", 4)
    bench = Bench(
        [
            ChildSpec("bad", raising(ValueError), exhausted=Exhausted.PARK, mailbox=box),
            ChildSpec("good", idle),
        ]
    )
    box.offer(question := Question("anyone?"))
    async with bench.running():
        good = bench.supervisor.child("good")
        await trio.sleep(100)
        assert bench.state("bad") is PARKED
        assert bench.states("bad") == [BACKING_OFF, RUNNING] * 5 + [PARKED]
        assert bench.supervisor.child("good") == good
        assert box.offer("more") is Offer.CLOSED
        with pytest.raises(ActorCrashed):
            await question.reply.wait(1)
    assert bench.supervisor.child("bad") is not None


async def test_sparse_crashes_never_exhaust_the_budget(autojump_clock: MockClock) -> None:
    actor = Fragile(*[20.0] * 30)
    bench = Bench([ChildSpec("a", actor.body, backoff=STEADY)])
    async with bench.running():
        await trio.sleep(2000)
        assert bench.state("a") is RUNNING
    assert len(actor.starts) == 31


async def test_a_parked_child_revives_with_a_fresh_budget(autojump_clock: MockClock) -> None:
    actor = Fragile(*[0.0] * 8)
    box: Mailbox[Any] = Mailbox("box", 4)
    spec = ChildSpec("a", actor.body, backoff=STEADY, exhausted=Exhausted.PARK, mailbox=box)
    bench = Bench([spec])
    async with bench.running():
        await trio.sleep(100)
        assert bench.state("a") is PARKED
        assert len(actor.starts) == 6
        assert bench.supervisor.revive("a")
        assert box.offer("hello") is Offer.ACCEPTED
        await trio.sleep(100)
        assert bench.state("a") is RUNNING
        assert actor.starts[6:] == pytest.approx([100, 100.2, 100.6])
        assert bench.states("a")[-1] is RUNNING
        assert not bench.supervisor.revive("a")
        assert not bench.supervisor.revive("nobody")
    assert not bench.supervisor.revive("a")


async def test_an_actor_is_revived_under_whichever_supervisor_it_is_parked(
    autojump_clock: MockClock,
) -> None:
    actor, bench = Fragile(0), Bench([ChildSpec("a", idle)])
    spec = ChildSpec("b", actor.body, budget=Budget(0), exhausted=Exhausted.PARK)
    below = bench.another("below", [bench.another("deeper", [spec]).as_child()])
    async with bench.running():
        bench.supervisor.start_child(below.as_child())
        await settle()
        assert [one.state for one in below.report().children[0].children] == [PARKED]
        assert bench.supervisor.revive("b")
        await settle()
        assert [one.state for one in below.report().children[0].children] == [RUNNING]
        assert not bench.supervisor.revive("b")
        assert not bench.supervisor.revive("nobody")


async def test_reviving_a_child_that_backs_off_cuts_the_wait_short(
    autojump_clock: MockClock,
) -> None:
    actor = Fragile(1)
    bench = Bench([ChildSpec("a", actor.body, backoff=Backoff(first_s=30, jitter=0))])
    async with bench.running():
        await trio.sleep(2)
        assert bench.state("a") is BACKING_OFF
        assert bench.supervisor.revive("a")
        await settle()
        assert bench.state("a") is RUNNING
    assert actor.starts == pytest.approx([0, 2])


async def test_a_listener_may_revive_at_once(autojump_clock: MockClock) -> None:
    actor = Fragile(0)
    bench = Bench()

    def medic(report: Any) -> None:
        if report.state is PARKED:
            assert bench.supervisor.revive(report.id)

    spec = ChildSpec("a", actor.body, budget=Budget(0), exhausted=Exhausted.PARK)
    bench.supervisor = bench.another("top", [spec], medic)
    async with bench.running():
        await settle()
        assert bench.state("a") is RUNNING
    assert bench.supervisor.statistics().callback_errors == 0


async def test_a_parked_child_stays_parked_when_the_supervisor_starts_again(
    autojump_clock: MockClock,
) -> None:
    bad = ChildSpec("bad", raising(ValueError), budget=Budget(0), exhausted=Exhausted.PARK)
    bench = Bench([bad])
    async with bench.running():
        pass
    async with bench.running():
        await trio.sleep(100)
    assert bench.states("bad") == [PARKED]


async def test_a_temporary_child_is_never_restarted(autojump_clock: MockClock) -> None:
    box: Mailbox[Any] = Mailbox("box", 4)
    box.offer(question := Question("?"))
    spec = ChildSpec("a", raising(ValueError), restart=Restart.TEMPORARY, mailbox=box)
    bench = Bench([spec])
    async with bench.running():
        await trio.sleep(10)
        assert bench.states("a") == [ChildState.FINISHED]
        with pytest.raises(ActorCrashed):
            await question.reply.wait(1)


async def test_a_transient_child_is_restarted_after_a_crash_only(
    autojump_clock: MockClock,
) -> None:
    outcomes = iter([ValueError("first"), None])

    async def body(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        error = next(outcomes)
        if error is not None:
            raise error

    bench = Bench([ChildSpec("a", body, restart=Restart.TRANSIENT)])
    async with bench.running():
        await trio.sleep(10)
    assert bench.states("a") == [BACKING_OFF, RUNNING, ChildState.FINISHED]


async def test_a_permanent_child_that_returns_counts_as_crashed(autojump_clock: MockClock) -> None:
    async def body(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()

    bench = Bench([ChildSpec("a", body, budget=Budget(2), exhausted=Exhausted.PARK)])
    async with bench.running():
        await trio.sleep(10)
        report = bench.supervisor.child("a")
        assert report is not None
        assert (report.state, report.restarts) == (PARKED, 2)
        assert "ChildReturned" in (report.last_error or "")


async def test_a_start_that_takes_too_long_counts_as_a_crash(autojump_clock: MockClock) -> None:
    waits = iter([1000.0, 1.0])

    async def slow(task_status: trio.TaskStatus[None]) -> None:
        await trio.sleep(next(waits))
        task_status.started()
        await trio.sleep_forever()

    bench = Bench([ChildSpec("a", slow, start_timeout_s=10, backoff=STEADY)])
    began = trio.current_time()
    async with bench.running():
        assert trio.current_time() - began == pytest.approx(11.2)
        await trio.sleep(100)
        report = bench.supervisor.child("a")
        assert report is not None
        assert (report.state, report.restarts) == (RUNNING, 1)
        assert report.last_error == "StartTimedOut: not ready within 10 s"


async def test_a_restart_takes_no_turn_from_the_mail(autojump_clock: MockClock) -> None:
    box: Mailbox[int] = Mailbox("box", 10)
    seen: list[int] = []

    def handle(number: int) -> None:
        if number == 3:
            raise ValueError("three")
        seen.append(number)

    bench = Bench([ChildSpec("a", serving(box, handle), mailbox=box)])
    for number in range(6):
        box.offer(number)
    async with bench.running():
        await trio.sleep(5)
    assert seen == [0, 1, 2, 4, 5]
    (letter,) = bench.dead_letters.recent(10)
    assert (letter.actor_id, letter.message) == ("a", 3)
    assert letter.error == "ActorCrashed: a crashed: ValueError: three"
    assert letter.at == pytest.approx(WALL_AT_START)
    assert bench.dead_letters.statistics().total == 1


async def test_two_hundred_actors_storm_for_a_virtual_hour(autojump_clock: MockClock) -> None:
    import random

    chance = random.Random(11)
    handled = 0

    def flaky(_message: int) -> None:
        nonlocal handled
        handled += 1
        if chance.random() < 0.3:
            raise OSError("storm")

    boxes: list[Mailbox[int]] = [Mailbox(f"a{n}", 8) for n in range(200)]
    bench = Bench(supervisor_id="fleet")
    for box in boxes:
        bench.supervisor.start_child(
            ChildSpec(box.name, serving(box, flaky), exhausted=Exhausted.PARK, mailbox=box)
        )
    accepted = 0
    async with bench.running():
        for _second in range(0, 3600, 60):
            for box in boxes:
                accepted += box.offer(1) is Offer.ACCEPTED
            await trio.sleep(60)
        statistics = bench.supervisor.statistics()
        assert statistics.by_state[RUNNING] == 200
        assert statistics.restarts == statistics.crashes == bench.dead_letters.total > 3000
        assert handled == accepted == 12_000


async def test_started_called_too_late_does_not_make_a_child_run(
    autojump_clock: MockClock,
) -> None:
    seen: list[ChildState | None] = []

    async def late(task_status: trio.TaskStatus[None]) -> None:
        with trio.move_on_after(20, shield=True):
            await trio.sleep_forever()
        task_status.started()
        seen.append(bench.state("a"))
        await trio.sleep_forever()

    spec = ChildSpec("a", late, start_timeout_s=10, budget=Budget(0), exhausted=Exhausted.PARK)
    bench = Bench([spec])
    async with bench.running():
        assert bench.state("a") is PARKED
    assert seen == [ChildState.STARTING]


async def test_a_parked_child_can_be_stopped_or_taken_over(autojump_clock: MockClock) -> None:
    def bad(child_id: str) -> ChildSpec:
        return ChildSpec(child_id, raising(ValueError), budget=Budget(0), exhausted=Exhausted.PARK)

    bench = Bench([bad("static")])
    async with bench.running():
        bench.supervisor.start_child(bad("a"))
        bench.supervisor.start_child(bad("b"))
        await settle()
        assert await bench.supervisor.stop_child("static", "given up")
        assert bench.state("static") is ChildState.STOPPED
        assert await bench.supervisor.stop_child("a", "given up")
        assert bench.state("a") is None
        bench.supervisor.start_child(ChildSpec("b", idle))
        await settle()
        assert bench.state("b") is RUNNING


async def test_a_listener_may_start_another_under_the_id_of_one_that_finished(
    autojump_clock: MockClock,
) -> None:
    async def done(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()

    bench = Bench()

    def again(report: Any) -> None:
        if report.state is ChildState.FINISHED:
            bench.supervisor.start_child(ChildSpec(report.id, idle))

    bench.supervisor = bench.another("top", [], again)
    bench.supervisor.start_child(ChildSpec("a", done, restart=Restart.TEMPORARY))
    async with bench.running():
        await settle()
        assert bench.state("a") is RUNNING
        assert bench.supervisor.statistics().children == 1
