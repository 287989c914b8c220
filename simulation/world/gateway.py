"""One gateway: a transmit queue, a half-duplex radio, and an uplink to the network server.

Its acknowledgement says that a frame was queued, never that it was sent; the ledger says what was
really transmitted.
Source: ChirpStack Concentratord (queue of 32 frames, gap of 42.5 ms between them, acknowledgement
at queueing, `immediately` placed behind what is queued).
"""

import random
from collections import deque
from collections.abc import Callable
from enum import StrEnum

import msgspec

from lorawan.events.model import Modulation
from simulation.world.frames import DownlinkCommand, DownlinkFrame, Slot
from simulation.world.kernel import Kernel
from simulation.world.profile import Profile
from simulation.world.radio import Radio, downlink_s, payload_bytes
from simulation.world.region import RadioRegion

QUEUE_MOST = 32
GAP_S = 0.0425
_LEAD_S = 0.0015
_HOUR_S = 3600.0
# One entry per frame sent: at the full 10 % of SF7 (7000 an hour) more than half a day.
_LEDGER_KEPT = 100_000
# Uplinks last under 3 s, and at most one frame is sent in each gap: 64 windows reach back enough.
_WINDOWS_KEPT = 64


class GatewayMode(StrEnum):
    """How a gateway behaves towards the network server."""

    ONLINE = "online"
    OFFLINE = "offline"
    """Backhaul down: what is queued still leaves, nothing comes in or goes out."""
    SILENT = "silent"
    """Sends, but acknowledges nothing (an old forwarder)."""
    SWALLOWS = "swallows"
    """Takes frames and neither sends nor acknowledges them; all else works (a dead radio board)."""


class TxStatus(StrEnum):
    """A gateway's answer to a frame, as the wire names it."""

    OK = "OK"
    TOO_LATE = "TOO_LATE"
    TOO_EARLY = "TOO_EARLY"
    COLLISION_PACKET = "COLLISION_PACKET"
    COLLISION_BEACON = "COLLISION_BEACON"
    TX_FREQ = "TX_FREQ"
    TX_POWER = "TX_POWER"
    GPS_UNLOCKED = "GPS_UNLOCKED"
    QUEUE_FULL = "QUEUE_FULL"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    DUTY_CYCLE_OVERFLOW = "DUTY_CYCLE_OVERFLOW"


TRANSIENT_ERRORS = (
    TxStatus.TOO_LATE,
    TxStatus.COLLISION_PACKET,
    TxStatus.QUEUE_FULL,
    TxStatus.INTERNAL_ERROR,
    TxStatus.GPS_UNLOCKED,
    TxStatus.DUTY_CYCLE_OVERFLOW,
)


class SentFrame(msgspec.Struct, frozen=True, gc=False):
    """One frame that really was on the air."""

    start_s: float
    airtime_s: float
    dev_eui: str
    f_cnt: int
    f_port: int | None
    data: bytes
    frequency_hz: int
    spreading_factor: int


class GatewayStatistics(msgspec.Struct, frozen=True):
    """Counters of one gateway since the world began."""

    gateway_id: str
    mode: GatewayMode
    queued: int
    frames_sent: int
    airtime_s: float


Acknowledge = Callable[[int, str, TxStatus, Slot], None]
"""Called with downlink id, gateway id, overall status, and the slot that was taken (or last)."""


class Gateway:
    """One gateway. `mode`, `tx_error`, `ack_delay_s` and `ack_twice` are for tests to set."""

    def __init__(
        self,
        gateway_id: str,
        name: str,
        *,
        kernel: Kernel,
        rng: random.Random,
        radio: Radio,
        region: RadioRegion,
        stats_interval_s: float = 30.0,
        position: tuple[float, float] = (0.0, 0.0),
        enforce_duty_cycle: bool = False,
    ) -> None:
        self.gateway_id = gateway_id
        self.name = name
        self.position = position
        self.stats_interval_s = stats_interval_s
        self.enforce_duty_cycle = enforce_duty_cycle
        self.tx_error: TxStatus | None = None
        self.ack_delay_s: float | None = None
        self.ack_twice = False
        self.clock_off_s = 0.0
        """Its own clock (`gwTime`), against the right time."""
        self.gps_off_s: float | None = None
        """Its GPS time (`timeSinceGpsEpoch`), against the right time; None without a receiver."""
        self.gap_s = GAP_S
        """Pause after a frame of its own; a test may widen it to leave room for answers."""
        self.ledger: deque[SentFrame] = deque(maxlen=_LEDGER_KEPT)
        self.acknowledge: Acknowledge = _nobody
        self._kernel = kernel
        self._rng = rng
        self._radio = radio
        self._region = region
        self._mode = GatewayMode.ONLINE
        self._mode_since_s = 0.0
        self._stats_phase_s = rng.uniform(0.0, stats_interval_s)
        self._last_stats_s: float | None = None
        self._queue: deque[tuple[float, float]] = deque()
        self._windows: deque[tuple[float, float]] = deque(maxlen=_WINDOWS_KEPT)
        self._frames_sent = 0
        self._airtime_s = 0.0

    # The network server's side

    @property
    def mode(self) -> GatewayMode:
        """How it behaves now."""
        return self._mode

    @mode.setter
    def mode(self, mode: GatewayMode) -> None:
        self._last_stats_s = self._last_stats_time()
        self._mode = mode
        self._mode_since_s = self._kernel.now

    @property
    def mode_since_s(self) -> float:
        """World time of the last change of mode."""
        return self._mode_since_s

    @property
    def profile(self) -> Profile:
        """The chances that it is subject to."""
        return self._radio.profile

    def last_seen_at(self) -> float | None:
        """Unix seconds of the last `stats` message; None before the first."""
        last_s = self._last_stats_time()
        return None if last_s is None else self._kernel.epoch_at + last_s

    def command(self, command: DownlinkCommand) -> None:
        """A downlink was published for it; it arrives after the backhaul's delay, or never."""
        if self._mode is not GatewayMode.OFFLINE:
            delay_s = self._rng.uniform(*self.profile.backhaul_s)
            self._kernel.after(delay_s, self._arrived, command)

    # The air's side

    def hears(self, start_s: float, end_s: float) -> bool:
        """False when it sent meanwhile, or cannot pass the frame on."""
        if self._mode is GatewayMode.OFFLINE:
            return False
        return not any(begin < end_s and end > start_s for begin, end in self._windows)

    def statistics(self) -> GatewayStatistics:
        """Counters, and the depth of its queue."""
        self._forget_sent()
        return GatewayStatistics(
            gateway_id=self.gateway_id,
            mode=self._mode,
            queued=len(self._queue),
            frames_sent=self._frames_sent,
            airtime_s=self._airtime_s,
        )

    # Inside

    def _arrived(self, command: DownlinkCommand) -> None:
        if self._mode in {GatewayMode.OFFLINE, GatewayMode.SWALLOWS}:
            return
        profile = self.profile
        status, slot = TxStatus.INTERNAL_ERROR, command.slots[-1]
        if self.tx_error is not None:
            status = self.tx_error
        elif profile.tx_error and self._rng.random() < profile.tx_error:
            status = self._rng.choice(TRANSIENT_ERRORS)
        else:
            for slot in command.slots:
                status = self._schedule(command.frame, slot)
                if status is TxStatus.OK:
                    break
        self._answer(command.downlink_id, status, slot)

    def _schedule(self, frame: DownlinkFrame, slot: Slot) -> TxStatus:
        now_s = self._kernel.now
        self._forget_sent()
        airtime_s = downlink_s(payload_bytes(frame), slot.modulation)
        if sum(begin > now_s for begin, _ in self._queue) >= QUEUE_MOST:
            return TxStatus.QUEUE_FULL
        if self.enforce_duty_cycle and self._over_budget(slot.frequency_hz, airtime_s):
            return TxStatus.DUTY_CYCLE_OVERFLOW
        if slot.start_s is None:
            behind_s = max((end for _, end in self._queue), default=0.0)
            start_s = max(now_s + _LEAD_S, behind_s + self.gap_s)
        else:
            start_s = slot.start_s
            if start_s < now_s + _LEAD_S:
                return TxStatus.TOO_LATE
            if any(
                begin < start_s + airtime_s + self.gap_s and end + self.gap_s > start_s
                for begin, end in self._queue
            ):
                return TxStatus.COLLISION_PACKET
        self._queue.append((start_s, start_s + airtime_s))
        self._kernel.at(start_s, self._send, frame, slot.frequency_hz, slot.modulation)
        return TxStatus.OK

    def _forget_sent(self) -> None:
        """Drop frames that are over, but keep the last until its gap is over too."""
        now_s = self._kernel.now
        if any(end + self.gap_s <= now_s for _, end in self._queue):
            self._queue = deque(w for w in self._queue if w[1] + self.gap_s > now_s)

    def _over_budget(self, frequency_hz: int, airtime_s: float) -> bool:
        """A sliding hour of the RX2 band, what is queued included."""
        if frequency_hz != self._region.rx2_frequency_hz:
            return False
        since_s = self._kernel.now - _HOUR_S
        used_s = sum(end - begin for begin, end in self._queue if begin > self._kernel.now)
        for sent in reversed(self.ledger):
            if sent.start_s < since_s:
                break
            if sent.frequency_hz == frequency_hz:
                used_s += sent.airtime_s
        return used_s + airtime_s > self._region.rx2_duty_cycle * _HOUR_S

    def _send(self, frame: DownlinkFrame, frequency_hz: int, modulation: Modulation) -> None:
        start_s = self._kernel.now
        end_s = self._radio.downlink(self.gateway_id, frame, frequency_hz, modulation)
        self._windows.append((start_s, end_s))
        self._frames_sent += 1
        self._airtime_s += end_s - start_s
        self.ledger.append(
            SentFrame(
                start_s=start_s,
                airtime_s=end_s - start_s,
                dev_eui=frame.dev_eui,
                f_cnt=frame.f_cnt,
                f_port=frame.f_port,
                data=frame.data,
                frequency_hz=frequency_hz,
                spreading_factor=modulation.spreading_factor,
            )
        )

    def _answer(self, downlink_id: int, status: TxStatus, slot: Slot) -> None:
        profile, rng = self.profile, self._rng
        if self._mode is GatewayMode.SILENT:
            return
        if profile.ack_lost and rng.random() < profile.ack_lost:
            return
        delay_s = rng.uniform(*profile.backhaul_s)
        if self.ack_delay_s is not None:
            delay_s += self.ack_delay_s
        elif profile.ack_late and rng.random() < profile.ack_late:
            delay_s += rng.uniform(*profile.ack_late_s)
        twice = self.ack_twice or (profile.ack_doubled > 0 and rng.random() < profile.ack_doubled)
        for n in range(2 if twice else 1):
            self._kernel.after(delay_s * (n + 1), self._acknowledged, downlink_id, status, slot)

    def _acknowledged(self, downlink_id: int, status: TxStatus, slot: Slot) -> None:
        if self._mode is not GatewayMode.OFFLINE:
            self.acknowledge(downlink_id, self.gateway_id, status, slot)

    def _last_stats_time(self) -> float | None:
        """Stats come at a fixed phase while online; computed when asked, so idle time is free."""
        if self._mode is GatewayMode.OFFLINE:
            return self._last_stats_s
        interval_s = self.stats_interval_s
        steps = (self._kernel.now - self._stats_phase_s) // interval_s
        latest_s = self._stats_phase_s + steps * interval_s
        if latest_s < self._mode_since_s and self._mode_since_s > 0.0:
            return self._last_stats_s
        return latest_s


def _nobody(downlink_id: int, gateway_id: str, status: TxStatus, slot: Slot) -> None:
    del downlink_id, gateway_id, status, slot
