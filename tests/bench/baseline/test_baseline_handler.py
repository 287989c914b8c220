"""The baseline does its job: what it is given is decoded, stored, put into the history, published.

Without the web around it, which is not among the packages of this project.
"""

import asyncio
import struct
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from lorawan.kuando.frames import F_PORT
from lorawan.kuando.reports import parse_uplink
from lorawan.kuando.status import Status
from simulation.world.bodies import json_body
from tests.bench import fleet
from tests.bench.baseline.handler import CHANGES, Light, Line, Uplink, decode_status, take_in
from tests.support.redis_server import RedisServer

LIGHT = 7
KEY = f"light:{fleet.dev_eui(LIGHT)}"
HISTORY = f"history:{fleet.dev_eui(LIGHT)}"


def uplink(nth: int) -> Uplink:
    """A status, as ChirpStack's HTTP integration tells it."""
    kind, body = json_body(fleet.status(LIGHT, nth))
    assert kind == "up"
    return Uplink.model_validate_json(body)


def on_redis(test: Callable[[Redis], Awaitable[None]]) -> None:
    """Run it on a server of its own."""

    async def run() -> None:
        async with _connected() as redis:
            await test(redis)

    asyncio.run(run())


@asynccontextmanager
async def _connected() -> AsyncGenerator[Redis, None]:
    with RedisServer() as server:
        async with Redis.from_url(server.unix_url) as redis:
            yield redis


def test_a_status_is_decoded_as_lamplighter_decodes_it() -> None:
    data = fleet.status(LIGHT, 1, fleet.RED, received=15).data
    theirs, ours = decode_status(data), parse_uplink(F_PORT, data)
    assert isinstance(ours, Status)
    assert (theirs.rssi, theirs.snr) == (ours.rssi_dbm, ours.snr_raw)
    assert (theirs.downlinks_received, theirs.uplinks_sent) == (15, ours.uplinks_sent)
    assert theirs.colour.model_dump() == {
        "red": ours.light.red,
        "green": ours.light.green,
        "blue": ours.light.blue,
        "on": ours.light.on,
        "off": ours.light.off,
    }
    assert (theirs.sw_rev, theirs.hw_rev) == (ours.sw_rev, ours.hw_rev)


def test_what_is_no_status_is_refused() -> None:
    with pytest.raises(struct.error):
        decode_status(b"\x01\x02")


def test_a_status_is_stored_added_to_the_history_and_published() -> None:
    async def test(redis: Redis) -> None:
        async with redis.pubsub() as ear:
            await ear.subscribe(CHANGES)
            await take_in(redis, uplink(1))
            await take_in(redis, uplink(2))
            heard: list[bytes] = []
            while len(heard) < 2:
                message = await ear.get_message(ignore_subscribe_messages=True, timeout=10)
                if message is not None:
                    heard.append(message["data"])
        stored = await redis.get(KEY)
        light = Light.model_validate_json(stored)
        assert light.f_cnt == fleet.F_CNT + 2
        assert light.uplinks == 2
        assert [one.gateway_id for one in light.gateways] == list(fleet.gateways_of(LIGHT))
        assert light.tags["building"] == "Head office"
        assert heard[-1] == stored
        lines = [Line.model_validate_json(one[b"line"]) for _, one in await redis.xrange(HISTORY)]
        assert [one.f_cnt for one in lines] == [fleet.F_CNT + 1, fleet.F_CNT + 2]

    on_redis(test)


def test_an_uplink_that_is_told_again_changes_nothing() -> None:
    async def test(redis: Redis) -> None:
        await take_in(redis, uplink(1))
        before = await redis.get(KEY)
        await take_in(redis, uplink(1))
        assert await redis.get(KEY) == before
        assert await redis.xlen(HISTORY) == 1

    on_redis(test)
