"""A fleet moves from any store to any other, whole, and only where nobody is served."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import redis
import trio

from store.engine.port import Post
from store.engine.shards import ALL_SHARDS, shard_of
from store.errors import StoreCorrupt, StoreRefused, StoreTaken
from store.mark import MARK_KEY
from store.open import move, store_from_url
from store.port import Append, Put, Store, Table, Write
from store.redis_values import pack
from store.shards import ShardStore
from store.sqlite import SqliteStore
from tests.store.conftest import opened
from tests.store.samples import ALWAYS
from tests.store.split_store import SplitStore, split_store
from tests.support.redis_server import RedisServer

NOW = 1_795_000_000.0
LIGHTS = [f"0018b2000000{number:04x}" for number in range(200)]


def fleet() -> list[Write]:
    """Lights with a command, a verdict, a key and history each, and what belongs to no light."""
    writes: list[Write] = []
    for number, dev_eui in enumerate(LIGHTS):
        told = msgspec.json.encode({"v": 1, "dev_eui": dev_eui, "status": "verified"})
        at = float(number)
        writes += [
            Put(Table.DEVICE, dev_eui, b'{"v":1}', at),
            Put(Table.COMMAND, f"c{number}", told, at),
            Put(Table.IDEMPOTENCY, f"{dev_eui}:key", b"{}", at),
            Append("verdicts", f"c{number}", at, told),
            Append(f"verdicts:{dev_eui}", f"c{number}", at, told),
            *(Append(dev_eui, f"e{line}", at + line, b"line") for line in range(3)),
        ]
    return [
        *writes,
        Put(Table.COMMAND, "odd", b"not to be read", 1.0),
        Put(Table.META, "air/0016c001f1500812", b"air", 1.0),
        Put(Table.ALERT, "a1", b"alert", 1.0),
        Put(Table.ROLLOUT, "r1", b"rollout", 1.0),
        Append("air", "1", 1.0, b"sent"),
        Append("gateway:0016c001f1500812", "1", 1.0, b"online"),
    ]


RECORDS, ENTRIES = 3 * len(LIGHTS) + 4, 5 * len(LIGHTS) + 2
STREAMS = ["verdicts", "air", "gateway:0016c001f1500812"]
STREAMS += [name for dev_eui in LIGHTS for name in (dev_eui, f"verdicts:{dev_eui}")]


async def everything(store: Store) -> object:
    return (
        {table: list(await store.scan(table)) for table in Table},
        {name: list(await store.entries(name, **ALWAYS, most=9_999)) for name in STREAMS},
    )


@pytest.fixture
def url(redis_server: RedisServer, prefix: str, tmp_path: Path) -> Callable[[str], str]:
    def make(name: str) -> str:
        if name.startswith("sqlite"):
            return f"sqlite:///{tmp_path / name}.db"
        return f"{redis_server.url}?prefix={prefix}-{name}"

    return make


def store_at(url: str) -> Store:
    return split_store(url)() if url.startswith("redis") else store_from_url(url)


@pytest.mark.parametrize("source", ["sqlite-one", "engine-one"])
@pytest.mark.parametrize("target", ["sqlite-two", "engine-two"])
async def test_everything_is_there_after_a_move(
    url: Callable[[str], str], source: str, target: str
) -> None:
    old, new = url(source), url(target)
    async with opened(store_at(old)) as store:
        await store.commit(fleet())
        before = await everything(store)

    done = await trio.to_thread.run_sync(move, old, new, NOW)

    assert (done.records, done.entries) == (RECORDS, ENTRIES)
    async with opened(store_at(new)) as store:
        assert await everything(store) == before
        assert await store.get(Table.META, MARK_KEY) is None  # it was not set back
        assert await store.get(Table.COMMAND, "c7") is not None
        if isinstance(store, ShardStore):
            for shard in ALL_SHARDS:
                there = await store.engine.snapshot(shard, [Table.DEVICE, Table.COMMAND])
                lights, commands = there.tables[Table.DEVICE], there.tables[Table.COMMAND]
                assert all(shard_of(record.key) == shard for record in lights)
                for record in commands:
                    if record.key != "odd":
                        assert shard_of(LIGHTS[int(record.key[1:])]) == shard
    async with opened(store_at(old)) as store:
        assert await everything(store) == before  # the old one is kept


def older(url: str, prefix: str, layout: int) -> None:
    """What versions of one process left in Redis."""
    tag = "{" + prefix + "}"
    oldest: dict[str, float] = {}
    with redis.Redis.from_url(url, protocol=2) as client, client.pipeline() as pipe:
        for write in fleet():
            match write:
                case Put(table, key, value, at):
                    pipe.hset(f"{tag}:{table}", key, pack(at, value))
                    pipe.zadd(f"{tag}:{table}:at", {key: at})
                case Append(stream, entry, at, value):
                    pipe.hset(f"{tag}:stream:{stream}", entry, pack(at, value))
                    pipe.zadd(f"{tag}:at:{stream}", {entry: at})
                    oldest[stream] = min(at, oldest.get(stream, at))
        pipe.zadd(f"{tag}:streams", oldest)
        pipe.set(f"{tag}:schema", layout)
        pipe.set(f"{tag}:commits", 7)
        pipe.execute()


@pytest.mark.parametrize("layout", [1, 2])
async def test_what_an_older_version_left_in_redis_is_moved_where_it_lies(
    redis_server: RedisServer, prefix: str, tmp_path: Path, layout: int
) -> None:
    url = f"{redis_server.url}?prefix={prefix}"
    await trio.to_thread.run_sync(older, redis_server.url, prefix, layout)

    done = await trio.to_thread.run_sync(move, url, url, NOW)

    assert (done.records, done.entries) == (RECORDS, ENTRIES)
    async with opened(SqliteStore(tmp_path / "like.db")) as like:
        await like.commit(fleet())
        async with opened(split_store(url)()) as store:
            assert await everything(store) == await everything(like)
    with pytest.raises(StoreRefused, match="the same"):
        await trio.to_thread.run_sync(move, url, url, NOW)


async def test_an_older_store_that_is_in_use_stays(redis_server: RedisServer, prefix: str) -> None:
    url = f"{redis_server.url}?prefix={prefix}"
    await trio.to_thread.run_sync(older, redis_server.url, prefix, 2)

    def commit() -> None:
        with redis.Redis.from_url(redis_server.url, protocol=2) as client:
            client.set("{" + prefix + "}:holder", "{}")
            client.incr("{" + prefix + "}:commits")

    async def pulse() -> None:
        while True:
            await trio.to_thread.run_sync(commit)
            await trio.sleep(1)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(pulse)
        await trio.sleep(0.5)
        with pytest.raises(StoreTaken, match="stop the service first"):
            await trio.to_thread.run_sync(move, url, url, NOW)
        nursery.cancel_scope.cancel()


async def test_a_file_that_is_in_use_stays(url: Callable[[str], str]) -> None:
    async with opened(store_from_url(url("sqlite-one"))) as store:
        await store.commit(fleet()[:5])
        with pytest.raises(StoreTaken):
            await trio.to_thread.run_sync(move, url("sqlite-one"), url("engine-one"), NOW)


@pytest.mark.parametrize("target", ["sqlite-two", "engine-two"])
async def test_a_store_that_is_not_empty_takes_nothing_in(
    url: Callable[[str], str], target: str
) -> None:
    async with opened(store_at(url("sqlite-one"))) as store:
        await store.commit(fleet())
    async with opened(store_at(url(target))) as store:
        await store.commit([Put(Table.ALERT, "mine", b"", 1.0)])
    with pytest.raises(StoreRefused, match=r"not empty|a fleet under"):
        await trio.to_thread.run_sync(move, url("sqlite-one"), url(target), NOW)
    async with opened(store_at(url(target))) as store:
        assert [one.key for one in await store.scan(Table.ALERT)] == ["mine"]
        assert list(await store.scan(Table.DEVICE)) == []


async def test_a_move_that_lost_something_opens_the_new_store_to_nobody(
    url: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = url("sqlite-one"), url("engine-one")
    async with opened(store_at(old)) as store:
        await store.commit(fleet())
        before = await everything(store)
    with monkeypatch.context() as patch:
        patch.setattr("store.shards.copies.ROWS_AT_ONCE", 50)
        rows = iter(range(10_000))
        filled = "store.shards.copies._Filler.add"

        async def forgets(filler: object, shard: str, write: Write) -> None:
            if next(rows) != 77:
                await real(filler, shard, write)

        from store.shards.copies import _Filler

        real = _Filler.add
        patch.setattr(filled, forgets)
        with pytest.raises(StoreCorrupt, match=f"of {RECORDS} records"):
            await trio.to_thread.run_sync(move, old, new, NOW)
    half = split_store(new)()
    with pytest.raises(StoreRefused, match="did not get there whole"):
        await half.open()
    await half.close()
    await trio.to_thread.run_sync(move, old, new, NOW)
    async with opened(split_store(new)()) as store:
        assert await everything(store) == before


async def test_what_waits_in_an_inbox_does_not_come_over_a_fleet_that_is_moved_in(
    url: Callable[[str], str],
) -> None:
    old, new = url("sqlite-one"), url("engine-one")
    async with opened(store_at(old)) as store:
        await store.commit(fleet())
    async with opened(split_store(new)()) as store:
        await store.engine.post([Post("07", b"of another fleet")])
    await trio.to_thread.run_sync(move, old, new, NOW)
    async with opened(split_store(new)()) as store:
        assert isinstance(store, SplitStore)
        mark = (await store.engine.look(["07"]))["07"].inbox_mark
        assert not (await store.engine.read_inboxes({"07": mark}, 9)).get("07")


async def test_there_must_be_something_to_move(url: Callable[[str], str]) -> None:
    for source in ("sqlite-one", "engine-one"):
        with pytest.raises(StoreRefused, match="there is no store"):
            await trio.to_thread.run_sync(move, url(source), url("engine-two"), NOW)
    with pytest.raises(StoreRefused, match="memory"):
        await trio.to_thread.run_sync(move, "memory:", url("engine-two"), NOW)
