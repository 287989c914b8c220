"""A house in which everything stands that the store can keep, made by the API alone, and what of it
is told. It is recorded at a release, and read again by every version after it."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import trio
from quart.typing import TestClientProtocol as Client

from actors.clocks.clock import RunClock
from actors.plans.model import Edited, SetPicture
from api.http.app import create_app
from api.plans.picture import checked
from api.settings.model import ApiSettings, ChirpStack
from simulation.world.profile import CALM
from simulation.world.world import World
from store.memory import MemoryDisk, MemoryStore
from tests.compatibility import surface
from tests.support.running_application import RunningApplication, running_application

EPOCH_AT = 1_767_225_600.0
COLOUR = {"red": 255, "green": 16, "blue": 0}
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 100"><path d="M0 0h200v100z"/></svg>'
)
LIGHTS = 6
HOOK = {"name": "desk", "url": "https://desk.example/events", "kinds": ["verdicts", "alerts"]}


def building() -> World:
    """Six lights and two gateways, all well."""
    return World.build(
        20, lights=LIGHTS, gateways=2, profile=CALM, power_on_spread_s=20.0, epoch_at=EPOCH_AT
    )


@asynccontextmanager
async def served(
    world: World, disk: MemoryDisk, at: float = EPOCH_AT
) -> AsyncIterator[tuple[RunningApplication, Client]]:
    """The application over this disk, and a caller."""
    chirpstack = ChirpStack(target="localhost:8080", api_key="unused")
    settings = ApiSettings(chirpstack=chirpstack, web={"rate_per_s": 1e3, "rate_burst": 1_000})
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        store, clock = MemoryStore(disk), RunClock(at)
        async with running_application(world, store=store, clock=clock) as home:
            yield home, create_app(home.application, settings).test_client()
        nursery.cancel_scope.cancel()


async def ask(client: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    """The JSON of an answer that is none of failure."""
    more = {} if body is None else {"json": body}
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    answer = await client.open(f"/api/v1{path}", method=method, headers=named, **more)
    content: bytes = await answer.get_data()
    assert answer.status_code < 300, (path, content)
    return json.loads(content) if answer.content_type == "application/json" else content


async def live(home: RunningApplication, client: Client, world: World) -> None:
    """Keep one of everything; at the end one command is open."""
    await home.settled()
    first, second, third, *rest = world.stations
    keyed = {"Idempotency_Key": "key-1", "X_Request_ID": "order-1"}
    await ask(client, "POST", f"/downlink/{first}", COLOUR, **keyed)
    await ask(client, "POST", f"/downlink/{second}", COLOUR, Prefer="respond-async")
    await ask(client, "POST", f"/downlink/{second}", COLOUR | {"keep": False})
    parts = [
        {"light": COLOUR, "dev_euis": [first, second]},
        {"light": {**COLOUR, "on": 9}, "tag": "floor"},
    ]
    scene = await ask(client, "POST", "/scenes", {"name": "Evening", "parts": parts})
    await ask(
        client, "PUT", f"/scenes/{scene['id']}", {"name": "Evening", "parts": parts}, If_Match='"1"'
    )
    await ask(client, "POST", "/scenes", {"name": "Shown", "made_from": "shown"})
    await ask(
        client, "POST", "/schedules", {"name": "Daily", "cron": "0 7 * * 1-5", "scene": "Evening"}
    )
    part = {"light": COLOUR, "dev_euis": [third]}
    soon = {"name": "Soon", "cron": "* * * * *", "part": part, "time_zone": "Europe/Berlin"}
    await ask(client, "POST", "/schedules", soon)
    await trio.sleep(90)
    await ask(client, "PUT", "/schedules/Soon", soon | {"enabled": False}, If_Match='"1"')
    hook = HOOK | {"tags": ["floor=2"], "applications": ["Office"], "dev_euis": [first]}
    await ask(client, "POST", "/hooks", hook)
    await ask(client, "POST", "/hooks/desk/secret")
    plan = (await ask(client, "POST", "/plans", {"name": "Hall"}))["id"]
    places = {"lights": {first: [0.25, 0.5]}, "gateways": {next(iter(world.gateways)): [0.5, 0.5]}}
    await ask(client, "PATCH", f"/plans/{plan}", places, If_Match='"1"')
    # a picture is looked at in a thread, and no thread works in virtual time
    picture = checked(SVG)
    edit = SetPicture(plan, picture.picture, picture.content)
    assert isinstance(await home.application.plans.edit(edit, by="alice"), Edited)
    rollout = {**COLOUR, "dev_euis": rest, "name": "All", "pace_per_min": 600}
    await ask(client, "POST", "/rollouts", rollout)
    await ask(client, "POST", "/scenes/Evening/apply", Idempotency_Key="key-2")
    await trio.sleep(120)
    gateway_id = next(iter(world.gateways))
    world.stop_gateway(gateway_id)
    await trio.sleep(200)
    alerts = (await ask(client, "GET", "/alerts"))["alerts"]
    opened = next(one for one in alerts if one["kind"] == "gateway_offline")
    await ask(client, "POST", f"/alerts/{opened['id']}/acknowledge", {"by": "alice"})
    world.start_gateway(gateway_id)
    await trio.sleep(200)
    for dev_eui in world.stations:
        world.set_loss(downlink=1.0, dev_eui=dev_eui)
    taken_back = await ask(
        client, "POST", f"/downlink/{first}", COLOUR | {"blue": 7}, Prefer="respond-async"
    )
    await ask(client, "POST", f"/downlink/{third}", COLOUR | {"blue": 8}, Prefer="respond-async")
    await ask(client, "DELETE", f"/commands/{taken_back['id']}")


async def paths(client: Client, world: World) -> Sequence[str]:
    """What is asked of it, by path; what the store does not decide is left out."""
    found = [
        "/scenes",
        "/schedules",
        "/hooks",
        "/plans",
        "/audit?limit=1000",
        "/alerts",
        "/rollouts",
    ]
    found += [f"/devices/{one}/commands?limit=100" for one in world.stations]
    found += [f"/plans/{one['id']}" for one in (await ask(client, "GET", "/plans"))["plans"]]
    found += [
        f"/rollouts/{one['id']}" for one in (await ask(client, "GET", "/rollouts"))["rollouts"]
    ]
    return found


async def follow(client: Client, told: dict[str, list[Any]], over: trio.Event) -> None:
    """Hear the live websocket to the end; messages and changes by their kinds."""
    async with client.websocket("/api/v1/live") as socket:
        await socket.send(json.dumps({"type": "ping", "id": 7}))
        while not over.is_set():
            message = json.loads(await socket.receive())
            for change in message.get("changes", ()):
                told.setdefault(f"change {change['kind']}", []).append(change)
            if message["type"] != "changes" or "changes" not in told:
                told.setdefault(message["type"], []).append(message)


def shapes(told: dict[str, list[Any]]) -> dict[str, surface.Flat]:
    """Names and types of what was heard."""
    return {
        kind: surface.message(heard if kind.startswith("change ") else heard[0])
        for kind, heard in sorted(told.items())
    }
