"""One pretend world: a seed, a clock, lights, gateways, radio and a network server.

Everything random comes from one seed and everything happens on one event heap, so that a seed and
the calls made determine everything that happens.
"""

from collections.abc import Mapping

import msgspec
import trio

from lorawan.events.model import DeviceInfo, Modulation
from lorawan.kuando.light_state import LightState
from simulation.world.answer_delay import AnswerDelay
from simulation.world.busylight import WATCHDOG_UPLINKS, Busylight, FirmwareOptions
from simulation.world.chance import Chance
from simulation.world.delivery import Sink, WebhookDelivery
from simulation.world.device import ServerSettings
from simulation.world.forwarder import Forwarder
from simulation.world.freeze import Freezer
from simulation.world.gateway import Gateway, GatewayMode, GatewayStatistics
from simulation.world.kernel import Kernel, KernelStatistics
from simulation.world.layout import FIRMWARE_MIX, device_info, gateway_sites, light_sites
from simulation.world.network import NetworkStatistics, SimulatedNetwork
from simulation.world.observer import Observer
from simulation.world.profile import CALM, Profile
from simulation.world.radio import Link, Radio
from simulation.world.random_faults import RandomFaults
from simulation.world.region import EU868_SF9, RadioRegion
from simulation.world.rules import ServerRules
from simulation.world.station import Station, StationStatistics

DEFAULT_EPOCH_AT = 1_767_225_600.0
"""2026-01-01 00:00 UTC, so that a test's times are readable."""

_STRONG_DBM = -90.0


class WorldStatistics(msgspec.Struct, frozen=True):
    """Everything that is counted, at one moment."""

    kernel: KernelStatistics
    radio: Mapping[str, int]
    delivery: Mapping[str, int]
    network: NetworkStatistics
    gateways: tuple[GatewayStatistics, ...]
    lights: tuple[StationStatistics, ...]


class World:
    """A world without lights or gateways; `build` makes a furnished one.

    `epoch_at` is the Unix time of world second 0. Under Trio, world seconds are counted from the
    moment `run` starts, on Trio's clock.
    """

    def __init__(
        self,
        seed: int,
        *,
        profile: Profile = CALM,
        region: RadioRegion = EU868_SF9,
        settings: ServerSettings | None = None,
        epoch_at: float = DEFAULT_EPOCH_AT,
        sink: Sink | None = None,
        stats_interval_s: float = 30.0,
        heartbeat_s: float | None = None,
    ) -> None:
        self.seed = seed
        self.region = region
        self.profile = profile
        self.stats_interval_s = stats_interval_s
        self.heartbeat_s = heartbeat_s
        self.chance = Chance(seed)
        self.rng = self.chance.of("world")
        """For whoever arranges the world; nothing in it draws from this."""
        self.kernel = Kernel(epoch_at)
        self.radio = Radio(self.kernel, self.chance, profile)
        self.delivery = WebhookDelivery(
            kernel=self.kernel, chance=self.chance, profile=profile, sink=sink
        )
        self.rules = ServerRules(
            kernel=self.kernel,
            chance=self.chance,
            region=region,
            settings=settings or ServerSettings(),
            tell=self.delivery.send,
        )
        self.freezer = Freezer(self.rules.scheduler)
        self.radio.deliver = self.freezer.through(self.rules.heard)
        self.network = SimulatedNetwork(
            kernel=self.kernel,
            chance=self.chance,
            profile=profile,
            rules=self.rules,
            freezer=self.freezer,
        )
        self.gateways: dict[str, Gateway] = {}
        self.stations: dict[str, Station] = {}
        self._random_faults = RandomFaults(
            kernel=self.kernel,
            chance=self.chance,
            gateways=self.gateways,
            stations=self.stations,
            network=self.network,
            set_rx2=self.set_rx2,
        )

    @classmethod
    def build(
        cls,
        seed: int,
        *,
        lights: int = 50,
        gateways: int = 4,
        profile: Profile = CALM,
        region: RadioRegion = EU868_SF9,
        settings: ServerSettings | None = None,
        epoch_at: float = DEFAULT_EPOCH_AT,
        sink: Sink | None = None,
        stats_interval_s: float = 30.0,
        heartbeat_s: float | None = None,
        firmware: tuple[tuple[int, float], ...] = FIRMWARE_MIX,
        power_on_spread_s: float = 60.0,
    ) -> "World":
        """A building with lights and gateways; the lights get power within the given spread.

        `heartbeat_s` overrides the firmware's interval (a demonstration does not wait 30 minutes).
        """
        world = cls(
            seed,
            profile=profile,
            region=region,
            settings=settings,
            epoch_at=epoch_at,
            sink=sink,
            stats_interval_s=stats_interval_s,
            heartbeat_s=heartbeat_s,
        )
        sites = gateway_sites(gateways)
        for site in sites:
            world.add_gateway(site.gateway_id, site.name, position=site.position)
        rng = world.chance.of("layout")
        for place in light_sites(lights, sites, region, rng, firmware):
            station = world.add_light(
                place.info,
                place.links,
                spreading_factor=place.spreading_factor,
                sw_rev=place.sw_rev,
                hw_rev=place.hw_rev,
            )
            world.kernel.after(rng.uniform(0.0, power_on_spread_s), station.plug)
        world.set_profile(profile)
        return world

    def watch(self, observer: Observer) -> None:
        """Let an oracle see everything from now on."""
        self.radio.observer = self.rules.observer = self.delivery.observer = observer

    # Furnishing

    def add_gateway(
        self,
        gateway_id: str,
        name: str = "",
        *,
        position: tuple[float, float] = (0.0, 0.0),
        enforce_duty_cycle: bool = False,
        forwarder: Forwarder | None = None,
    ) -> Gateway:
        """One more gateway, online. It runs the given forwarder, or the profile's next one."""
        gateway = Gateway(
            gateway_id,
            name or gateway_id,
            kernel=self.kernel,
            rng=self.chance.of(f"gateway/{gateway_id}"),
            radio=self.radio,
            region=self.region,
            stats_interval_s=self.stats_interval_s,
            position=position,
            enforce_duty_cycle=enforce_duty_cycle,
            forwarder=forwarder or self.profile.forwarder_of(len(self.gateways)),
        )
        self.gateways[gateway_id] = gateway
        self.radio.gateways[gateway_id] = gateway
        self.rules.add_gateway(gateway)
        gateway.acknowledge = self.freezer.through(gateway.acknowledge)
        return gateway

    def add_light(
        self,
        device: DeviceInfo | str,
        links: Mapping[str, Link] | None = None,
        *,
        spreading_factor: int = 7,
        sw_rev: int = 61,
        hw_rev: int = 12,
        options: FirmwareOptions | None = None,
    ) -> Station:
        """One more light, registered at the server and unplugged.

        Without `links` every gateway so far hears it well.
        """
        info = device_info(device, device) if isinstance(device, str) else device
        if links is None:
            links = {
                gateway_id: Link(uplink_rssi_dbm=_STRONG_DBM, downlink_rssi_dbm=_STRONG_DBM)
                for gateway_id in self.gateways
            }
        if options is None:
            options = FirmwareOptions(
                auto_answers_commands=self.profile.auto_uplink_answers_commands,
                reply_watchdog=self.profile.reply_watchdog,
                watchdog_uplinks=self.profile.watchdog_uplinks or WATCHDOG_UPLINKS,
            )
        station = Station(
            info.dev_eui,
            Busylight(sw_rev, hw_rev, options),
            dict(links),
            spreading_factor,
            kernel=self.kernel,
            rng=self.chance.of(f"light/{info.dev_eui}"),
            radio=self.radio,
            region=self.region,
            heartbeat_s=self.heartbeat_s,
        )
        self.stations[info.dev_eui] = station
        self.radio.lights[info.dev_eui] = station
        self.rules.add_device(info, self.profile.retained_events)
        return station

    # Time

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Drive the world from Trio's clock until cancelled."""
        await self.kernel.run(task_status)

    def advance(self, seconds: float) -> None:
        """Without Trio: let this much time pass."""
        self.kernel.advance(self.kernel.now + seconds)

    # What one may do to it while it runs. Raises KeyError for what is not there.

    def stop_gateway(self, gateway_id: str) -> None:
        """Cut its backhaul."""
        self.set_gateway_mode(gateway_id, GatewayMode.OFFLINE)

    def start_gateway(self, gateway_id: str) -> None:
        """Bring it back."""
        self.set_gateway_mode(gateway_id, GatewayMode.ONLINE)

    def set_gateway_mode(self, gateway_id: str, mode: GatewayMode) -> None:
        """Make it behave so from now on."""
        self.kernel.catch_up()
        self.gateways[gateway_id].mode = mode

    def restart_light(self, dev_eui: str) -> None:
        """As if its power had blinked; no effect while it is unplugged."""
        self.kernel.catch_up()
        self.stations[dev_eui].restart()

    def unplug(self, dev_eui: str) -> None:
        """Take its power."""
        self.kernel.catch_up()
        self.stations[dev_eui].unplug()

    def plug(self, dev_eui: str) -> None:
        """Give it power."""
        self.kernel.catch_up()
        self.stations[dev_eui].plug()

    def set_loss(
        self,
        *,
        uplink: float | None = None,
        downlink: float | None = None,
        dev_eui: str | None = None,
        gateway_id: str | None = None,
    ) -> None:
        """Chance of loss per frame, beside the profile's, of one light, one gateway, or all."""
        self.kernel.catch_up()
        stations = self.stations.values() if dev_eui is None else [self.stations[dev_eui]]
        for station in stations:
            for there, link in station.links.items():
                if gateway_id is None or gateway_id == there:
                    link.uplink_loss = link.uplink_loss if uplink is None else uplink
                    link.downlink_loss = link.downlink_loss if downlink is None else downlink

    def set_forwarder(self, gateway_id: str, forwarder: Forwarder) -> None:
        """Update a gateway's program."""
        self.kernel.catch_up()
        self.gateways[gateway_id].forwarder = forwarder

    def set_answer_delay(self, answer_delay: AnswerDelay, *, sw_rev: int | None = None) -> None:
        """New firmware: the lights of this software revision, or all, answer so from now on."""
        self.kernel.catch_up()
        for station in self.stations.values():
            if sw_rev in (None, station.light.sw_rev):
                station.answer_delay = answer_delay

    def update_firmware(self, dev_eui: str, sw_rev: int) -> None:
        """Another software revision: the light restarts and answers as the profile says of it."""
        self.kernel.catch_up()
        station = self.stations[dev_eui]
        station.light.sw_rev = sw_rev
        station.answer_delay = self.profile.answers_of(sw_rev)
        station.restart()

    def set_profile(self, profile: Profile) -> None:
        """Change the chances from now on; what it says of firmware and of forwarders applies to new
        lights and gateways."""
        self.kernel.catch_up()
        self.profile = profile
        self.radio.profile = profile
        self.delivery.profile = profile
        self.network.faults.profile = profile
        self._random_faults.start(profile)

    @property
    def trouble(self) -> Mapping[str, int]:
        """What happened by chance to lights, gateways and server, and how often."""
        return self._random_faults.counts

    def set_rx2(self, modulation: Modulation) -> None:
        """Set another data rate of RX2 in the server: its lights take it over one by one."""
        self.kernel.catch_up()
        self.rules.rx2 = modulation

    def heal(self) -> None:
        """All trouble ends now: everything has power, answers, and loses nothing. Firmware and
        forwarders stay what they are."""
        self.set_profile(CALM)
        self.kernel.catch_up()
        self._random_faults.heal()

    # What it really is

    def showing(self, dev_eui: str) -> LightState | None:
        """What the light really shows now; None without power."""
        self.kernel.catch_up()
        return self.stations[dev_eui].light.shown

    def showing_at(self, dev_eui: str, at: float) -> LightState | None:
        """What the light really showed at this Unix time; None without power."""
        return self.stations[dev_eui].light.showing_at(at - self.kernel.epoch_at)

    def statistics(self) -> WorldStatistics:
        """Every counter of every part."""
        self.kernel.catch_up()
        return WorldStatistics(
            kernel=self.kernel.statistics(),
            radio=dict(self.radio.counts),
            delivery=dict(self.delivery.counts),
            network=self.network.statistics(),
            gateways=tuple(gateway.statistics() for gateway in self.gateways.values()),
            lights=tuple(station.statistics() for station in self.stations.values()),
        )
