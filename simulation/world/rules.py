"""ChirpStack's rules: uplinks and joins in, downlinks out.

Everything here happens as in the server's source, its oddities included, and nothing is reported
that ChirpStack does not report. It knows queues, counters and gateways, and never what a light
shows.

Source: chirpstack/chirpstack v4.19: downlink/{scheduler,data,helpers,tx_ack}.rs,
uplink/{data,join}.rs.
"""

import uuid
from collections import Counter
from collections.abc import Callable

import msgspec

from lorawan.events.model import DeviceInfo, Event, Modulation, Reception
from simulation.world.chance import Chance
from simulation.world.device import ServerDevice, ServerSettings
from simulation.world.event_log import EventLog
from simulation.world.frames import DownlinkCommand, DownlinkFrame, Slot, UplinkFrame
from simulation.world.gateway import Gateway
from simulation.world.kernel import Kernel
from simulation.world.observer import NOBODY, Observer
from simulation.world.queue import QueueEntry
from simulation.world.region import REQUIRED_SNR_DB, RX2_AFTER_RX1_S, RadioRegion
from simulation.world.scheduler import Scheduler
from simulation.world.tx_status import TxStatus

ADR_UPLINKS = 6
"""Measured: a LinkADRReq after nearly every one of the first 3 to 6 uplinks."""
GATEWAY_CLOCK_TRUSTED_S = 30.0


class _Published(msgspec.Struct, frozen=True, gc=False):
    """A frame given to a gateway. `f_cnt` is None for a join-accept, which counts nothing;
    `item_id` is None for it and for an ACK alone."""

    device: ServerDevice
    item_id: str | None
    f_cnt: int | None
    at_s: float


class ServerRules:
    """One network server, without its API. `devices` is by DevEUI, `gateways` by gateway id."""

    def __init__(
        self,
        *,
        kernel: Kernel,
        chance: Chance,
        region: RadioRegion,
        settings: ServerSettings,
        tell: Callable[[Event], None],
    ) -> None:
        self.settings = settings
        self.devices: dict[str, ServerDevice] = {}
        self.gateways: dict[str, Gateway] = {}
        self.counts: Counter[str] = Counter()
        self._kernel = kernel
        self._rng = chance.each("server")
        self.observer: Observer = NOBODY
        self._region = region
        self.rx2 = region.rx2
        """As configured now: a light takes it over by RXParamSetupReq, or when it joins."""
        self._event_log = EventLog(kernel, region, self.counts, tell)
        self._by_dev_addr: dict[str, ServerDevice] = {}
        self._published: dict[int, _Published] = {}
        self.scheduler = Scheduler(kernel, settings, self._attempt)

    # Adding and removing

    def add_device(self, info: DeviceInfo, retained_events: int) -> ServerDevice:
        """Register a device; it has no session until it joins."""
        device = ServerDevice(info, retained_events)
        self.devices[info.dev_eui] = device
        return device

    def add_gateway(self, gateway: Gateway) -> None:
        """Register a gateway and listen to its acknowledgements."""
        self.gateways[gateway.gateway_id] = gateway
        gateway.acknowledge = self.acknowledged

    def enqueue(self, device: ServerDevice, entry: QueueEntry) -> None:
        """Put a downlink last in the device's queue; no size or state check."""
        device.queue.append(entry)
        self.observer.enqueued(device, entry)
        self.scheduler.add(device)

    def flush(self, device: ServerDevice) -> None:
        """Drop the whole queue silently, what may be in flight included."""
        device.queue.clear()
        self.scheduler.discard(device)

    def in_flight(self, device: ServerDevice) -> bool:
        """Whether a gateway was given an item of the queue and has not answered yet."""
        since_s = self._kernel.now - self.settings.frame_kept_s
        waiting = {entry.id for entry in device.queue}
        return any(
            published.device is device
            and published.item_id in waiting
            and published.at_s >= since_s
            for published in self._published.values()
        )

    # Devices

    def delete(self, dev_eui: str) -> None:
        """The device is known no longer, and its queue is gone."""
        device = self.devices.pop(dev_eui, None)
        if device is not None:
            self._by_dev_addr.pop(device.dev_addr, None)
            self.scheduler.discard(device)

    def disable(self, dev_eui: str, *, disabled: bool) -> None:
        """Disable or enable the device; while it is disabled its queue stands still."""
        device = self.devices[dev_eui]
        device.disabled = disabled
        if len(device.queue):
            self.scheduler.add(device)

    # Uplinks

    def heard(self, frame: UplinkFrame, receptions: tuple[Reception, ...]) -> None:
        """Gateways heard a frame; it is handled after the de-duplication delay."""
        heard_s = self._kernel.now
        handle = self._join if frame.is_join_request else self._uplink
        self._kernel.after(self.settings.deduplication_s, handle, frame, receptions, heard_s)

    def _join(self, frame: UplinkFrame, receptions: tuple[Reception, ...], heard_s: float) -> None:
        device = self.devices.get(frame.dev_eui)
        if device is None or device.disabled:
            self.counts["join_unknown"] += 1
            return
        self._by_dev_addr.pop(device.dev_addr, None)
        device.dev_addr = self._free_dev_addr(frame.dev_eui)
        self._by_dev_addr[device.dev_addr] = device
        device.activated = True
        device.f_cnt_up = 0
        device.f_cnt_down = 0
        device.receptions = ()
        device.rx2 = self.rx2
        first = not device.joined_before
        device.joined_before = True
        if device.supports_class_c and not first:
            device.info = msgspec.structs.replace(device.info, device_class="CLASS_C")
        if self.settings.flush_queue_on_activate:
            self.flush(device)
        self.scheduler.plan()
        accept = DownlinkFrame(
            dev_eui=frame.dev_eui,
            dev_addr=device.dev_addr,
            f_cnt=0,
            f_port=None,
            data=b"",
            is_join_accept=True,
            rx2=self.rx2,
        )
        self._publish(
            self._choose_gateway(frame.dev_eui, receptions, frame.modulation),
            _Published(device, None, None, self._kernel.now),
            accept,
            self._timed_slots(frame, heard_s + self._region.join_delay_s),
        )
        self._event_log.join(
            device, heard_s, self._gateway_at(receptions, heard_s), self.new_id(frame.dev_eui)
        )
        if device.supports_class_c:  # the first join of all still says class A
            device.info = msgspec.structs.replace(device.info, device_class="CLASS_C")

    def _uplink(
        self, frame: UplinkFrame, receptions: tuple[Reception, ...], heard_s: float
    ) -> None:
        device = self._by_dev_addr.get(frame.dev_addr)
        if device is None or device.disabled:
            self.counts["uplink_unknown"] += 1
            return
        deduplication_id = self.new_id(frame.dev_eui)
        if frame.f_cnt < device.f_cnt_up:
            self._event_log.counter_refused(device, frame, deduplication_id)
            return
        now_s = self._kernel.now
        if frame.rx2_answered:
            device.rx2 = device.rx2_asked or self.rx2
        device.f_cnt_up = frame.f_cnt + 1
        device.receptions = self._shuffled(frame.dev_eui, receptions)
        device.modulation = frame.modulation
        device.run_after_s = now_s + self.settings.class_a_lock_s
        gateway_at = self._gateway_at(device.receptions, heard_s)
        self._event_log.uplink(device, frame, heard_s, gateway_at, deduplication_id)
        pending = device.queue.pending() if frame.ack else None
        if pending is not None:
            self._remove(device, pending)
            self._event_log.ack(device, pending, acknowledged=True)
        delay_s = self.settings.get_downlink_data_delay_s
        self._kernel.after(delay_s, self._answer_uplink, device, frame, heard_s)

    def _answer_uplink(self, device: ServerDevice, frame: UplinkFrame, heard_s: float) -> None:
        """The class A path: the oldest item, or the ACK that the uplink asked for."""
        if device.dev_addr != frame.dev_addr:
            return
        entry = self._settle(device)
        other_rx2 = device.rx2 != self.rx2
        mac = entry is None and (self._has_mac_commands(device, frame) or other_rx2)
        if entry is None and not frame.confirmed and not mac:
            return
        self.counts["mac_downlinks"] += mac
        self._send(
            device,
            entry,
            self._timed_slots(frame, heard_s + self._region.rx1_delay_s, device.rx2),
            ack=frame.confirmed,
            rx2=device.ask_rx2(self.rx2) if other_rx2 else None,
        )

    # Downlinks

    def _attempt(self, device: ServerDevice) -> None:
        if not device.receptions:
            self.counts["attempt_without_receptions"] += 1
            return
        device.run_after_s = self._kernel.now + self.settings.class_c_lock_s
        if device.f_cnt_up == 0:
            self.counts["attempt_before_first_uplink"] += 1
            return
        entry = self._settle(device)
        if entry is None:
            return
        slot = Slot(self._region.rx2_frequency_hz, device.rx2 or self.rx2)
        self._send(device, entry, (slot,), ack=False)

    def _settle(self, device: ServerDevice) -> QueueEntry | None:
        """The head of the queue that may be sent; what may not is dropped and told."""
        entry, dropped = device.queue.settle_head(
            self._kernel.now, self._kernel.now_at, self._region.payload_bytes_most
        )
        for gone, reason in dropped:
            self._event_log.dropped(device, gone, reason)
        if not device.queue:
            self.scheduler.discard(device)
        return entry

    def _send(
        self,
        device: ServerDevice,
        entry: QueueEntry | None,
        slots: tuple[Slot, ...],
        *,
        ack: bool,
        rx2: Modulation | None = None,
    ) -> None:
        f_cnt = device.f_cnt_down
        if entry is not None:
            entry.f_cnt_down = f_cnt
        frame = DownlinkFrame(
            dev_eui=device.info.dev_eui,
            dev_addr=device.dev_addr,
            f_cnt=f_cnt,
            f_port=None if entry is None else entry.f_port,
            data=b"" if entry is None else entry.data,
            confirmed=entry is not None and entry.confirmed,
            ack=ack,
            rx2=rx2,
            foreign=entry is not None and entry.foreign,
        )
        self._publish(
            self._choose_gateway(
                frame.dev_eui, device.receptions, device.modulation or self._region.rx2
            ),
            _Published(device, None if entry is None else entry.id, f_cnt, self._kernel.now),
            frame,
            slots,
        )

    def _publish(
        self, gateway_id: str, published: _Published, frame: DownlinkFrame, slots: tuple[Slot, ...]
    ) -> None:
        self._forget_published()
        downlink_id = self._rng[frame.dev_eui].getrandbits(32)
        self._published[downlink_id] = published
        self.counts["published"] += 1
        self.gateways[gateway_id].command(DownlinkCommand(downlink_id, frame, slots))

    def _choose_gateway(
        self, dev_eui: str, receptions: tuple[Reception, ...], modulation: Modulation
    ) -> str:
        """At random among those with margin enough, else the best; health plays no part."""
        required_db = REQUIRED_SNR_DB[modulation.spreading_factor]
        good = [
            reception.gateway_id
            for reception in receptions
            if reception.snr_db - required_db >= self.settings.prefer_min_margin_db
        ]
        if good:
            return self._rng[dev_eui].choice(good)
        return max(receptions, key=lambda reception: reception.snr_db).gateway_id

    def acknowledged(self, downlink_id: int, gateway_id: str, status: TxStatus, slot: Slot) -> None:
        """A gateway's answer. Too late, or a second one: only the server's own log knows."""
        published = self._published.pop(downlink_id, None)
        now_s = self._kernel.now
        if published is None or now_s - published.at_s > self.settings.frame_kept_s:
            self.counts["acknowledgement_of_unknown_frame"] += 1
            return
        device = published.device
        if status is not TxStatus.OK:
            if published.item_id is not None:
                self._event_log.gateway_error(device, status)
            return
        if published.f_cnt is None:
            return
        f_cnt_after = max(device.f_cnt_down, published.f_cnt + 1)
        if published.item_id is None:
            device.f_cnt_down = f_cnt_after
            return
        entry = device.queue.find(published.item_id)
        if entry is None:
            # Flushed meanwhile: no event, and the counter does not move.
            self.counts["acknowledgement_of_flushed_item"] += 1
            return
        if entry.confirmed:
            entry.is_pending = True
            entry.timeout_s = now_s + self.settings.class_c_timeout_s
        else:
            self._remove(device, entry)
        self._event_log.txack(
            device,
            entry,
            downlink_id=downlink_id,
            gateway_id=gateway_id,
            f_cnt_down=published.f_cnt,
            slot=slot,
        )
        device.f_cnt_down = f_cnt_after

    # Inside

    def _timed_slots(
        self, frame: UplinkFrame, rx1_s: float, rx2: Modulation | None = None
    ) -> tuple[Slot, ...]:
        """RX1 on the uplink's channel, and RX2 a second later should the gateway refuse RX1."""
        rx1 = Modulation(
            spreading_factor=frame.modulation.spreading_factor,
            bandwidth_hz=self._region.rx1_bandwidth_hz,
        )
        return (
            Slot(frame.frequency_hz, rx1, rx1_s),
            Slot(self._region.rx2_frequency_hz, rx2 or self._region.rx2, rx1_s + RX2_AFTER_RX1_S),
        )

    def _has_mac_commands(self, device: ServerDevice, frame: UplinkFrame) -> bool:
        """ADR asks something after nearly every one of the first uplinks of a session."""
        chance = self.settings.mac_downlinks
        rng = self._rng[f"mac/{frame.dev_eui}"]
        return chance > 0.0 and frame.f_cnt < ADR_UPLINKS and rng.random() < chance

    def _shuffled(self, dev_eui: str, receptions: tuple[Reception, ...]) -> tuple[Reception, ...]:
        """`rxInfo` comes in no order."""
        order = list(receptions)
        self._rng[f"order/{dev_eui}"].shuffle(order)
        return tuple(order)

    def _gateway_at(self, receptions: tuple[Reception, ...], heard_s: float) -> float:
        """`time` of an event: GPS time of a gateway without any check, else a gateway's clock if
        that is within 30 s of ours, else our own. Source: ChirpStack v4.19, helpers/mod.rs."""
        right_at, server_at = self._kernel.right_at + heard_s, self._kernel.now_at
        heard_by = [self.gateways[reception.gateway_id] for reception in receptions]
        for gateway in heard_by:
            if gateway.gps_off_s is not None:
                return right_at + gateway.gps_off_s
        for gateway in heard_by:
            gateway_at = right_at + gateway.clock_off_s
            if abs(gateway_at - server_at) <= GATEWAY_CLOCK_TRUSTED_S:
                return gateway_at
        return server_at

    def _remove(self, device: ServerDevice, entry: QueueEntry) -> None:
        device.queue.remove(entry)
        if not device.queue:
            self.scheduler.discard(device)

    def _forget_published(self) -> None:
        """Frames are kept 30 s; in order of publication, so the oldest come first."""
        oldest_s = self._kernel.now - self.settings.frame_kept_s
        while self._published:
            downlink_id, published = next(iter(self._published.items()))
            if published.at_s >= oldest_s:
                return
            del self._published[downlink_id]

    def _free_dev_addr(self, dev_eui: str) -> str:
        while True:
            dev_addr = f"{self._rng[dev_eui].getrandbits(25):08x}"
            if dev_addr not in self._by_dev_addr:
                return dev_addr

    def new_id(self, dev_eui: str) -> str:
        """A random UUID, as the server makes them for queue items and de-duplications."""
        return str(uuid.UUID(int=self._rng[dev_eui].getrandbits(128), version=4))
