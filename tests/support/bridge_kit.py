"""A bridge over the parts of the web's tests: a real board, and commands that the test moves."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import trio

from actors.board.sight import EVERYTHING, Sight
from actors.environment import IntegrationPorts
from api.mqtt.bridge import Bridge
from api.mqtt.broker import Address
from api.mqtt.embedded import EmbeddedLamplighter
from api.mqtt.settings import BridgeOptions
from tests.support.fake_application import FakeApplication

NUMBERS = count()
LOOK_S = 0.02


async def until(true: Callable[[], bool], timeout_s: float = 30.0) -> None:
    """Wait until this is so: of a broker and its clients nobody tells."""
    until_s = trio.current_time() + timeout_s
    while not true():
        assert trio.current_time() < until_s, "it did not come to be so"
        await trio.sleep(LOOK_S)


def a_bridge(
    application: FakeApplication, port: int, *, sight: Sight = EVERYTHING, **options: Any
) -> Bridge:
    """Not yet running; `options` are those of the bridge and of the broker's address."""
    kept = {"version", "topics", "area_tag"}
    address = Address(
        host="127.0.0.1", port=port, **{k: v for k, v in options.items() if k not in kept}
    )
    told = {name: value for name, value in options.items() if name in kept}
    ports: Any = IntegrationPorts(
        application.board,
        application.commands,  # type: ignore[arg-type]
        application.clock,  # type: ignore[arg-type]
        application.audit,
    )
    return Bridge(
        EmbeddedLamplighter(ports, sight),
        BridgeOptions(address=address, pace_per_s=10_000, **told),
        random.Random(1),
        lambda: f"key-{next(NUMBERS)}",
    )


@asynccontextmanager
async def bridging(
    application: FakeApplication, port: int, **options: Any
) -> AsyncIterator[Bridge]:
    """A bridge that runs, and ends with the block as if its process were killed."""
    bridge = a_bridge(application, port, **options)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(application.board.run)
        await nursery.start(bridge.run)
        yield bridge
        nursery.cancel_scope.cancel()


async def connected(bridge: Bridge) -> None:
    """Wait until it is connected and has sent what it had to."""

    def settled() -> bool:
        now = bridge.statistics()
        return bool(now.connected and now.connections and not now.waiting and not now.in_flight)

    await until(settled)
