"""Everything that the drill runs on: engine, ChirpStack, lights and processes, all on loopback."""

import json
import random
import shutil
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import trio

from api.cli.demo.run import build_world, settings_for
from api.cli.demo.webhooks import Poster
from lorawan.network import HttpIntegration
from simulation.world.server.grpc_server import GrpcServer
from simulation.world.server.redis_stream import RedisStream
from simulation.world.world import World
from tests.drill.serving import Serving
from tests.support.machines import Machine
from tests.support.ports import free_port
from tests.support.processes import ROOT
from tests.support.redis_server import RedisServer
from tests.support.redis_sites import (
    ReplicatedServers,
    client_of,
    replicas_of,
    role_of,
    wait_until,
)

NAMES = ("north", "south", "west", "east")
API_KEY = "pretend-key-of-the-demo"
HTTP_S = 5.0
"""For looks: on a machine that is busy an answer may take seconds."""
LOSS = 0.1
SEED = 1
STREAM_HISTORY = 100_000
BALANCE_S = 0.1
WHOLE_MOST_S = 90.0
"""A server that comes back is made a replica after 8 s, and copies everything."""
DURABLE = {"min-replicas-to-write": "1", "min-replicas-max-lag": "5"}
"""As advised to operators; `appendfsync always` is the servers' own setting."""


@dataclass
class Site:
    """What can be hurt, by name."""

    folder: Path
    """Settings and logs of the processes."""
    world: World
    processes: dict[str, Serving]
    engine: ReplicatedServers
    servers: dict[str, RedisServer]
    http: httpx2.AsyncClient
    durable: bool
    """Whether a server refuses what no replica would have."""
    frozen: set[str]
    """Servers that stand still."""
    ended: set[str]
    """Servers that were killed."""

    def kill_server(self, name: str) -> None:
        """SIGKILL; blocks."""
        self.thaw(name)
        self.servers[name].kill()
        self.ended.add(name)

    def start_server(self, name: str) -> None:
        """Again on its port and directory; Sentinel makes it a replica. Blocks."""
        if name in self.ended:
            self.servers[name].start()
            if self.durable:
                make_durable(self.servers[name])
            self.ended.discard(name)

    def freeze(self, name: str) -> None:
        """SIGSTOP: connections stay open, nothing answers."""
        if name not in self.ended:
            self.servers[name].freeze()
            self.frozen.add(name)

    def thaw(self, name: str) -> None:
        """End `freeze`."""
        if name in self.frozen:
            self.servers[name].thaw()
            self.frozen.discard(name)

    def hold_back(self, name: str, master: str) -> None:
        """A replica gets nothing more: it stands still, and its master has no connection to it any
        more, so that nothing waits for it in the buffers of a socket. Blocks.

        A replica that goes on connects again at once.
        """
        self.freeze(name)
        client_of(self.servers[master]).execute_command("CLIENT", "KILL", "TYPE", "replica")

    def keep(self, where: Path) -> None:
        """Copy what processes said and what servers stored; blocks."""
        shutil.copytree(self.folder, where / "processes")
        for name, each in self.servers.items():
            shutil.copytree(each.directory, where / name, ignore=shutil.ignore_patterns("s"))

    def server_state(self, name: str) -> str:
        """In a word."""
        return "ended" if name in self.ended else "paused" if name in self.frozen else "running"

    def asked(self) -> list[Serving]:
        """Processes that can be expected to answer."""
        return [each for each in self.processes.values() if each.answers]

    async def cluster(self, of: Serving | None = None) -> dict[str, Any] | None:
        """What a process tells of the cluster; of the first that answers where none is named."""
        for each in [of] if of is not None else self.asked():
            try:
                answer = await self.http.get(f"{each.url}/api/v1/cluster")
            except httpx2.TransportError:
                continue
            if answer.status_code == 200:
                told: dict[str, Any] = answer.json()
                return told
        return None

    async def master(self) -> str | None:
        """The name of the server that is written to, by the word of most Sentinels: one that was
        started again takes itself for it until it is told otherwise. None while they do not agree,
        or while that server, if it runs, says that it is none."""
        return await trio.to_thread.run_sync(self._master)

    def _master(self) -> str | None:
        named = self.engine.named_master()
        found = next((name for name, each in self.servers.items() if each is named), None)
        if found is None or found in self.frozen | self.ended:
            return found
        return found if role_of(self.servers[found]) == "master" else None

    async def whole(self) -> str:
        """Wait until the engine has a master that all others follow; its name. Raises
        AssertionError where that does not come."""
        return await trio.to_thread.run_sync(self._whole)

    def _whole(self) -> str:
        found: list[str | None] = []

        def is_whole() -> bool:
            found[:] = [self._master()]
            name = found[0]
            others = len(self.servers) - 1
            return name is not None and replicas_of(self.servers[name]) == others

        wait_until(is_whole, WHOLE_MOST_S)
        assert found[0] is not None
        return found[0]


@asynccontextmanager
async def site(
    lights: int,
    processes: int,
    gateways: int = 4,
    root: Path = ROOT,
    machines: Sequence[Machine] = (),
    need: int = 1,
    loss: float = LOSS,
) -> AsyncGenerator[Site, None]:
    """From start to stop; the processes are started, by the code at `root`, and not yet ready. The
    servers of the engine run on `machines`, or here; `need` of the replicas must confirm, and
    `loss` of the frames get lost."""
    world = build_world(lights, gateways, SEED, loss)
    with tempfile.TemporaryDirectory(prefix="lamplighter-drill-") as folder:
        chirpstack = RedisServer()
        engine = ReplicatedServers(machines=machines)
        await trio.to_thread.run_sync(_begin, chirpstack, engine, bool(need))
        try:
            stream = RedisStream(chirpstack.url, history=STREAM_HISTORY)
            world.delivery.stream = stream.send
            poster = Poster()
            world.delivery.sink = poster.send
            async with (
                GrpcServer(world.network, api_key=API_KEY) as server,
                httpx2.AsyncClient(timeout=HTTP_S, trust_env=False) as http,
                trio.open_nursery() as nursery,
            ):
                await nursery.start(stream.run)
                await nursery.start(poster.run)
                await nursery.start(world.run)
                url = engine.url if need else f"{engine.url}?need=0&unsafe=yes"
                made = {
                    name: _process(Path(folder), name, server.port, url, chirpstack.url)
                    for name in NAMES[:processes]
                }
                for each in made.values():
                    each.root = root
                    each.start()
                servers = {f"valkey-{n}": each for n, each in enumerate(engine.servers, start=1)}
                found = Site(
                    Path(folder), world, made, engine, servers, http, bool(need), set(), set()
                )
                nursery.start_soon(_balance, found, poster)
                try:
                    yield found
                finally:
                    for name in list(found.frozen):
                        found.thaw(name)
                    for each in made.values():
                        each.close()
                    nursery.cancel_scope.cancel(reason="the drill is over")
        finally:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(_end, chirpstack, engine)


async def _balance(site: Site, poster: Poster) -> None:
    """Webhooks go to one process that answers, as through a balancer; what was on its way to one
    that is hurt meanwhile is lost, as webhooks may be."""
    while True:
        asked = site.asked()
        if asked:
            url = f"{random.choice(asked).url}/api/v1/webhooks/chirpstack"
            poster.set_up("", HttpIntegration("", url, headers={}))
        await trio.sleep(BALANCE_S)


def _begin(chirpstack: RedisServer, engine: ReplicatedServers, durable: bool) -> None:
    chirpstack.start()
    try:
        engine.__enter__()
    except BaseException:
        chirpstack.__exit__(None, None, None)
        raise
    for each in engine.servers if durable else ():
        make_durable(each)


def _end(chirpstack: RedisServer, engine: ReplicatedServers) -> None:
    engine.__exit__(None, None, None)
    chirpstack.__exit__(None, None, None)


def make_durable(server: RedisServer) -> None:
    """What is not given at its start; blocks."""
    for name, value in DURABLE.items():
        client_of(server).config_set(name, value)


def _process(folder: Path, name: str, grpc_port: int, store: str, stream: str) -> Serving:
    port = free_port()
    settings = settings_for(grpc_port, store, port)
    values: dict[str, Any] = {
        "chirpstack": {"target": settings.chirpstack.target, "api_key": API_KEY},
        "chirpstack.events": {"url": stream},
        "store": {"url": store},
        "cluster": {"name": name},
        "web": {"port": port, "rate_per_s": 1_000.0, "rate_burst": 10_000},
        "radio": {"rx2_dr": 3, "duty": 1.0},
        "gateways": settings.gateways.model_dump(include={"poll_s", "offline_after_s"}),
        "policy": {
            "status_interval_min": settings.policy.status_interval_min,
            "silent_after_s": settings.policy.silent_after_s,
            "spacing_s": settings.policy.spacing_s,
        },
        "logs": {"level": "warning"},
    }
    path = folder / f"{name}.toml"
    path.write_text(_toml(values), encoding="utf-8")
    return Serving(name, port, path)


def _toml(values: Mapping[str, Mapping[str, Any]]) -> str:
    # a JSON value of these kinds is a TOML value, too
    return "\n".join(
        line
        for name, table in values.items()
        for line in (f"[{name}]", *(f"{k} = {json.dumps(v)}" for k, v in table.items()))
    )
