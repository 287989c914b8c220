"""An engine is emptied under a running fleet, and an operator restores it from a backup."""

import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
import trio

from lorawan.kuando import LightState
from tests.support.ports import free_port
from tests.support.pretend_site import Site, pretend_site, until
from tests.support.processes import Running
from tests.support.redis_server import RedisServer
from tests.support.redis_sites import client_of

RED, GREEN = {"red": 255, "green": 0, "blue": 0}, {"red": 0, "green": 255, "blue": 0}
START_S = 90.0
STOP_S = 20.0
pytestmark = pytest.mark.timeout(400)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with pretend_site() as site:
        yield site


@pytest.fixture
def valkey() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


async def test_nothing_is_commanded_until_it_is_restored(
    site: Site, valkey: RedisServer, tmp_path: Path
) -> None:
    site.connect()
    light = next(iter(site.world.stations))
    north = site.config(tmp_path, valkey.url, cluster={"name": "north"})
    south = site.config(tmp_path, valkey.url, cluster={"name": "south"}, web={"port": free_port()})
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{site.port}", timeout=120.0) as http:

        async def answers(status: int) -> bool:
            return (await http.get("/readyz")).status_code == status

        async def settled() -> bool:
            known = (await http.get("/api/v1/devices")).json()["devices"]
            return len(known) == 2 and all(one["phase"] == "idle" for one in known)

        async def lost() -> bool:
            shards = (await http.get("/api/v1/cluster")).json()["shards"]
            return {one["state"] for one in shards} == {"lost"}

        async def command(colour: dict[str, int]) -> httpx2.Response:
            return await http.post(f"/api/v1/downlink/{light}", json=colour)

        async def verified() -> bool:
            response = await command(GREEN)
            return response.status_code == 200 and response.json()["status"] == "verified"

        with Running(tmp_path, "serve", "--config", str(north)) as service:
            await until("ready", lambda: answers(200), START_S)
            await until("lights have their settings", settled, START_S)
            assert (await command(RED)).json()["status"] == "verified"
            copy = str(tmp_path / "copy.db")
            with Running(tmp_path, "backup", copy, "--config", str(north)) as backup:
                assert await backup.until_ended(START_S) == 0, backup.errors
            await trio.sleep(65.0)  # so long it has to be known, else a fail-over forgot it

            client_of(valkey).flushall()
            await until("it is not ready", lambda: answers(503), START_S)
            response = await command(GREEN)
            assert (response.status_code, response.json()["type"].rpartition(":")[2]) == (
                503,
                "store-unavailable",
            )
            known = (await http.get("/api/v1/devices")).json()["devices"]
            assert len(known) == 2, "what was known is still shown"
            await until("all see it", lost, START_S)
            with Running(tmp_path, "doctor", "--config", str(north)) as doctor:
                assert await doctor.until_ended(START_S) != 0
                assert "the engine has lost leases that it had" in doctor.output
            with Running(tmp_path, "serve", "--config", str(south)) as beside:
                assert await beside.until_ended(START_S) != 0
                assert "has lost its data" in beside.errors
            assert site.world.showing(light) == LightState(255, 0, 0)

            service.send(signal.SIGTERM)
            assert await service.until_ended(STOP_S) == 0
            assert "Traceback" not in service.errors
        with Running(tmp_path, "restore", copy, "--config", str(north)) as restore:
            assert await restore.until_ended(START_S) == 0, restore.output + restore.errors
        with Running(tmp_path, "serve", "--config", str(north)) as service:
            await until("ready", lambda: answers(200), START_S)
            await until("commanded again", verified, START_S)
            assert site.world.showing(light) == LightState(0, 255, 0)
            assert "Traceback" not in service.errors
