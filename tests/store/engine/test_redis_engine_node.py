"""One connection: when it is made anew, and who is told that the node failed."""

import threading
from collections.abc import Hashable
from typing import Any

import pytest
import redis
import trio
from redis.exceptions import MovedError, ResponseError

from store.engine.open import engine_from_url
from store.engine.redis.cluster import InCluster
from store.engine.redis.lanes import Lanes, Work
from store.engine.redis.node import Connection, Node
from store.engine.redis.places import OneServer
from store.engine.redis.target import Address
from store.engine.redis.url import target_of
from store.engine.shards import LIGHT_SHARDS
from store.errors import StoreUnavailable
from tests.store.engine.conftest import opened_engine
from tests.store.engine.engine_samples import commit, taken
from tests.support.redis_server import RedisServer


class Pretended:
    """A connection to a server that answers everything with its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_open = True

    def pack_command(self, *command: object) -> list[bytes]:
        return [b"asked"]

    def pack_commands(self, commands: object) -> list[bytes]:
        return []

    def send_packed_command(self, packed: object, check_health: bool) -> None:
        assert self.is_open

    def read_response(self) -> str:
        return self.name

    def can_read(self) -> bool:
        return False

    def disconnect(self) -> None:
        self.is_open = False


class FoundAnew:
    """A master, and how often another one was found."""

    def __init__(self) -> None:
        self.master, self.era = "old", 0
        self.made: list[Pretended] = []
        self.while_connecting: str | None = None

    def connect(self) -> Pretended:
        self.made.append(Pretended(self.master))
        if self.while_connecting is not None:
            self.master, self.era, self.while_connecting = self.while_connecting, self.era + 1, None
        return self.made[-1]


def test_a_connection_that_was_being_made_when_another_server_was_found_is_made_again() -> None:
    """By another lane: this one would read what is past from a master that was replaced."""
    places = FoundAnew()
    node = Node(places.connect, lambda _error: None, era=lambda: places.era)
    places.while_connecting = "new"
    assert node.ask([("GET", "x")]) == ["new"]
    assert [one.is_open for one in places.made] == [False, True]
    assert node.ask([("GET", "x")]) == ["new"]
    assert len(places.made) == 2
    places.era += 1
    assert node.ask([("GET", "x")]) == ["new"]
    assert len(places.made) == 3


class Sought(OneServer):
    """A server that sentinels would have to name, who are out of reach."""

    def __init__(self) -> None:
        super().__init__(target_of("redis://nobody"))
        self.sought = 0
        self.go_on = threading.Event()

    def dial(self, node: Hashable) -> Connection:
        self.sought += 1
        self.go_on.wait(5.0)
        raise StoreUnavailable("redis: no sentinel answers")


async def test_who_waits_while_a_master_is_sought_in_vain_is_told_so_at_once() -> None:
    """One after the other would ask the sentinels, for a second or more each."""
    places = Sought()
    lanes = Lanes(places)
    told: list[str] = []

    async def ask() -> None:
        with pytest.raises(StoreUnavailable) as refused:
            await lanes.ask(Work.READ, [("07", ("GET", "x"))])
        told.append(str(refused.value))

    async with trio.open_nursery() as nursery:
        for _ in range(8):
            nursery.start_soon(ask)
        await trio.testing.wait_all_tasks_blocked(0.1)
        places.go_on.set()
    assert places.sought == 1
    assert sorted(told)[:1] == ["redis: no sentinel answers"]
    with pytest.raises(StoreUnavailable, match="no sentinel answers"):
        await lanes.ask(Work.READ, [("07", ("GET", "x"))])
    await lanes.close()


@pytest.mark.parametrize("shards", [1, 2])
async def test_a_master_without_the_replicas_that_it_needs_is_sought_anew(
    server: RedisServer, shards: int
) -> None:
    """It may have been replaced, and is not told yet: its replicas are elsewhere."""
    with redis.Redis.from_url(server.url, protocol=2) as admin:
        async with opened_engine(engine_from_url(server.url)) as engine:
            leases = {shard: await taken(engine, shard=shard) for shard in LIGHT_SHARDS[:shards]}
            admin.config_set("min-replicas-to-write", 1)
            made = []
            for _ in range(3):
                answers = await engine.commit(
                    [commit(lease, 1, shard=shard) for shard, lease in leases.items()]
                )
                assert all("NOREPLICAS" in str(one) for one in answers), answers
                made.append(admin.info("stats")["total_connections_received"])
            assert made == [made[0], made[0] + 1, made[0] + 2]


class Sleepless(InCluster):
    """A cluster whose nodes say what they are told to."""

    def __init__(self, answer: Any) -> None:
        super().__init__(target_of("redis+cluster://a:1,b:2"))
        self.answer = answer
        self.asked = 0
        self.learned = threading.Event()

    def _learn(self) -> None:
        self.asked += 1
        if self.asked == 2:
            raise AttributeError("what no node ever said before")
        self._adopt(("a", 1), self.answer)
        if self.asked > 2:
            self.learned.set()


def test_what_cannot_be_read_of_the_map_does_not_keep_it_from_being_learned_later() -> None:
    places = Sleepless([[0, 16_383, [b"a", 1, b"id"]]])
    places.open()
    try:
        assert places.node_of("07") == ("a", 1)
        places.lost(("a", 1), ResponseError("away"))
        places.learned.wait(0.5)
        places.answer = [[0, 16_383, [b"b", 2, b"id"]]]
        places.lost(("a", 1), ResponseError("away"))
        assert places.learned.wait(5.0)
        assert places.node_of("07") == ("b", 2)
    finally:
        places.close()


@pytest.mark.parametrize(
    ("told", "where"), [("b:2", ("b", 2)), (":2", ("a", 2)), ("?:2", ("a", 2))]
)
def test_a_node_that_names_another_one_without_its_host_means_its_own(
    told: str, where: Address
) -> None:
    places = InCluster(target_of("redis+cluster://a:1,b:2"))
    places._adopt(("a", 1), [[0, 16_383, [b"a", 1, b"id"]]])
    assert places.node_of("07") == ("a", 1)
    places.lost(("a", 1), MovedError(f"{places._slots['07']} {told}"))
    assert places.node_of("07") == where
