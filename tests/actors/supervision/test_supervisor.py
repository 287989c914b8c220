"""The supervisor: ordered start and stop, dynamic children, reports."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog
import trio
from trio.testing import MockClock

from actors.messaging.mailbox import Mailbox, Offer
from actors.supervision import (
    ActorStopped,
    Budget,
    ChildSpec,
    ChildState,
    DuplicateChild,
    Exhausted,
    Restart,
    StartFn,
    SupervisorStopped,
)
from tests.support.supervision_kit import (
    WALL_AT_START,
    Bench,
    Question,
    idle,
    raising,
    serving,
    settle,
)


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[structlog.typing.EventDict]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


def recording(name: str, trace: list[str], ready_after_s: float = 0, bye_s: float = 0) -> StartFn:
    """An actor that takes its time to get ready and to clean up."""

    async def body(task_status: trio.TaskStatus[None]) -> None:
        trace.append(f"start {name}")
        await trio.sleep(ready_after_s)
        trace.append(f"ready {name}")
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            with trio.move_on_after(bye_s + 1, shield=True):
                await trio.sleep(bye_s)
                trace.append(f"bye {name}")

    return body


async def test_children_start_in_order_and_stop_in_reverse(autojump_clock: MockClock) -> None:
    trace: list[str] = []
    bench = Bench(
        [
            ChildSpec("journal", recording("journal", trace, ready_after_s=2, bye_s=0.5)),
            ChildSpec("board", recording("board", trace, ready_after_s=1, bye_s=3)),
            ChildSpec("web", recording("web", trace, bye_s=1)),
        ]
    )
    async with bench.running():
        assert trace == [
            *("start journal", "ready journal"),
            *("start board", "ready board"),
            *("start web", "ready web"),
        ]
        trace.clear()
    assert trace == ["bye web", "bye board", "bye journal"]
    assert bench.states("web") == [ChildState.STOPPED]


async def test_the_supervisor_is_ready_when_its_last_child_is(autojump_clock: MockClock) -> None:
    bench = Bench([ChildSpec("slow", recording("slow", [], ready_after_s=7))])
    began = trio.current_time()
    async with bench.running():
        assert trio.current_time() - began == pytest.approx(7)
        assert bench.supervisor.report().state is ChildState.RUNNING
    assert bench.supervisor.report().state is ChildState.STOPPED


async def test_a_child_cannot_outrun_the_start_of_the_one_before(autojump_clock: MockClock) -> None:
    trace: list[str] = []
    bench = Bench(
        [
            ChildSpec("first", recording("first", trace, ready_after_s=10)),
            ChildSpec("second", recording("second", trace)),
        ]
    )
    with trio.move_on_after(5):
        await bench.supervisor.run()
    assert trace == ["start first"]


async def test_dynamic_children_stop_before_static_ones_and_all_at_once(
    autojump_clock: MockClock,
) -> None:
    trace: list[str] = []
    bench = Bench([ChildSpec("static", recording("static", trace))])
    async with bench.running():
        for name in ("a", "b", "c"):
            bench.supervisor.start_child(ChildSpec(name, recording(name, trace, bye_s=4)))
        await settle()
        trace.clear()
        stopped_at = trio.current_time()
    assert sorted(trace[:3]) == ["bye a", "bye b", "bye c"]
    assert trace[3:] == ["bye static"]
    assert trio.current_time() - stopped_at == pytest.approx(4)


async def test_children_added_before_the_run_start_after_the_static_ones(
    autojump_clock: MockClock,
) -> None:
    trace: list[str] = []
    bench = Bench([ChildSpec("static", recording("static", trace, ready_after_s=1))])
    bench.supervisor.start_child(ChildSpec("dynamic", recording("dynamic", trace)))
    async with bench.running():
        await settle()
        assert trace[1:] == ["ready static", "start dynamic", "ready dynamic"]


async def test_ordinary_starts_are_not_told(autojump_clock: MockClock) -> None:
    bench = Bench([ChildSpec("a", idle)])
    async with bench.running():
        assert bench.state("a") is ChildState.RUNNING
        assert bench.changes == []


async def test_a_child_can_be_stopped_for_good(autojump_clock: MockClock) -> None:
    bench = Bench([ChildSpec("static", idle)])
    box: Mailbox[Any] = Mailbox("box", 4)
    async with bench.running():
        bench.supervisor.start_child(ChildSpec("dynamic", idle, mailbox=box))
        await settle()
        question = Question("still there?")
        box.offer(question)
        assert await bench.supervisor.stop_child("dynamic", "device deleted")
        with pytest.raises(ActorStopped, match="dynamic stopped"):
            await question.reply.wait(1)
        assert box.offer("more") is Offer.CLOSED
        assert bench.supervisor.child("dynamic") is None
        assert bench.dead_letters.recent(5)[0].message is question
        assert await bench.supervisor.stop_child("static", "by hand")
        assert bench.state("static") is ChildState.STOPPED
        assert not await bench.supervisor.stop_child("nobody", "by hand")
    assert bench.states("dynamic") == [ChildState.STOPPED]


async def test_many_children_are_stopped_together_in_the_time_of_one(
    autojump_clock: MockClock,
) -> None:
    bench = Bench()

    async def slow_to_go(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(2)

    names = [f"c{number}" for number in range(20)]
    async with bench.running():
        for name in [*names, "other"]:
            bench.supervisor.start_child(ChildSpec(name, slow_to_go))
        await settle()
        began = trio.current_time()
        await bench.supervisor.stop_children([*names, "nobody"], "given away")
        assert trio.current_time() - began == pytest.approx(2)
        assert [bench.supervisor.child(name) for name in names] == [None] * 20
        assert bench.state("other") is ChildState.RUNNING
    assert bench.supervisor.statistics().abandoned == 0


async def test_a_stopped_id_can_be_used_again_and_a_living_one_cannot(
    autojump_clock: MockClock,
) -> None:
    with pytest.raises(DuplicateChild):
        Bench([ChildSpec("a", idle), ChildSpec("a", idle)])
    bench = Bench()
    bench.supervisor.start_child(ChildSpec("a", idle))
    with pytest.raises(DuplicateChild):
        bench.supervisor.start_child(ChildSpec("a", idle))
    async with bench.running():
        await settle()
        with pytest.raises(DuplicateChild):
            bench.supervisor.start_child(ChildSpec("a", idle))
        await bench.supervisor.stop_child("a", "by hand")
        bench.supervisor.start_child(ChildSpec("a", idle))
        await settle()
        assert bench.state("a") is ChildState.RUNNING


async def test_a_child_stopped_before_it_ever_ran_never_runs(autojump_clock: MockClock) -> None:
    trace: list[str] = []
    bench = Bench()
    async with bench.running():
        bench.supervisor.start_child(ChildSpec("a", recording("a", trace)))
        await bench.supervisor.stop_child("a", "changed our mind")
        await settle()
    assert trace == []


async def test_a_child_may_stop_itself(autojump_clock: MockClock) -> None:
    bench = Bench()

    async def body(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await bench.supervisor.stop_child("a", "had enough")

    async with bench.running():
        bench.supervisor.start_child(ChildSpec("a", body))
        await settle()
        assert bench.supervisor.child("a") is None
    assert bench.supervisor.statistics().abandoned == 0


async def test_nobody_is_started_while_the_supervisor_stops(autojump_clock: MockClock) -> None:
    bench = Bench()
    refused: list[str] = []

    async def late(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            try:
                bench.supervisor.start_child(ChildSpec("too late", idle))
            except SupervisorStopped as error:
                refused.append(str(error))

    bench.supervisor.start_child(ChildSpec("a", late))
    async with bench.running():
        await settle()
    assert len(refused) == 1


async def test_transient_and_temporary_children_may_finish(autojump_clock: MockClock) -> None:
    async def done(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()

    box: Mailbox[Any] = Mailbox("box", 4)
    box.offer("unread")
    bench = Bench(
        [
            ChildSpec("transient", done, restart=Restart.TRANSIENT, mailbox=box),
            ChildSpec("temporary", done, restart=Restart.TEMPORARY),
            ChildSpec("after", idle),
        ]
    )
    bench.supervisor.start_child(ChildSpec("passing", done, restart=Restart.TEMPORARY))
    async with bench.running():
        await settle()
        assert bench.state("transient") is ChildState.FINISHED
        assert bench.state("temporary") is ChildState.FINISHED
        assert bench.state("after") is ChildState.RUNNING
        assert bench.supervisor.child("passing") is None
        assert bench.states("passing") == [ChildState.FINISHED]
        assert bench.dead_letters.recent(1)[0].message == "unread"
        assert not bench.supervisor.revive("transient")


async def test_a_report_shows_the_whole_tree(autojump_clock: MockClock) -> None:
    bench = Bench()
    box: Mailbox[Any] = Mailbox("box", 4)
    fleet = bench.another("fleet")
    bench.supervisor = bench.another("top", [fleet.as_child(), ChildSpec("web", idle)])
    async with bench.running():
        fleet.start_child(ChildSpec("device 1", idle, mailbox=box))
        box.offer("x")
        await trio.sleep(10)
        report = bench.supervisor.report()
        assert (report.id, report.state) == ("top", ChildState.RUNNING)
        assert [child.id for child in report.children] == ["fleet", "web"]
        (device,) = report.children[0].children
        assert (device.id, device.state) == ("device 1", ChildState.RUNNING)
        assert device.since == pytest.approx(WALL_AT_START)
        assert device.mailbox is not None
        assert device.mailbox.depth == 1
        statistics = fleet.statistics()
        assert statistics.children == 1
        assert statistics.by_state[ChildState.RUNNING] == 1
        assert sum(statistics.by_state.values()) == 1


async def test_mail_that_waits_survives_a_restart_of_the_whole_supervisor(
    autojump_clock: MockClock,
) -> None:
    box: Mailbox[Any] = Mailbox("box", 4)
    seen: list[str] = []
    bench = Bench([ChildSpec("static", serving(box, seen.append), mailbox=box)])
    bench.supervisor.start_child(ChildSpec("dynamic", idle))
    async with bench.running():
        await settle()
    assert bench.state("static") is ChildState.STOPPED
    box.offer("hello")
    async with bench.running():
        await settle()
        assert seen == ["hello"]
        assert bench.state("dynamic") is ChildState.RUNNING


async def test_a_message_in_hand_at_a_stop_is_served_again_after_it(
    autojump_clock: MockClock,
) -> None:
    box: Mailbox[str] = Mailbox("box", 4)
    seen: list[str] = []

    async def slow(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        while True:
            message = await box.take()
            seen.append(message)
            await trio.sleep(5)
            box.handled()

    bench = Bench([ChildSpec("a", slow, mailbox=box)])
    async with bench.running():
        box.offer("one")
        box.offer("two")
        await trio.sleep(1)
    async with bench.running():
        await trio.sleep(7)
    assert seen == ["one", "one", "two"]
    assert bench.dead_letters.total == 0


async def test_a_supervisor_runs_once_at_a_time(autojump_clock: MockClock) -> None:
    bench = Bench()
    async with bench.running():
        with pytest.raises(RuntimeError, match="runs already"):
            await bench.supervisor.run()


async def test_a_listener_that_fails_is_counted_and_harms_nobody(
    autojump_clock: MockClock, logs: list[structlog.typing.EventDict]
) -> None:
    bench = Bench()

    def broken(_report: object) -> None:
        raise ValueError("listener")

    bench.supervisor = bench.another("top", [], broken)
    bench.supervisor.start_child(
        ChildSpec("a", raising(ValueError), budget=Budget(0), exhausted=Exhausted.PARK)
    )
    async with bench.running():
        await settle()
        assert bench.state("a") is ChildState.PARKED
    assert bench.supervisor.statistics().callback_errors == 1
    assert "on_change failed" in [entry["event"] for entry in logs]


async def test_the_time_a_supervisor_needs_to_stop_covers_its_children() -> None:
    bench = Bench([ChildSpec("a", idle, shutdown_s=7), ChildSpec("b", idle, shutdown_s=3)])
    spec = bench.supervisor.as_child(exhausted=Exhausted.PARK)
    assert spec.shutdown_s > 10
    assert spec.exhausted is Exhausted.PARK
    assert spec.supervisor is bench.supervisor
    assert bench.supervisor.as_child(shutdown_s=2.0).shutdown_s == 2


async def test_started_twice_is_a_crash(autojump_clock: MockClock) -> None:
    async def eager(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        task_status.started()

    bench = Bench([ChildSpec("a", eager, budget=Budget(0), exhausted=Exhausted.PARK)])
    async with bench.running():
        await settle()
        report = bench.supervisor.child("a")
        assert report is not None
        assert "started()" in (report.last_error or "")
