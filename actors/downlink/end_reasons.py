"""Why an attempt ended without being transmitted: each as a code with its values."""

from actors.reasons import Reason
from actors.reasons import ReasonCode as Code

NOT_TAKEN = Reason(Code.FRAME_NOT_TAKEN)
EXPIRED = Reason(Code.FRAME_EXPIRED)


def discarded(problem: str) -> Reason:
    """ChirpStack threw the item away, and would throw away every other like it."""
    return Reason(Code.FRAME_DISCARDED, (problem,))


def unknown(text: str) -> Reason:
    """ChirpStack has no such device; `text` in its words."""
    return Reason(Code.LIGHT_UNKNOWN, (text,))


def invalid(text: str) -> Reason:
    """ChirpStack will not take the downlink; `text` in its words."""
    return Reason(Code.DOWNLINK_INVALID, (text,))
