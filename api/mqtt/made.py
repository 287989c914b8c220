"""The bridge, made of the settings: as a part of the service."""

import random
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from actors.environment import Integration, IntegrationPorts
from api.mqtt.bridge import Bridge
from api.mqtt.broker import Address, BrokerError
from api.mqtt.embedded import EmbeddedLamplighter
from api.mqtt.settings import BridgeOptions
from api.mqtt.topics import Topics
from api.settings.mqtt import MqttSection
from api.settings.source import UnreadableFile

T = TypeVar("T")

COMING_S = 60.0
"""In a cluster, until the lights of all shards are on the board: 20,000 take some seconds."""
MQTT = "mqtt"
"""Its name among the actors and in the metrics."""


def options_of(
    section: MqttSection, *, client: str | None = None, session_s: int | None = None
) -> BridgeOptions:
    """What the bridge is told; who only looks has another name, and no session. Raises ValueError
    without a URL."""
    host, port = section.where()
    return BridgeOptions(
        address=Address(
            host=host,
            port=port,
            tls=lambda: _read(section.context),
            login=lambda: _read(section.credentials),
            client_id=section.client if client is None else client,
            session_s=int(section.session_s) if session_s is None else session_s,
        ),
        topics=Topics(section.prefix, section.discovery_prefix),
        version=section.version,
        area_tag=section.area_tag,
        pace_per_s=section.pace_per_s,
    )


def _read(what: Callable[[], T]) -> T:
    try:
        return what()
    except UnreadableFile as error:
        raise BrokerError(f"a file of [mqtt] {error}") from error


def integration_of(
    section: MqttSection, rng: random.Random, new_id: Callable[[], str]
) -> Callable[[IntegrationPorts], Integration]:
    """Makes the part of the service that bridges."""
    options = options_of(section)

    def make(ports: IntegrationPorts) -> Integration:
        lamplighter = EmbeddedLamplighter(
            ports,
            section.sight(),
            section.by,
        )
        wait_s = 0.0 if ports.alone else COMING_S
        return Bridge(lamplighter, replace(options, ghosts_after_s=wait_s), rng, new_id)

    return make
