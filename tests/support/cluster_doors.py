"""Processes of a cluster in virtual time, each with the app that answers for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from quart_trio import QuartTrio

from api.http.app import create_app
from api.settings.model import ApiSettings, ChirpStack
from tests.support.asgi import ask
from tests.support.cluster_house import House, Street, two_houses

JSON = ("Content-Type", "application/json")
HOST = ("Host", "localhost")


class Doors:
    """Some houses, and the app of each."""

    def __init__(self, street: Street) -> None:
        self.street = street
        settings = ApiSettings(chirpstack=ChirpStack(target="localhost:8080", api_key="unused"))
        self.apps: dict[str, QuartTrio] = {
            house.name: create_app(house.application, settings) for house in street.houses
        }

    async def ask(
        self, house: House, method: str, path: str, body: object = None, *more: tuple[str, str]
    ) -> tuple[int, Any]:
        sent = b"" if body is None else msgspec.json.encode(body)
        headers = [HOST, *more] if body is None else [HOST, JSON, *more]
        headers.append(("Content-Length", str(len(sent))))
        status, _, answer = await ask(
            self.apps[house.name], method, "/api/v1" + path, headers, sent
        )
        return status, msgspec.json.decode(answer) if answer else None

    @property
    def fleet(self) -> House:
        return self.street.fleet_house()

    @property
    def other(self) -> House:
        return next(one for one in self.street.houses if one is not self.fleet)

    def owner(self, dev_eui: str) -> House:
        return next(one for one in self.street.houses if dev_eui in one.lights)

    def away(self, dev_eui: str) -> House:
        return next(one for one in self.street.houses if dev_eui not in one.lights)


@asynccontextmanager
async def doors(lights: int = 6) -> AsyncIterator[Doors]:
    async with two_houses(lights) as (street, _):
        await street.settled()
        yield Doors(street)
