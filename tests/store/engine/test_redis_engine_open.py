"""An engine that cannot keep the promise is refused at the start, in words; nothing is written."""

import inspect
import itertools
import re
from functools import partial

import pytest
import redis
import trio

from store.engine.open import engine_from_url
from store.engine.port import Member
from store.engine.redis import opening, staging
from store.engine.redis.filling import FilledEngine, Filling
from store.engine.redis.findings import Facts, about_master
from store.engine.redis.keys import Keys
from store.engine.redis.rights import by_itself
from store.engine.redis.scripts import NAMES, script
from store.engine.redis.weights import Weight
from store.errors import StoreCorrupt, StoreRefused, StoreUnavailable
from store.port import Table
from store.shards import ShardStore
from store.shards.taking import take_all
from tests.store.engine.conftest import opened_engine
from tests.store.engine.engine_samples import LIGHT, SHARD, commit, committed, taken, value
from tests.support.ports import free_port
from tests.support.redis_server import RedisServer
from tests.support.redis_sites import ClusterServers, ReplicatedServers, client_of, wait_until

RIGHTS = ("~{lamplighter*", "&lamplighter:bell:*", "+@all", "-@admin", "-@dangerous", "+config|get")
"""What docs/cluster.md gives a user of its own, with INFO and ROLE beside it."""


async def refusal(url: str) -> str:
    """Why `open` refuses, after `inspect` has told or raised the same."""
    with pytest.raises(StoreRefused) as opening:
        await engine_from_url(url).open()
    said = str(opening.value)
    told: list[str] = []
    try:
        told += [each.words for each in await engine_from_url(url).inspect()]
    except StoreRefused as inspecting:
        told.append(str(inspecting))
    assert any(words in said for words in told)
    return said


@pytest.mark.parametrize(
    ("setting", "value_of_it", "words"),
    [
        ("appendonly", "no", "appendonly is off"),
        ("appendfsync", "everysec", "appendfsync is everysec"),
    ],
)
async def test_a_server_that_does_not_keep_commits_is_refused_unless_unsafe(
    server: RedisServer, client: redis.Redis, setting: str, value_of_it: str, words: str
) -> None:
    client.config_set(setting, value_of_it)
    assert words in await refusal(server.url)
    assert client.keys("*") == []
    async with opened_engine(engine_from_url(f"{server.url}?unsafe=yes")) as engine:
        assert any(words in warning for warning in engine.durability_warnings)


async def test_nobody_begins_anew_on_what_is_gone_while_others_still_know_it(
    server: RedisServer, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "LIFE_S", 0.5)
    async with opened_engine(engine_from_url(server.url)) as engine, trio.open_nursery() as nursery:
        client.flushall()

        async def live() -> None:
            for beat in itertools.count(1):
                await engine.tell_member(Member("a", "north", "1", beat))
                await trio.sleep(0.1)

        nursery.start_soon(live)
        await trio.sleep(0.1)
        with pytest.raises(StoreRefused, match="has lost its data under 'lamplighter', and 1 of"):
            await engine_from_url(server.url).open()
        nursery.cancel_scope.cancel(reason="it is stopped")
    async with opened_engine(engine_from_url(server.url)):
        assert client.exists("{lamplighter:meta}:shape")


async def test_what_was_changed_while_the_service_runs_is_found(
    server: RedisServer, client: redis.Redis
) -> None:
    engine = engine_from_url(server.url)
    engine.look_around_every_s = 0.05
    async with opened_engine(engine), trio.open_nursery() as nursery:
        await nursery.start(engine.hear, lambda _name: None)
        assert list(engine.durability_warnings) == []
        for value_of_it, warnings in (("everysec", 1), ("always", 0)):
            client.config_set("appendfsync", value_of_it)
            found = partial(lambda wanted: len(engine.durability_warnings) == wanted, warnings)
            await trio.to_thread.run_sync(wait_until, found)
        nursery.cancel_scope.cancel()


async def test_a_server_that_evicts_is_refused_unless_unsafe(
    server: RedisServer, client: redis.Redis
) -> None:
    client.config_set("maxmemory", "100mb")
    client.config_set("maxmemory-policy", "allkeys-lru")
    assert "maxmemory-policy is allkeys-lru" in await refusal(server.url)
    async with opened_engine(engine_from_url(server.url, unsafe=True)):
        pass


async def test_a_full_server_is_refused(server: RedisServer, client: redis.Redis) -> None:
    client.config_set("maxmemory", client.info("memory")["used_memory"] // 2)
    assert "its memory is full" in await refusal(f"{server.url}?unsafe=yes")


async def test_a_key_of_ours_that_somebody_else_wrote_is_told_by_every_reading(
    server: RedisServer, client: redis.Redis
) -> None:
    async with opened_engine(engine_from_url(server.url)) as engine:
        client.set(Keys("lamplighter").table(SHARD, Table.DEVICE), "foreign")
        with pytest.raises(StoreCorrupt, match="foreign type"):
            await engine.read(SHARD, Table.DEVICE, [LIGHT])
        with pytest.raises(StoreCorrupt, match="foreign type"):
            await engine.snapshot(SHARD, [Table.ALERT, Table.DEVICE])


async def test_a_replica_is_refused(server: RedisServer, client: redis.Redis) -> None:
    client.replicaof("127.0.0.1", free_port())
    assert "read-only replica" in await refusal(server.url)


async def test_wrong_credentials_are_told_and_not_shown(
    server: RedisServer, client: redis.Redis
) -> None:
    client.config_set("requirepass", "right")
    for url in (server.url, server.url.replace("//", "//:wrong-secret@")):
        said = await refusal(url)
        assert "user or password are wrong" in said
        assert "secret" not in said
    async with opened_engine(engine_from_url(server.url.replace("//", "//:right@"))):
        pass


async def test_a_user_with_the_rights_of_the_manual_may_do_everything(
    server: RedisServer, client: redis.Redis
) -> None:
    client.execute_command("ACL", "SETUSER", "lamp", "on", ">pw", *RIGHTS, "+info", "+role")
    async with opened_engine(engine_from_url(server.url.replace("//", "//lamp:pw@"))) as engine:
        assert list(engine.durability_warnings) == []


@pytest.mark.parametrize(
    "missing",
    ["eval", "xadd", "publish", "zadd", "psubscribe", "hgetall", "xtrim", "exec", "expire"],
)
async def test_a_right_that_is_missing_is_named(
    server: RedisServer, client: redis.Redis, missing: str
) -> None:
    rights = (*RIGHTS, "+info", "+role", f"-{missing}")
    client.execute_command("ACL", "SETUSER", "lamp", "on", ">pw", *rights)
    said = await refusal(server.url.replace("//", "//lamp:pw@"))
    assert "the user lacks a right" in said
    assert missing in said


@pytest.mark.parametrize("closed", ["resetkeys", "resetchannels"])
async def test_keys_and_channels_of_ours_must_be_open_to_the_user(
    server: RedisServer, client: redis.Redis, closed: str
) -> None:
    client.execute_command("ACL", "SETUSER", "lamp", "on", ">pw", *RIGHTS, "+info", "+role", closed)
    assert "the user lacks a right" in await refusal(server.url.replace("//", "//lamp:pw@"))


async def test_what_may_not_be_looked_at_is_unknown_and_not_refused(
    server: RedisServer, client: redis.Redis
) -> None:
    rights = (*RIGHTS, "-config", "-info", "-role")
    client.execute_command("ACL", "SETUSER", "lamp", "on", ">pw", *rights)
    engine = engine_from_url(server.url.replace("//", "//lamp:pw@"))
    assert {finding.weight for finding in await engine.inspect()} == {Weight.UNKNOWN}
    async with opened_engine(engine):
        assert list(engine.durability_warnings) == []


@pytest.mark.parametrize("command", ["evalsha", "xrange", "hsetnx", "wait"])
async def test_a_renamed_command_is_named(command: str) -> None:
    with RedisServer({"rename-command": f'{command.upper()} ""'}) as server:
        if command == "wait":
            async with opened_engine(engine_from_url(server.url)):
                return  # nobody is asked to wait
        said = await refusal(server.url)
    assert "a command is renamed or missing" in said


async def test_a_store_of_one_process_is_to_be_moved(
    server: RedisServer, client: redis.Redis
) -> None:
    client.set("{lamplighter}:schema", 2)
    assert "lamplighter move" in await refusal(server.url)
    assert client.keys("*") == ["{lamplighter}:schema"]
    async with opened_engine(engine_from_url(f"{server.url}?prefix=other")):
        pass


async def test_an_engine_into_which_a_store_is_moved_opens_when_all_of_it_is_there(
    server: RedisServer, client: redis.Redis
) -> None:
    client.set("{lamplighter}:schema", 2)
    target = engine_from_url(server.url).target
    for is_last in (False, True):  # the first time it is cut off
        mover = FilledEngine(target, Filling.MOVE)
        async with opened_engine(mover):
            store = ShardStore(mover, "mover")
            await take_all(store, patience_s=0.0)
            token = store.owned["00"].token
            await mover.prune("00", token, tables=list(Table), before=1.0, most=1)
            assert "did not get there whole" in await refusal(server.url)
            if is_last:
                await mover.end_move()
    async with opened_engine(engine_from_url(server.url)):
        pass


async def test_a_newer_layout_is_refused(server: RedisServer, client: redis.Redis) -> None:
    async with opened_engine(engine_from_url(server.url)):
        pass
    client.hset("{lamplighter:meta}:shape", "layout", "4")
    assert "written by a newer version" in await refusal(server.url)


async def test_where_nobody_listens_it_is_unavailable() -> None:
    with pytest.raises(StoreUnavailable):
        await engine_from_url(f"redis://127.0.0.1:{free_port()}").open()


async def test_a_socket_serves_as_an_address_does(server: RedisServer) -> None:
    async with opened_engine(engine_from_url(server.unix_url)) as engine:
        lease = await taken(engine)
        await committed(engine, commit(lease, 1))
        assert await value(engine) == b"1"


async def test_inspect_leaves_nothing_and_says_what_could_be_better(
    replicated_servers: ReplicatedServers,
) -> None:
    found = await engine_from_url(f"{replicated_servers.url}?prefix=looked-at").inspect()
    assert {finding.weight for finding in found} == {Weight.ADVICE}
    assert "min-replicas-to-write" in " ".join(finding.words for finding in found)
    assert client_of(replicated_servers.master).keys("*looked-at:meta*") == []


async def test_a_replica_that_keeps_less_than_its_master_is_found(
    replicated_servers: ReplicatedServers,
) -> None:
    replica = replicated_servers.replicas[1]
    client_of(replica).config_set("appendfsync", "everysec")
    try:
        said = await refusal(replicated_servers.url)
    finally:
        client_of(replica).config_set("appendfsync", "always")
    assert f"replica 127.0.0.1:{replica.port}: appendfsync is everysec" in said


async def test_sentinels_that_know_no_such_master_are_told(
    replicated_servers: ReplicatedServers,
) -> None:
    said = await refusal(replicated_servers.url.replace("/fleet", "/other"))
    assert "know no master named 'other'" in said


async def test_a_cluster_is_named_as_one(
    cluster_servers: ClusterServers, redis_server: RedisServer
) -> None:
    node = cluster_servers.masters[0]
    assert "redis+cluster://" in await refusal(f"{node.url}?need=1")
    alone = redis_server.url.replace("redis:", "redis+cluster:").removesuffix("/0")
    assert "is no cluster" in await refusal(alone)


@pytest.mark.parametrize("version", ["6.0.16", "6.2.14", ""])
def test_an_engine_that_is_too_old_is_refused(version: str) -> None:
    facts = Facts("old:6379", {"redis_version": version, "role": "master"}, {})
    [found] = about_master(facts, engine_from_url("redis://old").target)
    assert found.weight is Weight.REFUSED
    assert found.words.startswith(f"old:6379: version {version or 'unknown'} is too old")


def test_every_command_of_the_scripts_is_also_tried_by_itself() -> None:
    """Redis 7.0 does not say which command of a script a user may not give."""
    scripts = "".join(script(name).text.decode() for name in NAMES)
    used = set(re.findall(r"redis\.call\('([A-Z]+)'", scripts))  # those of `pcall` may fail
    used |= set(re.findall(r'staged\.add\("([A-Z]+)"', inspect.getsource(staging)))
    assert {"HMGET", "HSETNX", "XTRIM"} <= used
    assert used <= {words[0] for words in by_itself(Keys("x"), "00")}


def test_the_passwords_of_a_target_are_not_shown() -> None:
    url = "redis+sentinel://u:hidden@h/m?sentinel_password=hidden-too&sentinel_username=s"
    assert "hidden" not in repr(engine_from_url(url).target)


def test_a_server_that_cannot_write_its_file_can_be_read() -> None:
    info = {"redis_version": "7.2.0", "role": "master", "aof_last_write_status": "err"}
    target = engine_from_url("redis://127.0.0.1:1/0").target
    (found,) = about_master(Facts("one", info, {}), target)
    assert (found.weight, found.can_be_read) == (Weight.REFUSED, True)


def test_replicas_that_still_read_the_whole_copy_do_not_count() -> None:
    info = {
        "redis_version": "7.2.0",
        "role": "master",
        "connected_slaves": "2",
        "slave0": "ip=10.0.0.2,port=6379,state=online,offset=10,lag=0",
        "slave1": "ip=10.0.0.3,port=6379,state=send_bulk,offset=0,lag=0",
    }

    def risks(need: int) -> list[str]:
        target = engine_from_url(f"redis+sentinel://one/fleet?need={need}").target
        found = about_master(Facts("one", info, {}), target)
        return [each.words for each in found if each.weight is Weight.AT_RISK]

    words = "one: 2 replicas are connected, of which 1 must read the whole copy first, and"
    assert any(each.startswith(f"{words} 1 must confirm: when one is gone") for each in risks(1))
    assert any(each.startswith(f"{words} 2 must confirm: nothing is ack") for each in risks(2))
