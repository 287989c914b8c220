"""The mailbox: bounded, in order, and what is in hand is neither lost nor served twice."""

from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from actors.messaging.mailbox import Mailbox, MailboxClosed, MailboxFull, Offer, Overflow
from tests.support.supervision_kit import Question, settle


def filled(count: int, capacity: int = 10) -> Mailbox[int]:
    mailbox: Mailbox[int] = Mailbox("box", capacity)
    for number in range(count):
        assert mailbox.offer(number) is Offer.ACCEPTED
    return mailbox


def test_a_full_mailbox_answers_full_and_counts_it() -> None:
    mailbox = filled(3, capacity=3)
    assert mailbox.offer(99) is Offer.FULL
    seen = mailbox.statistics()
    assert (seen.capacity, seen.depth, seen.peak) == (3, 3, 3)
    assert (seen.accepted, seen.refused, seen.dropped) == (3, 1, 0)


def test_drop_oldest_accepts_the_newest_and_tells_the_asker_of_the_oldest() -> None:
    mailbox: Mailbox[Question] = Mailbox("box", 2, Overflow.DROP_OLDEST)
    asked = [Question("a"), Question("b"), Question("c")]
    assert [mailbox.offer(question) for question in asked] == [Offer.ACCEPTED] * 3
    assert mailbox.statistics().dropped == 1
    assert asked[0].reply.resolved
    assert not asked[1].reply.resolved
    assert mailbox.close() == asked[1:]


def test_a_closed_mailbox_gives_back_what_waits_and_answers_closed_until_reopened() -> None:
    mailbox = filled(2)
    assert mailbox.close() == [0, 1]
    assert mailbox.offer(5) is Offer.CLOSED
    assert mailbox.statistics().refused == 1
    mailbox.reopen()
    assert mailbox.offer(5) is Offer.ACCEPTED


def test_a_mailbox_without_room_for_anything_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity"):
        Mailbox("box", 0)


async def test_messages_come_in_order() -> None:
    mailbox = filled(3)
    for expected in range(3):
        assert await mailbox.take() == expected
        mailbox.handled()


async def test_take_waits_for_the_first_message(nursery: trio.Nursery) -> None:
    mailbox: Mailbox[str] = Mailbox("box", 1)
    got: list[str] = []

    async def reader() -> None:
        got.append(await mailbox.take())

    nursery.start_soon(reader)
    await settle()
    assert got == []
    mailbox.offer("hello")
    await settle()
    assert got == ["hello"]


async def test_taking_again_before_handled_is_an_error() -> None:
    mailbox = filled(2)
    await mailbox.take()
    with pytest.raises(AssertionError, match="not handled"):
        await mailbox.take()
    with pytest.raises(AssertionError, match="not handled"):
        await mailbox.take_batch(5)


async def test_a_second_reader_is_an_error(nursery: trio.Nursery) -> None:
    mailbox: Mailbox[int] = Mailbox("box", 1)
    nursery.start_soon(mailbox.take)
    await settle()
    with pytest.raises(AssertionError, match="reader"):
        await mailbox.take()
    mailbox.offer(1)


def test_handled_with_nothing_in_hand_is_an_error() -> None:
    with pytest.raises(AssertionError, match="nothing in hand"):
        filled(1).handled()


async def test_a_batch_is_bounded_and_each_of_it_is_handled_for_itself() -> None:
    mailbox = filled(5)
    assert await mailbox.take_batch(3) == [0, 1, 2]
    for _ in range(3):
        mailbox.handled()
    assert await mailbox.take_batch(3) == [3, 4]
    with pytest.raises(ValueError, match="batch"):
        await mailbox.take_batch(0)


async def test_a_batch_is_bounded_by_the_capacity_however_many_wait_for_room(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    mailbox = filled(2, capacity=2)
    for number in range(2, 8):
        nursery.start_soon(mailbox.put, number, 5.0)
        await settle()
    taken: list[int] = []
    while len(taken) < 8:
        batch = await mailbox.take_batch(512)
        assert len(batch) <= 3  # the first, for which one comes in, and the two that wait
        assert mailbox.statistics().depth == min(2, 8 - len(taken) - len(batch))
        for message in batch:
            mailbox.handled()
            taken.append(message)
    assert taken == list(range(8))


async def test_a_reader_that_still_waits_hears_that_the_mailbox_was_closed(
    nursery: trio.Nursery,
) -> None:
    mailbox: Mailbox[int] = Mailbox("box", 1)
    failures: list[Exception] = []

    async def reader() -> None:
        try:
            await mailbox.take()
        except MailboxClosed as error:
            failures.append(error)

    nursery.start_soon(reader)
    await settle()
    assert mailbox.close() == []
    await settle()
    assert len(failures) == 1
    mailbox.reopen()
    mailbox.offer(7)
    assert await mailbox.take() == 7


async def test_one_who_waits_for_room_when_the_mailbox_is_closed_has_handed_nothing_in(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    mailbox = filled(1, capacity=1)
    nursery.start_soon(_refused, mailbox, 1)
    await settle()
    assert mailbox.close() == [0]
    mailbox.reopen()
    assert mailbox.statistics().depth == 0
    assert mailbox.statistics().accepted == 1


async def _refused(mailbox: Mailbox[int], message: int) -> None:
    with pytest.raises(MailboxClosed):
        await mailbox.put(message, timeout_s=5)


async def test_crash_gives_up_the_oldest_in_hand_and_serves_the_rest_of_the_batch_first() -> None:
    mailbox = filled(5)
    await mailbox.take_batch(4)
    mailbox.handled()
    assert mailbox.crash() == 1
    assert await mailbox.take_batch(10) == [2, 3, 4]


async def test_a_crash_with_nothing_in_hand_gives_up_nothing() -> None:
    mailbox = filled(1)
    assert mailbox.crash() is None
    assert await mailbox.take() == 0
    mailbox.handled()
    assert mailbox.crash() is None


async def test_restore_puts_back_all_that_was_in_hand() -> None:
    mailbox = filled(3)
    await mailbox.take_batch(2)
    mailbox.restore()
    assert await mailbox.take_batch(10) == [0, 1, 2]


async def test_a_cancelled_take_loses_nothing(autojump_clock: trio.testing.MockClock) -> None:
    mailbox: Mailbox[int] = Mailbox("box", 2)
    with trio.move_on_after(1) as waiting:
        await mailbox.take()
    assert waiting.cancelled_caught
    mailbox.offer(1)
    with trio.CancelScope() as scope:
        scope.cancel(reason="test")
        await mailbox.take()
    assert scope.cancelled_caught
    assert await mailbox.take() == 1


async def test_put_waits_for_room_and_keeps_the_order(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    mailbox = filled(1, capacity=1)
    for number in (1, 2):
        nursery.start_soon(mailbox.put, number, 5.0)
        await settle()
    got = []
    for _ in range(3):
        got.append(await mailbox.take())
        mailbox.handled()
        await settle()
    assert got == [0, 1, 2]


async def test_put_gives_up_after_its_time(autojump_clock: trio.testing.MockClock) -> None:
    mailbox = filled(1, capacity=1)
    began = trio.current_time()
    with pytest.raises(MailboxFull, match=r"2\.5 s"):
        await mailbox.put(1, timeout_s=2.5)
    assert trio.current_time() - began == pytest.approx(2.5)
    assert mailbox.statistics().refused == 1


async def test_put_hears_that_the_mailbox_was_closed(
    autojump_clock: trio.testing.MockClock, nursery: trio.Nursery
) -> None:
    mailbox = filled(1, capacity=1)
    failures: list[Exception] = []

    async def writer() -> None:
        try:
            await mailbox.put(1, timeout_s=5)
        except MailboxClosed as error:
            failures.append(error)

    nursery.start_soon(writer)
    await settle()
    mailbox.close()
    await settle()
    assert len(failures) == 1


async def test_put_never_waits_where_the_oldest_gives_way() -> None:
    mailbox: Mailbox[int] = Mailbox("box", 1, Overflow.DROP_OLDEST)
    for number in range(3):
        await mailbox.put(number, timeout_s=0.5)
    assert await mailbox.take() == 2


async def test_a_cancelled_put_hands_nothing_in() -> None:
    mailbox: Mailbox[int] = Mailbox("box", 1)
    with trio.CancelScope() as scope:
        scope.cancel(reason="test")
        await mailbox.put(1, timeout_s=5)
    assert mailbox.statistics().accepted == 0


async def test_a_flooded_actor_starves_nobody(nursery: trio.Nursery) -> None:
    mailbox = filled(1)
    turns = 0

    async def flooded() -> None:
        while True:
            await mailbox.take()
            mailbox.handled()
            mailbox.offer(1)

    nursery.start_soon(flooded)
    for _ in range(20):
        await trio.lowlevel.checkpoint()
        turns += 1
    assert turns == 20
    nursery.cancel_scope.cancel(reason="test")


@given(st.integers(1, 5), st.integers(0, 12))
def test_the_depth_never_passes_the_capacity(capacity: int, count: int) -> None:
    for overflow in Overflow:
        mailbox: Mailbox[int] = Mailbox("box", capacity, overflow)
        for number in range(count):
            mailbox.offer(number)
        seen = mailbox.statistics()
        assert seen.depth == seen.peak == min(count, capacity)
        assert seen.accepted + seen.refused == count
        kept = list(range(count))
        cut = kept[:capacity] if overflow is Overflow.REJECT else kept[-capacity:]
        assert mailbox.close() == cut


class MailboxModel(RuleBasedStateMachine):
    """Every message ends exactly once: handled, given up as poison, or still there, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.mailbox: Mailbox[int] = Mailbox("box", 4)
        self.waiting: list[int] = []
        self.in_hand: list[int] = []
        self.serial = 0

    def step(self, most: int) -> Any:
        async def read() -> list[int]:
            return await self.mailbox.take_batch(most)

        return trio.run(read)

    @rule()
    def offer(self) -> None:
        self.serial += 1
        expected = Offer.ACCEPTED if len(self.waiting) < 4 else Offer.FULL
        assert self.mailbox.offer(self.serial) is expected
        if expected is Offer.ACCEPTED:
            self.waiting.append(self.serial)

    @precondition(lambda self: self.waiting and not self.in_hand)
    @rule(most=st.integers(1, 5))
    def take(self, most: int) -> None:
        assert self.step(most) == self.waiting[:most]
        self.in_hand, self.waiting = self.waiting[:most], self.waiting[most:]

    @precondition(lambda self: self.in_hand)
    @rule()
    def handled(self) -> None:
        self.mailbox.handled()
        self.in_hand.pop(0)

    @rule()
    def crash(self) -> None:
        assert self.mailbox.crash() == (self.in_hand[0] if self.in_hand else None)
        self.waiting = self.in_hand[1:] + self.waiting
        self.in_hand = []

    @rule()
    def restore(self) -> None:
        self.mailbox.restore()
        self.waiting = self.in_hand + self.waiting
        self.in_hand = []

    @invariant()
    def counts(self) -> None:
        assert self.mailbox.statistics().depth == len(self.waiting)


TestMailboxModel = MailboxModel.TestCase


async def test_idle_is_when_nothing_waits_and_nothing_is_in_hand(nursery: trio.Nursery) -> None:
    box, idle = filled(2), trio.Event()

    async def look() -> None:
        await box.wait_idle()
        idle.set()

    nursery.start_soon(look)
    for _ in range(2):
        await settle()
        await box.take()
        assert not idle.is_set()
        box.handled()
    await idle.wait()


async def test_nobody_waits_for_a_mailbox_that_is_closed_or_whose_reader_crashed(
    nursery: trio.Nursery,
) -> None:
    crashed, closed = filled(1), filled(1)
    nursery.start_soon(crashed.wait_idle)
    nursery.start_soon(closed.wait_idle)
    await settle()
    await crashed.take()
    crashed.crash()
    closed.close()
    await closed.wait_idle()
