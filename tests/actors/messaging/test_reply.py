"""The reply: the first outcome wins, and nobody waits for ever."""

import pytest
import trio

from actors.messaging.reply import ActorCrashed, NoReply, Reply, fail_reply
from tests.support.supervision_kit import Question, settle


async def test_an_answer_given_before_the_wait_is_there() -> None:
    reply: Reply[int] = Reply()
    reply.resolve(7)
    assert reply.resolved
    assert await reply.wait(0) == 7
    assert not Reply[int]().resolved


async def test_none_is_an_answer_too() -> None:
    reply: Reply[None] = Reply()
    reply.resolve(None)
    assert reply.resolved
    await reply.wait(1)


async def test_everyone_who_waits_gets_the_answer(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    reply: Reply[str] = Reply()
    got: list[str] = []

    async def asker() -> None:
        got.append(await reply.wait(5))

    nursery.start_soon(asker)
    nursery.start_soon(asker)
    await settle()
    reply.resolve("green")
    await settle()
    assert got == ["green", "green"]


async def test_the_first_outcome_wins() -> None:
    answered: Reply[int] = Reply()
    answered.resolve(1)
    answered.resolve(2)
    answered.fail(ValueError("late"))
    assert await answered.wait(1) == 1
    failed: Reply[int] = Reply()
    failed.fail(ValueError("first"))
    failed.resolve(1)
    with pytest.raises(ValueError, match="first"):
        await failed.wait(1)


async def test_no_reply_after_the_time(autojump_clock: trio.testing.MockClock) -> None:
    reply: Reply[int] = Reply()
    began = trio.current_time()
    with pytest.raises(NoReply, match="3 s"):
        await reply.wait(3)
    assert trio.current_time() - began == pytest.approx(3)
    reply.resolve(1)
    assert await reply.wait(0) == 1


async def test_an_answer_in_the_instant_of_the_timeout_is_never_missed(
    autojump_clock: trio.testing.MockClock,
) -> None:
    outcomes: list[bool] = []

    async def asker(reply: Reply[int]) -> None:
        try:
            outcomes.append(await reply.wait(3) == 1)
        except NoReply:
            assert not reply.resolved

    async with trio.open_nursery() as nursery:
        replies: list[Reply[int]] = [Reply() for _ in range(64)]
        for reply in replies:
            nursery.start_soon(asker, reply)
        await trio.sleep(3)  # wakes in the same instant, before some of them and after others
        for reply in replies:
            reply.resolve(1)
    assert all(outcomes)


async def test_waiting_is_a_checkpoint_even_when_the_answer_is_there() -> None:
    reply: Reply[int] = Reply()
    reply.resolve(1)
    with trio.testing.assert_checkpoints():
        await reply.wait(1)


async def test_a_cancelled_wait_stays_cancelled() -> None:
    reply: Reply[int] = Reply()
    with trio.CancelScope() as scope:
        scope.cancel(reason="test")
        await reply.wait(5)
    assert scope.cancelled_caught


async def test_only_messages_with_an_open_reply_can_be_failed() -> None:
    error = ActorCrashed("a", "boom")
    question = Question("?")
    assert not fail_reply("plain text", error)
    assert fail_reply(question, error)
    assert not fail_reply(question, error)
    with pytest.raises(ActorCrashed, match="a crashed: boom"):
        await question.reply.wait(1)
