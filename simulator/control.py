"""Trouble by chance: outages, restarts, pulled plugs and other people's downlinks.

The rule it keeps: it does nothing that a person, a thief of cables or another program could not
do; it never touches the inside of a light or of the server.
"""

import random
from collections.abc import Callable
from functools import partial

from simulator.faults import Faults
from simulator.gateway import Gateway, GatewayMode
from simulator.kernel import Kernel, Timer
from simulator.network import SimulatedNetwork
from simulator.profile import Profile, Span
from simulator.station import Station, StationState

FOREIGN_LIGHTS = (
    bytes.fromhex("ff0000ff00"),
    bytes.fromhex("00ff00ff00"),
    bytes.fromhex("0000ffff00"),
    bytes.fromhex("000000ff00"),
)
"""What somebody else's program sends: red, blue, green, off."""

_FOREIGN_LIFE_S = 600.0


class Chaos:
    """Keeps one timer for every thing that may go wrong, at the profile's mean intervals."""

    def __init__(
        self,
        *,
        kernel: Kernel,
        rng: random.Random,
        gateways: dict[str, Gateway],
        stations: dict[str, Station],
        network: SimulatedNetwork,
    ) -> None:
        self._kernel = kernel
        self._rng = rng
        self._gateways = gateways
        self._stations = stations
        self._network = network
        self._timers: dict[str, Timer] = {}

    def start(self, profile: Profile) -> None:
        """Let this profile's trouble begin, in place of an earlier one's.

        What is broken now mends when it would have.
        """
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        faults = self._network.faults
        for gateway in self._gateways.values():
            self._every(
                f"outage {gateway.gateway_id}",
                profile.outage_every_s,
                partial(self._outage, gateway, profile.outage_s),
            )
        for station in self._stations.values():
            self._every(f"restart {station.dev_eui}", profile.restart_every_s, station.restart)
            self._every(
                f"unplug {station.dev_eui}",
                profile.unplug_every_s,
                partial(self._unplug, station, profile.unplugged_s),
            )
        self._every("down", profile.down_every_s, partial(self._down, faults, profile.down_s))
        self._every("foreign", profile.foreign_every_s, self._foreign)

    def _every(self, what: str, mean_s: float, happen: Callable[[], None]) -> None:
        """A Poisson process: exponential pauses with this mean; 0 means never."""
        if mean_s > 0.0:
            pause_s = self._rng.expovariate(1.0 / mean_s)
            self._timers[what] = self._kernel.after(pause_s, self._happened, what, mean_s, happen)

    def _happened(self, what: str, mean_s: float, happen: Callable[[], None]) -> None:
        happen()
        self._every(what, mean_s, happen)

    def _outage(self, gateway: Gateway, span_s: Span) -> None:
        if gateway.mode is GatewayMode.ONLINE:
            gateway.mode = GatewayMode.OFFLINE
            pause_s = self._rng.uniform(*span_s)
            self._kernel.after(pause_s, self._mend, gateway, gateway.mode_since_s)

    def _mend(self, gateway: Gateway, broken_since_s: float) -> None:
        """Only what was broken here: somebody may have stopped it by hand meanwhile."""
        if gateway.mode_since_s == broken_since_s:
            gateway.mode = GatewayMode.ONLINE

    def _unplug(self, station: Station, span_s: Span) -> None:
        if station.state is StationState.UNPLUGGED:
            return
        station.unplug()
        self._kernel.after(self._rng.uniform(*span_s), station.plug)

    def _down(self, faults: Faults, span_s: Span) -> None:
        faults.in_spell = True
        self._kernel.after(self._rng.uniform(*span_s), self._up, faults)

    def _up(self, faults: Faults) -> None:
        faults.in_spell = False

    def _foreign(self) -> None:
        if self._stations:
            dev_eui = self._rng.choice(list(self._stations))
            self._network.inject(
                dev_eui,
                self._rng.choice(FOREIGN_LIGHTS),
                expires_at=self._kernel.now_at + _FOREIGN_LIFE_S,
            )
