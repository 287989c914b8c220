"""What the doctor is told by a service that has tokens, of which the settings hold only hashes."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from actors.readiness import Readiness
from api.cli.doctor.calibration import calibration
from api.cli.doctor.cluster import cluster
from api.cli.doctor.finding import Diagnosis, Level
from api.cli.doctor.own_service import service
from api.cli.verbs.doctor import look
from api.http.tokens import hash_of, token_from
from api.settings.model import ApiSettings
from tests.api.conftest import VIEWER, WEBHOOK
from tests.support.fake_application import FakeApplication
from tests.support.fake_cluster import three_processes
from tests.support.web_server import running

OURS = token_from(bytes(range(32)))
LIMITED = token_from(bytes(range(1, 33)))
STRANGERS = token_from(bytes(range(2, 34)))
TOKENS = {
    "operator": {"alice": hash_of(OURS)},
    "viewer": {"bob": hash_of(LIMITED)},
    "webhook": [WEBHOOK],
}
SIGHT = {"bob": {"applications": ["hall"]}}


def settings(port: int = 0, store: str = "redis://127.0.0.1:1/0", **web: Any) -> ApiSettings:
    web = {"port": port, "tokens": TOKENS, "sight": SIGHT, **web}
    chirpstack = {"target": "localhost:8080", "api_key": "k"}
    return ApiSettings(chirpstack=chirpstack, store={"url": store}, web=web)


@asynccontextmanager
async def one_of_three(**web: Any) -> AsyncGenerator[ApiSettings, None]:
    """A service of a cluster that is not ready; the settings that lead to it."""
    application = FakeApplication()
    application.cluster.now = three_processes()
    application.readiness.ready = Readiness(ready=False, problems=("the store is away",))
    async with running(application, settings(**web)) as server:
        yield settings(server.port, **web)


def said(found: list[Diagnosis]) -> str:
    [one] = found
    return f"{one.says} -> {one.remedy}"


async def test_what_is_kept_back_is_said_with_what_to_do() -> None:
    async with one_of_three() as here:
        for check in (cluster, calibration):
            [found] = await check(here)
            assert found.level is Level.UNKNOWN
            assert found.says == "the service tells it only to who has a token"
            assert "set LAMPLIGHTER_TOKEN" in found.remedy
        [found] = await service(here)
        assert found.level is Level.PROBLEM
        assert "it tells no stranger" in found.says
        assert "LAMPLIGHTER_TOKEN" in found.remedy


async def test_the_token_of_the_command_line_lets_everything_be_told() -> None:
    async with one_of_three() as here:
        assert "3 processes serve the fleet" in said(await cluster(here, OURS))
        assert all("tells it only" not in one.says for one in await calibration(here, OURS))
        assert "not ready: the store is away" in said(await service(here, OURS))


@pytest.mark.parametrize("token", [STRANGERS, LIMITED, WEBHOOK])
async def test_a_token_that_may_not_see_it_is_told_as_such(token: str) -> None:
    async with one_of_three() as here:
        for check in (cluster, calibration):
            assert "does not let this token see that" in said(await check(here, token))


@pytest.mark.parametrize("token", ["", "short", "a token\nwith a line break in it", "\udcff" * 30])
async def test_what_is_no_token_is_not_sent(token: str) -> None:
    async with one_of_three() as here:
        assert "only to who has a token" in said(await cluster(here, token))
        assert "it tells no stranger" in said(await service(here, token))


async def test_a_token_that_stands_in_clear_is_surely_ours_and_goes_first() -> None:
    clear = {**TOKENS, "viewer": {"carol": VIEWER}}
    async with one_of_three(tokens=clear, sight={}) as here:
        assert "3 processes serve the fleet" in said(await cluster(here, STRANGERS))


async def test_of_one_process_nothing_of_a_cluster_is_asked_for() -> None:
    async with one_of_three(store="sqlite:///lamplighter.db") as here:
        assert await cluster(here) == []


async def test_the_verb_takes_it_from_the_environment(tmp_path: Path) -> None:
    async with one_of_three() as here:
        config = tmp_path / "lamplighter.toml"
        config.write_text(
            '[chirpstack]\ntarget = "127.0.0.1:1"\napi_key = "k"\n'
            f'[store]\nurl = "sqlite:///{tmp_path}/l.db"\n[web]\nport = {here.web.port}\n'
            f'[web.tokens]\noperator = ["{hash_of(OURS)}"]\nwebhook = ["{WEBHOOK}"]\n'
        )
        for environ, told in (({}, False), ({"LAMPLIGHTER_TOKEN": OURS}, True)):
            findings = await trio.to_thread.run_sync(look, config, environ)
            assert any("processes serve the fleet" in one.says for one in findings) is told
