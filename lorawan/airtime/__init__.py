"""Airtime: how long a frame takes, what a region allows, and what a gateway has left."""

from lorawan.airtime.ledger import AirtimeLedger
from lorawan.airtime.regions import REGIONS, Region, UnknownRegion, region
from lorawan.airtime.toa import (
    OVERHEAD_BYTES,
    downlink_airtime_s,
    time_on_air_s,
    uplink_airtime_s,
)

__all__ = [
    "OVERHEAD_BYTES",
    "REGIONS",
    "AirtimeLedger",
    "Region",
    "UnknownRegion",
    "downlink_airtime_s",
    "region",
    "time_on_air_s",
    "uplink_airtime_s",
]
