"""Which retained topics there are, and what belongs on each now. Pure but for what it asks.

Of what was removed the topics are emptied. Which lights and gateways have topics at the broker is
kept there, too, on the topic `index`: so the messages of a light that was removed while the bridge
was down are found and emptied. A light stands in the index before its first message is sent, and
until its last one was emptied.
"""

import msgspec

from api.mqtt.discovery import bridge_config, gateway_config, light_config
from api.mqtt.payloads import OFFLINE, ONLINE, gateway_payload, light_payload
from api.mqtt.port import Lamplighter
from api.mqtt.topics import GatewayLeaf, Kind, LightLeaf, Topics

INDEX_BYTES_MOST = 2_000_000
"""20 bytes each for 20,000 lights and as many gone ones, twice over."""
GHOSTS_MOST = 50_000
"""Of an index: anybody who may write there could have us empty topics."""


class Index(msgspec.Struct, frozen=True):
    """Who has retained messages at the broker, by id."""

    lights: list[str] = []
    gateways: list[str] = []


class Book:
    """What the broker shall have."""

    def __init__(self, lamplighter: Lamplighter, topics: Topics, area_tag: str) -> None:
        self._lamplighter = lamplighter
        self._area_tag = area_tag
        self.topics = topics
        self.speaks = False
        """Whether the service is followed; else nobody knows how its lights are."""
        self._shown: set[tuple[Kind, str]] = set()
        """Lights and gateways that are in the index."""
        self._emptied: dict[tuple[Kind, str], set[str]] = {}
        """Of those that are gone, the topics that are not known to be empty."""

    def payload(self, topic: str) -> bytes | None:
        """What belongs on this topic now; None for nothing."""
        if topic == self.topics.availability:
            return ONLINE if self.speaks else OFFLINE
        match self.topics.read(topic):
            case Kind.LIGHT, dev_eui, leaf:
                return self._light(dev_eui, leaf)
            case Kind.GATEWAY, gateway_id, leaf:
                return self._gateway(gateway_id, leaf)
            case Kind.BRIDGE, _, "config":
                return bridge_config(self.topics)
            case Kind.BRIDGE, _, "index":
                return self._index()
            case _:
                return None

    def every_topic(self) -> list[str]:
        """All that shall be sent after a connection began: states before descriptions."""
        found = self.topics.of_bridge()
        for gateway_id in self._lamplighter.gateways:
            found += self.add(Kind.GATEWAY, gateway_id)
        for dev_eui in self._lamplighter.lights:
            found += self.add(Kind.LIGHT, dev_eui)
        for left in self._emptied.values():
            found += left
        return sorted(found, key=self._is_config)

    def configs(self) -> list[str]:
        """The descriptions alone, and what Home Assistant has to hear after its start."""
        return self.every_topic() if self.topics.discovery else []

    def changed(self, kind: Kind, subject: str) -> list[str]:
        """The topics to look at because this light or gateway changed, came or went."""
        if self._has(kind, subject):
            new = (kind, subject) not in self._shown
            found = self.add(kind, subject)
            return [self.topics.index, *found] if new else found
        return self.remove(kind, subject)

    def add(self, kind: Kind, subject: str) -> list[str]:
        """It is there: all its topics."""
        self._shown.add((kind, subject))
        self._emptied.pop((kind, subject), None)
        return self._of(kind, subject)

    def remove(self, kind: Kind, subject: str) -> list[str]:
        """It is gone: its topics, to be emptied."""
        found = self._of(kind, subject)
        self._emptied[kind, subject] = set(found)
        return found

    def gone(self) -> list[str]:
        """What was shown and is not there any more, to be emptied: after a look at the whole."""
        lost = [each for each in self._shown if not self._has(*each)]
        return [topic for each in lost for topic in self.remove(*each)]

    def remember(self, payload: bytes) -> None:
        """Who has messages at the broker, by its index: those of them who are not there are told by
        `gone`. What cannot be read names nobody."""
        try:
            index = msgspec.json.decode(payload[:INDEX_BYTES_MOST], type=Index)
        except msgspec.MsgspecError:
            return
        named = [(Kind.LIGHT, each) for each in index.lights]
        named += [(Kind.GATEWAY, each) for each in index.gateways]
        for kind, subject in named[:GHOSTS_MOST]:
            is_id = self.topics.read(self._of(kind, subject)[0]) is not None
            if is_id:
                self._shown.add((kind, subject))

    def emptied(self, topic: str) -> bool:
        """This topic is known to be empty at the broker. Whether the index changed by that."""
        found = self.topics.read(topic)
        left = None if found is None else self._emptied.get((found[0], found[1]))
        if found is None or left is None:
            return False
        left.discard(topic)
        if left:
            return False
        del self._emptied[found[0], found[1]]
        self._shown.discard((found[0], found[1]))
        return True

    def _has(self, kind: Kind, subject: str) -> bool:
        lamplighter = self._lamplighter
        if kind is Kind.LIGHT:
            return lamplighter.has_light(subject)
        return lamplighter.has_gateway(subject)

    def _of(self, kind: Kind, subject: str) -> list[str]:
        topics = self.topics
        return topics.of_light(subject) if kind is Kind.LIGHT else topics.of_gateway(subject)

    def _is_config(self, topic: str) -> bool:
        return topic.endswith("/config")

    def _light(self, dev_eui: str, leaf: str) -> bytes | None:
        light = self._lamplighter.light(dev_eui)
        if light is None:
            return None
        if leaf == "config":
            return light_config(light, self.topics, self._area_tag)
        return light_payload(light, LightLeaf(leaf)) if leaf in set(LightLeaf) else None

    def _gateway(self, gateway_id: str, leaf: str) -> bytes | None:
        gateway = self._lamplighter.gateway(gateway_id)
        if gateway is None:
            return None
        if leaf == "config":
            return gateway_config(gateway, self.topics)
        return gateway_payload(gateway, GatewayLeaf(leaf)) if leaf in set(GatewayLeaf) else None

    def _index(self) -> bytes:
        lights = sorted(each for kind, each in self._shown if kind is Kind.LIGHT)
        gateways = sorted(each for kind, each in self._shown if kind is Kind.GATEWAY)
        return msgspec.json.encode(Index(lights, gateways))
