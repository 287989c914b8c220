"""What whoever asks an actor hears, whatever becomes of the question."""

import trio

from actors.messaging.ask import ask
from actors.messaging.mailbox import Mailbox
from actors.messaging.reply import Reply
from actors.refusal import Refusal


async def test_whoever_is_answered_in_time_hears_the_answer(autojump_clock: object) -> None:
    mailbox: Mailbox[str] = Mailbox("part", 1)
    reply: Reply[int] = Reply()

    async def part() -> None:
        await mailbox.take()
        await trio.sleep(1.0)
        reply.resolve(7)
        mailbox.handled()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(part)
        assert await ask(mailbox, "question", reply, 2.0) == 7


async def test_no_answer_a_full_and_a_closed_mailbox_are_told_apart(autojump_clock: object) -> None:
    mailbox: Mailbox[str] = Mailbox("part", 1)
    reply: Reply[int] = Reply()
    began = trio.current_time()
    assert await ask(mailbox, "nobody takes it", reply, 2.0) is Refusal.NO_REPLY
    assert trio.current_time() - began == 2.0
    assert await ask(mailbox, "one too many", reply, 2.0) is Refusal.MAILBOX_FULL
    mailbox.close()
    assert await ask(mailbox, "too late", reply, 2.0) is Refusal.STOPPING
