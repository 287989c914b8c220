"""`lamplighter init` where nobody can be asked: the options say everything, or it ends in words."""

from pathlib import Path

import pytest
import trio

from api.cli.exits import Exit
from api.cli.installing.dialogue import Given, Person
from api.cli.installing.run import Plan, run_init
from tests.support.grpc_caller import serve
from tests.support.ports import free_port
from tests.support.small_network import SmallNetwork


class Nobody(Person):
    """There is no terminal."""

    def __init__(self) -> None:
        self.there = False


async def done(given: Given, path: Path, *, change: bool = True, operator: str = "alice") -> Exit:
    plan = Plan(path=path, force=False, change=change, store_url=None, operator=operator)
    return await trio.to_thread.run_sync(run_init, given, plan, Nobody())


def written(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lamplighter.toml"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (Given(), "give --chirpstack and --api-key"),
        (Given(target="127.0.0.1:1"), "give --api-key"),
        (Given(target="http://x:1", api_key="k"), "--chirpstack: must be host:port"),
        (Given(target="127.0.0.1:1", api_key="a b"), "--api-key: api_key must not hold a blank"),
    ],
)
async def test_what_is_missing_or_cannot_be_is_a_mistake(
    path: Path, given: Given, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await done(given, path) is Exit.MISTAKE
    assert says in capsys.readouterr().err
    assert written(path) is None


async def test_a_world_that_does_not_do_is_a_failure_and_a_key_a_mistake(path: Path) -> None:
    away = Given(target=f"127.0.0.1:{free_port()}", api_key="admin")
    assert await done(away, path) is Exit.FAILED
    async with serve(SmallNetwork()) as server:
        target = f"127.0.0.1:{server.port}"
        assert await done(Given(target=target, api_key="wrong"), path) is Exit.MISTAKE
        assert await done(Given(target=target, api_key="tenant"), path) is Exit.MISTAKE
        odd = Given(target=target, api_key="admin", url="http://[")
        assert await done(odd, path) is Exit.MISTAKE
    assert written(path) is None


async def test_everything_is_done_without_a_question(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serve(SmallNetwork()) as server:
        url = f"http://127.0.0.1:{free_port()}"
        given = Given(target=f"127.0.0.1:{server.port}", api_key="admin", url=url)
        # This pretend network has no gateway online, and its light was never heard.
        assert await done(given, path) is Exit.FAILED
        told = capsys.readouterr()
        assert f"send events to {url}/api/v1/webhooks/chirpstack" in told.out
        assert "lmp_" in told.out
        assert f"lamplighter serve --config {path}" in told.err
        before = written(path)
        assert await done(given, path) is Exit.MISTAKE
        assert "--force" in capsys.readouterr().err
    assert written(path) == before


async def test_chirpstack_is_left_alone_where_that_is_said_or_it_has_no_light(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serve(SmallNetwork()) as server:
        target = f"127.0.0.1:{server.port}"
        await done(Given(target=target, api_key="admin"), path, change=False)
        told = capsys.readouterr()
        assert "ChirpStack is as it was" in told.err
        assert "has no HTTP integration" in told.out
        none = Given(target=target, api_key="admin", profile_contains="lamp post")
        await done(none, path.with_name("other.toml"))
        assert "ChirpStack has no light yet. Once it has: lamplighter setup" in (
            capsys.readouterr().err
        )


async def test_a_name_that_would_mislead_is_refused_before_anything_is_asked(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await done(Given(), path, operator="operator 1") is Exit.MISTAKE
    assert "is how somebody without a name is called" in capsys.readouterr().err
