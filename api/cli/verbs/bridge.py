"""`lamplighter bridge mqtt`: the bridge to an MQTT broker as a process of its own.

It asks a running service by its API, as every client does; the `[mqtt]` table of a settings file,
or its variables, say where the broker is.
"""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.client.errors import Mistaken
from api.cli.client.place import DEFAULT_AT, Place
from api.cli.exits import Exit
from api.cli.options import At, Token, place, run
from api.cli.settings_option import Config

if TYPE_CHECKING:
    from api.settings.mqtt import MqttSection

bridge_app = typer.Typer(
    help="Bridges to other systems, as processes of their own.", no_args_is_help=True
)

Broker = Annotated[
    str | None,
    typer.Option("--broker", help="The broker, instead of mqtt.url: mqtt://HOST:1883, mqtts://."),
]


@bridge_app.callback()
def bridge() -> None:
    """Bridges to other systems."""


@bridge_app.command()
def mqtt(
    broker: Broker = None,
    config: Config = None,
    at: At = DEFAULT_AT,
    token: Token = None,
) -> None:
    """Bridge the lights of a running service to an MQTT broker and Home Assistant, until a signal.

    Not needed where the service itself has mqtt.url set. Which lights are bridged, and who is named
    with orders, follows from the token.
    """
    raise run(_bridge, place(at, token), broker, config)


async def _bridge(where: Place, broker: str | None, config: "Config") -> Exit:
    import trio

    from api.logging import configure
    from api.settings.model import Logs

    section = read_section(broker, config)
    configure(Logs())
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_run, where, section)
        await _until_signal()
        nursery.cancel_scope.cancel()
    return Exit.OK


def read_section(broker: str | None, config: "Config") -> "MqttSection":
    """The `[mqtt]` table; other tables of the file are those of the service, and not looked at.
    Raises Mistaken with every mistake in it."""
    from api.settings.file import SettingsError, load_mqtt

    try:
        section = load_mqtt(config, os.environ, broker)
    except SettingsError as error:
        raise Mistaken(str(error)) from None
    if section.url is None:
        raise Mistaken("--broker: where is it? (or mqtt.url in the file, or LAMPLIGHTER_MQTT__URL)")
    if section.sight().limited:
        text = "mqtt.applications, tags and dev_euis are for the service itself"
        raise Mistaken(f"{text}: here the token says which lights there are")
    return section


async def _run(where: Place, section: "MqttSection") -> None:
    import random

    from api.cli.client.http import Client
    from api.mqtt.bridge import Bridge
    from api.mqtt.made import options_of
    from api.mqtt.remote import RemoteLamplighter
    from api.service import new_id

    rng = random.Random()
    async with Client(where) as client:
        lamplighter = RemoteLamplighter(where, client, rng)
        await Bridge(lamplighter, options_of(section), rng, new_id).run()


async def _until_signal() -> None:
    from api.server.signals import until_signal

    await until_signal()
