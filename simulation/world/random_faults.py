"""Random faults: outages, restarts, power cuts and downlinks of other programs.

It does only what a person or another program could do, and never changes the inner state of a light
or of the server.
"""

from collections import Counter
from collections.abc import Callable
from functools import partial

from lorawan.events.model import Modulation
from simulation.world.answer_delay import AnswerDelay
from simulation.world.chance import Chance, Span
from simulation.world.faults import Faults
from simulation.world.forwarder import Forwarder
from simulation.world.gateway import Gateway, GatewayMode
from simulation.world.kernel import Kernel, Timer
from simulation.world.network import SimulatedNetwork
from simulation.world.profile import GPS_OFF_S, Profile
from simulation.world.station import Station, StationState
from simulation.world.tx_status import TxStatus

FOREIGN_LIGHTS = (
    bytes.fromhex("ff0000ff00"),
    bytes.fromhex("00ff00ff00"),
    bytes.fromhex("0000ffff00"),
    bytes.fromhex("000000ff00"),
)
"""What somebody else's program sends: red, blue, green, off."""

_FOREIGN_LIFE_S = 600.0
_FLAPS_MOST = 6
_TX_ERRORS = tuple(status for status in TxStatus if status is not TxStatus.OK)


class RandomFaults:
    """Keeps one timer for every thing that may go wrong, at the profile's mean intervals."""

    def __init__(
        self,
        *,
        kernel: Kernel,
        chance: Chance,
        gateways: dict[str, Gateway],
        stations: dict[str, Station],
        network: SimulatedNetwork,
        set_rx2: Callable[[Modulation], None] = lambda modulation: None,
    ) -> None:
        self._kernel = kernel
        self._rng = chance.each("trouble")
        self._gateways = gateways
        self._stations = stations
        self._network = network
        self._set_rx2 = set_rx2
        self._timers: dict[str, Timer] = {}
        self.counts: Counter[str] = Counter()
        self._spells: list[Timer] = []
        """Ends of what is broken now, and flaps to come."""
        self._disabled: list[str] = []

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
            self._every(
                f"flap {gateway.gateway_id}",
                profile.flap_every_s,
                partial(self._flap, gateway, profile.flap_s),
            )
            self._every(
                f"silence {gateway.gateway_id}",
                profile.silent_every_s,
                partial(self._outage, gateway, profile.silent_s, GatewayMode.SILENT),
            )
            self._every(
                f"gateway clock {gateway.gateway_id}",
                profile.gateway_clock_every_s,
                partial(self._set_gateway_clock, gateway, profile),
            )
            self._every(
                f"swallow {gateway.gateway_id}",
                profile.swallow_every_s,
                partial(self._outage, gateway, profile.swallow_s, GatewayMode.SWALLOWS),
            )
            self._every(
                f"tx fault {gateway.gateway_id}",
                profile.tx_fault_every_s,
                partial(self._tx_fault, gateway, profile.tx_fault_s),
            )
            self._every(
                f"forwarder update {gateway.gateway_id}",
                profile.update_every_s if profile.forwarders_later else 0.0,
                partial(self._update, gateway, profile.forwarders_later),
            )
        self._every(
            "new firmware all",
            profile.firmware_every_s if profile.answer_delays_later else 0.0,
            partial(self._new_firmware, profile.answer_delays_later),
        )
        for station in self._stations.values():
            self._every(f"restart {station.dev_eui}", profile.restart_every_s, station.restart)
            self._every(
                f"unplug {station.dev_eui}",
                profile.unplug_every_s,
                partial(self._unplug, station, profile.unplugged_s),
            )
        self._every("clock", profile.server_clock_every_s, partial(self._set_clock, profile))
        self._every("down", profile.down_every_s, partial(self._down, faults, profile.down_s))
        for what, mean_s, span_s in (
            ("locked", profile.locked_every_s, profile.locked_s),
            ("proxied", profile.proxy_every_s, profile.proxy_s),
        ):
            self._every(what, mean_s, partial(self._spell, what, span_s))
        self._every("frozen", profile.frozen_every_s, partial(self._freeze, profile.frozen_s))
        for dev_eui in self._stations:
            self._every(
                f"no right {dev_eui}",
                profile.no_right_every_s,
                partial(self._no_right, dev_eui, profile.no_right_s),
            )
            self._every(
                f"disabled {dev_eui}",
                profile.disabled_every_s,
                partial(self._disable, dev_eui, profile.disabled_s),
            )
        self._every("rx2", profile.rx2_every_s, self._change_rx2)
        self._every("foreign", profile.foreign_every_s, self._foreign)

    def _every(self, what: str, mean_s: float, happen: Callable[[], None]) -> None:
        """A Poisson process: exponential pauses with this mean; 0 means never."""
        if mean_s > 0.0:
            pause_s = self._rng[what].expovariate(1.0 / mean_s)
            self._timers[what] = self._kernel.after(pause_s, self._happened, what, mean_s, happen)

    def _happened(self, what: str, mean_s: float, happen: Callable[[], None]) -> None:
        self.counts[what.rsplit(" ", 1)[0]] += 1
        happen()
        self._every(what, mean_s, happen)

    def heal(self) -> None:
        """End every spell now; no more trouble begins until `start`."""
        for timer in (*self._timers.values(), *self._spells):
            timer.cancel()
        self._timers.clear()
        self._spells.clear()
        for gateway in self._gateways.values():
            gateway.tx_error = None
            gateway.clock_off_s, gateway.gps_off_s = 0.0, None
            if gateway.mode is not GatewayMode.ONLINE:
                gateway.mode = GatewayMode.ONLINE
        for station in self._stations.values():
            station.plug()
        self._network.faults.clear()
        for dev_eui in self._disabled:
            self._network.disable(dev_eui, disabled=False)
        self._disabled.clear()
        self._kernel.set_clock(0.0)
        self._network.freezer.thaw()

    def _later(self, delay_s: float, call: Callable[..., object], *args: object) -> None:
        self._spells = [timer for timer in self._spells if timer.waiting]
        self._spells.append(self._kernel.after(delay_s, call, *args))

    def _outage(
        self, gateway: Gateway, span_s: Span, mode: GatewayMode = GatewayMode.OFFLINE
    ) -> None:
        if gateway.mode is GatewayMode.ONLINE:
            gateway.mode = mode
            pause_s = self._rng[gateway.gateway_id].uniform(*span_s)
            self._later(pause_s, self._mend, gateway, gateway.mode_since_s)

    def _mend(self, gateway: Gateway, broken_since_s: float) -> None:
        """Only what was broken here: somebody may have stopped it by hand meanwhile."""
        if gateway.mode_since_s == broken_since_s:
            gateway.mode = GatewayMode.ONLINE

    def _flap(self, gateway: Gateway, span_s: Span) -> None:
        rng, at_s = self._rng[gateway.gateway_id], 0.0
        for _ in range(rng.randint(2, _FLAPS_MOST)):
            self._later(at_s, self._outage, gateway, span_s)
            at_s += 2.0 * span_s[1]

    def _tx_fault(self, gateway: Gateway, span_s: Span) -> None:
        rng = self._rng[gateway.gateway_id]
        gateway.tx_error = rng.choice(_TX_ERRORS)
        self._later(rng.uniform(*span_s), setattr, gateway, "tx_error", None)

    def _update(self, gateway: Gateway, forwarders: tuple[Forwarder, ...]) -> None:
        gateway.forwarder = self._rng[f"update {gateway.gateway_id}"].choice(forwarders)

    def _new_firmware(self, answer_delays: tuple[AnswerDelay, ...]) -> None:
        rng = self._rng["which firmware"]
        revisions = sorted({station.light.sw_rev for station in self._stations.values()})
        if revisions:
            revision, answer_delay = rng.choice(revisions), rng.choice(answer_delays)
            for station in self._stations.values():
                if station.light.sw_rev == revision:
                    station.answer_delay = answer_delay

    def _set_clock(self, profile: Profile) -> None:
        off_s = profile.server_clock_off_s
        self._kernel.set_clock(self._rng["server"].uniform(-off_s, off_s))

    def _set_gateway_clock(self, gateway: Gateway, profile: Profile) -> None:
        rng, off_s = self._rng[f"clock of {gateway.gateway_id}"], profile.gateway_clock_off_s
        gateway.clock_off_s = rng.uniform(-off_s, off_s)
        gateway.gps_off_s = rng.choice(GPS_OFF_S) if rng.random() < profile.gps_wrong else None

    def _unplug(self, station: Station, span_s: Span) -> None:
        if station.state is StationState.UNPLUGGED:
            return
        station.unplug()
        self._later(self._rng[station.dev_eui].uniform(*span_s), station.plug)

    def _down(self, faults: Faults, span_s: Span) -> None:
        faults.in_spell = True
        self._later(self._rng["server"].uniform(*span_s), self._up, faults)

    def _up(self, faults: Faults) -> None:
        faults.in_spell = False

    def _spell(self, what: str, span_s: Span) -> None:
        setattr(self._network.faults, what, True)
        self._later(self._rng[what].uniform(*span_s), setattr, self._network.faults, what, False)

    def _freeze(self, span_s: Span) -> None:
        freezer = self._network.freezer
        if not freezer.frozen:
            freezer.freeze()
            self._later(self._rng["frozen"].uniform(*span_s), freezer.thaw)

    def _no_right(self, dev_eui: str, span_s: Span) -> None:
        unknown = self._network.faults.unknown
        unknown.add(dev_eui)
        self._later(self._rng[f"no right {dev_eui}"].uniform(*span_s), unknown.discard, dev_eui)

    def _disable(self, dev_eui: str, span_s: Span) -> None:
        if dev_eui not in self._disabled:
            self._disabled.append(dev_eui)
            self._network.disable(dev_eui)
            pause_s = self._rng[f"disabled {dev_eui}"].uniform(*span_s)
            self._later(pause_s, self._enable, dev_eui)

    def _enable(self, dev_eui: str) -> None:
        self._disabled.remove(dev_eui)
        self._network.disable(dev_eui, disabled=False)

    def _change_rx2(self) -> None:
        self._set_rx2(Modulation(self._rng["rx2"].choice((9, 12)), 125_000))

    def _foreign(self) -> None:
        if self._stations and not self._network.freezer.frozen:
            rng = self._rng["foreign"]
            dev_eui = rng.choice(list(self._stations))
            self._network.inject(
                dev_eui,
                rng.choice(FOREIGN_LIGHTS),
                expires_at=self._kernel.now_at + _FOREIGN_LIFE_S,
            )
