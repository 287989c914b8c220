"""Basics Station: each frame is tried at its time, and dropped without a word when it cannot go.

In EU868 a band is shut after each frame, so that its share of the time is kept frame by frame: ten
airtimes in the 10 % band of RX2, a hundred or a thousand in the bands of RX1. A Class C frame that
finds no room is tried again every 100 ms, ten times; a Class A frame is tried in RX1, then in RX2.
What is acknowledged was on the air, and nothing is ever refused. Left out: weighing two frames that
meet by their priority; here the earlier goes.

Source: lorabasics/basicstation, src/s2e.c (`altTxTime`, `s2e_canTxEU863`, `update_DC`,
`s2e_nextTxAction`) and src/s2conf.h (`CLASS_C_BACKOFF_BY`, `CLASS_C_BACKOFF_MAX`, `TX_AIM_GAP`,
`TX_MIN_GAP`, `TXCHECK_FUDGE`). The bridge never asks it to leave its duty cycle
(chirpstack-gateway-bridge, internal/backend/basicstation).
"""

from collections import Counter
from collections.abc import Callable

from simulation.world.forwarder import Forwarder
from simulation.world.frames import DownlinkCommand, Slot
from simulation.world.kernel import Kernel
from simulation.world.radio import downlink_s, payload_bytes
from simulation.world.region import RadioRegion
from simulation.world.tx_status import TxStatus

BACKOFF_S = 0.1
TRIES_AGAIN_MOST = 10
_CHECK_S = 0.005
"""Whether the radio sends is looked at, and told, so long after the start."""
_DECI, _CENTI, _MILLI = 10, 100, 1000


def band_of(frequency_hz: int) -> int:
    """The band of EU868, as the number of airtimes that it is shut for after a frame."""
    if 869_400_000 <= frequency_hz <= 869_650_000:
        return _DECI
    if 868_000_000 <= frequency_hz <= 868_600_000 or 869_700_000 <= frequency_hz <= 870_000_000:
        return _CENTI
    return _MILLI


class BasicsStation:
    """One radio. `send` puts a frame on the air and `answer` tells the server."""

    def __init__(
        self,
        forwarder: Forwarder,
        *,
        kernel: Kernel,
        region: RadioRegion,
        counts: Counter[str],
        send: Callable[[DownlinkCommand, Slot], object],
        answer: Callable[[DownlinkCommand, TxStatus, Slot], None],
    ) -> None:
        self.gap_s = forwarder.gap_s
        self.depth = 0
        """Frames that wait for their time."""
        self._forwarder = forwarder
        self._kernel = kernel
        self._bands = region.name == "EU868"
        self._counts = counts
        self._send = send
        self._answer = answer
        self._busy_until_s = 0.0
        self._shut_until_s: dict[int, float] = {}

    def widen(self, gap_s: float) -> None:
        """Keep this pause after every frame instead of the forwarder's own."""
        self.gap_s = gap_s

    def take(self, command: DownlinkCommand) -> None:
        """Begin to try. A frame beyond the 128th that waits is lost."""
        if self.depth >= self._forwarder.queue_most:
            self._counts["downlink_dropped_queue"] += 1
            return
        self.depth += 1
        slot = command.slots[0]
        if slot.start_s is None:
            self._try(command, 0, self._kernel.now + self._forwarder.lag_s, TRIES_AGAIN_MOST)
        else:
            self._aim(command, 0)

    def _aim(self, command: DownlinkCommand, index: int) -> None:
        """A timed frame: decide just before its time."""
        start_s, aim_s = command.slots[index].start_s, self._forwarder.lag_s
        if start_s is None or start_s < self._kernel.now + aim_s:
            self._alternative(command, index)
        else:
            self._kernel.at(start_s - aim_s, self._try, command, index, start_s, 0)

    def _alternative(self, command: DownlinkCommand, index: int) -> None:
        if index + 1 < len(command.slots):
            self._aim(command, index + 1)
        else:
            self._drop("downlink_dropped_class_a")

    def _try(self, command: DownlinkCommand, index: int, start_s: float, again: int) -> None:
        slot = command.slots[index]
        airtime_s = downlink_s(payload_bytes(command.frame), slot.modulation)
        band = band_of(slot.frequency_hz)
        if start_s >= self._busy_until_s and start_s >= self._shut_until_s.get(band, 0.0):
            self.depth -= 1
            self._busy_until_s = start_s + airtime_s + self.gap_s
            if self._bands:
                self._shut_until_s[band] = start_s + band * airtime_s
            self._kernel.at(start_s, self._send, command, slot)
            # The bridge names no item but the first.
            self._kernel.at(
                start_s + _CHECK_S, self._answer, command, TxStatus.OK, command.slots[0]
            )
        elif slot.start_s is not None:
            self._alternative(command, index)
        elif again:
            self._kernel.after(BACKOFF_S, self._try, command, index, start_s + BACKOFF_S, again - 1)
        else:
            self._drop("downlink_dropped_class_c")

    def _drop(self, why: str) -> None:
        self.depth -= 1
        self._counts[why] += 1
