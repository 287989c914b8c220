"""The service that the documents describe: made and joined, never run."""

import random
from functools import cache
from typing import Any

import msgspec
import trio
from pydantic import SecretStr
from quart_trio import QuartTrio

from actors.application import Application
from actors.clocks.clock import RunClock
from actors.wiring import Environment, Parts
from api.http.app import create_app
from api.http.openapi import openapi_json
from api.service import policies_of
from api.settings.model import ApiSettings, ChirpStack
from lorawan.chirpstack import ChirpStackClient
from store.memory import MemoryDisk, MemoryStore

SETTINGS = ApiSettings(chirpstack=ChirpStack(target="localhost:8080", api_key=SecretStr("unused")))
"""The defaults."""


@cache
def parts() -> Parts:
    """All actors with the default numbers."""
    return trio.run(_made)  # some of them ask for Trio's time when they are made


async def _made() -> Parts:
    environment = Environment(
        store=MemoryStore(MemoryDisk()),
        network=ChirpStackClient(SETTINGS.chirpstack.connection()),
        clock=RunClock.of_machine(),
        rng=random.Random(0),
        boot="0",
        new_id=lambda: "0",
    )
    return Parts(environment, policies_of(SETTINGS))


@cache
def app() -> QuartTrio:
    """The app over them."""
    return create_app(Application(parts()), SETTINGS)


@cache
def openapi() -> dict[str, Any]:
    """How the app describes itself."""
    described: dict[str, Any] = msgspec.json.decode(openapi_json(app()))
    return described
