"""An SQLite store under an operator's hands: removed, replaced, copied over, opened twice."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from store.errors import StoreCorrupt, StoreTaken, StoreUnavailable
from store.port import Put, Record, Table
from store.sqlite import SqliteStore
from tests.store.conftest import opened

ROOT = Path(__file__).parents[2]
A = Put(Table.DEVICE, "a", b"value", 1.0)
B = Put(Table.DEVICE, "b", b"other", 1.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def content(path: Path) -> bytes:
    return path.read_bytes()


def open_elsewhere(path: Path) -> str:
    """What another process is told that opens this path."""
    words = (
        "import sys, trio; from store.sqlite import SqliteStore; from store.errors import *\n"
        "async def main():\n"
        "    try:\n"
        "        await SqliteStore(sys.argv[1]).open()\n"
        "    except StoreError as error:\n"
        "        print(type(error).__name__, error)\n"
        "    else:\n"
        "        print('opened')\n"
        "trio.run(main)"
    )
    done = subprocess.run(
        [sys.executable, "-c", words, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return done.stdout


# --- in its place ---------------------------------------------------------------------------------


async def test_a_removed_file_takes_no_commit_and_is_found_again(path: Path) -> None:
    async with opened(SqliteStore(path)) as store:
        await store.commit([A])
        os.rename(path, path.with_name("away"))
        with pytest.raises(StoreUnavailable, match="was removed, or its disk unmounted"):
            await store.check()
        with pytest.raises(StoreUnavailable, match="removed"):
            await store.commit([B])
        with pytest.raises(StoreUnavailable, match="removed"):
            await store.prune(tables=[Table.DEVICE], before=9.0, most=9)

        os.rename(path.with_name("away"), path)
        await store.check()
        await store.commit([B])
    async with opened(SqliteStore(path)) as store:
        assert len(await store.scan(Table.DEVICE)) == 2


async def test_a_deleted_file_is_not_written_behind_its_name(path: Path) -> None:
    async with opened(SqliteStore(path)) as store:
        await store.commit([A])
        os.unlink(path)
        with pytest.raises(StoreUnavailable, match="removed"):
            await store.commit([B])
        assert not os.access(path, os.F_OK)


async def test_another_file_in_its_place_takes_no_commit(path: Path) -> None:
    async with opened(SqliteStore(path.with_name("other"))) as other:
        await other.commit([B])
    async with opened(SqliteStore(path)) as store:
        await store.commit([A])
        os.rename(path, path.with_name("away"))
        shutil.copy(path.with_name("other"), path)
        for call in (store.check(), store.commit([A])):
            with pytest.raises(StoreUnavailable, match="another file stands in the place"):
                await call
        os.rename(path.with_name("away"), path)
        await store.commit([B])


async def test_an_unreachable_folder_is_told(path: Path, tmp_path: Path) -> None:
    async with opened(SqliteStore(path)) as store:
        os.rename(tmp_path, tmp_path.with_name(f"{tmp_path.name}-away"))
        with pytest.raises(StoreUnavailable, match="unmounted"):
            await store.check()
        os.rename(tmp_path.with_name(f"{tmp_path.name}-away"), tmp_path)
        await store.commit([A])


async def test_content_copied_over_it_ends_the_service_of_it(path: Path) -> None:
    async with opened(SqliteStore(path)) as store:
        await store.commit([Put(Table.DEVICE, f"{n}", b"x" * 900, 1.0) for n in range(50)])
    shutil.copy(path, path.with_name("copy"))
    async with opened(SqliteStore(path)) as store:
        await store.commit([A])
        with path.open("r+b") as same, path.with_name("copy").open("rb") as copy:
            same.write(copy.read())
        with pytest.raises(StoreTaken, match="taken over, or its content replaced"):
            await store.check()


@pytest.mark.parametrize("how", ["emptied", "cut", "overwritten"])
async def test_a_file_cut_or_overwritten_in_use_is_corrupt(path: Path, how: str) -> None:
    async with opened(SqliteStore(path)) as store:
        await store.commit([A])
        await store.check()
        with path.open("r+b") as same:
            if how == "overwritten":
                same.write(b"\0" * 100)
            else:
                same.truncate(0 if how == "emptied" else 4096)
        with pytest.raises(StoreCorrupt):
            await store.check()


@pytest.mark.parametrize("ends", [("-wal",), ("-shm",), ("-wal", "-shm")])
async def test_a_log_deleted_in_use_loses_nothing(path: Path, ends: tuple[str, ...]) -> None:
    async with opened(SqliteStore(path)) as store:
        await store.commit([A])
        for end in ends:
            path.with_name(path.name + end).unlink()
        await store.commit([B])
        assert await store.get(Table.DEVICE, "a") == Record("a", b"value", 1.0)
        assert path.with_name(f"{path.name}-wal").exists()
        kill_copy = path.with_name("as-after-a-kill.db")
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", f"{kill_copy}{end}")
    async with opened(SqliteStore(kill_copy)) as store:
        assert len(await store.scan(Table.DEVICE)) == 2


async def test_a_foreign_log_put_beside_it_in_use_does_not_get_in(path: Path) -> None:
    other = path.with_name("other.db")
    async with opened(SqliteStore(path)) as store, opened(SqliteStore(other)) as stranger:
        await store.commit([A])
        await stranger.commit([B])
        path.with_name(f"{path.name}-wal").unlink()
        shutil.copy(f"{other}-wal", f"{path}-wal")
        await store.check()
        await store.commit([Put(Table.DEVICE, "c", b"third", 1.0)])
        assert [one.key for one in await store.scan(Table.DEVICE)] == ["a", "c"]
    async with opened(SqliteStore(path)) as store:
        assert [one.key for one in await store.scan(Table.DEVICE)] == ["a", "c"]


async def test_a_read_only_file_system_is_told_without_a_write(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(SqliteStore(path)) as store:
        real = os.statvfs(path)
        with monkeypatch.context() as patch:
            fields = [*real]
            fields[8] |= os.ST_RDONLY
            patch.setattr(os, "statvfs", lambda where: os.statvfs_result(fields))
            with pytest.raises(StoreUnavailable, match="read-only"):
                await store.check()
        await store.check()


# --- one at a time --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["the same", "a symbolic link", "a hard link"])
@pytest.mark.parametrize("lock", ["kept", "deleted"])
async def test_a_second_process_is_refused_by_whatever_path(
    path: Path, name: str, lock: str
) -> None:
    async with opened(SqliteStore(path)) as store:
        await store.commit([A])
        if lock == "deleted":
            path.with_name(f"{path.name}.lock").unlink()
        other = path
        if name != "the same":
            other = path.parent / "elsewhere" / "alias.db"
            other.parent.mkdir()
            (other.symlink_to if name == "a symbolic link" else other.hardlink_to)(path)
        assert "StoreTaken" in open_elsewhere(other)
        await store.check()
        await store.commit([B])


async def test_a_second_store_in_this_process_does_not_loosen_the_first_ones_locks(
    path: Path,
) -> None:
    async with opened(SqliteStore(path)) as store:
        path.with_name(f"{path.name}.lock").unlink()
        with pytest.raises(StoreTaken):
            await SqliteStore(path).open()
        assert "StoreTaken" in open_elsewhere(path)
        await store.commit([A])


async def test_a_foreign_owner_inside_stops_it_for_good(path: Path) -> None:
    """As by a second machine on a shared disk, where no lock reaches."""
    async with opened(SqliteStore(path)) as store:
        await store.commit([A])
        stranger = sqlite3.connect(path, isolation_level=None)
        stranger.execute(
            """UPDATE about SET value = '{"token":"t","host":"there","pid":7}' WHERE key='owner'"""
        )
        stranger.close()
        for _ in range(2):
            with pytest.raises(StoreTaken, match="by process 7 on there"):
                await store.commit([B])
            with pytest.raises(StoreTaken):
                await store.check()
        assert await store.get(Table.DEVICE, "b") is None


# --- who may read it ------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
async def test_all_files_are_private_whatever_the_umask(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        async with opened(SqliteStore(path)) as store:
            await store.commit([A])
            modes = {
                end: stat.S_IMODE(path.with_name(path.name + end).stat().st_mode)
                for end in ("", "-wal", "-shm", ".lock")
            }
            assert set(modes.values()) == {0o600}, modes
            assert list(store.exposure_warnings) == []
    finally:
        os.umask(before)


async def test_a_file_that_others_may_read_is_told_and_left_as_it_is(path: Path) -> None:
    async with opened(SqliteStore(path)):
        pass
    os.chmod(path, 0o644)
    async with opened(SqliteStore(path)) as store:
        assert any("0644" in told and "chmod 600" in told for told in store.exposure_warnings)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o644


# --- a log of another copy ------------------------------------------------------------------------


async def test_a_copy_put_beside_the_log_of_another_is_refused_and_both_are_left(
    path: Path,
) -> None:
    async with opened(SqliteStore(path)) as store:
        await store.commit([Put(Table.DEVICE, f"{n}", b"x" * 900, 1.0) for n in range(50)])
    shutil.copy(path, path.with_name("copy"))
    async with opened(SqliteStore(path)) as store:
        await store.commit([A])
        log = content(path.with_name(f"{path.name}-wal"))
        assert log
    path.with_name(f"{path.name}-wal").write_bytes(log)  # as after a kill
    shutil.copy(path.with_name("copy"), path)
    before = content(path)

    with pytest.raises(StoreCorrupt, match=r"-wal beside it is of another copy"):
        await SqliteStore(path).open()
    assert content(path) == before
    assert content(path.with_name(f"{path.name}-wal")) == log
