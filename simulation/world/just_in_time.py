"""A forwarder that queues frames for their time and acknowledges them at once.

Its acknowledgement says that a frame was queued, never that it was sent.
Sources: `Forwarder`.
"""

from collections import Counter, deque
from collections.abc import Callable

import msgspec

from simulation.world.forwarder import Forwarder
from simulation.world.frames import DownlinkCommand, Slot
from simulation.world.kernel import Kernel
from simulation.world.radio import downlink_s, payload_bytes
from simulation.world.tx_status import TxStatus


class _Window(msgspec.Struct, frozen=True, gc=False):
    start_s: float
    end_s: float


class JustInTime:
    """One radio's queue. `send` puts a frame on the air, `answer` tells the server, and `forbids`
    is the gateway's own duty cycle, where it keeps one."""

    def __init__(
        self,
        forwarder: Forwarder,
        *,
        kernel: Kernel,
        counts: Counter[str],
        send: Callable[[DownlinkCommand, Slot], object],
        answer: Callable[[DownlinkCommand, TxStatus, Slot], None],
        forbids: Callable[[Slot, float, float], bool],
    ) -> None:
        self.gap_s = forwarder.gap_s
        self._apart_s = forwarder.apart_s
        self._forwarder = forwarder
        self._kernel = kernel
        self._counts = counts
        self._send = send
        self._answer = answer
        self._forbids = forbids
        # Bounded by the queue's 32, and by what of it is on the air or in its gap.
        self._windows: deque[_Window] = deque()

    @property
    def depth(self) -> int:
        """Frames that wait or are in their gap."""
        self._forget_sent()
        return len(self._windows)

    def widen(self, gap_s: float) -> None:
        """Keep this pause after every frame instead of the forwarder's own."""
        self.gap_s = self._apart_s = gap_s

    def take(self, command: DownlinkCommand) -> None:
        """Place the frame in the first of its slots that is free, and say so."""
        status, slot = TxStatus.INTERNAL_ERROR, command.slots[-1]
        for slot in command.slots:
            status = self._place(command, slot)
            if status is TxStatus.OK:
                break
        self._answer(command, status, slot)

    def _place(self, command: DownlinkCommand, slot: Slot) -> TxStatus:
        now_s, forwarder = self._kernel.now, self._forwarder
        self._forget_sent()
        waiting = [window for window in self._windows if window.start_s > now_s]
        if len(waiting) >= forwarder.queue_most:
            return TxStatus.QUEUE_FULL
        airtime_s = downlink_s(payload_bytes(command.frame), slot.modulation)
        waiting_s = sum(window.end_s - window.start_s for window in waiting)
        if self._forbids(slot, airtime_s, waiting_s):
            return TxStatus.DUTY_CYCLE_OVERFLOW
        if slot.start_s is None:
            start_s = self._soonest(airtime_s)
        else:
            start_s = slot.start_s
            if start_s < now_s + forwarder.least_lead_s:
                return TxStatus.TOO_LATE
            if not self._free(start_s, airtime_s):
                return TxStatus.COLLISION_PACKET
        self._windows.append(_Window(start_s, start_s + airtime_s))
        if forwarder.taken_s is None:
            self._kernel.at(start_s, self._send, command, slot)
        else:
            self._kernel.at(start_s - forwarder.taken_s, self._taken, command, slot, start_s)
        return TxStatus.OK

    def _soonest(self, airtime_s: float) -> float:
        """Now and the lag, or behind the first of what it knows that leaves room."""
        earliest_s = self._kernel.now + self._forwarder.lag_s
        if self._free(earliest_s, airtime_s):
            return earliest_s
        start_s = earliest_s
        for end_s in sorted(window.end_s for window in self._known()):
            start_s = max(end_s + self.gap_s, earliest_s)
            if self._free(start_s, airtime_s):
                break
        return start_s

    def _free(self, start_s: float, airtime_s: float) -> bool:
        apart_s = self._apart_s
        return not any(
            start_s < window.end_s + apart_s and window.start_s < start_s + airtime_s + apart_s
            for window in self._known()
        )

    def _known(self) -> list[_Window]:
        """What the queue still holds; what a forgetful one has handed to the radio is not in it."""
        taken_s, now_s = self._forwarder.taken_s, self._kernel.now
        if taken_s is None:
            return list(self._windows)
        return [window for window in self._windows if window.start_s - taken_s > now_s]

    def _taken(self, command: DownlinkCommand, slot: Slot, start_s: float) -> None:
        """Source: `thread_jit`, "concentrator is currently emitting": the frame is gone."""
        now_s = self._kernel.now
        if any(window.start_s <= now_s < window.end_s for window in self._windows):
            self._windows = deque(one for one in self._windows if one.start_s != start_s)
            self._counts["downlink_dropped_emitting"] += 1
            return
        self._kernel.at(start_s, self._send, command, slot)

    def _forget_sent(self) -> None:
        """Drop frames that are over, but keep the last until its gap is over too."""
        now_s = self._kernel.now
        if any(window.end_s + self.gap_s <= now_s for window in self._windows):
            self._windows = deque(
                window for window in self._windows if window.end_s + self.gap_s > now_s
            )
