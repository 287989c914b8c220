"""The names of all topics, and what a topic means that a message came on. Pure.

A light has `state`, `availability` and `attributes`, which are retained, `set` for orders and
`result` for what became of them; a gateway has `state` and `attributes`. What Home Assistant reads
to make its devices lies below its own prefix.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

_EUI = r"[0-9a-f]{16}"


class LightLeaf(StrEnum):
    """What of a light is retained."""

    STATE = "state"
    AVAILABILITY = "availability"
    ATTRIBUTES = "attributes"


class GatewayLeaf(StrEnum):
    """What of a gateway is retained."""

    STATE = "state"
    ATTRIBUTES = "attributes"


class Kind(StrEnum):
    """What a topic may be about."""

    LIGHT = "light"
    GATEWAY = "gateway"
    BRIDGE = "bridge"


@dataclass(frozen=True, slots=True)
class Topics:
    """Below `prefix` what is ours, below `discovery` (empty: nothing) what Home Assistant reads."""

    prefix: str = "lamplighter"
    discovery: str = "homeassistant"

    @property
    def availability(self) -> str:
        """Whether the bridge speaks for the lights: the will of its connection, too."""
        return f"{self.prefix}/bridge/availability"

    @property
    def index(self) -> str:
        """Which lights and gateways have retained messages here, so that those of one that was
        removed meanwhile are found."""
        return f"{self.prefix}/bridge/index"

    @property
    def orders(self) -> str:
        """Where orders come from."""
        return f"{self.prefix}/light/+/set"

    @property
    def home_assistant_status(self) -> str:
        """Where Home Assistant says `online` after each of its starts."""
        return f"{self.discovery}/status"

    @property
    def node(self) -> str:
        """The prefix as a part of an id in Home Assistant, whose ids have no slash."""
        return re.sub(r"[^A-Za-z0-9_-]", "_", self.prefix)

    def light(self, dev_eui: str, leaf: LightLeaf) -> str:
        """A retained topic of a light."""
        return f"{self.prefix}/light/{dev_eui}/{leaf}"

    def set(self, dev_eui: str) -> str:
        """Where a light takes orders."""
        return f"{self.prefix}/light/{dev_eui}/set"

    def result(self, dev_eui: str) -> str:
        """Where it is told what became of an order."""
        return f"{self.prefix}/light/{dev_eui}/result"

    def gateway(self, gateway_id: str, leaf: GatewayLeaf) -> str:
        """A retained topic of a gateway."""
        return f"{self.prefix}/gateway/{gateway_id}/{leaf}"

    def config(self, kind: Kind, subject: str = "") -> str:
        """Where the device of a light, a gateway or the bridge is described."""
        name = f"{kind}_{subject}" if subject else str(kind)
        return f"{self.discovery}/device/{self.node}/{name}/config"

    def of_light(self, dev_eui: str) -> list[str]:
        """Every retained topic of a light, in the order in which they are best sent."""
        topics = [self.light(dev_eui, leaf) for leaf in LightLeaf]
        return [*topics, self.config(Kind.LIGHT, dev_eui)] if self.discovery else topics

    def of_gateway(self, gateway_id: str) -> list[str]:
        """Every retained topic of a gateway."""
        topics = [self.gateway(gateway_id, leaf) for leaf in GatewayLeaf]
        return [*topics, self.config(Kind.GATEWAY, gateway_id)] if self.discovery else topics

    def of_bridge(self) -> list[str]:
        """Those of the bridge itself, but for its availability."""
        return [self.index, self.config(Kind.BRIDGE)] if self.discovery else [self.index]

    def read(self, topic: str) -> tuple[Kind, str, str] | None:
        """Kind, id and last part of a topic of ours, `config` for those that Home Assistant reads;
        None for a foreign one. The id of the bridge is empty."""
        below = re.escape(self.prefix)
        if found := re.fullmatch(rf"{below}/(light|gateway)/({_EUI})/([a-z]+)", topic):
            return Kind(found[1]), found[2], found[3]
        if found := re.fullmatch(rf"{below}/bridge/([a-z]+)", topic):
            return Kind.BRIDGE, "", found[1]
        start = f"{re.escape(self.discovery)}/device/{re.escape(self.node)}"
        if found := re.fullmatch(rf"{start}/(light|gateway|bridge)(?:_({_EUI}))?/config", topic):
            return Kind(found[1]), found[2] or "", "config"
        return None
