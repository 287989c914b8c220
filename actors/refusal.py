"""Why a request was not taken: the outcomes that every part which is asked from outside shares."""

from enum import Enum


class Refusal(Enum):
    """Why a request to a device was not taken."""

    UNKNOWN_DEVICE = "unknown_device"
    MAILBOX_FULL = "mailbox_full"
    PARKED = "parked"
    """The device's actor used up its restarts and waits for a revival."""
    NO_REPLY = "no_reply"
    """The actor did not answer in time, or crashed over it; the command may yet appear."""
    KEY_REUSED = "key_reused"
    """The idempotency key belongs to another request."""
    STORE_FAILING = "store_failing"
    """The store does not answer: whether the request was taken is not known, or nothing was."""
    UNREADABLE = "unreadable"
    """The stored record of the light cannot be read; it is kept as it is."""
    STOPPING = "stopping"
    NETWORK_FAILING = "network_failing"
    TOO_MANY = "too_many"
    """As many of the kind as may be are under way."""


def known_refusal(value: str) -> Refusal | None:
    """What another process called it; None where that is of another version, and unknown here."""
    try:
        return Refusal(value)
    except ValueError:
        return None
