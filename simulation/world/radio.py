"""The pretend radio: who hears which frame, and what is lost to distance, collision and chance.

Whether a frame is received is decided once, at its end, against all other frames of that time. Same
spreading factor and channel collide unless one is 6 dB stronger; others are orthogonal; uplinks
and downlinks do not hear each other (inverted polarity); a gateway that sends is deaf on all
channels, and so is a light.
"""

import math
from collections import Counter, deque
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

import msgspec

from lorawan.airtime import downlink_airtime_s, uplink_airtime_s
from lorawan.events.model import Modulation, Reception
from simulation.world.bursts import Bursts
from simulation.world.chance import Chance
from simulation.world.frames import JOIN_ACCEPT_BYTES, DownlinkFrame, UplinkFrame
from simulation.world.kernel import Kernel
from simulation.world.observer import NOBODY, Observer
from simulation.world.profile import Profile
from simulation.world.region import REQUIRED_SNR_DB

CAPTURE_DB = 6.0
"""Goursaud and Gorce; also ns-3 lorawan."""
SNR_CEILING_DB = 13.0
"""What a receiver reports however strong the signal is."""

# The longest frame of ours (51 bytes at SF12) takes 2.8 s; what ended earlier overlaps no more.
_OVERLAP_S = 4.0

downlink_s = lru_cache(maxsize=512)(downlink_airtime_s)
"""`lorawan.airtime.downlink_airtime_s`, remembered."""
uplink_s = lru_cache(maxsize=512)(uplink_airtime_s)
"""`lorawan.airtime.uplink_airtime_s`, remembered."""


class Link(msgspec.Struct, gc=False):
    """The path between one light and one gateway, as received signal strength each way.

    `uplink_loss` and `downlink_loss` are added to the profile's chances; tests and the demo set
    them. They are chances of one frame.
    """

    uplink_rssi_dbm: float
    downlink_rssi_dbm: float
    uplink_loss: float = 0.0
    downlink_loss: float = 0.0


class Receiver(Protocol):
    """A gateway as the radio sees it."""

    def hears(self, start_s: float, end_s: float) -> bool:
        """Whether it listened from start to end and can pass the frame on."""
        ...


class Sender(Protocol):
    """A light as the radio sees it."""

    links: dict[str, Link]

    def listened(
        self, start_s: float, end_s: float, frequency_hz: int, spreading_factor: int
    ) -> bool:
        """Whether its receiver was open on this channel, and it did not send, all the while."""
        ...

    def receive(self, frame: DownlinkFrame, rssi_dbm: int, snr_db: float) -> None:
        """A frame addressed to it came through."""
        ...


class _OnAir(msgspec.Struct, frozen=True, gc=False):
    start_s: float
    end_s: float
    links: dict[str, Link]


class _Sending(msgspec.Struct, frozen=True, gc=False):
    start_s: float
    end_s: float
    gateway_id: str
    frequency_hz: int
    spreading_factor: int


def path_loss_db(distance_m: float, shadowing_db: float = 0.0) -> float:
    """Log-distance loss: 110 dB at 40 m, exponent 2.08 (as in FLoRa and LoRaWAN-SIM)."""
    return 110.0 + 20.8 * math.log10(max(distance_m, 1.0) / 40.0) + shadowing_db


def noise_floor_dbm(bandwidth_hz: int) -> float:
    """Thermal noise and a receiver's 6 dB noise figure."""
    return -174.0 + 6.0 + 10.0 * math.log10(bandwidth_hz)


class Radio:
    """Carries frames between lights and gateways. `counts` says why frames were lost."""

    def __init__(self, kernel: Kernel, chance: Chance, profile: Profile) -> None:
        self._kernel = kernel
        self._rng = chance.each("air")
        self._chance = chance
        self._bursts: dict[str, Bursts] = {}
        self.observer: Observer = NOBODY
        self.profile = profile
        self.counts: Counter[str] = Counter()
        self.gateways: dict[str, Receiver] = {}
        self.lights: dict[str, Sender] = {}
        self._uplinks: dict[tuple[int, int], deque[_OnAir]] = {}
        self._downlinks: deque[_Sending] = deque()
        self.deliver: Callable[[UplinkFrame, tuple[Reception, ...]], None] = _nobody

    def uplink(self, sender: Sender, frame: UplinkFrame, payload_bytes: int) -> float:
        """Put an uplink on the air now; the world time at which it ends."""
        now_s = self._kernel.now
        end_s = now_s + uplink_s(payload_bytes, frame.modulation)
        key = (frame.frequency_hz, frame.modulation.spreading_factor)
        channel = self._uplinks.setdefault(key, deque())
        while channel and channel[0].end_s < now_s - _OVERLAP_S:
            channel.popleft()
        entry = _OnAir(now_s, end_s, sender.links)
        channel.append(entry)
        self._kernel.at(end_s, self._uplink_ended, frame, entry, channel)
        self.counts["uplinks"] += 1
        self.observer.uplink_sent(frame)
        return end_s

    def downlink(
        self, gateway_id: str, frame: DownlinkFrame, frequency_hz: int, modulation: Modulation
    ) -> float:
        """Put a downlink on the air now; the world time at which it ends."""
        now_s = self._kernel.now
        while self._downlinks and self._downlinks[0].end_s < now_s - _OVERLAP_S:
            self._downlinks.popleft()
        end_s = now_s + downlink_s(payload_bytes(frame), modulation)
        entry = _Sending(now_s, end_s, gateway_id, frequency_hz, modulation.spreading_factor)
        self._downlinks.append(entry)
        self._kernel.at(end_s, self._downlink_ended, frame, entry, modulation)
        self.counts["downlinks"] += 1
        self.observer.frame_sent(gateway_id, frame, frequency_hz, end_s - now_s)
        return end_s

    def _uplink_ended(self, frame: UplinkFrame, entry: _OnAir, channel: deque[_OnAir]) -> None:
        modulation = frame.modulation
        noise_dbm = noise_floor_dbm(modulation.bandwidth_hz)
        required_db = REQUIRED_SNR_DB[modulation.spreading_factor]
        others = [
            other
            for other in channel
            if other is not entry and other.start_s < entry.end_s and other.end_s > entry.start_s
        ]
        receptions: list[Reception] = []
        for gateway_id, link in entry.links.items():
            if not self.gateways[gateway_id].hears(entry.start_s, entry.end_s):
                self.counts["uplink_deaf_gateway"] += 1
                continue
            rssi_dbm = link.uplink_rssi_dbm + self._fading_db(frame.dev_eui)
            snr_db = min(rssi_dbm - noise_dbm, SNR_CEILING_DB)
            if snr_db < required_db:
                self.counts["uplink_too_weak"] += 1
            elif any(
                (rival := other.links.get(gateway_id)) is not None
                and rssi_dbm - rival.uplink_rssi_dbm < CAPTURE_DB
                for other in others
            ):
                self.counts["uplink_collided"] += 1
            elif self._lost(
                frame.dev_eui, entry.start_s, self.profile.uplink_loss, link.uplink_loss
            ):
                self.counts["uplink_lost"] += 1
            else:
                receptions.append(
                    Reception(gateway_id, round(rssi_dbm), math.floor(snr_db * 4) / 4)
                )
        if receptions:
            self.counts["uplinks_heard"] += 1
            self.deliver(frame, tuple(receptions))

    def _downlink_ended(
        self, frame: DownlinkFrame, entry: _Sending, modulation: Modulation
    ) -> None:
        light = self.lights.get(frame.dev_eui)
        link = light.links.get(entry.gateway_id) if light is not None else None
        if light is None or link is None:
            self.counts["downlink_out_of_reach"] += 1
            return
        if not light.listened(
            entry.start_s, entry.end_s, entry.frequency_hz, entry.spreading_factor
        ):
            self.counts["downlink_deaf_light"] += 1
            return
        rssi_dbm = link.downlink_rssi_dbm + self._fading_db(frame.dev_eui)
        snr_db = min(rssi_dbm - noise_floor_dbm(modulation.bandwidth_hz), SNR_CEILING_DB)
        if snr_db < REQUIRED_SNR_DB[modulation.spreading_factor]:
            self.counts["downlink_too_weak"] += 1
        elif any(
            (rival := light.links.get(other.gateway_id)) is not None
            and rssi_dbm - rival.downlink_rssi_dbm < CAPTURE_DB
            for other in self._downlinks
            if other.gateway_id != entry.gateway_id
            and other.frequency_hz == entry.frequency_hz
            and other.spreading_factor == entry.spreading_factor
            and other.start_s < entry.end_s
            and other.end_s > entry.start_s
        ):
            self.counts["downlink_collided"] += 1
        elif self._lost(
            frame.dev_eui, entry.start_s, self.profile.downlink_loss, link.downlink_loss
        ):
            self.counts["downlink_lost"] += 1
        else:
            self.counts["downlinks_received"] += 1
            light.receive(frame, round(rssi_dbm), math.floor(snr_db * 4) / 4)

    def _in_bursts(self, dev_eui: str, start_s: float, loss: float) -> float:
        bursts = self._bursts.get(dev_eui)
        if bursts is None:
            bursts = self._bursts[dev_eui] = Bursts(self._chance.of(f"bursts/{dev_eui}"))
        greater = max(self.profile.uplink_loss, self.profile.downlink_loss)
        return bursts.chance(start_s, loss, greater)

    def _fading_db(self, dev_eui: str) -> float:
        """One Rayleigh draw per frame and link (Attia et al. 2019)."""
        if not self.profile.rayleigh_fading:
            return 0.0
        return 10.0 * math.log10(max(self._rng[dev_eui].expovariate(1.0), 1e-6))

    def _lost(self, dev_eui: str, start_s: float, everywhere: float, here: float) -> bool:
        if self.profile.loss_in_bursts and everywhere > 0.0:
            everywhere = self._in_bursts(dev_eui, start_s, everywhere)
        chance = 1.0 - (1.0 - everywhere) * (1.0 - here)
        return chance > 0.0 and self._rng[dev_eui].random() < chance


def payload_bytes(frame: DownlinkFrame) -> int:
    """What of a downlink the airtime formula takes as payload."""
    return JOIN_ACCEPT_BYTES if frame.is_join_accept else len(frame.data)


def _nobody(frame: UplinkFrame, receptions: tuple[Reception, ...]) -> None:
    del frame, receptions
