"""A question to an actor by whoever serves people: an answer, or why there is none."""

from typing import TypeVar

from actors.messaging.mailbox import Mailbox, Offer
from actors.messaging.reply import ActorError, Reply
from actors.refusal import Refusal

Message = TypeVar("Message")
Answer = TypeVar("Answer")


async def ask(
    mailbox: Mailbox[Message], message: Message, reply: Reply[Answer], timeout_s: float
) -> Answer | Refusal:
    """Hand this message in, which carries the reply, and wait so long for the answer.

    NO_REPLY leaves open whether it will be dealt with yet.
    """
    match mailbox.offer(message):
        case Offer.FULL:
            return Refusal.MAILBOX_FULL
        case Offer.CLOSED:
            return Refusal.STOPPING
        case Offer.ACCEPTED:
            pass
    try:
        return await reply.wait(timeout_s)
    except ActorError:
        return Refusal.NO_REPLY
