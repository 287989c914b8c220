"""Where gateways and lights stand, and what they are called.

Everything is drawn from one random source in a fixed order, so that one seed is one building.
Source of the channel: log-distance loss with static shadowing per link (sigma 3.57 dB, as in FLoRa
and LoRaWAN-SIM), and a loss per light for its walls.
"""

import math
import random

import msgspec

from lorawan.events.model import DeviceInfo
from simulation.world.radio import Link, noise_floor_dbm, path_loss_db
from simulation.world.region import REQUIRED_SNR_DB, RadioRegion

_SHADOWING_DB = 3.57
_WALLS_DB = (5.0, 22.0)
_DEVICE_POWER_DBM = 14.0
_SPACING_M = 120.0
_COMFORT_DB = 10.0
"""Adaptive data rate settles on the fastest factor that keeps this installation margin."""
_HEARD_BY = ((1, 0.25), (2, 0.45), (3, 0.30))

FIRMWARE_MIX = ((56, 0.15), (58, 0.20), (61, 0.35), (68, 0.30))
"""Software revisions times ten, and how common each is."""
OLD_FIRMWARE_MIX = ((41, 0.15), (56, 0.25), (61, 0.30), (68, 0.30))
"""Likewise with units too old to answer commands by themselves."""

_PLACES = (("Bay", 2, "parking"), ("Desk", 2, "office"), ("Line", 1, "production"))
_GATEWAY_NAMES = ("Roof North", "Roof South", "Hall", "Garage", "Stairwell", "Yard")


class GatewaySite(msgspec.Struct, frozen=True):
    """One gateway before it is switched on."""

    gateway_id: str
    name: str
    position: tuple[float, float]


class LightSite(msgspec.Struct, frozen=True):
    """One light before it is plugged in."""

    info: DeviceInfo
    links: dict[str, Link]
    spreading_factor: int
    sw_rev: int
    hw_rev: int


def gateway_sites(count: int) -> list[GatewaySite]:
    """Gateways on a square grid."""
    columns = math.ceil(math.sqrt(count)) or 1
    sites = []
    for n in range(count):
        row, column = divmod(n, columns)
        name = _GATEWAY_NAMES[n % len(_GATEWAY_NAMES)]
        if n >= len(_GATEWAY_NAMES):
            name = f"{name} {n // len(_GATEWAY_NAMES) + 1}"
        position = ((column + 0.5) * _SPACING_M, (row + 0.5) * _SPACING_M)
        sites.append(GatewaySite(f"0016c001f1{0x100000 + n:06x}", name, position))
    return sites


def light_sites(
    count: int,
    gateways: list[GatewaySite],
    region: RadioRegion,
    rng: random.Random,
    firmware: tuple[tuple[int, float], ...] = FIRMWARE_MIX,
) -> list[LightSite]:
    """Lights at random places, each within reach of one to three gateways."""
    columns = math.ceil(math.sqrt(len(gateways))) or 1
    rows = math.ceil(len(gateways) / columns)
    revisions = [revision for revision, _ in firmware]
    weights = [weight for _, weight in firmware]
    sites = []
    for n in range(count):
        position = (
            rng.uniform(0.0, columns * _SPACING_M),
            rng.uniform(0.0, rows * _SPACING_M),
        )
        links = _links(position, gateways, region, rng)
        sw_rev = rng.choices(revisions, weights)[0]
        newer = sw_rev >= 61 and rng.random() < 0.6
        sites.append(
            LightSite(
                info=device_info(f"2020204100{n:06x}", *_name(n)),
                links=links,
                spreading_factor=_spreading_factor(links, region),
                sw_rev=sw_rev,
                hw_rev=15 if newer else 12,
            )
        )
    return sites


def device_info(dev_eui: str, name: str, area: str = "") -> DeviceInfo:
    """How the network server describes a light."""
    return DeviceInfo(
        dev_eui=dev_eui,
        device_name=name,
        application_id="5f9f1a36-2b52-4f0e-9c0c-3a8f0d7d6a01",
        application_name="lights",
        tenant_id="0d9a7f2c-63cf-4d8b-8f53-5be1b1a4c001",
        device_profile_id="c1a3b7de-8f0b-4a5d-b0a9-6f0e2d4c9b01",
        device_profile_name="Kuando Busylight EU868",
        device_class="CLASS_A",
        tags={"area": area} if area else {},
    )


def _name(n: int) -> tuple[str, str]:
    word, digits, area = _PLACES[n % len(_PLACES)]
    return f"{word} {n // len(_PLACES) + 1:0{digits}d}", area


def _links(
    position: tuple[float, float],
    gateways: list[GatewaySite],
    region: RadioRegion,
    rng: random.Random,
) -> dict[str, Link]:
    walls_db = rng.uniform(*_WALLS_DB)
    heard_by = rng.choices([n for n, _ in _HEARD_BY], [weight for _, weight in _HEARD_BY])[0]
    losses = []
    for site in gateways:
        distance_m = math.dist(position, site.position)
        shadowing_db = rng.gauss(0.0, _SHADOWING_DB)
        losses.append((path_loss_db(distance_m, shadowing_db) + walls_db, site.gateway_id))
    losses.sort()
    # The third best may be too far away to count; the best always stays.
    weakest_db = _DEVICE_POWER_DBM - noise_floor_dbm(125_000) - REQUIRED_SNR_DB[_slowest(region)]
    losses = losses[:1] + [loss for loss in losses[1:] if loss[0] < weakest_db - _COMFORT_DB]
    return {
        gateway_id: Link(
            uplink_rssi_dbm=_DEVICE_POWER_DBM - loss_db,
            downlink_rssi_dbm=region.rx2_power_dbm - loss_db,
        )
        for loss_db, gateway_id in losses[:heard_by]
    }


def _spreading_factor(links: dict[str, Link], region: RadioRegion) -> int:
    best_dbm = max((link.uplink_rssi_dbm for link in links.values()), default=-math.inf)
    snr_db = best_dbm - noise_floor_dbm(125_000)
    for factor in sorted(region.uplink_data_rates):
        if snr_db - REQUIRED_SNR_DB[factor] >= _COMFORT_DB:
            return factor
    return _slowest(region)


def _slowest(region: RadioRegion) -> int:
    return max(region.uplink_data_rates)
