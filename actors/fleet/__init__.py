"""Every light's actor, and the way of an event from the network to its light."""

from actors.fleet.ears import NetworkEars
from actors.fleet.fleet import Fleet, actor_id
from actors.fleet.ports import DeviceActorPort, FleetPorts, FleetStatistics
from actors.fleet.translate import translate

__all__ = [
    "DeviceActorPort",
    "Fleet",
    "FleetPorts",
    "FleetStatistics",
    "NetworkEars",
    "actor_id",
    "translate",
]
