"""The service and a pretend world, joined by real servers on loopback.

The service is the real one, set up as an operator would set it up. The world answers its gRPC
calls and posts its webhooks over HTTP; the two share nothing else.
"""

import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import trio
from rich.console import Console

from api.cli.client.http import Client
from api.cli.client.place import Place
from api.cli.demo.floor import demo_archive
from api.cli.demo.routes import demo_blueprint
from api.cli.demo.webhooks import Poster
from api.cli.failures import explain
from api.logging import configure
from api.server.signals import until_signal
from api.service import serve
from api.settings.model import ApiSettings
from lorawan.chirpstack import ChirpStackClient
from lorawan.chirpstack.integration import ensure_integrations
from lorawan.network import HttpIntegration
from simulation.world.answer_delay import PROMPT
from simulation.world.device import ServerSettings
from simulation.world.forwarder import CONCENTRATORD_4_5_2
from simulation.world.profile import Profile
from simulation.world.server.grpc_server import GrpcServer
from simulation.world.server.redis_stream import RedisStream
from simulation.world.world import World

STATS_INTERVAL_S = 2.0
POLL_S = 1.0
"""A gateway that is stopped shows as offline after three missed statistics: 6 to 7 s."""
SPACING_S = 5.0
"""The pretend lights answer within 3 s, and ChirpStack waits 5 s after an uplink."""
HEARTBEAT_MIN = 1
SPREAD_S_PER_LIGHT = 0.3
"""Between one light's power and the next one's: 50 lights in 15 s."""
API_KEY = "pretend-key-of-the-demo"
EVENTS_PREFIX = "lamplighter-demo:"
"""Before the keys of the pretend streams, so that they are nobody else's."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo: where to reach it, and its world."""

    port: int
    world: World


def run_demo(
    *,
    lights: int,
    gateways: int,
    port: int,
    seed: int,
    loss: float,
    events_url: str | None = None,
) -> int:
    """Run until a signal; the exit code."""

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            # before there is anything that a signal could leave behind
            await nursery.start(until_signal_then_cancel, nursery.cancel_scope)
            with tempfile.TemporaryDirectory(prefix="lamplighter-demo-") as folder:
                url = f"sqlite:///{Path(folder) / 'demo.db'}"
                world = build_world(lights, gateways, seed, loss)
                async with running(world, store_url=url, port=port, events_url=events_url) as demo:
                    tell(demo)
                    await trio.sleep_forever()

    try:
        trio.run(main)
    except BaseExceptionGroup as group:
        return explain(group)
    return 0


async def until_signal_then_cancel(
    scope: trio.CancelScope, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """End the demo politely at SIGTERM or SIGINT."""
    scope.cancel(reason=await until_signal(task_status=task_status))


def build_world(lights: int, gateways: int, seed: int, loss: float) -> World:
    """The demo's world: quick heartbeats, frames lost by chance, webhooks not quite reliable."""
    profile = Profile(
        name="demo",
        answer_delay=PROMPT,
        forwarders=(CONCENTRATORD_4_5_2,),
        uplink_loss=loss,
        downlink_loss=loss,
        event_lost=0.01,
        event_doubled=0.01,
        auto_uplink_answers_commands=True,
    )
    return World.build(
        seed,
        lights=lights,
        gateways=gateways,
        profile=profile,
        settings=ServerSettings(scheduler_interval_s=0.1),  # as advised to operators
        epoch_at=time.time(),
        stats_interval_s=STATS_INTERVAL_S,
        heartbeat_s=HEARTBEAT_MIN * 60.0,
        power_on_spread_s=SPREAD_S_PER_LIGHT * lights,
    )


def settings_for(
    grpc_port: int, store_url: str, port: int, events_url: str | None = None
) -> ApiSettings:
    """What an operator would configure for this world; quicker to notice things than usual."""
    return ApiSettings.model_validate(
        {
            "chirpstack": {
                "target": f"127.0.0.1:{grpc_port}",
                "api_key": API_KEY,
                "events": {"url": events_url, "prefix": EVENTS_PREFIX if events_url else ""},
            },
            "store": {"url": store_url},
            "web": {"port": port},
            "radio": {"rx2_dr": 3},
            "gateways": {"poll_s": POLL_S, "offline_after_s": 3 * STATS_INTERVAL_S},
            "policy": {
                "status_interval_min": HEARTBEAT_MIN,
                "silent_after_s": 240.0,
                "spacing_s": SPACING_S,
            },
            "logs": {"level": "warning"},
        }
    )


@asynccontextmanager
async def running(
    world: World, *, store_url: str, port: int, events_url: str | None = None
) -> AsyncIterator[Demo]:
    """World, pretend ChirpStack and service, from start to stop. With `events_url` ChirpStack
    writes its stream there, as well as posting webhooks."""
    poster = Poster()
    world.delivery.sink = poster.send
    async with (
        GrpcServer(world.network, api_key=API_KEY, on_integration_change=poster.set_up) as server,
        trio.open_nursery() as nursery,
    ):
        settings = settings_for(server.port, store_url, port, events_url)
        if events_url is not None:
            stream = RedisStream(events_url, EVENTS_PREFIX, history=10_000, device_history=100)
            world.delivery.stream = stream.send
            await nursery.start(stream.run)
        configure(settings.logs)
        await nursery.start(poster.run)
        await nursery.start(world.run)
        serving = trio.CancelScope()
        listening = await nursery.start(_serve, settings, world, serving)
        await _set_up(settings, listening)
        await _draw(world, listening)
        try:
            yield Demo(listening, world)
        finally:
            serving.cancel(reason="the demo ends")
            nursery.cancel_scope.cancel(reason="the demo ends")


async def _serve(
    settings: ApiSettings,
    world: World,
    scope: trio.CancelScope,
    task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    with scope:
        await serve(settings, extra=[demo_blueprint(world)], task_status=task_status)


async def _set_up(settings: ApiSettings, port: int) -> None:
    """What `lamplighter setup` does, through the real API."""
    url = f"http://127.0.0.1:{port}/api/v1/webhooks/chirpstack"
    wanted = HttpIntegration(application_id="", event_endpoint_url=url, headers={})
    async with ChirpStackClient(settings.chirpstack.connection()) as client:
        await ensure_integrations(client, settings.chirpstack.profile_contains, wanted)


async def _draw(world: World, port: int) -> None:
    """A floor plan with every light at its desk."""
    packed = demo_archive(list(world.stations), list(world.gateways))
    async with Client(Place(f"http://127.0.0.1:{port}", None)) as client:
        await client.send_file("POST", "/plans/import", packed)


def tell(demo: Demo) -> None:
    """Where things are, and what to try."""
    out = Console(highlight=False, soft_wrap=True)
    at = f"http://127.0.0.1:{demo.port}"
    first = next(iter(demo.world.stations))
    gateway = next(iter(demo.world.gateways))
    option = "" if demo.port == 8090 else f" --at {at}"
    out.print(f"\n[bold]Dashboard[/bold]  {at}/")
    out.print(f"[bold]API[/bold]        {at}/api/v1  (described at {at}/docs)\n")
    lights, gateways = len(demo.world.stations), len(demo.world.gateways)
    out.print(f"A pretend world: {lights} lights, {gateways} gateways, a lossy radio. It takes")
    out.print("a few minutes until all have joined and got their settings; commands go first.")
    out.print("Try:\n")
    body = '{"red":255,"green":0,"blue":0}'
    out.print(f"  curl -X POST {at}/api/v1/downlink/{first} \\", markup=False)
    out.print(f"    -H 'content-type: application/json' -d '{body}'", markup=False)
    out.print(f"  .venv/bin/lamplighter demo stop-gateway {gateway}{option}", markup=False)
    out.print(f"  .venv/bin/lamplighter demo start-gateway {gateway}{option}", markup=False)
    out.print("\nGateways: " + ", ".join(f"{g.name} {i}" for i, g in demo.world.gateways.items()))
    out.print("Stop with Ctrl-C.\n")
