"""Backup and restore of every store, into every store."""

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from store.engine.open import engine_from_url
from store.errors import StoreCorrupt, StoreRefused, StoreTaken
from store.mark import MARK_KEY, read_mark
from store.open import backup, move, restore, store_from_url
from store.port import Store, Table
from store.shards import ShardStore
from tests.store.conftest import opened
from tests.store.samples import ALWAYS, add, put
from tests.store.split_store import split_store
from tests.support.redis_server import RedisServer
from tests.support.redis_sites import client_of

MADE, RESTORED = 1_795_000_000.0, 1_795_100_000.0
Url = Callable[[str], str]


@pytest.fixture
def url(redis_server: RedisServer, prefix: str, tmp_path: Path) -> Url:
    def make(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / 'store.db'}"
        return f"{redis_server.url}?prefix={prefix}"

    return make


def store_at(url: str) -> Store:
    return split_store(url)() if url.startswith("redis") else store_from_url(url)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def here(path: Path) -> bool:
    return path.exists()


async def fill(store: Store, word: bytes) -> None:
    await store.commit(
        [
            *(
                put(f"{number}", word + b"%d" % number, table=table)
                for table in Table
                for number in range(3)
            ),
            *(
                add(f"{number}", number + 0.5, stream, word)
                for stream in ("s", "{odd}:*", "é")
                for number in range(4)
            ),
        ]
    )


async def everything(store: Store) -> object:
    return (
        [[r for r in await store.scan(table) if r.key != MARK_KEY] for table in Table],
        [list(await store.entries(name, **ALWAYS, most=99)) for name in ("s", "{odd}:*", "é")],
    )


@pytest.mark.parametrize("to", ["sqlite", "redis"])
@pytest.mark.parametrize("source", ["sqlite", "redis"])
async def test_a_copy_of_any_store_comes_back_in_any_store(
    url: Url, tmp_path: Path, source: str, to: str
) -> None:
    copy = tmp_path / "copy"
    async with opened(store_at(url(source))) as store:
        await fill(store, b"copied")
        before = await everything(store)
        copied = await trio.to_thread.run_sync(backup, url(source), copy, MADE)  # in use
        assert (copied.records, copied.entries, copied.at) == (24, 12, MADE)
        assert mode(copy) == 0o600
        await fill(store, b"later")
        await store.commit([put("only later")])
    if to != source:
        async with opened(store_at(url(to))) as store:
            await fill(store, b"other")
    async with opened(store_at(url(to))) as store:
        replaced = await everything(store)

    done = await trio.to_thread.run_sync(restore, url(to), copy, RESTORED)

    assert (done.copied_at, done.records) == (MADE, 24)
    async with opened(store_at(url(to))) as store:
        assert await everything(store) == before
        record = await store.get(Table.META, MARK_KEY)
        assert record is not None
        mark = read_mark(record)
        assert (mark.at, mark.copied_at) == (RESTORED, MADE)
        assert mark.cause == "was restored from a copy of 2026-11-18 11:06:40 UTC"
        assert await store.prune(tables=[], before=9.0, most=99) == 12
    assert done.kept is not None
    assert mode(done.kept) == 0o600
    await trio.to_thread.run_sync(restore, url(to), done.kept, RESTORED)
    async with opened(store_at(url(to))) as store:
        assert await everything(store) == replaced
    assert not [name for name in os.listdir(tmp_path) if ".part" in name]


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_a_restore_is_refused_while_a_service_uses_the_store(
    url: Url, tmp_path: Path, kind: str
) -> None:
    copy = tmp_path / "copy"
    async with opened(store_at(url(kind))) as store:
        await fill(store, b"kept")
        await trio.to_thread.run_sync(backup, url(kind), copy, MADE)

        async def pulse() -> None:
            while True:
                if isinstance(store, ShardStore):  # its keeper does that
                    tokens = {shard: lease.token for shard, lease in store.owned.items()}
                    await store.engine.renew(tokens)
                await store.check()
                await trio.sleep(0.2)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(pulse)
            with pytest.raises(StoreTaken, match="in use"):
                await trio.to_thread.run_sync(restore, url(kind), copy, RESTORED)
            nursery.cancel_scope.cancel()
        await store.commit([put("goes on")])
    async with opened(store_at(url(kind))) as store:
        assert await store.get(Table.DEVICE, "goes on") is not None


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_a_backup_takes_no_files_place(url: Url, tmp_path: Path, kind: str) -> None:
    copy = tmp_path / "copy"
    await trio.Path(copy).write_text("precious")
    async with opened(store_at(url(kind))):
        with pytest.raises(StoreRefused, match="exists already"):
            await trio.to_thread.run_sync(backup, url(kind), copy, MADE)
    assert await trio.Path(copy).read_text() == "precious"


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_there_is_no_copy_of_nothing(url: Url, tmp_path: Path, kind: str) -> None:
    with pytest.raises(StoreRefused, match="there is no store"):
        await trio.to_thread.run_sync(backup, url(kind), tmp_path / "copy", MADE)
    assert os.listdir(tmp_path) == []


async def test_a_restore_into_nothing_and_a_refused_one_leave_nothing_else(
    url: Url, tmp_path: Path
) -> None:
    bad = tmp_path / "bad"
    await trio.Path(bad).write_bytes(b"no database " * 999)
    with pytest.raises(StoreCorrupt):
        await trio.to_thread.run_sync(restore, url("sqlite"), bad, RESTORED)
    assert sorted(os.listdir(tmp_path)) == ["bad", "store.db.lock"]


@pytest.mark.parametrize("damage", ["damaged", "foreign", "newer", "missing"])
@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_a_copy_that_cannot_be_trusted_replaces_nothing(
    url: Url, tmp_path: Path, kind: str, damage: str
) -> None:
    copy = tmp_path / "copy"
    async with opened(store_at(url(kind))) as store:
        await store.commit([put(f"{n}", b"x" * 900) for n in range(200)])
        before = await everything(store)
        await trio.to_thread.run_sync(backup, url(kind), copy, MADE)
    spoil(copy, damage)
    with pytest.raises(StoreCorrupt if damage == "damaged" else StoreRefused):
        await trio.to_thread.run_sync(restore, url(kind), copy, RESTORED)
    async with opened(store_at(url(kind))) as store:
        assert await everything(store) == before
        assert await store.get(Table.META, MARK_KEY) is None


def spoil(copy: Path, damage: str) -> None:
    if damage == "missing":
        copy.unlink()
        return
    if damage == "damaged":
        content = bytearray(copy.read_bytes())
        content[len(content) // 2 :] = b"\xff" * (len(content) - len(content) // 2)
        copy.write_bytes(content)
        return
    connection = sqlite3.connect(copy)
    pragma = "application_id = 7" if damage == "foreign" else "user_version = 99"
    connection.execute(f"PRAGMA {pragma}")
    connection.commit()
    connection.close()


async def test_a_stale_log_beside_the_store_does_not_get_into_a_restore(
    url: Url, tmp_path: Path
) -> None:
    """As after a kill: the log of the store that is replaced is still there."""
    path, copy, killed = tmp_path / "store.db", tmp_path / "copy", tmp_path / "killed"
    async with opened(store_at(url("sqlite"))) as store:
        await fill(store, b"copied")
        before = await everything(store)
        await trio.to_thread.run_sync(backup, url("sqlite"), copy, MADE)
        await fill(store, b"later")
        for end in ("", "-wal", "-shm"):
            shutil.copy(f"{path}{end}", f"{killed}{end}")
        later = await everything(store)
    for end in ("", "-wal", "-shm"):
        shutil.copy(f"{killed}{end}", f"{path}{end}")

    done = await trio.to_thread.run_sync(restore, url("sqlite"), copy, RESTORED)

    async with opened(store_at(url("sqlite"))) as store:
        assert await everything(store) == before
    assert done.kept is not None
    await trio.to_thread.run_sync(restore, url("sqlite"), done.kept, RESTORED)
    async with opened(store_at(url("sqlite"))) as store:
        assert await everything(store) == later  # what was in the log was kept, too


async def test_the_log_of_a_store_that_is_gone_does_not_get_into_a_restore(
    url: Url, tmp_path: Path
) -> None:
    path, copy, log = tmp_path / "store.db", tmp_path / "copy", tmp_path / "log"
    async with opened(store_at(url("sqlite"))) as store:
        await fill(store, b"copied")
        before = await everything(store)
        await trio.to_thread.run_sync(backup, url("sqlite"), copy, MADE)
        await store.commit([put(f"{number}", b"x" * 900) for number in range(50)])
        shutil.copy(f"{path}-wal", log)
    path.unlink()
    shutil.copy(log, f"{path}-wal")

    done = await trio.to_thread.run_sync(restore, url("sqlite"), copy, RESTORED)

    assert done.kept is None
    async with opened(store_at(url("sqlite"))) as store:
        assert await everything(store) == before


async def test_a_restore_into_redis_that_was_cut_off_is_refused_until_it_is_repeated(
    url: Url, tmp_path: Path, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "copy"
    async with opened(store_at(url("redis"))) as store:
        await fill(store, b"copied")
        before = await everything(store)
        await trio.to_thread.run_sync(backup, url("redis"), copy, MADE)
    with monkeypatch.context() as patch:
        patch.setattr("store.shards.copies._Filler.fill", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await trio.to_thread.run_sync(restore, url("redis"), copy, RESTORED)
    half = store_at(url("redis"))
    with pytest.raises(StoreRefused, match="did not get there whole: do it again"):
        await half.open()
    await half.close()

    done = await trio.to_thread.run_sync(restore, url("redis"), copy, RESTORED)
    assert done.kept is None  # it had removed all, and filled in nothing
    async with opened(store_at(url("redis"))) as store:
        assert await everything(store) == before


async def test_a_backup_under_load_is_quick_and_of_one_instant(url: Url, tmp_path: Path) -> None:
    async with opened(store_at(url("sqlite"))) as store:
        await store.commit([put(f"{n}", b"x" * 2_000) for n in range(5_000)])
        rounds = 0

        async def load() -> None:
            nonlocal rounds
            while True:
                rounds += 1
                value = b"%d" % rounds
                await store.commit([put("one", value), put("two", value, table=Table.META)])

        await store.commit([put("one", b"0"), put("two", b"0", table=Table.META)])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(load)
            with trio.fail_after(20):
                await trio.to_thread.run_sync(backup, url("sqlite"), tmp_path / "copy", MADE)
            nursery.cancel_scope.cancel()
    async with opened(store_at(f"sqlite:///{tmp_path / 'copy'}")) as copy:
        one, two = await copy.get(Table.DEVICE, "one"), await copy.get(Table.META, "two")
        assert one is not None
        assert two is not None
        assert one.value == two.value


@pytest.mark.parametrize("verb", ["backup", "restore"])
@pytest.mark.parametrize("kind", ["sqlite", "redis"])
async def test_a_file_that_cannot_be_looked_at_is_refused_in_words(
    url: Url, tmp_path: Path, kind: str, verb: str
) -> None:
    """As one in a folder that is closed to us; a name that is too long fails alike for root."""
    async with opened(store_at(url(kind))) as store:
        await fill(store, b"kept")
    there = tmp_path / ("x" * 300)
    call = backup if verb == "backup" else restore
    with pytest.raises(StoreRefused, match=r"(?i)name too long|cannot be written|no such file"):
        await trio.to_thread.run_sync(call, url(kind), there, MADE)


async def test_a_store_that_cannot_be_looked_at_is_refused_in_words(tmp_path: Path) -> None:
    there = f"sqlite:///{tmp_path / ('x' * 300)}"
    copy = tmp_path / "copy"
    for call in (
        lambda: backup(there, copy, MADE),
        lambda: move(there, f"sqlite:///{copy}", MADE),
    ):
        with pytest.raises(StoreRefused, match=r"(?i)name too long|there is no store"):
            await trio.to_thread.run_sync(call)


@pytest.mark.parametrize("is_new", [True, False])
async def test_what_root_restores_belongs_to_whom_the_service_runs_as(
    url: Url, tmp_path: Path, is_new: bool
) -> None:
    """Nobody but root can give a file away; whoever else runs this owns all of it anyway."""
    owner = 12_345 if os.geteuid() == 0 else os.getuid()
    copy = tmp_path / "copy"
    async with opened(store_at(url("sqlite"))) as store:
        await fill(store, b"copied")
    await trio.to_thread.run_sync(backup, url("sqlite"), copy, MADE)
    for one in [tmp_path / name for name in os.listdir(tmp_path) if name != "copy"]:
        if is_new:
            one.unlink()
        else:
            os.chown(one, owner, -1)
    os.chown(tmp_path, owner if is_new else -1, -1)
    await trio.to_thread.run_sync(restore, url("sqlite"), copy, RESTORED)
    files = [tmp_path / name for name in os.listdir(tmp_path) if name.startswith("store.db")]
    assert {one.name for one in files} >= {"store.db", "store.db.lock"}
    assert {one.name: (one.stat().st_uid, mode(one)) for one in files} == {
        one.name: (owner, 0o600) for one in files
    }
    assert copy.stat().st_uid == os.geteuid()  # it holds secrets, and stays whose it was


async def test_a_backup_is_made_of_an_engine_that_can_store_no_more(tmp_path: Path) -> None:
    with RedisServer() as server, client_of(server) as client:
        async with opened(store_at(server.url)) as store:
            await fill(store, b"kept")
        url = f"{server.url}?need=1"  # no replica follows it
        for name in ("one", "two"):
            with pytest.raises(StoreRefused):
                await engine_from_url(url).open()
            done = await trio.to_thread.run_sync(backup, url, tmp_path / name, MADE)
            assert (done.records, done.entries) == (24, 12)
            if name == "one":
                moved = f"sqlite:///{tmp_path / 'moved.db'}"
                assert (await trio.to_thread.run_sync(move, url, moved, MADE)).records == 24
            client.config_set("maxmemory", client.info("memory")["used_memory"] // 2)
            url = server.url
