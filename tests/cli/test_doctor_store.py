"""The doctor never calls a store right that `serve` would refuse, and it changes nothing."""

import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from api.cli.doctor.finding import Diagnosis, Level
from api.cli.doctor.store import store
from api.settings.model import ApiSettings
from store.errors import StoreError
from store.open import open_store
from store.port import Put, Table
from store.sqlite import SqliteStore

CHIRPSTACK = {"target": "localhost:8080", "api_key": "k"}


def settings(url: str) -> ApiSettings:
    return ApiSettings(chirpstack=CHIRPSTACK, store={"url": url})


async def look(url: str) -> Diagnosis:
    [finding] = await store(settings(url))
    return finding


async def filled(path: Path, name: str = "a", count: int = 300) -> str:
    """A store that was used and stopped."""
    url = f"sqlite:///{path}"
    async with open_store(url) as found:
        await found.commit(
            [Put(Table.DEVICE, f"{name}{n}", b"x" * 900, float(n)) for n in range(count)]
        )
    return url


def contents(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}


async def refused(url: str) -> bool:
    """Whether the service itself could not use it."""
    try:
        async with open_store(url) as found:
            await found.scan(Table.DEVICE)
    except StoreError:
        return True
    return False


async def test_a_whole_store_is_right_and_left_as_it_was(tmp_path: Path) -> None:
    url = await filled(tmp_path / "s.db")
    before = contents(tmp_path)
    assert (await look(url)).level is Level.OK
    assert contents(tmp_path) == before


async def test_a_store_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    assert (await look(f"sqlite:///{tmp_path}/new.db")).level is Level.OK
    assert contents(tmp_path) == {}


async def test_a_store_in_use_is_right(tmp_path: Path) -> None:
    url = await filled(tmp_path / "s.db")
    async with open_store(url) as held:
        await held.commit([Put(Table.DEVICE, "b", b"y", 1.0)])
        assert (await look(url)).level is Level.OK
        await held.commit([Put(Table.DEVICE, "c", b"y", 1.0)])


async def test_blanks_in_a_path_are_written_in_either_way(tmp_path: Path) -> None:
    await filled(tmp_path / "a b.db")
    for written in ("a%20b.db", "a b.db"):
        finding = await look(f"sqlite:///{tmp_path}/{written}")
        assert finding.level is Level.OK
        assert "a b.db is whole" in finding.says, "and will not be created"


@pytest.mark.parametrize("at", ["header", "schema", "inside"])
async def test_a_damaged_file(tmp_path: Path, at: str) -> None:
    path = tmp_path / "s.db"
    url = await filled(path)
    data = bytearray(path.read_bytes())
    if at == "header":
        data[:100] = b"\x00" * 50 + b"not a database" * 4
    elif at == "schema":
        data[100:4096] = b"\xff" * 3996
    else:
        middle = len(data) // 2 // 4096 * 4096
        data[middle : middle + 4096] = b"\xff" * 4096
    path.write_bytes(bytes(data))
    finding = await look(url)
    assert finding.level is Level.PROBLEM, finding
    assert "backup" in finding.remedy
    assert await refused(url)


async def test_a_newer_schema(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    url = await filled(path)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 900")
    database.close()
    finding = await look(url)
    assert finding.level is Level.PROBLEM
    assert "newer version" in finding.says
    assert "newer version" in finding.remedy
    assert await refused(url)


async def test_a_foreign_database(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE words (text TEXT)")
    database.close()
    finding = await look(f"sqlite:///{path}")
    assert finding.level is Level.PROBLEM
    assert "another program" in finding.says
    assert await refused(f"sqlite:///{path}")


async def test_a_log_of_another_copy_beside_a_restored_file(tmp_path: Path) -> None:
    """From the field: a copy put back after a crash, the crashed one's log still there."""
    path, old = tmp_path / "s.db", tmp_path / "old.db"
    url = await filled(path)
    shutil.copy(path, old)
    crashed = SqliteStore(path)
    await crashed.open()
    await crashed.commit([Put(Table.DEVICE, f"z{n}", b"z" * 900, 1.0) for n in range(300)])
    shutil.copy(f"{path}-wal", tmp_path / "log")
    await crashed.close()
    shutil.copy(old, path)
    shutil.copy(tmp_path / "log", f"{path}-wal")
    finding = await look(url)
    assert finding.level is Level.PROBLEM, finding
    assert await refused(url)


@pytest.fixture
def odd_folder(tmp_path: Path) -> Path:
    """A folder of what is no database."""
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


@pytest.mark.parametrize(
    "tail", ["none/s.db", "folder", "loop", "loop/s.db", "pipe", "x" * 300, "/dev/null"]
)
async def test_paths_where_no_database_can_be(odd_folder: Path, tail: str) -> None:
    path = tail if tail.startswith("/") else f"{odd_folder}/{tail}"
    finding = await look(f"sqlite:///{path}")
    assert finding.level is Level.PROBLEM, finding
    assert await refused(f"sqlite:///{path}"), "in words, too"
