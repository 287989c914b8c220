"""The problem that each refusal of the application is answered with, the same on all routes."""

from typing import NoReturn, assert_never

from actors.refusal import Refusal
from api.http.problems import (
    KEY_REUSED,
    MAILBOX_FULL,
    NETWORK_UNAVAILABLE,
    NO_REPLY,
    PARKED,
    STOPPING,
    STORE_UNAVAILABLE,
    TOO_MANY_ROLLOUTS,
    UNKNOWN_DEVICE,
    UNREADABLE_RECORD,
    Problem,
)
from api.http.services import application

REFUSALS = (
    UNKNOWN_DEVICE,
    UNREADABLE_RECORD,
    KEY_REUSED,
    MAILBOX_FULL,
    PARKED,
    STOPPING,
    STORE_UNAVAILABLE,
    NO_REPLY,
)
"""The kinds of problem that `refuse` raises."""


def refuse(refusal: Refusal) -> NoReturn:
    """Raises the Problem that answers this refusal."""
    cause = application().cause_of(refusal)
    match cause:
        case Refusal.UNKNOWN_DEVICE:
            raise Problem(UNKNOWN_DEVICE)
        case Refusal.MAILBOX_FULL:
            raise Problem(MAILBOX_FULL, "nothing was stored")
        case Refusal.PARKED:
            raise Problem(PARKED, "an operator can revive it")
        case Refusal.NO_REPLY:
            raise Problem(
                NO_REPLY,
                "the command may yet be taken: ask for the device, or repeat the request with the "
                "same Idempotency-Key",
            )
        case Refusal.KEY_REUSED:
            raise Problem(KEY_REUSED)
        case Refusal.UNREADABLE:
            raise Problem(
                UNREADABLE_RECORD,
                "the stored record of this light cannot be read; it is kept as it is, and nothing "
                "was stored",
            )
        case Refusal.STORE_FAILING:
            raise Problem(
                STORE_UNAVAILABLE,
                "whether it was taken is not known: ask for the device, or repeat the request with "
                "the same Idempotency-Key",
            )
        case Refusal.STOPPING:
            raise Problem(STOPPING)
        case Refusal.NETWORK_FAILING:
            raise Problem(
                NETWORK_UNAVAILABLE,
                "it does not answer, refuses our API key, or fails: see /readyz and the log",
            )
        case Refusal.TOO_MANY:
            raise Problem(TOO_MANY_ROLLOUTS, "cancel one, or wait for the end of one")
        case _:
            assert_never(cause)
