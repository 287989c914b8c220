"""Every light's actor, and the way of an event from the network to its light."""

from actors.fleet.fleet import DeviceActorPort, Fleet, FleetPorts, FleetStatistics, actor_id
from actors.fleet.translate import translate
from actors.fleet.unknown_devices import UnknownDevice

__all__ = [
    "DeviceActorPort",
    "Fleet",
    "FleetPorts",
    "FleetStatistics",
    "UnknownDevice",
    "actor_id",
    "translate",
]
