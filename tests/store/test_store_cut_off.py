"""A restore or a move into Redis that ends early leaves the fleet as it was, open to everybody; or,
once something was removed, closed, kept in a file, and the same again makes it whole."""

import os
import signal
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import redis
import trio

from store.engine.port import Member
from store.engine.redis.engine import RedisEngine
from store.engine.redis.filling import RENEW_S, FilledEngine, Filling
from store.engine.redis.url import target_of
from store.errors import StoreError, StoreRefused, StoreTaken, StoreUnavailable
from store.open import backup, move, restore
from store.port import Table
from store.shards import ShardStore
from store.shards.taking import take_all
from tests.store.conftest import opened
from tests.store.samples import put
from tests.store.split_store import split_store
from tests.store.test_store_moves import LIGHTS, older
from tests.support.redis_server import RedisServer

NOW = 1_795_000_000.0
BEFORE = (  # a restore has taken what it can, and removed nothing
    "store.shards.copies:take_all",
    "store.shards.copies:_kept",
    "store.shards.copies:backup_engine",
    "store.engine.redis.filling:FilledEngine._begin",
)
CLOSING = (  # the mark is set, which whoever is not killed takes back
    "store.engine.redis.filling:FilledEngine.members",
    "store.engine.redis.filling:FilledEngine._close_to_others",
)
AFTER = (
    "store.shards.copies:_Filler.fill",
    "store.engine.redis.filling:FilledEngine.end_move",
)
Hook = Callable[[], Awaitable[None]]


class Fleet:
    """One in Redis that holds a record `now`, and a copy of it that was made before, of `then`."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder, self.copy = url, folder, folder / "copy"

    async def make(self) -> None:
        async with opened(split_store(self.url)()) as store:
            await store.commit([put("then")])
            await trio.to_thread.run_sync(backup, self.url, self.copy, NOW)
            await store.commit([put("now")])

    async def devices(self) -> list[str]:
        """Which can only be told where a service could start."""
        async with opened(split_store(self.url)()) as store:
            return [record.key for record in await store.scan(Table.DEVICE)]

    async def restored(self, now: float = NOW, *, copy: Path | None = None) -> Path | None:
        source = copy or self.copy
        done = await trio.to_thread.run_sync(restore, self.url, source, now)
        return done.kept

    def kept(self) -> list[Path]:
        return sorted(self.folder.glob("copy.before-*"))

    async def killed(self, verb: str, function: str, number: signal.Signals) -> None:
        """A verb that dies in a function, in a process of its own."""
        module = "tests.store.replace_killed_child"
        words = [sys.executable, "-m", module, verb, self.url, str(self.copy)]
        done = await trio.run_process(
            [*words, f"{NOW}", function, f"{number.value}"], check=False, capture_stderr=True
        )
        assert done.returncode == -number, done.stderr.decode()


@pytest.fixture
async def fleet(redis_server: RedisServer, prefix: str, tmp_path: Path) -> Fleet:
    fleet = Fleet(f"{redis_server.url}?prefix={prefix}", tmp_path)
    await fleet.make()
    return fleet


def replaced(patch: pytest.MonkeyPatch, function: str, by: Any) -> None:
    module, _, name = function.partition(":")
    patch.setattr(f"{module}.{name}", by)


@pytest.mark.parametrize(
    ("function", "error"),
    list(zip([*BEFORE, *CLOSING], cycle([KeyboardInterrupt, StoreUnavailable]), strict=False)),
)
async def test_what_ends_before_anything_was_removed_changes_nothing(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, function: str, error: type[BaseException]
) -> None:
    calls = 0
    real = FilledEngine.members

    async def fails(*args: Any, **_more: object) -> object:
        nonlocal calls
        calls += 1
        if function.endswith("members") and calls == 1:  # when it is opened
            return await real(args[0])
        raise error("away")

    with monkeypatch.context() as patch:
        replaced(patch, function, fails)
        with pytest.raises(error, match=r"^away$"):
            await fleet.restored()
    assert await fleet.devices() == ["now", "then"]
    kept = await fleet.restored(NOW + 1)
    assert await fleet.devices() == ["then"]
    assert kept is not None
    await fleet.restored(NOW + 2, copy=kept)
    assert await fleet.devices() == ["now", "then"]


async def test_a_file_that_cannot_be_written_changes_nothing(fleet: Fleet) -> None:
    longest = fleet.folder / ("c" * 250)  # what is kept beside it would have a longer name
    await trio.to_thread.run_sync(os.rename, fleet.copy, longest)
    with pytest.raises(StoreError, match="name too long"):
        await fleet.restored(copy=longest)
    assert await fleet.devices() == ["now", "then"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_a_restore_that_is_killed_before_it_removes_anything_changes_nothing(
    fleet: Fleet, number: signal.Signals
) -> None:
    await fleet.killed("restore", "store.shards.copies:backup_engine", number)
    assert await fleet.devices() == ["now", "then"]


@pytest.mark.parametrize("function", AFTER)
async def test_a_restore_that_is_killed_later_is_told_and_can_be_repeated(
    fleet: Fleet, function: str
) -> None:
    await fleet.killed("restore", function, signal.SIGKILL)
    with pytest.raises(StoreRefused, match=r"restored .* did not get there whole: .* kept beside"):
        await fleet.devices()
    (whole,) = fleet.kept()
    assert await fleet.restored(NOW + 1) != whole
    assert await fleet.devices() == ["then"]
    await fleet.restored(NOW + 2, copy=whole)
    assert await fleet.devices() == ["now", "then"]


async def test_what_ends_a_restore_later_is_told_with_what_follows(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object) -> None:
        raise StoreUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr("store.shards.copies._Filler.fill", fails)
        with pytest.raises(StoreUnavailable, match=r"away; no service starts .* kept beside"):
            await fleet.restored()
    with pytest.raises(StoreRefused, match="half of a restore"):  # a move keeps no copy
        await trio.to_thread.run_sync(add_to_half, fleet)
    assert await fleet.restored(NOW + 1) is not None


def add_to_half(fleet: Fleet) -> None:
    """A record that was filled in before the end, and a move upon it."""
    target = target_of(fleet.url)
    with redis.Redis.from_url(fleet.url.partition("?")[0], protocol=2) as client:
        client.hset("{" + target.prefix + ":00}:device", "half", b"\0" * 8 + b"v")
    move(f"sqlite:///{fleet.copy}", fleet.url, NOW)


async def test_a_restore_upon_an_older_store_that_is_killed_can_be_repeated(
    fleet: Fleet, prefix: str, redis_server: RedisServer
) -> None:
    """Twice something is kept then: what the older version left, and what was half filled in."""
    fleet.url = fleet.url.replace(prefix, f"{prefix}-older")
    await trio.to_thread.run_sync(older, redis_server.url, f"{prefix}-older", 2)
    await fleet.killed(
        "restore", "store.engine.redis.filling:FilledEngine.end_move", signal.SIGKILL
    )
    await fleet.restored(NOW + 1)
    assert await fleet.devices() == ["then"]
    assert len(fleet.kept()) == 3
    await fleet.restored(NOW + 2, copy=fleet.kept()[0])
    assert await fleet.devices() == LIGHTS


@pytest.mark.parametrize("function", ["store.shards.copies:take_all", *AFTER])
async def test_a_move_that_is_killed_can_be_repeated(
    fleet: Fleet, prefix: str, function: str
) -> None:
    fleet.url = fleet.url.replace(prefix, f"{prefix}-new")
    await fleet.killed("move", function, signal.SIGKILL)
    if function in AFTER:
        with pytest.raises(StoreRefused, match=r"moved .* did not get there whole"):
            await fleet.devices()
    else:
        assert await fleet.devices() == []
    await trio.to_thread.run_sync(move, f"sqlite:///{fleet.copy}", fleet.url, NOW)
    assert await fleet.devices() == ["then"]


@asynccontextmanager
async def while_it_keeps(patch: pytest.MonkeyPatch, hook: Hook) -> AsyncGenerator[None, None]:
    """Do something while a restore owns every shard and writes what it keeps."""
    from store.shards.copies import _kept

    async def kept(*args: Any) -> Path | None:
        patch.undo()  # once
        await hook()
        return await _kept(*args)

    patch.setattr("store.shards.copies._kept", kept)
    yield


async def test_a_service_that_starts_meanwhile_keeps_its_fleet(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = RedisEngine(target_of(fleet.url))

    async def start() -> None:
        await service.open()
        await service.tell_member(Member(boot="new", name="three", version="0.2.0", beat=1))

    async with while_it_keeps(monkeypatch, start):
        with pytest.raises(StoreTaken, match=r"process three is alive: stop the service first$"):
            await fleet.restored()
    await service.close()
    assert await fleet.devices() == ["now", "then"]


async def test_a_service_that_took_a_part_meanwhile_keeps_its_fleet(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = RedisEngine(target_of(fleet.url))

    async def start() -> None:
        await service.open()
        assert await service.take("40", (await service.look(["40"]))["40"], "new") is not None

    async with while_it_keeps(monkeypatch, start):
        with pytest.raises(StoreTaken, match=r"shard 40 was taken: stop the service first$"):
            await fleet.restored()
    await service.close()
    assert await fleet.devices() == ["now", "then"]


async def test_of_two_restores_at_once_one_is_refused_and_harms_nothing(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def other() -> None:  # the first one hangs for longer than its leases are valid
        engine = FilledEngine(target_of(fleet.url), Filling.RESTORE)
        await engine.open()
        store = ShardStore(engine, "other")
        await take_all(store, patience_s=0.0)
        await engine.prune("00", store.owned["00"].token, tables=(), before=0.0, most=1)
        await engine.close()

    async with while_it_keeps(monkeypatch, other):
        with pytest.raises(StoreTaken, match="another process moves or restores"):
            await fleet.restored()
    with pytest.raises(StoreRefused, match="did not get there whole"):  # the other one's mark
        await fleet.devices()


async def test_a_restore_renews_what_it_owns_so_that_another_one_waits(fleet: Fleet) -> None:
    engine = FilledEngine(target_of(fleet.url), Filling.RESTORE)
    await engine.open()
    store = ShardStore(engine, "first")
    await take_all(store, patience_s=0.0)
    before = await engine.look(["07"])
    await trio.sleep(RENEW_S)
    await engine.snapshot("00", [Table.DEVICE])
    after = await engine.look(["07"])
    await engine.close()
    assert after["07"].beat > before["07"].beat
    assert after["07"].token == before["07"].token
