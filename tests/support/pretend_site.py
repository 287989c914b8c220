"""A pretend ChirpStack with lights, as real servers beside the test, and settings that reach it.

The service under test is another process; everything passes through gRPC and HTTP. Times are
shortened where a real light or server would only make the test wait.
"""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import trio

from api.cli.demo.webhooks import Poster
from lorawan.network import HttpIntegration
from simulation.world.answer_delay import PROMPT
from simulation.world.device import ServerSettings
from simulation.world.forwarder import CONCENTRATORD_4_5_2
from simulation.world.layout import device_info
from simulation.world.profile import Profile
from simulation.world.radio import Link
from simulation.world.server.grpc_server import GrpcServer
from simulation.world.world import World
from tests.support.ports import free_port
from tests.support.processes import LOOK_S, PATIENCE_S

API_KEY = "pretend-key"
PROFILE = Profile(
    name="prompt",
    answer_delay=PROMPT,
    forwarders=(CONCENTRATORD_4_5_2,),
    auto_uplink_answers_commands=True,
)
SERVER = ServerSettings(scheduler_interval_s=0.1, class_a_lock_s=0.5, class_c_lock_s=1.0)
NEAR_DBM = -80.0
REVISIONS = (61, 68, 58)
LOOK_SELDOM_S = 0.2
"""Between two looks at what takes seconds."""
ARRIVED_S = 60.0
"""World time that has passed when the test begins: every light has joined and said so."""


@dataclass
class Site:
    """The pretend world behind its servers, and the address that our service shall have."""

    world: World
    server: GrpcServer
    poster: Poster
    port: int

    @property
    def url(self) -> str:
        """Where our service is to be reached."""
        return f"http://127.0.0.1:{self.port}"

    def connect(self) -> None:
        """As if `lamplighter setup` had been run before the test."""
        url = f"{self.url}/api/v1/webhooks/chirpstack"
        self.poster.set_up("", HttpIntegration("", url, headers={}))

    def config(
        self,
        folder: Path,
        store_url: str = "",
        *,
        tokens: dict[str, list[str]] | None = None,
        **tables: dict[str, Any],
    ) -> Path:
        """A settings file; `tables` are merged over what every test needs."""
        path = folder / f"lamplighter-{time.monotonic_ns()}.toml"
        store = store_url or f"sqlite:///{folder / 'lamplighter.db'}"
        values: dict[str, Any] = {
            "chirpstack": {"target": f"127.0.0.1:{self.server.port}", "api_key": API_KEY},
            "store": {"url": store},
            "web": {"port": self.port, "rate_per_s": 10_000.0, "rate_burst": 10_000},
            "radio": {"rx2_dr": 3, "duty": 1.0},
            "gateways": {"poll_s": 0.5},
            "policy": {
                # The light is deaf while it answers, and when it opens RX1 a second later: the
                # next frame within 1.8 s would be lost, and wait for another round.
                "spacing_s": 2.0,
                "window_s": 3.0,
                "backoff_first_s": 1.0,
                "item_ttl_s": 5.0,
                "item_grace_s": 1.0,
            },
        }
        for name, table in tables.items():
            values[name] = values.get(name, {}) | table
        if tokens is not None:
            values["web.tokens"] = tokens
        # a JSON value of these kinds is a TOML value, too
        lines = [
            line
            for name, table in values.items()
            for line in (f"[{name}]", *(f"{k} = {json.dumps(v)}" for k, v in table.items()))
        ]
        path.write_text("\n".join(lines), encoding="utf-8")
        return path


@asynccontextmanager
async def pretend_site(lights: int = 2, gateways: int = 2, seed: int = 1) -> AsyncIterator[Site]:
    """World, gRPC server and webhooks, from start to stop; the lights have joined already.

    Each light hears one gateway only, in turn: gateways in common would send one after the other.
    """
    poster = Poster()
    world = World(
        seed,
        profile=PROFILE,
        settings=SERVER,
        epoch_at=time.time() - ARRIVED_S,
        stats_interval_s=1.0,
    )
    for number in range(gateways):
        world.add_gateway(f"0016c001f110{number:04x}", f"Roof {number}")
    for number in range(lights):
        gateway_id = list(world.gateways)[number % gateways]
        links = {gateway_id: Link(uplink_rssi_dbm=NEAR_DBM, downlink_rssi_dbm=NEAR_DBM)}
        info = device_info(f"20202041{number:08x}", f"Desk {number}")
        world.add_light(info, links, sw_rev=REVISIONS[number % len(REVISIONS)]).plug()
    world.advance(ARRIVED_S)
    world.delivery.sink = poster.send
    async with (
        GrpcServer(world.network, api_key=API_KEY, on_integration_change=poster.set_up) as server,
        trio.open_nursery() as nursery,
    ):
        await nursery.start(poster.run)
        await nursery.start(world.run)
        try:
            yield Site(world, server, poster, free_port())
        finally:
            nursery.cancel_scope.cancel(reason="the test is over")


async def until(
    what: str, true: Callable[[], Awaitable[object]], timeout_s: float = PATIENCE_S
) -> None:
    """Ask again until the answer is true; a service that does not listen yet is no answer."""
    last: object = "nothing"
    began = trio.current_time()
    with trio.move_on_after(timeout_s):
        while True:
            try:
                last = await true()
                if last:
                    return
            except httpx2.TransportError as error:
                last = error
            # A look costs the service some milliseconds: what takes long is looked at less often.
            waited_s = trio.current_time() - began
            await trio.sleep(min(max(LOOK_S, waited_s / 20), LOOK_SELDOM_S))
    raise AssertionError(f"not within {timeout_s} s: {what} ({last!r})")
