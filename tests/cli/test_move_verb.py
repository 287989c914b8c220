"""`lamplighter move`, as an operator types it."""

from pathlib import Path

import pytest
import trio
from typer.testing import CliRunner

from api.cli.app import app
from api.cli.exits import Exit
from store.open import open_store
from store.port import Put, Table

DEVICE = Put(Table.DEVICE, "0018b200000000a1", b"{}", 1.0)


def typed(*words: str, **variables: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["move", *words], env=variables)
    return result.exit_code, " ".join(result.output.split())


async def keys(url: str) -> list[str]:
    async with open_store(url) as store:
        return [record.key for record in await store.scan(Table.DEVICE)]


async def fill(url: str) -> None:
    async with open_store(url) as store:
        await store.commit([DEVICE])


@pytest.fixture
def old(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    trio.run(fill, url)
    return url


def test_a_fleet_is_moved_into_the_store_of_the_settings_and_counted(
    old: str, tmp_path: Path
) -> None:
    new = f"sqlite:///{tmp_path / 'new.db'}"
    settings = tmp_path / "lamplighter.toml"
    settings.write_text(
        f'[store]\nurl = "{new}"\n[chirpstack]\ntarget = "localhost:8080"\napi_key = "k"\n'
    )
    code, told = typed("--from", old, "--config", str(settings))
    assert "moved and counted: 1 records, 0 lines of history" in told, told
    assert code == Exit.OK
    assert trio.run(keys, new) == trio.run(keys, old) == [DEVICE.key]


def test_what_cannot_be_moved_is_told_and_nothing_is_made(old: str, tmp_path: Path) -> None:
    settings = tmp_path / "lamplighter.toml"
    settings.write_text('[chirpstack]\ntarget = "localhost:8080"\napi_key = "k"\n')
    code, told = typed("--to", old, "--config", str(settings), LAMPLIGHTER_MOVE_FROM=old)
    assert code == Exit.FAILED
    assert "the same" in told
    gone = f"sqlite:///{tmp_path / 'none.db'}"
    code, told = typed("--from", gone, "--to", old, "--config", str(settings))
    assert code == Exit.FAILED
    assert "there is no store here" in told
    assert not (tmp_path / "none.db").exists()
