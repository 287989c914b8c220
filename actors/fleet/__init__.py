"""Every light's actor, and the way of an event from the network to its light."""

from actors.fleet.fleet import Fleet, FleetPorts, FleetStatistics, LightActor, actor_id
from actors.fleet.translate import translate
from actors.fleet.unknown import UnknownDevice

__all__ = [
    "Fleet",
    "FleetPorts",
    "FleetStatistics",
    "LightActor",
    "UnknownDevice",
    "actor_id",
    "translate",
]
