"""Why an actor did not take a message, for whoever asked it."""

from actors.messaging.mailbox import Offer
from actors.messaging.reply import ActorError
from actors.refusal import Refusal


class NotTaken(ActorError):
    """The actor of a light, in another process, was asked and did not take it: nothing was done."""

    def __init__(self, refusal: Refusal, reason: str) -> None:
        super().__init__(reason)
        self.refusal = refusal


def refusal_of(offer: Offer | None) -> Refusal | None:
    """Why a device's mailbox did not take a message; None when it did."""
    match offer:
        case None:
            return Refusal.UNKNOWN_DEVICE
        case Offer.FULL:
            return Refusal.MAILBOX_FULL
        case Offer.CLOSED:
            return Refusal.PARKED
        case Offer.ACCEPTED:
            return None
