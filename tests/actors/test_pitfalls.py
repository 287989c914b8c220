"""The pitfalls of actors on Trio, each one reproduced, and shown to be closed."""

from collections.abc import Iterator
from typing import Any

import pytest
import structlog
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock

from actors.messaging.dead_letters import DeadLetters
from actors.messaging.mailbox import Mailbox, Offer
from actors.supervision import (
    ActorCrashed,
    Budget,
    ChildSpec,
    ChildState,
    EndingKind,
    Exhausted,
    classify,
)
from tests.support.supervision_kit import STEADY, Bench, Question, idle, serving, settle


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[structlog.typing.EventDict]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


def events(logs: list[structlog.typing.EventDict]) -> list[str]:
    return [entry["event"] for entry in logs]


async def dirty(task_status: trio.TaskStatus[None]) -> None:
    """An actor whose clean-up fails."""
    task_status.started()
    try:
        await trio.sleep_forever()
    finally:
        raise OSError("clean-up failed")


async def test_cleanup_error_while_the_parent_is_cancelled_stays_inside(
    autojump_clock: MockClock, logs: list[structlog.typing.EventDict]
) -> None:
    bench = Bench([ChildSpec("first", idle), ChildSpec("dirty", dirty), ChildSpec("last", dirty)])
    async with bench.running():
        pass  # leaving cancels the parent; an error that came through would fail the test
    assert events(logs) == ["child failed while stopping"] * 2
    assert bench.states("first") == [ChildState.STOPPED]
    report = bench.supervisor.child("dirty")
    assert report is not None
    assert report.last_error == "OSError: clean-up failed"


async def test_cleanup_error_mixed_with_cancelled_in_a_group_stays_inside(
    autojump_clock: MockClock, logs: list[structlog.typing.EventDict]
) -> None:
    async def body(task_status: trio.TaskStatus[None]) -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(dirty)
            nursery.start_soon(trio.sleep_forever)
            task_status.started()

    bench = Bench([ChildSpec("a", body)])
    async with bench.running():
        assert await bench.supervisor.stop_child("a", "test")
    assert events(logs) == ["child stopping", "child failed while stopping"]
    assert bench.state("a") is ChildState.STOPPED


async def test_strict_group_of_an_actor_with_its_own_nursery_is_one_crash(
    autojump_clock: MockClock,
) -> None:
    async def fails(message: str) -> None:
        raise ValueError(message)

    async def body(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fails, "deep")
            nursery.start_soon(trio.sleep_forever)

    bench = Bench([ChildSpec("a", body, budget=Budget(0), exhausted=Exhausted.PARK)])
    async with bench.running():
        await settle()
        report = bench.supervisor.child("a")
        assert report is not None
        assert (report.state, report.last_error) == (ChildState.PARKED, "ValueError: deep")


async def test_strict_group_of_a_failing_nursery_start_is_one_crash(
    autojump_clock: MockClock,
) -> None:
    async def never_ready(task_status: trio.TaskStatus[None]) -> None:
        raise ConnectionError("refused")

    async def body(task_status: trio.TaskStatus[None]) -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(never_ready)
            task_status.started()

    bench = Bench([ChildSpec("a", body, budget=Budget(1), exhausted=Exhausted.PARK)])
    async with bench.running():
        report = bench.supervisor.child("a")
        assert report is not None
        assert report.state is ChildState.PARKED
        assert report.last_error == "ConnectionError: refused"
        assert report.restarts == 1


async def test_a_poison_message_is_handled_once_and_the_rest_is_served(
    autojump_clock: MockClock,
) -> None:
    box: Mailbox[str] = Mailbox("box", 10)
    tried: list[str] = []

    async def batching(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        while True:
            for message in await box.take_batch(4):
                tried.append(message)
                if message.startswith("poison"):
                    raise ValueError(message)
                box.handled()

    bench = Bench([ChildSpec("a", batching, mailbox=box)])
    for message in ("a", "poison 1", "b", "poison 2", "c", "d"):
        box.offer(message)
    async with bench.running():
        await trio.sleep(20)
    assert tried == ["a", "poison 1", "b", "poison 2", "c", "d"]
    assert [letter.message for letter in bench.dead_letters.recent(9)] == ["poison 2", "poison 1"]


async def test_senders_notice_nothing_of_a_crash(autojump_clock: MockClock) -> None:
    box: Mailbox[str] = Mailbox("box", 10)
    seen: list[str] = []

    def handle(message: str) -> None:
        if message == "poison":
            raise ValueError(message)
        seen.append(message)

    bench = Bench([ChildSpec("a", serving(box, handle), backoff=STEADY, mailbox=box)])
    async with bench.running():
        box.offer("poison")
        await settle()
        assert bench.state("a") is ChildState.BACKING_OFF
        assert box.offer("while away") is Offer.ACCEPTED
        await box.put("too", timeout_s=1)
        await trio.sleep(1)
    assert seen == ["while away", "too"]


async def test_the_asker_of_a_crashed_actor_is_told_at_once(autojump_clock: MockClock) -> None:
    box: Mailbox[Question] = Mailbox("box", 10)

    def handle(question: Question) -> None:
        if question.text == "poison":
            raise ValueError("cannot")
        question.reply.resolve("fine")

    bench = Bench([ChildSpec("a", serving(box, handle), mailbox=box)])
    async with bench.running():
        bad, good = Question("poison"), Question("hello")
        box.offer(bad)
        box.offer(good)
        asked_at = trio.current_time()
        with pytest.raises(ActorCrashed, match="a crashed: ValueError: cannot") as caught:
            await bad.reply.wait(60)
        assert trio.current_time() == asked_at
        assert isinstance(caught.value.__cause__, ValueError)
        assert await good.reply.wait(60) == "fine"


async def test_an_answer_given_before_the_crash_stands(autojump_clock: MockClock) -> None:
    box: Mailbox[Question] = Mailbox("box", 10)

    def handle(question: Question) -> None:
        question.reply.resolve("done")
        raise ValueError("afterwards")

    bench = Bench([ChildSpec("a", serving(box, handle), mailbox=box)])
    async with bench.running():
        question = Question("?")
        box.offer(question)
        assert await question.reply.wait(5) == "done"
        await settle()
        assert bench.dead_letters.total == 1


async def test_two_actors_posting_to_each_other_never_deadlock(autojump_clock: MockClock) -> None:
    boxes: dict[str, Mailbox[int]] = {"a": Mailbox("a", 2), "b": Mailbox("b", 2)}
    handled = {"a": 0, "b": 0}
    refused = 0

    def peer(me: str, other: str) -> Any:
        def handle(number: int) -> None:
            nonlocal refused
            handled[me] += 1
            for _ in range(3 if number < 1000 else 0):
                refused += boxes[other].offer(number + 1) is Offer.FULL

        return handle

    bench = Bench(
        [
            ChildSpec(me, serving(boxes[me], peer(me, other)), mailbox=boxes[me])
            for me, other in (("a", "b"), ("b", "a"))
        ]
    )
    async with bench.running():
        for box in boxes.values():
            while box.offer(0) is Offer.ACCEPTED:
                pass
        await settle()
        assert all(box.statistics().depth == 0 for box in boxes.values())
    assert refused > 100
    assert min(handled.values()) > 100


async def test_a_child_that_ignores_cancellation_hangs_nobody_for_ever(
    autojump_clock: MockClock, logs: list[structlog.typing.EventDict]
) -> None:
    async def stubborn(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        with trio.move_on_after(60, shield=True):
            await trio.sleep_forever()

    stopped_at: list[float] = []

    async def polite(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            stopped_at.append(trio.current_time() - began)

    bench = Bench([ChildSpec("polite", polite)])
    began = trio.current_time()
    async with bench.running():
        for name in ("one", "two"):
            bench.supervisor.start_child(ChildSpec(name, stubborn, shutdown_s=5))
        await settle()
        assert await bench.supervisor.stop_child("one", "test")
        assert trio.current_time() - began == pytest.approx(5)
        assert bench.supervisor.child("one") is None
    assert stopped_at == pytest.approx([10])
    assert trio.current_time() - began == pytest.approx(60)
    assert events(logs).count("child abandoned") == 2
    assert events(logs).count("abandoned child ended") == 2
    assert bench.supervisor.statistics().abandoned == 2


async def test_the_id_of_an_abandoned_child_can_be_used_again(autojump_clock: MockClock) -> None:
    async def stubborn(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        with trio.move_on_after(60, shield=True):
            await trio.sleep_forever()

    bench = Bench()
    async with bench.running():
        bench.supervisor.start_child(ChildSpec("a", stubborn, shutdown_s=1))
        await settle()
        await bench.supervisor.stop_child("a", "test")
        bench.supervisor.start_child(ChildSpec("a", idle))
        await trio.sleep(100)
        assert bench.state("a") is ChildState.RUNNING
        statistics = bench.supervisor.statistics()
        assert statistics.children == sum(statistics.by_state.values()) == 1


async def test_a_cancellation_kept_and_raised_later_does_not_end_the_siblings(
    autojump_clock: MockClock,
) -> None:
    async def leaking(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        kept: list[BaseException] = []
        with trio.CancelScope() as scope:
            scope.cancel(reason="test")
            try:
                await trio.sleep_forever()
            except trio.Cancelled as error:
                kept.append(error)
                raise
        raise kept[0]

    bad = ChildSpec("bad", leaking, budget=Budget(1), exhausted=Exhausted.PARK)
    bench = Bench([bad, ChildSpec("good", idle)])
    async with bench.running():
        await trio.sleep(10)
        assert bench.state("bad") is ChildState.PARKED
        assert bench.state("good") is ChildState.RUNNING


async def test_a_foreign_base_exception_does_not_end_the_siblings(
    autojump_clock: MockClock,
) -> None:
    class Foreign(BaseException):
        pass

    async def body(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        raise Foreign

    bad = ChildSpec("bad", body, budget=Budget(0), exhausted=Exhausted.PARK)
    bench = Bench([bad, ChildSpec("good", idle)])
    async with bench.running():
        await trio.sleep(10)
        assert bench.state("bad") is ChildState.PARKED
        assert bench.state("good") is ChildState.RUNNING


async def test_a_child_that_crashes_while_it_waits_its_turn_to_stop_holds_up_nobody(
    autojump_clock: MockClock,
) -> None:
    async def slow_to_stop(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        try:
            await trio.sleep_forever()
        finally:
            with trio.move_on_after(10, shield=True):
                await trio.sleep(3)

    async def crashes_meanwhile(task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await trio.sleep(2)
        raise ValueError("meanwhile")

    bench = Bench([ChildSpec("crashes", crashes_meanwhile), ChildSpec("slow", slow_to_stop)])
    async with bench.running():
        await trio.sleep(1)
        began = trio.current_time()
    assert trio.current_time() - began == pytest.approx(3)
    assert bench.state("crashes") is ChildState.STOPPED


LEAVES = st.sampled_from([ValueError("v"), OSError("o"), KeyboardInterrupt(), SystemExit(1)])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, min_size=1, max_size=4).map(lambda e: BaseExceptionGroup("g", e)),
    max_leaves=8,
)


@given(TREES)
def test_classify_sees_through_any_nesting(error: BaseException) -> None:
    def flat(one: BaseException) -> list[BaseException]:
        if isinstance(one, BaseExceptionGroup):
            return [leaf for inner in one.exceptions for leaf in flat(inner)]
        return [one]

    fatal = [leaf for leaf in flat(error) if not isinstance(leaf, Exception)]
    ending = classify(error)
    assert ending.kind is (EndingKind.FATAL if fatal else EndingKind.CRASHED)
    if fatal:
        assert ending.error is fatal[0]
    assert 0 < len(ending.summary) <= 500


async def test_classify_knows_a_cancellation_alone_or_in_groups() -> None:
    caught: list[BaseException] = []
    with trio.CancelScope() as scope:
        scope.cancel(reason="test")
        try:
            await trio.sleep_forever()
        except trio.Cancelled as error:
            caught.append(error)
            raise
    nested = BaseExceptionGroup("a", [BaseExceptionGroup("b", caught)])
    assert classify(caught[0]).kind is EndingKind.CANCELLED
    assert classify(nested).kind is EndingKind.CANCELLED
    mixed = BaseExceptionGroup("c", [nested, ValueError("boom")])
    assert classify(mixed).kind is EndingKind.CRASHED
    assert classify(mixed).summary == "ValueError: boom"
    many = ExceptionGroup("d", [ValueError(str(n)) for n in range(5)])
    assert classify(many).summary == "ValueError: 0; ValueError: 1; ValueError: 2; and 2 more"


def test_dead_letters_are_bounded_and_all_are_counted() -> None:
    letters = DeadLetters(capacity=3)
    for number in range(5):
        letters.add("a", number, ValueError("x" * 10_000), at=float(number))
    assert [letter.message for letter in letters.recent(10)] == [4, 3, 2]
    assert [letter.message for letter in letters.recent(1)] == [4]
    assert letters.recent(-1) == []
    assert len(letters.recent(1)[0].error) == 500
    statistics = letters.statistics()
    assert (statistics.total, statistics.kept, statistics.capacity) == (5, 3, 3)
    assert letters.total == 5
