"""What a gateway may still send: an account of its airtime over a sliding hour.

A frame counts whole from its charge until its last moment is a window ago. So if every frame was
charged at a time that `room_at` allowed, no window of an hour, wherever it begins, holds more than
the budget. Counting it whole costs at most one frame of room at the edge of the window.

Nobody else keeps this account: ChirpStack only measures, and most gateways send whatever they are
given. Source: chirpstack/chirpstack-concentratord, ETSI EN 300 220 regulation (1 h, sliding).
"""

import math
from bisect import insort
from typing import NamedTuple

WINDOW_S = 3600.0

# The shortest frame (SF7, no payload, 46 ms) fits 7,776 times into 10 % of an hour, so a lawful
# gateway stays below this and is accounted exactly. About 250 bytes each: 2 MB a gateway at most.
# Where there is no limit, more frames fit: see `_coalesce`.
ENTRIES_MOST = 8192


class _Entry(NamedTuple):
    leaves_at: float
    order: int
    airtime_us: int


class AirtimeLedger:
    """The airtime of one gateway. All times are of one clock, in seconds.

    `duty_cycle` is the fraction of `window_s` that may be used, or None for no limit. Asking (not
    charging, which may be about the past or the future) moves the ledger's own idea of now forward;
    asked about an earlier time it answers for the newest. A clock set back by more than a window is
    taken as it is, and everything counts as just sent.
    """

    def __init__(
        self,
        duty_cycle: float | None,
        *,
        window_s: float = WINDOW_S,
        entries_most: int = ENTRIES_MOST,
    ) -> None:
        if duty_cycle is not None and not 0.0 < duty_cycle <= 1.0:
            raise ValueError(f"duty cycle must be above 0 and at most 1, not {duty_cycle}")
        if entries_most < 2 * window_s:
            raise ValueError("entries_most must be at least two a second of the window")
        self._window_s = window_s
        self._budget_us = None if duty_cycle is None else round(duty_cycle * window_s * 1e6)
        self._entries_most = entries_most
        self._entries: list[_Entry] = []  # in the order in which they leave
        self._spent_us = 0
        self._charges = 0
        self._newest = -math.inf

    def __len__(self) -> int:
        return len(self._entries)

    def spent(self, at: float) -> float:
        """Seconds of airtime that count at `at`."""
        self._advance(at)
        return self._spent_us / 1e6

    def room_at(self, at: float, airtime_s: float) -> float:
        """The earliest time, not before `at`, from which a frame of `airtime_s` fits; infinite
        when it is longer than the whole budget. Charges nothing."""
        self._advance(at)
        now = max(at, self._newest)
        if self._budget_us is None:
            return now
        airtime_us = _microseconds(airtime_s)
        if airtime_us > self._budget_us:
            return math.inf
        excess_us = self._spent_us + airtime_us - self._budget_us
        for entry in self._entries:
            if excess_us <= 0:
                break
            excess_us -= entry.airtime_us
            now = entry.leaves_at
        return now

    def charge(self, at: float, airtime_s: float) -> None:
        """Record a frame that starts at `at`, whether there was room for it or not; it may be told
        of late."""
        airtime_us = _microseconds(airtime_s)
        leaves_at = at + airtime_s + self._window_s
        if airtime_us == 0 or leaves_at <= self._newest:
            return
        self._charges += 1
        self._add(_Entry(leaves_at, self._charges, airtime_us))
        if len(self._entries) > self._entries_most:
            self._coalesce()

    def _advance(self, at: float) -> None:
        if at < self._newest - self._window_s:
            self._redate(at)
        if at <= self._newest:
            return
        self._newest = at
        gone = 0
        for entry in self._entries:
            if entry.leaves_at > at:
                break
            gone += 1
            self._spent_us -= entry.airtime_us
        del self._entries[:gone]

    def _redate(self, at: float) -> None:
        entries, self._entries = self._entries, []
        self._spent_us = 0
        self._newest = at
        for entry in entries:
            self._add(entry._replace(leaves_at=min(entry.leaves_at, at + self._window_s)))

    def _add(self, entry: _Entry) -> None:
        insort(self._entries, entry)
        self._spent_us += entry.airtime_us

    def _coalesce(self) -> None:
        # Frames that leave within the same second leave together, at the end of it: of a window's
        # 3,600 seconds that makes fewer entries than the bound, and none is counted for less than
        # its time. Charges farther apart than that, which nobody asked about, are merged coarser.
        # Only a gateway without a limit, or one that exceeds it, comes here.
        step_s = 1
        while len(self._entries) > self._entries_most // 2:
            merged: dict[int, int] = {}
            for entry in self._entries:
                step = math.ceil(entry.leaves_at / step_s)
                merged[step] = merged.get(step, 0) + entry.airtime_us
            self._entries = [
                _Entry(float(step * step_s), 0, airtime_us) for step, airtime_us in merged.items()
            ]
            step_s *= 2


def _microseconds(airtime_s: float) -> int:
    # Whole numbers, so that adding and taking away for months leaves no residue. LoRa's times are
    # whole microseconds; the inner rounding takes off what floating point adds to them.
    if not (math.isfinite(airtime_s) and airtime_s >= 0.0):
        raise ValueError(f"airtime must be finite and not negative, not {airtime_s}")
    return math.ceil(round(airtime_s * 1e6, 3))
