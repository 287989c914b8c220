"""What can go wrong with a call to the network server, scheduled by a test or at random.

A scheduled fault comes before a random one and is used up in the order given, so that a test says
exactly which call fails and how.
"""

from collections import Counter, deque
from enum import StrEnum

import msgspec

from lorawan.network import (
    NetworkError,
    NetworkFault,
    NetworkForbidden,
    NetworkIntermediary,
    NetworkInvalid,
    NetworkRefused,
    NetworkTimeout,
    NetworkUnavailable,
    NetworkUnknown,
)
from simulation.world.chance import Chance
from simulation.world.profile import Profile


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
    LOCKED = "locked"
    """INTERNAL, "database is locked", as builds with SQLite answer; no effect."""
    LOCKED_AFTER = "locked after"
    """The same of a later statement: the effect happened."""
    NO_RIGHT = "no right"
    """UNAUTHENTICATED without a text: a tenant's key, and a device that is unknown to it."""
    PROXY = "proxy"
    """Something in front of the server answered in its place; no effect."""
    PROXY_AFTER = "proxy after"
    """The same, when the request had got through."""


ERRORS: dict[CallFault, type[NetworkError]] = {
    CallFault.UNAVAILABLE: NetworkUnavailable,
    CallFault.TIMEOUT: NetworkTimeout,
    CallFault.REPLY_LOST: NetworkTimeout,
    CallFault.REFUSED: NetworkRefused,
    CallFault.FORBIDDEN: NetworkForbidden,
    CallFault.UNKNOWN: NetworkUnknown,
    CallFault.INVALID: NetworkInvalid,
    CallFault.FAULT: NetworkFault,
    CallFault.LOCKED: NetworkFault,
    CallFault.LOCKED_AFTER: NetworkFault,
    CallFault.NO_RIGHT: NetworkForbidden,
    CallFault.PROXY: NetworkIntermediary,
    CallFault.PROXY_AFTER: NetworkIntermediary,
}
"""What each fault raises; `SLOW` raises nothing."""

WITH_EFFECT = frozenset(
    {CallFault.SLOW, CallFault.REPLY_LOST, CallFault.LOCKED_AFTER, CallFault.PROXY_AFTER}
)
"""The call is carried out all the same."""

LOCKED_CALLS = 0.5
"""Of the calls during a spell of a locked database that fail: each waits for the lock a while."""
AFTER_EFFECT = 0.25
"""Of the calls that fail so, or that a proxy answers, which were carried out."""

# A script for one test; more than this is a loop that forgot to end.
_ORDERED_MOST = 1000


class _Ordered(msgspec.Struct, frozen=True):
    fault: CallFault
    method: str | None


class Faults:
    """The faults of one server. While `down` (set by hand) or `in_spell` (by chance) is true,
    every call fails as unavailable."""

    def __init__(self, chance: Chance, profile: Profile) -> None:
        self.down = False
        self.in_spell = False
        self.locked = False
        """The database is locked again and again."""
        self.proxied = False
        """A proxy in front answers every call."""
        self.unknown: set[str] = set()
        """DevEUIs that the API key has no right to, or that are not there: nobody can tell."""
        self.profile = profile
        self._rng = chance.each("fault")
        self._spell_rng = chance.each("fault of a spell")
        self._ordered: deque[_Ordered] = deque()
        self.counts: Counter[str] = Counter()

    def order(self, fault: CallFault, *, method: str | None = None, calls: int = 1) -> None:
        """Make the next `calls` calls (of this method, when named) fail like this.

        Raises ValueError when more than 1000 would wait.
        """
        if len(self._ordered) + calls > _ORDERED_MOST:
            raise ValueError(f"more than {_ORDERED_MOST} faults ordered")
        self._ordered.extend(_Ordered(fault, method) for _ in range(calls))

    def clear(self) -> None:
        """Forget what was ordered, and be up again."""
        self._ordered.clear()
        self.down = self.in_spell = self.locked = self.proxied = False
        self.unknown.clear()

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
        spell = self._of_spell(method, about)
        if spell is not None:
            return spell
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

    def _of_spell(self, method: str, about: str) -> CallFault | None:
        rng = self._spell_rng[f"{method} {about}"]
        if self.proxied:
            return CallFault.PROXY_AFTER if rng.random() < AFTER_EFFECT else CallFault.PROXY
        if about in self.unknown:
            return CallFault.NO_RIGHT
        if self.locked and rng.random() < LOCKED_CALLS:
            return CallFault.LOCKED_AFTER if rng.random() < AFTER_EFFECT else CallFault.LOCKED
        return None
