"""What only the SQLite store promises: one owner, crashes, damage, full disks, migrations."""

import math
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
import trio.testing

import store.sqlite as sqlite_module
import store.sqlite_schema as schema
from store.errors import StoreCorrupt, StoreRefused, StoreUnavailable
from store.port import Append, Put, Record, Table
from store.sqlite import SqliteStore
from tests.store.conftest import opened

ROOT = Path(__file__).parents[2]
A = Put(Table.DEVICE, "a", b"value", 1.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


class CrashingProcess:
    """Drives `sqlite_crash_child`: one forked child a round, killed by its pid."""

    def __init__(self, path: Path) -> None:
        self._forker = subprocess.Popen(
            [sys.executable, "-m", "tests.store.sqlite_crash_child", str(path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.pid = 0

    def begin(self) -> None:
        assert self._forker.stdin is not None
        self._forker.stdin.write("go\n")
        self.pid = int(self._answer("pid"))

    def wait_ack(self) -> int:
        return int(self._answer("ack"))

    def kill(self) -> int:
        """SIGKILL the child; returns the last commit it saw answered, or 0."""
        os.kill(self.pid, signal.SIGKILL)
        last = 0
        while (line := self._line()) != "dead":
            last = int(line.removeprefix("ack "))
        self.pid = 0
        return last

    def end(self) -> None:
        if self.pid:
            self.kill()
        self._forker.communicate(timeout=10)
        assert self._forker.returncode == 0

    def _answer(self, word: str) -> str:
        line = self._line()
        assert line.startswith(f"{word} "), line
        return line.removeprefix(f"{word} ")

    def _line(self) -> str:
        assert self._forker.stdout is not None
        line = self._forker.stdout.readline().strip()
        assert line, "the crashing process ended by itself"
        return line


@pytest.fixture
def crashing(path: Path) -> Iterator[CrashingProcess]:
    process = CrashingProcess(path)
    yield process
    process.end()


# --- crashes -------------------------------------------------------------------------------------


def test_killed_again_and_again_it_keeps_every_answered_commit(
    path: Path, crashing: CrashingProcess
) -> None:
    chance = random.Random(7)
    newest = 0
    for _ in range(36):
        crashing.begin()
        for _ in range(chance.randrange(8)):  # zero: killed while it opens the file
            newest = crashing.wait_ack()
        for _ in range(chance.randrange(40_000)):
            pass  # land anywhere within the next commit
        answered = max(newest, crashing.kill())
        newest = trio.run(check_whole, path)
        assert answered <= newest <= answered + 1


async def check_whole(path: Path) -> int:
    """Every commit is there wholly or not at all; returns the number of the newest."""
    async with opened(SqliteStore(path)) as store:
        found = [
            await store.get(table, key)
            for table, key in (
                (Table.META, "newest"),
                (Table.ALERT, "newest"),
                (Table.DEVICE, "bulk"),
            )
        ]
        if found[0] is None:
            assert found == [None, None, None]
            return 0
        numbers = {int(record.value.split()[0]) for record in found if record}
        assert len(found) == 3
        assert len(numbers) == 1
        (newest,) = numbers
        entries = await store.entries(
            "s", since=-math.inf, until=math.inf, most=100_000, newest_first=False
        )
        assert [entry.entry for entry in entries] == [
            f"{number:06}.{part}" for number in range(1, newest + 1) for part in range(3)
        ]
        return newest


async def test_a_second_process_is_refused_and_told_who_is_first(
    path: Path, crashing: CrashingProcess
) -> None:
    await trio.to_thread.run_sync(crashing.begin)
    await trio.to_thread.run_sync(crashing.wait_ack)

    second = SqliteStore(path)
    with pytest.raises(StoreRefused, match=rf"in use by another process \(pid {crashing.pid}\)"):
        await second.open()

    await trio.to_thread.run_sync(crashing.kill)
    async with opened(second):  # a dead owner is no owner
        assert await second.get(Table.META, "newest") is not None


async def test_a_second_store_in_this_process_is_refused_even_by_another_name(
    path: Path, tmp_path: Path
) -> None:
    (tmp_path / "alias.db").symlink_to(path)
    async with opened(SqliteStore(path)):
        second = SqliteStore(tmp_path / "alias.db")
        with pytest.raises(StoreRefused, match="one at a time"):
            await second.open()
        await second.close()


async def test_a_commit_is_synced_before_it_is_answered(path: Path) -> None:
    async with opened(SqliteStore(path)) as store:
        assert store._files is not None
        for connection in (store._files.writer, store._files.reader):
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
        assert list(store.durability_warnings) == []


# --- contention ----------------------------------------------------------------------------------


async def test_a_file_locked_by_a_stranger_is_unavailable_for_a_while(path: Path) -> None:
    async with opened(SqliteStore(path, busy_timeout_s=0.01)) as store:
        stranger = sqlite3.connect(path, isolation_level=None)
        stranger.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="SQLITE_BUSY") as caught:
            await store.commit([A])
        assert isinstance(caught.value.__cause__, sqlite3.OperationalError)
        assert await store.get(Table.DEVICE, "a") is None

        stranger.execute("ROLLBACK")
        stranger.close()
        await store.commit([A])
        assert await store.get(Table.DEVICE, "a") == Record("a", b"value", 1.0)


async def test_readers_do_not_wait_for_a_writer(path: Path) -> None:
    async with opened(SqliteStore(path, busy_timeout_s=30)) as store:
        await store.commit([A])
        stranger = sqlite3.connect(path, isolation_level=None)
        stranger.execute("BEGIN IMMEDIATE")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(store.commit, [Put(Table.DEVICE, "a", b"new", 2.0)])
            await trio.testing.wait_all_tasks_blocked()
            with trio.fail_after(10):
                assert await store.get(Table.DEVICE, "a") == Record("a", b"value", 1.0)
                assert len(await store.scan(Table.DEVICE)) == 1
            stranger.execute("ROLLBACK")
            stranger.close()
        assert await store.get(Table.DEVICE, "a") == Record("a", b"new", 2.0)


async def test_a_cancelled_commit_keeps_its_place_before_later_ones(path: Path) -> None:
    async with opened(SqliteStore(path, busy_timeout_s=30)) as store:
        stranger = sqlite3.connect(path, isolation_level=None)
        stranger.execute("BEGIN IMMEDIATE")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(store.commit, [A])
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        assert await store.get(Table.DEVICE, "a") is None  # its caller has left
        stranger.execute("ROLLBACK")
        stranger.close()
        await store.commit([Put(Table.DEVICE, "b", b"later", 1.0)])
        assert await store.get(Table.DEVICE, "a") == Record("a", b"value", 1.0)


# --- failing disks -------------------------------------------------------------------------------


async def test_a_full_disk_is_unavailable_and_leaves_nothing_half(path: Path) -> None:
    async with opened(SqliteStore(path)) as store:
        await store.commit([A])
        writer = store._files.writer if store._files else None
        assert writer is not None
        writer.execute("PRAGMA max_page_count = 20")
        large = [Put(Table.DEVICE, f"{number}", b"x" * 50_000, 1.0) for number in range(9)]
        with pytest.raises(StoreUnavailable, match="SQLITE_FULL"):
            await store.commit(large)
        assert [record.key for record in await store.scan(Table.DEVICE)] == ["a"]

        writer.execute("PRAGMA max_page_count = 1000000")
        await store.commit(large)
        assert len(await store.scan(Table.DEVICE)) == 10


async def test_a_disk_gone_read_only_is_unavailable(path: Path) -> None:
    async with opened(SqliteStore(path)) as store:
        assert store._files is not None
        store._files.writer.execute("PRAGMA query_only = ON")
        with pytest.raises(StoreUnavailable, match="SQLITE_READONLY"):
            await store.commit([A])
        store._files.writer.execute("PRAGMA query_only = OFF")
        await store.commit([A])


async def test_a_missing_directory_is_refused_not_created(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "not-mounted" / "store.db")
    with pytest.raises(StoreRefused, match="does not exist"):
        await store.open()
    assert await listing(tmp_path) == []
    await store.close()


async def listing(directory: Path) -> list[trio.Path]:
    return list(await trio.Path(directory).iterdir())


async def test_a_path_that_is_a_directory_is_told(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.db")
    (tmp_path / "store.db").mkdir()
    with pytest.raises(StoreUnavailable, match="unable to open"):
        await store.open()
    (tmp_path / "store.db").rmdir()
    async with opened(store):  # the failed opening has left no lock behind
        await store.commit([A])


# --- damage --------------------------------------------------------------------------------------


async def test_what_is_no_database_is_corrupt(path: Path) -> None:
    await trio.Path(path).write_bytes(b"this is not a database, and never was one " * 1_000)
    store = SqliteStore(path)
    with pytest.raises(StoreCorrupt, match="not a database"):
        await store.open()
    await store.close()


@pytest.mark.parametrize("damage", ["overwritten", "truncated"])
async def test_a_damaged_file_is_corrupt_when_it_is_read(path: Path, damage: str) -> None:
    async with opened(SqliteStore(path)) as store:
        await store.commit(
            [Put(Table.DEVICE, f"{number:04}", b"x" * 800, 1.0) for number in range(500)]
        )
    content = await trio.Path(path).read_bytes()
    half = len(content) // 2 // 4096 * 4096
    rest = b"" if damage == "truncated" else b"\xff" * (len(content) - half)
    await trio.Path(path).write_bytes(content[:half] + rest)

    store = SqliteStore(path)
    with pytest.raises(StoreCorrupt):
        await read_all(store)
    await store.close()


async def read_all(store: SqliteStore) -> None:
    await store.open()
    await store.scan(Table.DEVICE)


async def test_a_missing_table_is_corrupt(path: Path) -> None:
    async with opened(SqliteStore(path)) as store:
        assert store._files is not None
        store._files.writer.execute("DROP TABLE entry")
        with pytest.raises(StoreCorrupt, match="no such table"):
            await store.commit([Append("s", "e", 1.0, b"")])


# --- schema --------------------------------------------------------------------------------------


def raw(path: Path, *statements: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        return [connection.execute(statement).fetchone() for statement in statements]
    finally:
        connection.close()


async def test_a_file_of_a_newer_version_is_refused(path: Path) -> None:
    async with opened(SqliteStore(path)):
        pass
    raw(path, "PRAGMA user_version = 99")
    with pytest.raises(StoreRefused, match="schema 99 was written by a newer version"):
        await SqliteStore(path).open()
    assert raw(path, "PRAGMA user_version") == [(99,)]


async def test_a_file_of_another_program_is_refused_untouched(path: Path) -> None:
    raw(path, "CREATE TABLE theirs (x)")
    with pytest.raises(StoreRefused, match="another program"):
        await SqliteStore(path).open()
    assert raw(path, "SELECT count(*) FROM sqlite_schema") == [(1,)]


async def test_an_older_file_is_migrated_and_keeps_its_records(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(SqliteStore(path)) as store:
        await store.commit([A])
    step = ("CREATE TABLE later (x)", "INSERT INTO later VALUES (7)")
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, step))

    for _ in range(2):  # the second opening finds nothing to do
        async with opened(SqliteStore(path)) as store:
            assert await store.get(Table.DEVICE, "a") == Record("a", b"value", 1.0)
    assert raw(path, "SELECT x FROM later", "PRAGMA user_version") == [(7,), (3,)]


async def test_a_failed_migration_leaves_the_file_as_it_was(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(SqliteStore(path)) as store:
        await store.commit([A])
    with monkeypatch.context() as patch:
        step = ("CREATE TABLE later (x)", "INSERT INTO missing VALUES (7)")
        patch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, step))
        with pytest.raises(StoreCorrupt):
            await SqliteStore(path).open()

    async with opened(SqliteStore(path)) as store:
        assert await store.get(Table.DEVICE, "a") == Record("a", b"value", 1.0)


async def test_queries_use_their_indexes(path: Path) -> None:
    async with opened(SqliteStore(path)) as store:
        assert store._files is not None
        parameters = {"stream": "s", "since": 0, "until": 1, "most": 5, "tbl": "", "before": 1}
        parameters["but"] = "[]"
        for query in (
            sqlite_module._OLDEST,
            sqlite_module._NEWEST,
            sqlite_module._DELETE.format(rows="('device','a'),('device','b')"),
            sqlite_module._PRUNE_RECORDS,
            sqlite_module._PRUNE_ENTRIES,
        ):
            plan = store._files.writer.execute(f"EXPLAIN QUERY PLAN {query}", parameters)
            steps = {row[3] for row in plan}
            whole = {step for step in steps if step.startswith(("SCAN record", "SCAN entry"))}
            sorting = {step for step in steps if "TEMP B-TREE" in step}
            assert not whole | sorting, query
