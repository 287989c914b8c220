"""A real Redis server (append only file, fsync always) that is killed and restarted under load.

What was acknowledged must be there, what is there must have been asked for, and the service is
never helped: it finds the server again by itself.
"""

import time
from pathlib import Path

import trio

from tests.crash.killed_service import LIGHTS, Tally, Trial
from tests.support.pretend_site import Site, pretend_site, until
from tests.support.redis_server import RedisServer

LOAD_S = (0.05, 1.0)
"""From the server's return until it is killed again."""
AWAY_S = (0.0, 1.0)
"""Until it is started again, once readiness tells of it."""


class ServerTrial(Trial):
    """The service lives on; it is the store's server that dies."""

    def __init__(self, site: Site, folder: Path, server: RedisServer, seed: int) -> None:
        super().__init__(site, folder, server.url, seed)
        self._server = server
        for caller in self.callers:
            caller.patient = True

    async def run_under_kills(self, kills: int) -> Tally:
        began = time.monotonic()
        async with self.http:
            await self.first_life()
            with self.service() as service:
                await self.until_it_listens()
                over = trio.Event()
                async with trio.open_nursery() as nursery:
                    for caller in self.callers:
                        nursery.start_soon(caller.send, self.http, over)
                    for _ in range(kills):
                        await self._kill_server()
                    over.set()
                assert service.process is not None
                assert service.process.poll() is None, "the service lived through all of it"
            await self.last_life()  # what only the board knew would be missed now
        tally = self.tally(time.monotonic() - began)
        assert tally.accepted > kills, "too few commands to mean anything"
        return tally

    async def _kill_server(self) -> None:
        self.kills += 1
        await trio.sleep(self.chance.uniform(*LOAD_S))
        await trio.to_thread.run_sync(self._server.kill)
        await until("readiness tells that the store is away", self._tells)
        await trio.sleep(self.chance.uniform(*AWAY_S))
        await trio.to_thread.run_sync(self._server.start)
        await until("it is ready again by itself", self._ready)
        await self.kept()

    async def _tells(self) -> bool:
        response = await self.http.get("/readyz")
        return response.status_code == 503 and "the store cannot be written" in response.text

    async def _ready(self) -> bool:
        return (await self.http.get("/readyz")).status_code == 200


async def serve_under_kills(folder: Path, server: RedisServer, *, seed: int, kills: int) -> Tally:
    """A whole trial of one service over a server that is killed again and again."""
    async with pretend_site(LIGHTS, gateways=LIGHTS, seed=seed) as site:
        site.connect()
        return await ServerTrial(site, folder, server, seed).run_under_kills(kills)
