"""What 0.1.0 stored is opened, shown and gone on with, on both stores.

The answers of 0.1.0 at the moment it was cut off are held against those of today from its store.
"""

import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio
from quart.typing import TestClientProtocol as Client

from actors.board.rollout import Rollout, State
from actors.clocks.clock import RunClock
from actors.commands import Accepted, CommandOrder
from actors.device.command import CommandStatus
from actors.device.model import Phase
from actors.messaging.mailbox import Offer
from actors.rollouts.model import Wish
from api.http.app import create_app
from api.settings.model import ApiSettings, ChirpStack
from lorawan.kuando.light_state import LightState
from simulation.world.gateway import GatewayMode
from simulation.world.radio import Link
from simulation.world.world import World
from store.memory import MemoryDisk, MemoryStore
from store.port import Append, Put, Store, Table
from tests.compatibility import surface
from tests.compatibility.conftest import DATA, OpenStore
from tests.store.conftest import opened
from tests.support.clock_and_threads import in_virtual_time
from tests.support.running_application import RunningApplication, running_application

CUT_OFF_AT = 1_767_227_038.2771485
YARD, HALL, ROOF = "0016c001f1100000", "0016c001f1100001", "0016c001f1100002"
RED, GREEN, BLUE, WHITE = (
    LightState(255, 0, 0),
    LightState(0, 255, 0),
    LightState(0, 0, 255),
    LightState(255, 255, 255),
)

GOES_ON = r"(phase|since|overdue|last_error|command_status|command_reason)"
OTHERWISE = {
    # 0.1.0 was cut off in the midst of things. A restart asks again for what was asked for and not
    # answered, looks again at what is out, and gives frames that had no deadline one.
    rf"devices/\w+ (device\.{GOES_ON}|last_error_at)": "restart",
    rf"devices devices\S+\.{GOES_ON}": "restart",
    r"devices/\w+ (command\.(status|reason|attempts|overdue)|attempt|pursuit).*": "restart",
    r"devices/\w+ (inquiring|next_timer_at|last_frame_at|actor\..*)": "restart",
    r"(commands/\S+|devices/\w+/commands \S+?) ?\.?(status|reason|attempts|overdue)": "restart",
    r"rollouts(/\w+ | rollouts\S+\.)(changed_at|lights\S+\.reason)": "restart",
    r"gateways gateways\S+\.(since|airtime.*|pending|heard_at|last_seen_at)": "never stored",
    # Changed on purpose since.
    r".* ?\.?timeline\S+\.attempt": "counts a command's own frames, not all of the light's",
    r"metrics/downlinks\S* time_to_verify_p(50|95|99)_s": "null of fewer than 2, 20 and 100",
    r"rollouts(/\w+ | rollouts\S+\.)waiting": "lights of a cancelled rollout are counted apart",
    r"rollouts/\w+ lights\S+\.state": "likewise",
    r"alerts alerts\S+\.summary": "renewed while it is open, and names what it is about",
    r"metrics/reliability worst\S+\.why": "not only the network server rejects a command",
}
"""What is not answered as 0.1.0 did, by path and place, and why. Nothing may be missing."""

SAID: dict[str, Any] = json.loads(gzip.decompress((DATA / "served-0.1.0.json.gz").read_bytes()))
"""What 0.1.0 answered, by path."""

TOLD: dict[str, Any] = json.loads((DATA / "live-0.1.0.json").read_text(encoding="utf-8"))
"""What its websocket and its metrics told from then on: names and types."""

STREAMS = sorted(
    {
        json.loads(line)[1].removeprefix("{lamplighter}:stream:")
        for line in gzip.decompress((DATA / "redis-0.1.0.jsonl.gz").read_bytes()).splitlines()
        if b"}:stream:" in line
    }
)
"""The names of all that 0.1.0 appended to."""


def light(number: int) -> str:
    return f"2020204100{number:06x}"


def building() -> World:
    """The one that 0.1.0 served at the cut: the Hall's gateway is away, sessions go on.

    The lights have no power: nothing happens of itself.
    """
    world = World(1, heartbeat_s=300.0, epoch_at=CUT_OFF_AT - 600.0)
    for gateway_id, name in ((YARD, "Yard"), (HALL, "Hall"), (ROOF, "Roof")):
        world.add_gateway(gateway_id, name)
    for number in range(1, 21):
        gateway_id = HALL if number in {10, 11, 15} else ROOF if number == 9 else YARD
        links = {gateway_id: Link(uplink_rssi_dbm=-90.0, downlink_rssi_dbm=-90.0)}
        world.add_light(light(number), links)
        session = SAID[f"/devices/{light(number)}"]["session"]
        if session is not None:
            known = world.rules.devices[light(number)]
            known.activated, known.dev_addr = True, session["dev_addr"]
            known.f_cnt_up = known.f_cnt_down = (session["f_cnt"] or 0) + 1
    world.set_gateway_mode(HALL, GatewayMode.OFFLINE)
    world.advance(600.0)
    return world


@asynccontextmanager
async def served(
    world: World, store: Store, at: float = CUT_OFF_AT
) -> AsyncIterator[tuple[RunningApplication, Client]]:
    clock = RunClock(at)
    chirpstack = ChirpStack(target="localhost:8080", api_key="unused")
    settings = ApiSettings(chirpstack=chirpstack, web={"rate_per_s": 1e3, "rate_burst": 1_000})
    async with trio.open_nursery() as nursery:
        await nursery.start(world.run)
        async with running_application(world, store=store, clock=clock) as home:
            yield home, create_app(home.application, settings).test_client()
        nursery.cancel_scope.cancel()


async def test_all_that_0_1_0_said_of_it_is_said_again(old_store: OpenStore) -> None:
    assert len(SAID) > 100
    at = CUT_OFF_AT
    for _ in range(2):  # as 0.1.0 left it, and as today's version left that
        async with served(building(), old_store(), at) as (home, client):
            found = []
            for path, old in SAID.items():
                response = await client.get(f"/api/v1{path}")
                assert response.status_code == 200, path
                told, where = await response.get_json(), f"{path[1:].partition('?')[0]} "
                found += surface.differences(old, told, where, OTHERWISE)
            at = home.now()
        assert found == []


async def test_an_equal_request_is_still_known(old_store: OpenStore) -> None:
    async with served(building(), old_store()) as (home, _):
        given = await home.application.commands.give(
            CommandOrder(
                dev_eui=light(1),
                light=RED,
                keep=True,
                idempotency_key="key-of-1",
                fingerprint="red",
            )
        )
        assert isinstance(given, Accepted)
        assert given.repeated
        assert given.command.status is CommandStatus.VERIFIED


def test_open_commands_go_on_and_wishes_are_kept(old_store: OpenStore) -> None:
    disk = trio.run(copied, old_store)
    in_virtual_time(go_on, disk)


JOINED = LightState(0, 53, 0)
SHOWN = {
    **dict.fromkeys((1, 4, 7, 8, 9, 10), RED),
    **dict.fromkeys((11, 12), GREEN),
    **dict.fromkeys((3, 6, 13, 14, 15, 18), BLUE),
    **dict.fromkeys((2, 16, 17), WHITE),
    **dict.fromkeys((5, 19, 20), JOINED),
}
"""What the lights are brought to: the newest wish, of before or after the cut; 5's has expired."""


async def go_on(disk: MemoryDisk) -> None:
    world = building()
    told: dict[str, list[Any]] = {}
    async with (
        served(world, MemoryStore(disk)) as (home, client),
        trio.open_nursery() as nursery,
    ):
        open_before = [one.id for one in home.devices.values() for one in [one.command] if one]
        assert len(open_before) == 10
        over = trio.Event()
        unknown: Any = object()
        assert home.parts.fleet.post(light(2), unknown) is Offer.ACCEPTED  # its actor crashes
        await trio.sleep(0.01)
        nursery.start_soon(follow, client, told, over)
        await trio.sleep(1)
        await client.get("/api/v1/devices")  # so that requests are among the metrics
        page = await (await client.get("/metrics")).get_data(as_text=True)
        world.set_gateway_mode(HALL, GatewayMode.ONLINE)
        for dev_eui in world.stations:
            world.plug(dev_eui)
        for command_id in open_before:
            assert (await home.final(command_id)).status is CommandStatus.VERIFIED, command_id
        rollouts = {one.name: one.id for one in home.application.rollouts.repository.listed(99)}
        for name in ("paused", "stopped"):
            assert isinstance(
                await home.application.rollouts.change(rollouts[name], Wish(State.RUNNING)), Rollout
            )
        await trio.sleep(1_800)
        assert {
            one.name: (one.state, one.verified)
            for one in home.application.rollouts.repository.listed(99)
        } == {
            "running": (State.DONE, 4),
            "paused": (State.DONE, 1),  # the other light has been given a newer command
            "stopped": (State.DONE, 1),
            "cancelled": (State.CANCELLED, 1),
            "done": (State.DONE, 2),
        }
        assert {number: world.showing(light(number)) for number in SHOWN} == SHOWN
        for number in range(1, 21):
            assert home.devices[light(number)].phase is Phase.IDLE, number
        assert all(one.closed_at is not None for one in home.board.alerts())
        check_told(told)
        assert surface.unlike(TOLD["metrics"], surface.metrics(page)) == []
        over.set()


async def follow(client: Client, told: dict[str, list[Any]], over: trio.Event) -> None:
    """Hear the live websocket, and keep all messages and changes by their kinds."""
    async with client.websocket("/api/v1/live") as socket:
        await socket.send(json.dumps({"type": "ping", "id": 7}))
        while not over.is_set():
            message = json.loads(await socket.receive())
            for change in message.get("changes", ()):
                told.setdefault(change["kind"], []).append(change)
            told.setdefault(message["type"], []).append(message)


def check_told(told: dict[str, list[Any]]) -> None:
    """The websocket says in each message what 0.1.0 did."""
    for kind, old in (TOLD["messages"] | TOLD["changes"]).items():
        new = told[kind] if kind in TOLD["changes"] else told[kind][0]
        assert surface.unlike(old, surface.message(new)) == [], kind


async def copied(old_store: OpenStore) -> MemoryDisk:
    """What a store of today makes of it, in memory: no thread works in virtual time."""
    disk = MemoryDisk()
    async with opened(old_store()) as store:
        for table in Table:
            disk.apply([Put(table, r.key, r.value, r.at) for r in await store.scan(table)])
        for stream in STREAMS:
            entries = await store.entries(stream, since=0.0, until=1e12, most=1_000)
            assert entries, stream
            disk.apply([Append(stream, e.entry, e.at, e.value) for e in entries])
    return disk
