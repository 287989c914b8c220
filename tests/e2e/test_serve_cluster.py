"""`lamplighter serve` on a real Valkey: one process, and two that serve one fleet together."""

import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from lorawan.kuando import AFTER_JOIN, LightState
from tests.support.bridge_kit import until as until_so
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import MqttPeer
from tests.support.ports import free_port
from tests.support.pretend_site import Site, pretend_site, until
from tests.support.processes import Running
from tests.support.redis_server import RedisServer

RED, GREEN = {"red": 255, "green": 0, "blue": 0}, {"red": 0, "green": 255, "blue": 0}
BLUE = {"red": 0, "green": 0, "blue": 255}
VERIFIED = {"status": "verified"}
PROOF_S = 60.0
STOP_S = 20.0
START_S = 90.0
"""Several interpreters import everything at once, on a machine that others use as well."""
pytestmark = pytest.mark.timeout(240)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with pretend_site() as site:
        yield site


@pytest.fixture
def valkey() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


def client(port: int) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=120.0)


async def ready(http: httpx2.AsyncClient) -> bool:
    return (await http.get("/readyz")).status_code == 200


async def devices(http: httpx2.AsyncClient) -> dict[str, Any]:
    response = await http.get("/api/v1/devices")
    return {device["dev_eui"]: device for device in response.json()["devices"]}


async def settled(http: httpx2.AsyncClient) -> bool:
    known = await devices(http)
    return len(known) == 2 and all(one["phase"] == "idle" for one in known.values())


async def cluster(http: httpx2.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await http.get("/api/v1/cluster")).json()
    return found


async def test_one_process_serves_its_fleet_and_goes_on_after_a_restart(
    site: Site, valkey: RedisServer, tmp_path: Path
) -> None:
    site.connect()
    first, second = site.world.stations
    config = site.config(tmp_path, valkey.url, cluster={"name": "north"})
    async with client(site.port) as http:
        with Running(tmp_path, "serve", "--config", str(config)) as service:
            await until("ready", lambda: ready(http), START_S)

            await until("lights have their settings", lambda: settled(http), START_S)
            response = await http.post(f"/api/v1/downlink/{first}", json=RED)
            assert response.status_code == 200, response.text
            assert site.world.showing(first) == LightState(255, 0, 0)
            shown = await cluster(http)
            assert shown["mode"] == "cluster"
            assert [one["name"] for one in shown["members"]] == ["north"]
            assert shown["shards_unowned"] == 0
            service.send(signal.SIGTERM)
            assert await service.until_ended(STOP_S) == 0
            assert "Traceback" not in service.errors
        with Running(tmp_path, "serve", "--config", str(config)) as service:
            await until("ready", lambda: ready(http), START_S)
            known = await devices(http)
            assert known[first]["reported"] == {
                "red": 255,
                "blue": 0,
                "green": 0,
                "on": 255,
                "off": 0,
            }
            response = await http.post(f"/api/v1/downlink/{second}", json=GREEN)
            assert response.status_code == 200, response.text


async def bridges(http: httpx2.AsyncClient) -> bool:
    """Whether the bridge runs in this process, and has its broker."""
    return "lamplighter_mqtt_connected 1.0" in (await http.get("/metrics")).text


async def no_bridge(http: httpx2.AsyncClient) -> bool:
    return "lamplighter_mqtt_connected" not in (await http.get("/metrics")).text


def colours(peer: MqttPeer, lamp: str) -> list[tuple[int, int, int] | None]:
    """What was told of a light, one after the other, without repetitions; None for unknown."""
    found: list[tuple[int, int, int] | None] = []
    for state in peer.all_of(f"{lamp}/state"):
        lit, share = state.get("color"), state.get("brightness", 0) / 255
        colour = None if lit is None else tuple(round(lit[one] * share) for one in "rgb")
        if not found or found[-1] != colour:
            found.append(colour)
    return found


async def test_two_processes_take_anything_and_the_one_that_bridges_is_killed(
    site: Site, valkey: RedisServer, tmp_path: Path
) -> None:
    """The bridge runs once, where the fleet's shard lives, and moves with it: orders that come
    meanwhile are given once, and no colour is told that no light showed."""
    site.connect()
    first, second = site.world.stations
    other_port = free_port()
    with Mosquitto() as broker, MqttPeer(broker.port) as peer:
        mqtt = {"url": broker.url}
        north = site.config(tmp_path, valkey.url, cluster={"name": "north"}, mqtt=mqtt)
        south = site.config(
            tmp_path, valkey.url, cluster={"name": "south"}, mqtt=mqtt, web={"port": other_port}
        )
        async with client(site.port) as http, client(other_port) as other:
            with (
                Running(tmp_path, "serve", "--config", str(north)) as one,
                Running(tmp_path, "serve", "--config", str(south)) as two,
            ):
                await until("ready", lambda: ready(http), START_S)
                await until("ready", lambda: ready(other), START_S)

                async def shared() -> bool:
                    members = (await cluster(http))["members"]
                    return len(members) == 2 and all(one["shards"] > 20 for one in members)

                await until("shards shared", shared, START_S)
                await until("lights have their settings", lambda: settled(http), START_S)
                for where, dev_eui, colour in ((http, first, RED), (other, second, GREEN)):
                    response = await where.post(f"/api/v1/downlink/{dev_eui}", json=colour)
                    assert response.status_code == 200, response.text
                assert site.world.showing(first) == LightState(255, 0, 0)
                assert site.world.showing(second) == LightState(0, 255, 0)
                assert (await devices(http)).keys() == (await devices(other)).keys()

                lamps = {each: f"lamplighter/light/{each}" for each in (first, second)}
                pairs = [(http, one), (other, two)]
                if await no_bridge(http):
                    pairs.reverse()
                (before, killed), (after, left) = pairs
                assert await bridges(before), "in one of them"
                assert await no_bridge(after), "and in one only"
                await peer.say(f"{lamps[first]}/set", BLUE | {"id": "before"})
                await peer.until_heard(f"{lamps[first]}/result", PROOF_S, **VERIFIED, id="before")
                killed.send(signal.SIGKILL)
                await peer.until_retained("lamplighter/bridge/availability", b"offline")
                # while nobody bridges: kept by the broker for whoever does next
                await peer.say(f"{lamps[second]}/set", BLUE | {"id": "meanwhile"})
                await until("the bridge moved", lambda: bridges(after), START_S)
                await peer.until_heard(
                    f"{lamps[second]}/result", PROOF_S, **VERIFIED, id="meanwhile"
                )
                assert site.world.showing(second) == LightState(0, 0, 255)
                await peer.until_retained("lamplighter/bridge/availability", b"online")
                for dev_eui, colour in ((first, GREEN), (second, RED)):
                    response = await after.post(f"/api/v1/downlink/{dev_eui}", json=colour)
                    assert response.status_code == 200, response.text
                for lamp, newest in ((lamps[first], (0, 255, 0)), (lamps[second], (255, 0, 0))):
                    await until_so(lambda: colours(peer, lamp)[-1] == newest)  # noqa: B023
                for dev_eui in (first, second):
                    answer = await after.get(f"/api/v1/devices/{dev_eui}/commands")
                    assert len(answer.json()["commands"]) == 3, "each order was given once"
                red, green, blue = (255, 0, 0), (0, 255, 0), (0, 0, 255)
                woken = (0, AFTER_JOIN.green, 0)
                for lamp, shown in (
                    (lamps[first], [woken, red, blue, green]),
                    (lamps[second], [woken, green, blue, red]),
                ):
                    # before its first status nothing is known of a light
                    assert colours(peer, lamp)[-4:] == shown
                    assert colours(peer, lamp)[:-4] in ([], [None])
                for lamp in lamps.values():
                    results = [one["status"] for one in peer.all_of(f"{lamp}/result")]
                    assert results == ["accepted", "verified"]
                left.send(signal.SIGTERM)
                assert await left.until_ended(STOP_S) == 0
                assert "Traceback" not in left.errors
