"""The service without its web, in this process: all actors of a service over a real store.

Everything is made as `api.service.serve` makes it, but for the network server, which is the quiet
one, called directly.
"""

import random
import secrets
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import msgspec
import structlog
import trio
import trio.testing

from actors.application import Application
from actors.clocks.clock import RunClock
from actors.downlink import DispatchPolicy
from actors.wiring import Environment, Parts, Policies
from api.service import new_id
from store.open import open_store
from tests.bench.network import QuietNetwork

POLICIES = Policies(dispatch=DispatchPolicy(rx2_dr=3))
RUNNING_TIMEOUT_S = 60.0
LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class BenchApplication:
    """A running service and its parts."""

    application: Application
    parts: Parts

    async def all_running(self, lights: int) -> None:
        """Wait until so many lights have a running actor and stand on the board."""
        with trio.fail_after(RUNNING_TIMEOUT_S):
            while not self._all_running(lights):  # noqa: ASYNC110 nobody tells of all at once
                await trio.sleep(LOOK_S)
            await trio.testing.wait_all_tasks_blocked()

    def _all_running(self, lights: int) -> bool:
        if len(self.application.board.devices) < lights:
            return False
        return all(child.state.value == "running" for child in self.parts.lights.report().children)


@asynccontextmanager
async def bench_application(store_url: str, lights: int) -> AsyncGenerator[BenchApplication, None]:
    """A service over what is stored at `store_url`, running until the end of the block."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))  # errors only
    async with open_store(store_url) as store, trio.open_nursery() as nursery:
        world = Environment(
            store=store,
            network=QuietNetwork(lights),
            clock=RunClock(time.time()),
            rng=random.Random(1),
            boot=secrets.token_hex(8),
            new_id=new_id,
        )
        parts = Parts(world, POLICIES)
        application = Application(parts)
        await nursery.start(application.run)
        yield BenchApplication(application, parts)
        nursery.cancel_scope.cancel(reason="enough was measured")


def answer(value: object) -> None:
    """Tell the bench that started this process what was measured."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()
