"""What can go wrong with a call to the network server, on order or by chance.

The rule it keeps: an ordered fault comes before a drawn one and is used up in the order given, so
that a test says exactly which call fails and how.
"""

from collections import Counter, deque
from enum import StrEnum

import msgspec

from lorawan.network import (
    NetworkError,
    NetworkFault,
    NetworkForbidden,
    NetworkInvalid,
    NetworkRefused,
    NetworkTimeout,
    NetworkUnavailable,
    NetworkUnknown,
)
from simulator.chance import Chance
from simulator.profile import Profile


class CallFault(StrEnum):
    """How one call fails."""

    UNAVAILABLE = "unavailable"
    """Refused at once; no effect."""
    TIMEOUT = "timeout"
    """No effect, and no reply before the deadline."""
    REPLY_LOST = "reply_lost"
    """The effect happened; no reply before the deadline."""
    SLOW = "slow"
    """It works, but the reply takes seconds; events may come first."""
    REFUSED = "refused"
    FORBIDDEN = "forbidden"
    UNKNOWN = "unknown"
    INVALID = "invalid"
    FAULT = "fault"


ERRORS: dict[CallFault, type[NetworkError]] = {
    CallFault.UNAVAILABLE: NetworkUnavailable,
    CallFault.TIMEOUT: NetworkTimeout,
    CallFault.REPLY_LOST: NetworkTimeout,
    CallFault.REFUSED: NetworkRefused,
    CallFault.FORBIDDEN: NetworkForbidden,
    CallFault.UNKNOWN: NetworkUnknown,
    CallFault.INVALID: NetworkInvalid,
    CallFault.FAULT: NetworkFault,
}
"""What each fault raises; `SLOW` raises nothing."""

# A script for one test; more than this is a loop that forgot to end.
_ORDERED_MAX = 1000


class _Ordered(msgspec.Struct, frozen=True):
    fault: CallFault
    method: str | None


class Faults:
    """The faults of one server. While `down` (set by hand) or `in_spell` (by chance) is true,
    every call fails as unavailable."""

    def __init__(self, chance: Chance, profile: Profile) -> None:
        self.down = False
        self.in_spell = False
        self.profile = profile
        self._rng = chance.each("fault")
        self._ordered: deque[_Ordered] = deque()
        self.counts: Counter[str] = Counter()

    def order(self, fault: CallFault, *, method: str | None = None, calls: int = 1) -> None:
        """Make the next `calls` calls (of this method, when named) fail like this.

        Raises ValueError when more than 1000 would wait.
        """
        if len(self._ordered) + calls > _ORDERED_MAX:
            raise ValueError(f"more than {_ORDERED_MAX} faults ordered")
        self._ordered.extend(_Ordered(fault, method) for _ in range(calls))

    def clear(self) -> None:
        """Forget what was ordered, and be up again."""
        self._ordered.clear()
        self.down = self.in_spell = False

    def draw(self, method: str, about: str) -> CallFault | None:
        """How this call about a device (or about all) goes; None is well."""
        fault = self._draw(method, about)
        if fault is not None:
            self.counts[fault.value] += 1
        return fault

    def _draw(self, method: str, about: str) -> CallFault | None:
        if self.down or self.in_spell:
            return CallFault.UNAVAILABLE
        for index, ordered in enumerate(self._ordered):
            if ordered.method in (None, method):
                del self._ordered[index]
                return ordered.fault
        profile, rng = self.profile, self._rng[f"{method} {about}"]
        for chance, fault in (
            (profile.call_unavailable, CallFault.UNAVAILABLE),
            (profile.call_timeout, CallFault.TIMEOUT),
            (profile.call_reply_lost, CallFault.REPLY_LOST),
            (profile.call_fault, CallFault.FAULT),
            (profile.call_refused, CallFault.REFUSED),
            (profile.call_forbidden, CallFault.FORBIDDEN),
            (profile.call_unknown, CallFault.UNKNOWN),
            (profile.call_invalid, CallFault.INVALID),
            (profile.call_slow, CallFault.SLOW),
        ):
            if chance and rng.random() < chance:
                return fault
        return None
