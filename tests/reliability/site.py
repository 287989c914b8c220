"""Worlds to measure in, and the service in them, in virtual time.

Actors and policies are the production ones with their defaults; the only setting is the one that
operators are advised to make, `rx2_dr = 3` (SF9), unless an experiment says so.
"""

from actors.downlink import DispatchPolicy
from actors.wiring import Policies
from lorawan.kuando import LightState
from simulation.world.device import ServerSettings
from simulation.world.gateway import SentFrame
from simulation.world.layout import device_info
from simulation.world.profile import CALM, Profile
from simulation.world.radio import Link
from simulation.world.region import EU868_SF9, RadioRegion
from simulation.world.world import World

PRODUCTION = Policies(dispatch=DispatchPolicy(rx2_dr=3))
COLOURS = (
    LightState(255, 0, 0),
    LightState(0, 255, 0),
    LightState(0, 0, 255),
    LightState(255, 80, 0),
)
SETTLED_MOST_S = 14_400.0
"""A light whose first words were lost speaks again after half an hour."""
NEVER_S = 1e9
"""A heartbeat that never comes."""
STRONG = -90.0
COLOUR_BYTES = frozenset({5, 6})
POWER_ON_S = 5.0
"""Each light so long after the one before: joins and first words are not what is measured."""
SOFTWARE, HARDWARE = 68, 15


def empty_world(
    seed: int,
    *,
    region: RadioRegion = EU868_SF9,
    tick_s: float = 1.0,
    heartbeat_s: float | None = None,
    profile: Profile = CALM,
) -> World:
    """Without lights; `tick_s` is the interval of ChirpStack's scheduler (its default is 1 s)."""
    return World(
        seed,
        region=region,
        settings=ServerSettings(scheduler_interval_s=tick_s),
        heartbeat_s=heartbeat_s,
        profile=profile,
    )


def furnish(world: World, lights: int, gateways: int = 1, *, spreading_factor: int = 7) -> None:
    """Lights that are all heard by all of these gateways."""
    ids = [_gateway(world) for _ in range(gateways)]
    for _ in range(lights):
        _light(world, ids, spreading_factor)


def furnish_apart(world: World, lights: int, *, spreading_factor: int = 7) -> None:
    """Each light with a gateway of its own: nobody waits for anybody."""
    for _ in range(lights):
        _light(world, [_gateway(world)], spreading_factor)


def _gateway(world: World) -> str:
    gateway_id = f"{0xA0000000 + len(world.gateways):016x}"
    world.add_gateway(gateway_id, f"Gateway {len(world.gateways) + 1}")
    return gateway_id


def _light(world: World, gateways: list[str], spreading_factor: int) -> None:
    number = len(world.stations)
    station = world.add_light(
        device_info(f"2020204100{number:06x}", f"Light {number + 1}"),
        {each: Link(uplink_rssi_dbm=STRONG, downlink_rssi_dbm=STRONG) for each in gateways},
        spreading_factor=spreading_factor,
        sw_rev=SOFTWARE,
        hw_rev=HARDWARE,
    )
    world.kernel.after(POWER_ON_S * number + world.rng.uniform(0.0, POWER_ON_S), station.plug)


def colour_frames(world: World) -> list[SentFrame]:
    """Every colour that was on the air, over all gateways."""
    return [
        sent
        for gateway in world.gateways.values()
        for sent in gateway.ledger
        if sent.f_port is not None and len(sent.data) in COLOUR_BYTES
    ]


def own_gateway(world: World, dev_eui: str) -> str:
    """The (first) gateway that hears this light."""
    return next(iter(world.stations[dev_eui].links))
