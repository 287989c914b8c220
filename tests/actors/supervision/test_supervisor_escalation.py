"""Escalation: a supervisor that gives up, its parent, and the end of the process."""

from collections.abc import Iterator

import pytest
import structlog
import trio
from trio.testing import MockClock

from actors.supervision import (
    Budget,
    ChildSpec,
    ChildState,
    SupervisorGaveUp,
)
from tests.support.supervision_kit import Bench, idle, raising

BACKING_OFF, RUNNING, PARKED = ChildState.BACKING_OFF, ChildState.RUNNING, ChildState.PARKED


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[structlog.typing.EventDict]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


async def test_past_the_budget_the_supervisor_gives_up_and_stops_all(
    autojump_clock: MockClock,
) -> None:
    bench = Bench([ChildSpec("good", idle), ChildSpec("bad", raising(lambda: ValueError("boom")))])
    with pytest.raises(SupervisorGaveUp, match="root gave up on bad: ValueError: boom") as caught:
        await bench.supervisor.run()
    assert isinstance(caught.value.__cause__, ValueError)
    assert caught.value.child_id == "bad"
    assert bench.states("good") == [ChildState.STOPPED]


async def test_a_child_that_cannot_even_start_escalates_too(autojump_clock: MockClock) -> None:
    started: list[str] = []

    async def never(_task_status: trio.TaskStatus[None]) -> None:
        started.append("never")

    bad = ChildSpec("bad", raising(ValueError, ready=False))
    bench = Bench([bad, ChildSpec("next", never)])
    with pytest.raises(SupervisorGaveUp):
        await bench.supervisor.run()
    assert started == []


async def test_a_supervisor_that_gives_up_is_restarted_by_its_parent(
    autojump_clock: MockClock,
) -> None:
    bench = Bench()
    starts = 0

    async def unlucky(task_status: trio.TaskStatus[None]) -> None:
        nonlocal starts
        starts += 1
        task_status.started()
        if starts > 6:
            await trio.sleep_forever()
        raise OSError("not yet")

    inner = bench.another("inner", [ChildSpec("bad", unlucky), ChildSpec("good", idle)])
    bench.supervisor = bench.another("outer", [inner.as_child()], bench.changes.append)
    async with bench.running():
        await trio.sleep(100)
        assert bench.states("inner") == [BACKING_OFF, RUNNING]
        bad = inner.child("bad")
        assert bad is not None
        assert bad.state is RUNNING
    assert starts == 7


async def test_escalation_climbs_to_the_root(autojump_clock: MockClock) -> None:
    bench = Bench()
    inner = bench.another("inner", [ChildSpec("bad", raising(ValueError), budget=Budget(1))])
    bench.supervisor = bench.another("outer", [inner.as_child(budget=Budget(1))])
    with pytest.raises(SupervisorGaveUp) as caught:
        await bench.supervisor.run()
    assert caught.value.supervisor_id == "outer"
    assert isinstance(caught.value.__cause__, SupervisorGaveUp)
    assert isinstance(caught.value.__cause__.__cause__, ValueError)


@pytest.mark.parametrize("end", [SystemExit(3), KeyboardInterrupt()])
async def test_the_wish_to_end_the_process_comes_out_as_itself(
    autojump_clock: MockClock, end: BaseException
) -> None:
    trace: list[str] = []

    async def good(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            trace.append("stopped")

    async def bad(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            raise end

    bench = Bench()
    inner = bench.another("inner", [ChildSpec("good", good), ChildSpec("bad", bad)])
    bench.supervisor = bench.another("outer", [inner.as_child(), ChildSpec("good", good)])
    with pytest.raises(type(end)) as caught:
        await bench.supervisor.run()
    assert caught.value is end
    assert trace == ["stopped", "stopped"]
