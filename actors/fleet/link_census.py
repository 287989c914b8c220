"""A round over all lights, for the learner: frames lost each way, and who fell silent.

A light has fallen silent when eight of its heartbeats in a row were not heard although a gateway
that hears it was there all the time: where 30 % of the frames are lost that is luck once in 150
days of a light. What many lights do at once has one cause, and is none of theirs.
"""

from collections.abc import Callable, Mapping

import trio

from actors.clocks.clock import Clock
from actors.device.model import Device
from actors.link.fleet_rates import Census

HEARTBEATS_MISSED = 8
TOGETHER_LEAST = 3
TOGETHER_SHARE = 0.2
"""So many lights, and this share of those awake, that fall silent within one round have a cause in
common: a floor's fuse, or a network server that tells nothing."""
SLICE = 500
"""Lights between two checkpoints: 1 ms."""


class LinkCensus:
    """Counts from its making on: of what was before nobody knows whether somebody listened."""

    def __init__(
        self, devices: Callable[[], Mapping[str, Device]], clock: Clock, *, heartbeat_s: float
    ) -> None:
        self._devices = devices
        self._clock = clock
        self._silent_after_s = HEARTBEATS_MISSED * heartbeat_s
        self._began_at = clock.now()
        self._counted_at = clock.steady()
        self._silent: set[str] = set()  # at most one entry a light, and only of silent ones

    async def count(self) -> Census:
        """One round; always a checkpoint. Its seconds are those since the round before."""
        steady, now = self._clock.steady(), self._clock.now()
        passed_s, self._counted_at = steady - self._counted_at, steady
        awake = begun = 0
        uplinks = uplinks_lost = downlinks = downlinks_lost = 0.0
        silent: set[str] = set()
        await trio.lowlevel.checkpoint()
        for number, device in enumerate(list(self._devices().values()), start=1):
            if number % SLICE == 0:
                await trio.lowlevel.checkpoint()
            losses = device.losses
            if losses is not None:
                uplinks += losses.uplinks
                uplinks_lost += losses.uplinks_lost
                downlinks += losses.downlinks
                downlinks_lost += losses.downlinks_lost
            heard_at = device.heard_at
            if heard_at is None:
                continue
            if now - heard_at < self._silent_after_s:
                awake += not device.unreachable
            elif device.dev_eui in self._silent:
                silent.add(device.dev_eui)
            elif self._fell_silent(device, heard_at):
                silent.add(device.dev_eui)
                begun += 1
        self._silent = silent
        together = begun >= TOGETHER_LEAST and begun >= TOGETHER_SHARE * (awake + begun)
        return Census(
            light_s=awake * passed_s,
            silences=0 if together else begun,
            uplinks=uplinks,
            uplinks_lost=uplinks_lost,
            downlinks=downlinks,
            downlinks_lost=downlinks_lost,
        )

    def _fell_silent(self, device: Device, heard_at: float) -> bool:
        """Whether it was heard before, and somebody could have heard it ever since."""
        if device.unreachable or not device.hearings:
            return False
        return heard_at >= max(self._began_at, device.reachable_at or 0.0)
