"""The state time-outs of all lights: when each is woken, and how many act at once.

A light waits for mail until its state times out (the word is OTP's) by a deadline of its own. Trio
wakes everybody whose deadline is over in one pass of its scheduler, and no request and no webhook
has its turn before all of them have run: 20,000 lights that are due at the same moment would stop
everything for 1.6 s (measured). So moments are given out here: a crowded moment is put off to the
next one with room, and of those who are awake a bounded number acts at once. The longest pause is
then 0.03 s.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import trio

SLOT_S = 0.01
LIGHTS_PER_SLOT = 32
"""To be woken and to wait for its turn costs a light some 60 us, 32 lights 2 ms of each 10 ms. If
20,000 lights are due at once the last of them is woken 6 s later: they need as long to act."""
ACT_AT_ONCE = 256
"""Half a batch of the store's writer. A step of 256 lights takes some 50 ms in all; each holds its
place until its step is stored."""
SHORTEST_WAIT_S = 1e-6
"""Unix time in a double has steps of 0.24 us; below that a wait may not advance."""


@dataclass(frozen=True, slots=True)
class TimeoutStatistics:
    """Lights that wait for a time-out now; time-outs that fired, and of these failed, since ever;
    the longest delay past the time that was due."""

    pending: int
    fired: int
    failed: int
    late_s_max: float


class StateTimeouts:
    """Shared by all lights. It must be used from Trio's thread."""

    __slots__ = ("_failed", "_fired", "_late_s_max", "_next", "_pending", "_slots", "_turns")

    def __init__(self) -> None:
        self._turns = trio.CapacityLimiter(ACT_AT_ONCE)
        # At most one place for each light; a slot is forgotten with the last light in it.
        self._slots: dict[int, int] = {}
        self._next: dict[int, int] = {}  # from a full slot to one where there was room
        self._pending = self._fired = self._failed = 0
        self._late_s_max = 0.0

    def reserve(self, wait_s: float) -> float:
        """The moment, by Trio's clock, to wake a light that is due in `wait_s` seconds.

        Never earlier than that, and later only where that moment is crowded. To be given back with
        `release` as soon as the light waits no more.
        """
        at = trio.current_time() + (max(wait_s, SHORTEST_WAIT_S) if wait_s > 0 else 0.0)
        wanted = slot = int(at / SLOT_S)
        while self._slots.get(slot, 0) >= LIGHTS_PER_SLOT:
            slot = self._next.get(slot, slot + 1)
        if slot != wanted:
            self._next[wanted] = slot
            at = (slot + 0.5) * SLOT_S  # its middle: in the slot, however that is rounded
        self._slots[slot] = self._slots.get(slot, 0) + 1
        self._pending += 1
        return at

    def release(self, at: float) -> None:
        """The light that was to be woken at this moment waits no more."""
        slot = int(at / SLOT_S)
        self._pending -= 1
        self._slots[slot] -= 1
        if not self._slots[slot]:
            del self._slots[slot]
            self._next.pop(slot, None)

    async def act(self, late_s: float, action: Callable[[], Awaitable[None]]) -> None:
        """Have a light act, `late_s` after it was due, when it is its turn.

        Raises what `action` raises.
        """
        self._late_s_max = max(self._late_s_max, late_s)
        async with self._turns:
            self._fired += 1
            try:
                await action()
            except Exception:
                self._failed += 1
                raise

    def statistics(self) -> TimeoutStatistics:
        """Counters, now."""
        return TimeoutStatistics(self._pending, self._fired, self._failed, self._late_s_max)
