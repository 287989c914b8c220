"""What the bridge is told: plain frozen values, made of the settings or the command line."""

from dataclasses import dataclass, field

from api.mqtt.broker import Address
from api.mqtt.topics import Topics


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeOptions:
    """How the bridge is to work."""

    address: Address
    topics: Topics = field(default_factory=Topics)
    version: str = "auto"
    """`5`, `3.1.1`, or `auto`: the newer one where the broker speaks it."""
    area_tag: str = "room"
    ghosts_after_s: float = 0.0
    """So long the lights that the broker knows and we do not may yet become known."""
    pace_per_s: float = 200.0
    """Messages a second that tell nothing new: after a start, and for Home Assistant's."""
