"""A pretend world: lights, gateways, radio and network server, in process or as real servers.

It imports `lorawan` only, and never its codec: the pretend light reads the bytes on its own.
"""

from simulator.device import ServerSettings
from simulator.faults import CallFault
from simulator.gateway import GatewayMode, TxStatus
from simulator.network import SimulatedNetwork
from simulator.profile import CALM, CITY, HELL, OFFICE, PROFILES, STORM, OffTime, Profile
from simulator.region import EU868, EU868_SF9, US915
from simulator.world import World, WorldStatistics

__all__ = [
    "CALM",
    "CITY",
    "EU868",
    "EU868_SF9",
    "HELL",
    "OFFICE",
    "PROFILES",
    "STORM",
    "US915",
    "CallFault",
    "GatewayMode",
    "OffTime",
    "Profile",
    "ServerSettings",
    "SimulatedNetwork",
    "TxStatus",
    "World",
    "WorldStatistics",
]
