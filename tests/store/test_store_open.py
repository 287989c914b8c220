"""Which URL names which store, and that every other one is refused with its reason."""

from pathlib import Path

import pytest
import trio

from store.errors import StoreClosed, StoreRefused
from store.memory import MemoryStore
from store.open import open_store, store_from_url
from store.port import Put, Record, Table
from store.sqlite import SqliteStore

A = Put(Table.DEVICE, "a", b"value", 1.0)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("memory:", MemoryStore),
        ("sqlite:///lamplighter.db", SqliteStore),
        ("sqlite:////var/lib/lamplighter/lamplighter.db", SqliteStore),
    ],
)
def test_a_url_names_its_store(url: str, kind: type) -> None:
    assert type(store_from_url(url)) is kind


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "scheme ''"),
        ("lamplighter.db", "scheme ''"),
        ("/var/lib/lamplighter.db", "scheme ''"),
        ("postgres://localhost/x", "scheme 'postgres'"),
        ("memory:x", "scheme 'memory'"),
        ("memory://", "scheme 'memory'"),
        ("sqlite:lamplighter", "three slashes"),
        ("sqlite:/lamplighter.db", "three slashes"),
        ("sqlite://lamplighter.db", "three slashes"),
        ("sqlite:///", "names no file"),
        ("sqlite:////", "names no file"),
        ("sqlite:///folder/", "names no file"),
        ("sqlite:///a%00b", "names no file"),
        ("sqlite:///:memory:", "memory:"),
        ("sqlite:///a.db?mode=ro", "no options"),
        ("redis://localhost", "many processes share"),
        ("redis+cluster://localhost", "many processes share"),
    ],
)
def test_anything_else_is_refused_with_its_reason(url: str, reason: str) -> None:
    with pytest.raises(StoreRefused) as caught:
        store_from_url(url)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://user:s3cret@localhost/zero",
        "sqlite://user:s3[cret@localhost",
        "postgres://user:s3cret@localhost",
    ],
)
def test_no_message_repeats_a_password(url: str) -> None:
    with pytest.raises(StoreRefused) as caught:
        store_from_url(url)
    assert "s3" not in str(caught.value)
    assert "cret" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_paths_are_relative_or_absolute_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for url in (f"sqlite:///{tmp_path}/a%20%3F.db", "sqlite:///a%20%3F.db"):
        async with open_store(url) as store:
            await store.commit([A])
    made = [path.name for path in await trio.Path(tmp_path).iterdir()]
    assert sorted(made) == ["a ?.db", "a ?.db.lock"]


async def test_each_opens_commits_and_closes(tmp_path: Path) -> None:
    for url in (
        "memory:",
        f"sqlite:///{tmp_path}/store.db",
    ):
        async with open_store(url) as store:
            await store.commit([A])
            assert await store.get(Table.DEVICE, "a") == Record("a", b"value", 1.0)
        with pytest.raises(StoreClosed):
            await store.get(Table.DEVICE, "a")
