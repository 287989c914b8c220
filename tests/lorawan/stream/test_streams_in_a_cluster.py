"""ChirpStack's streams in a real Cluster of Redis or Valkey: each key lies where its slot is, and
one of the masters dies, which hides nothing that lies on the others."""

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import redis
import trio

from lorawan.stream.entries import BEGINNING, EntryId
from lorawan.stream.errors import StreamUnavailable
from lorawan.stream.inspection import inspect
from lorawan.stream.position import Page
from lorawan.stream.redis_source import ALL_EVENTS, RedisSource, key_of
from tests.support.redis_server import RedisServer
from tests.support.redis_sites import ClusterServers, client_of, role_of, wait_until

ROOT = Path(__file__).parents[3]
LIGHTS = [f"20202039000000{number:02}" for number in range(20)]
AGAIN_S, FAILOVER_S = 0.1, 30.0


class Writer:
    """Writes as ChirpStack does: the same body into the stream of all and into that of one."""

    def __init__(self, site: ClusterServers) -> None:
        self._site = site

    def add(self, dev_eui: str, body: bytes) -> EntryId:
        ids = [
            self._asked(key, lambda node, key=key: node.xadd(key, {"up": body}))
            for key in (key_of("", dev_eui), ALL_EVENTS)
        ]
        return EntryId.parse(ids[-1].encode())

    def master_of(self, key: str) -> RedisServer:
        return self._asked(key, lambda node: node.xlen(key), server=True)

    def _asked(self, key: str, call: Callable[[Any], Any], *, server: bool = False) -> Any:
        for each in self._site.servers:
            if role_of(each) == "master":
                with closing(client_of(each)) as node:
                    try:
                        answer = call(node)
                    except redis.exceptions.MovedError:
                        continue
                    return each if server else answer
        raise AssertionError(f"nobody has {key}")


async def check_rights(site: ClusterServers) -> None:
    """Those of the guide are enough, and of a Cluster more are needed than of one server."""
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    user = re.search(r"`ACL SETUSER lamplighter on >PASSWORD ([^`]+)`", guide)
    more = re.search(r"of a Cluster [^`]*`[^`]+`\)\s*also `([^`]+)`", guide)
    assert user is not None
    assert more is not None
    url = site.url.replace("//", "//lamplighter:PASSWORD@")
    for rights, needs_more in (
        (user[1].split(), True),
        ([*user[1].split(), *more[1].split()], False),
    ):
        for each in site.servers:
            with closing(client_of(each)) as node:
                node.execute_command(
                    *("ACL", "SETUSER", "lamplighter", "reset", "on", ">PASSWORD", *rights)
                )
        source = RedisSource(url)
        if needs_more:
            with pytest.raises(StreamUnavailable, match=r"needs \+cluster\|slots \+command"):
                await source.look()
        else:
            assert (await source.look()).newest is not None
            await source.of_devices(LIGHTS, BEGINNING, None, most=1)
            await trio.to_thread.run_sync(inspect, url, "")
        await source.close()


async def read_again(source: RedisSource, after: EntryId) -> Page:
    """Until there is an answer, as whoever reads does."""
    with trio.fail_after(FAILOVER_S):
        while True:
            try:
                return await source.read(after, after, most=50, wait_s=0.1)
            except StreamUnavailable:
                await trio.sleep(AGAIN_S)


@pytest.mark.timeout(120)
async def test_streams_of_a_cluster_are_read_also_after_their_master_died() -> None:
    with ClusterServers(node_timeout_s=1.0) as site:
        writer, source = Writer(site), RedisSource(site.url)
        ids = [writer.add(dev_eui, dev_eui.encode()) for dev_eui in LIGHTS]
        page = await source.read(BEGINNING, None, most=50, wait_s=0.1)
        assert [entry.id for entry in page.entries] == ids
        assert [entry.body.decode() for entry in page.entries] == LIGHTS
        assert (await source.look()).newest == ids[-1]
        of_each = await source.of_devices(LIGHTS, BEGINNING, None, most=5)
        assert {one: [entry.body.decode() for entry in of_each[one]] for one in LIGHTS} == {
            one: [one] for one in LIGHTS
        }
        found = await trio.to_thread.run_sync(inspect, site.url, "")
        assert found.all_events is not None
        assert found.all_events.entries == len(LIGHTS)
        await check_rights(site)
        master = writer.master_of(ALL_EVENTS)
        replica = site.replicas[site.masters.index(master)]
        elsewhere = {one for one in LIGHTS if writer.master_of(key_of("", one)) is not master}
        master.kill()
        with pytest.raises(StreamUnavailable):
            await source.read(ids[-1], ids[-1], most=50, wait_s=0.1)
        of_each = await source.of_devices(LIGHTS, BEGINNING, None, most=5)
        assert of_each.keys() == elsewhere
        with pytest.raises(StreamUnavailable):
            await source.of_devices(sorted(set(LIGHTS) - elsewhere), BEGINNING, None, most=5)
        await trio.to_thread.run_sync(wait_until, lambda: role_of(replica) == "master")
        newest = writer.add(LIGHTS[0], b"after")
        page = await read_again(source, ids[-1])
        assert page.kept
        assert [(entry.id, entry.body) for entry in page.entries] == [(newest, b"after")]
        await source.close()
