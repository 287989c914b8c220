"""What is found at the nodes is told with its node, and keeps nobody from what else there is."""

from collections.abc import Iterator

import pytest
import redis
import trio
from structlog.testing import capture_logs

from store.engine.open import engine_from_url
from store.engine.port import Engine
from store.engine.redis.weights import Weight
from store.engine.shards import ALL_SHARDS
from store.errors import StoreUnavailable
from tests.store.engine.conftest import opened_engine
from tests.store.engine.engine_samples import SHARD, commit, committed, taken
from tests.store.engine.test_redis_engine_open import refusal
from tests.support.redis_server import RedisServer
from tests.support.redis_sites import ClusterServers, ReplicatedServers, client_of, wait_until

SLOTS = 16_384


@pytest.fixture
def node() -> Iterator[RedisServer]:
    """A cluster of one node."""
    with RedisServer(cluster_timeout_ms=2_000) as node:
        give_slots(node, 0, SLOTS - 1)
        yield node


def give_slots(node: RedisServer, first: int, last: int) -> None:
    client_of(node).execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
    wait_until(lambda: is_well(node))


def is_well(node: RedisServer) -> bool:
    info = client_of(node).execute_command("CLUSTER", "INFO")
    return "cluster_state:ok" in info and f"cluster_slots_ok:{SLOTS}" in info


def cluster_url(*nodes: RedisServer) -> str:
    hosts = ",".join(f"127.0.0.1:{each.port}" for each in nodes)
    return f"redis+cluster://{hosts}?need=0&unsafe=yes"


# ------------------------------------------------------------------------- nodes of a cluster


async def test_a_master_that_has_no_part_of_the_fleet_keeps_nobody_from_starting() -> None:
    with (
        RedisServer(cluster_timeout_ms=2_000) as most,
        RedisServer(cluster_timeout_ms=2_000) as new,
    ):
        keyslot = client_of(most).cluster
        ours = {keyslot("KEYSLOT", f"{{lamplighter:{tag}}}") for tag in ("meta", *ALL_SHARDS)}
        last = SLOTS - 1
        while last in ours:
            last -= 1
        client_of(new).execute_command("CLUSTER", "ADDSLOTSRANGE", last, SLOTS - 1)
        client_of(most).execute_command("CLUSTER", "ADDSLOTSRANGE", 0, last - 1)
        meet = ("CLUSTER", "MEET", "127.0.0.1", new.port, new.cluster_port)
        client_of(most).execute_command(*meet)
        wait_until(lambda: all(is_well(each) for each in (most, new)))
        url = cluster_url(most, new)
        await engine_from_url(url).inspect()
        async with opened_engine(engine_from_url(url)) as engine:
            await committed(engine, commit(await taken(engine), 1))


async def served(engine: Engine) -> bool:
    """Whether the map names a node for it again."""
    try:
        return bool(await engine.look([SHARD]))
    except StoreUnavailable:
        return False


async def test_bells_are_heard_again_after_the_only_node_that_answers_had_no_slots(
    node: RedisServer,
) -> None:
    heard = trio.Event()
    async with (
        opened_engine(engine_from_url(cluster_url(node))) as engine,
        trio.open_nursery() as nursery,
    ):
        await nursery.start(engine.hear, lambda _name: heard.set())
        client = client_of(node)
        client.flushall()
        client.execute_command("CLUSTER", "RESET")
        with pytest.raises(StoreUnavailable):
            await engine.look([SHARD])
        await trio.sleep(0.3)  # the map is learned anew
        client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        await trio.sleep(1.0)  # the ear finds a node to listen to
        give_slots(node, 0, SLOTS - 1)
        with trio.fail_after(10):
            while not await served(engine):  # noqa: ASYNC110 - the servers tell nobody
                await trio.sleep(0.1)
            seq, lease = 0, await taken(engine)
            while not heard.is_set():
                seq += 1
                await committed(engine, commit(lease, seq))
                with trio.move_on_after(0.1):
                    await heard.wait()
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("kind", ["unknown-endpoint", "hostname"])
async def test_a_node_that_does_not_say_how_it_is_reached_is_asked_where_it_answered(
    node: RedisServer, kind: str
) -> None:
    client_of(node).config_set("cluster-preferred-endpoint-type", kind)
    async with opened_engine(engine_from_url(cluster_url(node))) as engine:
        await committed(engine, commit(await taken(engine), 1))


# --------------------------------------------------------------------------------- replicas


@pytest.mark.parametrize("by_sentinel", [True, False])
async def test_a_replica_that_refuses_us_is_told_and_keeps_nobody_from_starting(
    replicated_servers: ReplicatedServers, *, by_sentinel: bool
) -> None:
    """Users are not replicated. Where we follow a fail-over to it, that is worth an alert."""
    master, replica = replicated_servers.master, replicated_servers.replicas[0]
    rights = ("~*", "&*", "+@all")
    client_of(master).execute_command("ACL", "SETUSER", "refused", "on", ">pw", *rights)
    url = f"{replicated_servers.url}?" if by_sentinel else f"{master.url}?need=1&"
    url = url.replace("//", "//refused:pw@") + "prefix=refused"
    name = f"replica 127.0.0.1:{replica.port}: user or password are wrong"
    try:
        [found] = [each for each in await engine_from_url(url).inspect() if name in each.words]
        assert found.weight is (Weight.AT_RISK if by_sentinel else Weight.ADVICE)
        assert "users and their rights are not replicated" in found.remedy
        async with opened_engine(engine_from_url(url)) as engine:
            warned = any(name in warning for warning in engine.durability_warnings)
            assert warned == by_sentinel
    finally:
        client_of(master).execute_command("ACL", "DELUSER", "refused")


async def test_a_replica_that_is_missing_is_a_warning_until_it_is_back(
    replicated_servers: ReplicatedServers,
) -> None:
    engine = engine_from_url(f"{replicated_servers.url}?prefix=missing")
    engine.look_around_every_s = 0.05
    replica, master = replicated_servers.replicas[0], replicated_servers.master
    async with opened_engine(engine), trio.open_nursery() as nursery:
        await nursery.start(engine.hear, lambda _name: None)
        assert list(engine.durability_warnings) == []
        client_of(replica).execute_command("REPLICAOF", "NO", "ONE")
        client_of(master).config_set("repl-diskless-sync-delay", 1)
        try:
            await trio.to_thread.run_sync(wait_until, lambda: engine.durability_warnings)
            [warning] = engine.durability_warnings
            assert "1 replica is connected and 1 must confirm" in warning
            client_of(replica).replicaof("127.0.0.1", master.port)
            reads = "2 replicas are connected, of which 1 must read the whole copy first, and 1"
            await trio.to_thread.run_sync(
                wait_until, lambda: any(reads in one for one in engine.durability_warnings)
            )
        finally:
            client_of(master).config_set("repl-diskless-sync-delay", 0)
            client_of(replica).replicaof("127.0.0.1", master.port)
            await trio.to_thread.run_sync(replicated_servers.wait_until_in_step)
        await trio.to_thread.run_sync(wait_until, lambda: not engine.durability_warnings)
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("priority", [0, 7, 200])
async def test_a_replica_that_confirms_and_is_not_promoted_first_is_a_warning(
    replicated_servers: ReplicatedServers, priority: int
) -> None:
    """Sentinel goes by priority before it looks at who has most."""
    preferred, other = replicated_servers.replicas
    later = preferred if priority in {0, 200} else other
    url = f"{replicated_servers.url}?prefix=priority"
    client_of(preferred).config_set("replica-priority", priority)
    try:
        async with opened_engine(engine_from_url(url)) as engine:
            [warning] = engine.durability_warnings
            assert f": replica 127.0.0.1:{later.port} may be the only one" in warning
        found = await engine_from_url(f"{url}&need=2").inspect()  # one of them is the first
        assert not any("a fail-over may lose" in one.words for one in found)
    finally:
        client_of(preferred).config_set("replica-priority", 100)


async def test_a_replica_of_a_cluster_that_is_never_promoted_is_a_warning(
    cluster_servers: ClusterServers,
) -> None:
    url = f"{cluster_servers.url}?prefix=never"
    [replica, *_] = cluster_servers.replicas
    before = await engine_from_url(url).inspect()
    client_of(replica).config_set("cluster-replica-no-failover", "yes")
    try:
        [found] = [one for one in await engine_from_url(url).inspect() if one not in before]
        assert found.weight is Weight.AT_RISK
        assert f": replica 127.0.0.1:{replica.port} may be the only one" in found.words
    finally:
        client_of(replica).config_set("cluster-replica-no-failover", "no")


async def test_fewer_replicas_than_must_confirm_are_refused_with_their_master(
    server: RedisServer,
) -> None:
    said = await refusal(f"{server.url}?need=1")
    assert f"127.0.0.1:{server.port}: 0 replicas are connected and 1 must confirm" in said


async def test_a_trial_that_fails_is_told_beside_all_that_was_found(
    server: RedisServer, client: redis.Redis
) -> None:
    client.config_set("appendfsync", "everysec")
    client.config_set("min-replicas-to-write", "1")
    url = f"{server.url}?unsafe=yes"
    found = await engine_from_url(url).inspect()
    assert [each.weight for each in found] == [Weight.REFUSED, Weight.UNSAFE]
    assert f"127.0.0.1:{server.port}: " in found[0].words
    assert "NOREPLICAS" in found[0].words
    with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{server.port}: NOREPLICAS"):
        await engine_from_url(url).open()


async def test_an_older_layout_is_told_beside_all_that_was_found(
    server: RedisServer, client: redis.Redis
) -> None:
    client.config_set("appendfsync", "everysec")
    client.set("{lamplighter}:schema", 2)
    found = await engine_from_url(server.url).inspect()
    assert "lamplighter move" in found[0].remedy
    assert "appendfsync is everysec" in found[1].words


# ------------------------------------------------------------------- what cannot be looked at


@pytest.mark.parametrize("command", ["config", "info"])
@pytest.mark.parametrize("how", ["renamed", "not permitted"])
async def test_what_cannot_be_seen_is_told_by_the_doctor_and_the_log_and_is_no_alert(
    command: str, how: str
) -> None:
    renamed = {"rename-command": f'{command.upper()} ""'} if how == "renamed" else {}
    with RedisServer(renamed) as server:
        url = server.url
        if how != "renamed":
            rights = ("~*", "&*", "+@all", f"-{command}")
            client_of(server).execute_command("ACL", "SETUSER", "lamp", "on", ">pw", *rights)
            url = url.replace("//", "//lamp:pw@")
        [found] = await engine_from_url(url).inspect()
        assert found.weight is Weight.UNKNOWN
        assert f"{command.upper()} is renamed or not permitted" in found.words
        with capture_logs() as logged:
            async with opened_engine(engine_from_url(url)) as engine:
                assert list(engine.durability_warnings) == []
        assert [each["problem"] for each in logged] == [found.words]


# ----------------------------------------------------------------------- URLs of another kind


@pytest.mark.parametrize(
    "path", ["redis://{}", "redis://{}/1", "redis://:pw@{}", "redis+cluster://{}"]
)
async def test_a_sentinel_in_place_of_a_server_is_told(path: str) -> None:
    with RedisServer(sentinel=True) as sentinel:
        said = await refusal(path.format(f"127.0.0.1:{sentinel.port}"))
    assert f"127.0.0.1:{sentinel.port}: it is a Sentinel" in said
    assert "redis+sentinel://" in said


async def test_a_server_in_place_of_a_sentinel_is_told(server: RedisServer) -> None:
    said = await refusal(f"redis+sentinel://127.0.0.1:{server.port}/fleet")
    assert f"127.0.0.1:{server.port} is no Sentinel" in said


@pytest.mark.parametrize("option", ["", "?sentinel_password=wrong-secret"])
async def test_a_wrong_password_of_sentinel_is_told_as_its_own(option: str) -> None:
    with RedisServer(sentinel=True) as sentinel:
        users = ("ACL", "SETUSER", "default", "resetpass", ">right")
        client_of(sentinel).execute_command(*users)
        said = await refusal(f"redis+sentinel://:pw@127.0.0.1:{sentinel.port}/fleet{option}")
    assert f"Sentinel 127.0.0.1:{sentinel.port}: " in said
    assert "sentinel_password" in said
    assert "secret" not in said


async def test_a_database_that_the_server_does_not_have_is_refused(server: RedisServer) -> None:
    said = await refusal(server.url.replace("/0", "/99"))
    assert "the server does not have the database of the URL" in said
