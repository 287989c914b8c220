"""A pretend world: lights, gateways, radio and network server, in process or as real servers.

It imports `lorawan` only, and never its codec: the pretend light reads the bytes on its own.
"""

from simulation.world.device import ServerSettings
from simulation.world.faults import CallFault
from simulation.world.gateway import GatewayMode
from simulation.world.network import SimulatedNetwork
from simulation.world.profile import CALM, CITY, HELL, OFFICE, PROFILES, STORM, OffTime, Profile
from simulation.world.region import EU868, EU868_SF9, US915
from simulation.world.tx_status import TxStatus
from simulation.world.world import World, WorldStatistics

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
