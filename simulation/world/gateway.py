"""One gateway: a forwarder, a half-duplex radio, and an uplink to the network server.

When a frame leaves and what is said of it is its forwarder's: one that queues (`JustInTime`) or
Basics Station. The ledger says what was really transmitted.
"""

import random
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from functools import partial

import msgspec

from simulation.world.basics_station import BasicsStation
from simulation.world.forwarder import BARE, Forwarder
from simulation.world.frames import DownlinkCommand, Slot
from simulation.world.just_in_time import JustInTime
from simulation.world.kernel import Kernel
from simulation.world.profile import Profile
from simulation.world.radio import Radio
from simulation.world.region import RadioRegion
from simulation.world.tx_status import TRANSIENT_ERRORS, TxStatus

GAP_S = BARE.gap_s
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
        forwarder: Forwarder,
    ) -> None:
        self.gateway_id = gateway_id
        self.name = name
        self.position = position
        self.stats_interval_s = stats_interval_s
        self.enforce_duty_cycle = enforce_duty_cycle
        self.tx_error: TxStatus | None = None
        self.ack_delay_s: float | None = None
        self.ack_twice = False
        self.newest_slot: Slot | None = None
        """In which slot it sent, or sends, its newest frame."""
        self.clock_off_s = 0.0
        """Its own clock (`gwTime`), against the right time."""
        self.gps_off_s: float | None = None
        """Its GPS time (`timeSinceGpsEpoch`), against the right time; None without a receiver."""
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
        self._forwarder = forwarder
        self._starts = 0
        self._transmitter = self._transmitter_of(forwarder)
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
    def forwarder(self) -> Forwarder:
        """The program that it runs. An update restarts it: what was queued is lost."""
        return self._forwarder

    @forwarder.setter
    def forwarder(self, forwarder: Forwarder) -> None:
        self._forwarder = forwarder
        self._starts += 1
        self._transmitter = self._transmitter_of(forwarder)

    @property
    def gap_s(self) -> float:
        """Pause after a frame of its own; a test may widen it to leave room for answers."""
        return self._transmitter.gap_s

    @gap_s.setter
    def gap_s(self, gap_s: float) -> None:
        self._transmitter.widen(gap_s)

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
        return GatewayStatistics(
            gateway_id=self.gateway_id,
            mode=self._mode,
            queued=self._transmitter.depth,
            frames_sent=self._frames_sent,
            airtime_s=self._airtime_s,
        )

    # Inside

    def _transmitter_of(self, forwarder: Forwarder) -> JustInTime | BasicsStation:
        if forwarder.band_rule:
            return BasicsStation(
                forwarder,
                kernel=self._kernel,
                region=self._region,
                counts=self._radio.counts,
                send=partial(self._send, self._starts),
                answer=self._answer,
            )
        return JustInTime(
            forwarder,
            kernel=self._kernel,
            counts=self._radio.counts,
            send=partial(self._send, self._starts),
            answer=self._answer,
            forbids=self._forbids,
        )

    def _arrived(self, command: DownlinkCommand) -> None:
        if self._mode in {GatewayMode.OFFLINE, GatewayMode.SWALLOWS}:
            return
        profile, status = self.profile, self.tx_error
        if status is None and profile.tx_error and self._rng.random() < profile.tx_error:
            status = self._rng.choice(TRANSIENT_ERRORS)
        if status is None:
            self._transmitter.take(command)
        elif not self._forwarder.band_rule:  # Basics Station drops it and says nothing
            self._answer(command, status, command.slots[-1])

    def _forbids(self, slot: Slot, airtime_s: float, waiting_s: float) -> bool:
        """A sliding hour of the RX2 band, what waits included, where the gateway keeps one."""
        if not self.enforce_duty_cycle or slot.frequency_hz != self._region.rx2_frequency_hz:
            return False
        since_s, used_s = self._kernel.now - _HOUR_S, waiting_s
        for sent in reversed(self.ledger):
            if sent.start_s < since_s:
                break
            if sent.frequency_hz == slot.frequency_hz:
                used_s += sent.airtime_s
        return used_s + airtime_s > self._region.rx2_duty_cycle * _HOUR_S

    def _send(self, starts: int, command: DownlinkCommand, slot: Slot) -> None:
        if starts != self._starts:
            return
        start_s, frame = self._kernel.now, command.frame
        self.newest_slot = slot
        end_s = self._radio.downlink(self.gateway_id, frame, slot.frequency_hz, slot.modulation)
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
                frequency_hz=slot.frequency_hz,
                spreading_factor=slot.modulation.spreading_factor,
            )
        )

    def _answer(self, command: DownlinkCommand, status: TxStatus, slot: Slot) -> None:
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
            self._kernel.after(
                delay_s * (n + 1), self._acknowledged, command.downlink_id, status, slot
            )

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
