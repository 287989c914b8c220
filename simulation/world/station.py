"""One light's radio: its LoRaWAN session and its timers around the firmware.

The firmware decides what is sent, the station when it can be sent. A device sends one frame at a
time, waits out its receive windows, and is deaf while it sends. Answers that come due while it
cannot send are merged into one status, the newest.
"""

import random
from enum import StrEnum

import msgspec

from lorawan.events.model import Modulation
from simulation.world.busylight import Busylight, Reaction
from simulation.world.frames import JOIN_REQUEST_BYTES, DownlinkFrame, UplinkFrame
from simulation.world.kernel import Kernel, Timer
from simulation.world.profile import OffTime
from simulation.world.radio import Link, Radio, uplink_s
from simulation.world.region import RX2_AFTER_RX1_S, RadioRegion

_F_PORT = 15
_BOOT_S = (1.0, 4.0)
_FIRST_UPLINK_S = (1.0, 4.0)
_JOIN_RETRY_S = (8.0, 16.0)
_JOIN_RETRY_MOST_S = 300.0
_CONFIRMED_TRIES = 4
"""Tries of the confirmed first uplink; the real number is unknown, LoRaWAN allows 8."""
_WINDOW_TOLERANCE_S = 0.02
RX1_OPENING_S = 0.05
"""Its one receiver is away from RX2 while it looks whether anybody speaks in RX1: a preamble's
first symbols. A frame of that moment is lost (seen by users: network-server issue 461, RadioLib
issue 1782)."""
_AFTER_WINDOWS_S = 0.1
_FACTORY_RESTART_S = 0.5


class StationState(StrEnum):
    """Where a light is between its plug and its session."""

    UNPLUGGED = "unplugged"
    BOOTING = "booting"
    JOINING = "joining"
    JOINED = "joined"


class StationStatistics(msgspec.Struct, frozen=True):
    """What one light did since the world began."""

    dev_eui: str
    state: StationState
    restarts: int
    joins: int
    uplinks: int
    downlinks: int
    replays_dropped: int
    answers_dropped: int


class Station:
    """One light and its radio. `links` are the gateways in reach, by id."""

    def __init__(
        self,
        dev_eui: str,
        light: Busylight,
        links: dict[str, Link],
        spreading_factor: int,
        *,
        kernel: Kernel,
        rng: random.Random,
        radio: Radio,
        region: RadioRegion,
        heartbeat_s: float | None = None,
    ) -> None:
        self.dev_eui = dev_eui
        self.light = light
        self.links = links
        self.modulation = Modulation(spreading_factor=spreading_factor, bandwidth_hz=125_000)
        self.state = StationState.UNPLUGGED
        self.heartbeat_s = heartbeat_s
        """Instead of the firmware's minutes, so that a demonstration need not wait."""
        self.answer_delay = radio.profile.answers_of(light.sw_rev)
        """As its firmware does; another one may be set while it runs."""
        self._kernel = kernel
        self._rng = rng
        self._radio = radio
        self._region = region
        self.rx2 = region.rx2
        """How it listens in its second window, and all the time as Class C."""
        self._rx2_answers = False
        self._f_cnt_up = 0
        self._ack_due = False
        self._confirmed: UplinkFrame | None = None
        self._confirmed_tries = 0
        self._status_waits = False
        self._sent_from_s = -1.0
        self._sent_until_s = -1.0
        self._free_at_s = 0.0
        self._duty_free_at_s = 0.0
        self._join_retry_s = _JOIN_RETRY_S
        self._pending: Timer | None = None
        self._heartbeat: Timer | None = None
        self._step: Timer | None = None
        self._uplinks = 0
        self._downlinks = 0
        self._answers_dropped = 0

    # What people do to it

    def plug(self) -> None:
        """Give it power; it starts and joins by itself. No effect when it has power."""
        if self.state is StationState.UNPLUGGED:
            self._boot()

    def unplug(self) -> None:
        """Take its power. No effect when it has none."""
        if self.state is not StationState.UNPLUGGED:
            self._stop_timers()
            self.state = StationState.UNPLUGGED
            self.light.power_off(self._kernel.now)

    def restart(self) -> None:
        """A restart in the field: session, settings and colour are gone. Needs power."""
        if self.state is not StationState.UNPLUGGED:
            self._boot()

    def send_status(self) -> None:
        """Send one status uplink now, as if it had been asked for. Needs a session."""
        self._answer_after(0.0)

    def statistics(self) -> StationStatistics:
        """Counters."""
        return StationStatistics(
            dev_eui=self.dev_eui,
            state=self.state,
            restarts=self.light.restarts,
            joins=self.light.joins,
            uplinks=self._uplinks,
            downlinks=self._downlinks,
            replays_dropped=self.light.replays_dropped,
            answers_dropped=self._answers_dropped,
        )

    # The air's side

    def listened(
        self, start_s: float, end_s: float, frequency_hz: int, spreading_factor: int
    ) -> bool:
        """Class C listens on RX2 whenever it does not send; on RX1 only in its window. It is not
        Class C before it has joined: an accept of an earlier request finds nobody who listens."""
        if self.state in (StationState.UNPLUGGED, StationState.BOOTING):
            return False
        if self._sent_from_s < end_s and self._sent_until_s > start_s:
            return False
        joining = self.state is StationState.JOINING
        on_rx2 = frequency_hz == self._region.rx2_frequency_hz
        if on_rx2 and not joining:
            opens_s = self._sent_until_s + self._region.rx1_delay_s
            if start_s < opens_s + RX1_OPENING_S and end_s > opens_s:
                return False
            return spreading_factor == self.rx2.spreading_factor
        delay_s = self._region.join_delay_s if joining else self._region.rx1_delay_s
        delay_s += RX2_AFTER_RX1_S if on_rx2 else 0.0
        return abs(start_s - (self._sent_until_s + delay_s)) <= _WINDOW_TOLERANCE_S

    def receive(self, frame: DownlinkFrame, rssi_dbm: int, snr_db: float) -> None:
        """A frame that came through; foreign sessions and repeats are dropped here."""
        if frame.is_join_accept:
            if self.state is StationState.JOINING:
                self.rx2, self._rx2_answers = frame.rx2 or self._region.rx2, False
                self._joined(frame.dev_addr)
            return
        if self.state is not StationState.JOINED or frame.dev_addr != self.light.dev_addr:
            return
        reaction = self.light.receive(
            self._kernel.now,
            f_cnt=frame.f_cnt,
            f_port=frame.f_port,
            data=frame.data,
            rssi_dbm=rssi_dbm,
            snr_db=snr_db,
        )
        if not reaction.accepted:
            return
        self._radio.observer.frame_received(frame)
        self._rx2_answers = frame.rx2 is not None  # sticky until the next downlink
        if frame.rx2 is not None:
            self.rx2 = frame.rx2  # at once; the server learns of it by the next uplink
        self._downlinks += frame.f_port is not None
        if frame.f_port is None and not frame.ack:
            self._answer_mac_commands()
        self._ack_due |= frame.confirmed
        if frame.ack:
            self._confirmed_is_over()
        self._react(reaction)

    def beat_in(self, in_s: float) -> None:
        """Its next heartbeat comes after so long, if it sends any: when it is due is chance."""
        if self._heartbeat is not None:
            self._heartbeat.cancel()
            self._heartbeat = self._kernel.after(in_s, self._beat)

    # Life cycle

    def _boot(self) -> None:
        self._stop_timers()
        self.state = StationState.BOOTING
        self.light.power_on(self._kernel.now)
        self._join_retry_s = _JOIN_RETRY_S
        self._step = self._kernel.after(self._rng.uniform(*_BOOT_S), self._join)

    def _join(self) -> None:
        if self.state is StationState.BOOTING:
            self.state = StationState.JOINING
            self.light.joining(self._kernel.now)
        frame = self._frame(dev_addr="", f_port=0, data=b"", confirmed=False)
        self._transmit(frame, JOIN_REQUEST_BYTES)
        low_s, high_s = self._join_retry_s
        self._join_retry_s = (
            min(low_s * 1.5, _JOIN_RETRY_MOST_S / 2),
            min(high_s * 1.5, _JOIN_RETRY_MOST_S),
        )
        retry_s = self._rng.uniform(low_s, high_s) + self._region.join_delay_s
        self._step = self._kernel.at(self._sent_until_s + retry_s, self._join)

    def _joined(self, dev_addr: str) -> None:
        self._stop_timers()
        self.state = StationState.JOINED
        self.light.joined(self._kernel.now, dev_addr)
        self._f_cnt_up = 0
        self._ack_due = False
        delay_s = self._rng.uniform(*_FIRST_UPLINK_S)
        self._step = self._kernel.after(delay_s, self._send_status, True)
        self._schedule_heartbeat()

    def _stop_timers(self) -> None:
        for timer in (self._pending, self._heartbeat, self._step):
            if timer is not None:
                timer.cancel()
        self._pending = self._heartbeat = self._step = None
        self._confirmed = None
        self._status_waits = False

    # Uplinks

    def _schedule_heartbeat(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat.cancel()
        every_s = self.heartbeat_s or self.light.interval_min * 60.0
        # A cheap crystal and a busy loop: half a percent either way keeps a fleet from marching
        # in step for ever.
        every_s *= self._rng.uniform(0.995, 1.005)
        self._heartbeat = self._kernel.after(every_s, self._beat)

    def _beat(self) -> None:
        self._schedule_heartbeat()
        self._send_status(self.light.options.reply_watchdog and self.light.sw_rev >= 61)

    def _react(self, reaction: Reaction) -> None:
        if reaction.interval_changed:
            self._schedule_heartbeat()
        if reaction.restart:
            self._step = self._kernel.after(_FACTORY_RESTART_S, self.restart)
        elif reaction.raw:
            delay_s = self.answer_delay.draw(self._rng)
            self._kernel.after(delay_s, self._send_raw, reaction.raw, self.light.dev_addr)
        elif reaction.status:
            self._answer_after(self.answer_delay.draw(self._rng))

    def _answer_after(self, delay_s: float) -> None:
        """One answer waits at most: a second demand meanwhile is met by the same status."""
        if self.state is StationState.JOINED and (
            self._pending is None or not self._pending.waiting
        ):
            self._pending = self._kernel.after(delay_s, self._send_status, False)

    def _send_status(self, confirmed: bool) -> None:
        if self._confirmed is not None:
            # The MAC layer is busy with its confirmed frame and takes no other.
            self._status_waits = True
            return
        ready_s = self._ready_at(droppable=not confirmed)
        if ready_s is None:
            self._answers_dropped += 1
            return
        if ready_s > self._kernel.now:
            if confirmed:
                self._step = self._kernel.at(ready_s, self._send_status, True)
            elif self._pending is None or not self._pending.waiting:
                self._pending = self._kernel.at(ready_s, self._send_status, False)
            return
        data = self.light.status()
        frame = self._frame(self.light.dev_addr, _F_PORT, data, confirmed)
        self._count_and_transmit(frame)
        if confirmed:
            self._confirmed = frame
            self._confirmed_tries = 1
            self._await_ack()

    def _send_raw(self, data: bytes, dev_addr: str) -> None:
        """An answer other than a status; a busy device simply loses it."""
        if (
            self.light.dev_addr == dev_addr != ""
            and self._ready_at(droppable=True) == self._kernel.now
        ):
            self._count_and_transmit(self._frame(dev_addr, _F_PORT, data, confirmed=False))

    def _answer_mac_commands(self) -> None:
        """Mostly with the next uplink; sometimes by one that carries nothing else (fPort 0)."""
        chance = self._radio.profile.empty_uplinks
        if chance > 0.0 and self._rng.random() < chance:
            delay_s = self.answer_delay.draw(self._rng)
            self._kernel.after(delay_s, self._send_empty, self.light.dev_addr)

    def _send_empty(self, dev_addr: str) -> None:
        busy = self._confirmed is not None or self._ready_at(droppable=True) != self._kernel.now
        if self.light.dev_addr == dev_addr != "" and not busy:
            frame = self._frame(dev_addr, 0, b"", confirmed=False)
            self._f_cnt_up += 1
            self._ack_due = False
            self._transmit(frame, 0)

    def _count_and_transmit(self, frame: UplinkFrame) -> None:
        self._f_cnt_up += 1
        self._uplinks += 1
        self._ack_due = False
        self._transmit(frame, len(frame.data))
        self.light.note_uplink()
        if self.light.watchdog_due:
            self._step = self._kernel.at(self._free_at_s, self.restart)

    def _await_ack(self) -> None:
        """LoRaWAN 1.0.3: try again 1-3 s after the second window, same counter."""
        delay_s = self._region.rx1_delay_s + RX2_AFTER_RX1_S + self._rng.uniform(1.0, 3.0)
        self._step = self._kernel.at(self._sent_until_s + delay_s, self._retry_confirmed)

    def _retry_confirmed(self) -> None:
        frame = self._confirmed
        if frame is None:
            return
        if self._confirmed_tries >= _CONFIRMED_TRIES:
            self._confirmed_is_over()
            self.light.note_missed_reply()
            if self.light.watchdog_due:
                self.restart()
            return
        if self._kernel.now < self._free_at_s:
            self._step = self._kernel.at(self._free_at_s, self._retry_confirmed)
            return
        self._confirmed_tries += 1
        self._transmit(frame, len(frame.data))
        self._await_ack()

    def _confirmed_is_over(self) -> None:
        self._confirmed = None
        if self._status_waits:
            self._status_waits = False
            self._answer_after(0.0)

    def _frame(self, dev_addr: str, f_port: int, data: bytes, confirmed: bool) -> UplinkFrame:
        return UplinkFrame(
            dev_eui=self.dev_eui,
            dev_addr=dev_addr,
            f_cnt=self._f_cnt_up,
            f_port=f_port,
            data=data,
            confirmed=confirmed,
            ack=self._ack_due,
            adr=self.light.adr == 1,
            frequency_hz=self._rng.choice(self._region.uplink_channels_hz),
            modulation=self.modulation,
            rx2_answered=self._rx2_answers,
        )

    def _transmit(self, frame: UplinkFrame, payload_bytes: int) -> None:
        now_s = self._kernel.now
        self._sent_from_s = now_s
        self._sent_until_s = self._radio.uplink(self, frame, payload_bytes)
        windows_s = self._region.rx1_delay_s + RX2_AFTER_RX1_S
        self._free_at_s = self._sent_until_s + windows_s + _AFTER_WINDOWS_S
        airtime_s = uplink_s(payload_bytes, frame.modulation)
        self._duty_free_at_s = now_s + airtime_s / self._region.device_duty_cycle

    def _ready_at(self, *, droppable: bool) -> float | None:
        """When it may send next; None when the off-time makes it drop the frame."""
        now_s = self._kernel.now
        match self._radio.profile.off_time:
            case OffTime.IGNORED:
                return max(now_s, self._free_at_s)
            case OffTime.DROPS if droppable:
                return None if now_s < self._duty_free_at_s else max(now_s, self._free_at_s)
            case OffTime.DELAYS | OffTime.DROPS:
                return max(now_s, self._free_at_s, self._duty_free_at_s)
