"""The doctor and `setup` beside a pretend ChirpStack: nothing is right where nothing arrives."""

import os
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import msgspec
import pytest
import trio
from typer.testing import CliRunner

from api.cli.app import app
from api.cli.chirpstack_setup import run_setup, without_slash
from api.cli.doctor.examine import examine
from api.cli.doctor.finding import Diagnosis, Level
from api.cli.verbs.doctor import run_doctor
from api.settings.model import ApiSettings
from lorawan.chirpstack import ChirpStackClient
from lorawan.chirpstack.integration import TOKEN_HEADER, ensure_integration
from lorawan.network import DeviceState, HttpIntegration
from simulation.world.server import GrpcServer
from tests.support.small_network import LIGHT, SmallNetwork, listed, uplink, webhook_body

PATH = "/api/v1/webhooks/chirpstack"
SECOND = "02" * 8
NOW = 1_700_000_100.0


@pytest.fixture
def network() -> SmallNetwork:
    found = SmallNetwork()
    found.kept[LIGHT] = [uplink(1)]
    return found


@pytest.fixture
async def server(network: SmallNetwork) -> AsyncIterator[GrpcServer]:
    async with GrpcServer(network, api_key="k", render=webhook_body, poll_s=0.02) as server:
        yield server


def settings(server: GrpcServer) -> ApiSettings:
    chirpstack = {"target": f"127.0.0.1:{server.port}", "api_key": "k"}
    return ApiSettings(chirpstack=chirpstack, store={"url": "memory:"})


async def looked(server: GrpcServer) -> list[Diagnosis]:
    return await examine(settings(server), lambda: NOW)


def of(found: list[Diagnosis], check: str) -> list[Diagnosis]:
    return [each for each in found if each.check == check]


async def test_two_applications_of_one_name_are_both_looked_at(
    network: SmallNetwork, server: GrpcServer
) -> None:
    network.listed.append(
        msgspec.structs.replace(listed(SECOND, application="two"), application_name="lights")
    )
    network.items[SECOND], network.kept[SECOND] = [], []
    async with ChirpStackClient(settings(server).chirpstack.connection()) as client:
        there = HttpIntegration("application-two", f"http://127.0.0.1:1{PATH}", {})
        await client.create_http_integration(there)
    told = of(await looked(server), "integration")
    assert sorted(each.level for each in told) == [Level.OK, Level.PROBLEM]
    assert ["application-lights" in each.says for each in told].count(True) == 1


async def test_a_disabled_light_is_told(network: SmallNetwork, server: GrpcServer) -> None:
    network.states[LIGHT] = DeviceState(LIGHT, disabled=True)
    told = of(await looked(server), "lights")
    assert [each.level for each in told] == [Level.PROBLEM]
    assert "disabled" in told[0].says


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        (b"422 Unprocessable\r\ncontent-type: application/problem+json", Level.OK),
        (b"400 Bad Request\r\ncontent-type: text/html", Level.PROBLEM),
        (b"301 Moved Permanently\r\nlocation: /elsewhere", Level.PROBLEM),
        (b"404 Not Found\r\ncontent-type: application/problem+json", Level.PROBLEM),
        (b"405 Method Not Allowed\r\ncontent-type: text/plain", Level.PROBLEM),
    ],
)
async def test_a_webhook_is_right_only_where_we_answer(
    server: GrpcServer, answer: bytes, level: Level
) -> None:
    async def serve(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 " + answer + b"\r\ncontent-length: 0\r\n\r\n")

    async with trio.open_nursery() as nursery:
        [listener] = await nursery.start(partial(trio.serve_tcp, host="127.0.0.1"), serve, 0)
        url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}{PATH}/"
        async with ChirpStackClient(settings(server).chirpstack.connection()) as client:
            await client.create_http_integration(HttpIntegration("application-lights", url, {}))
        told = of(await looked(server), "webhook")
        nursery.cancel_scope.cancel()
    assert [each.level for each in told] == [level], told


async def test_the_server_keeps_a_foreign_authorization_and_our_token_beside_it(
    server: GrpcServer,
) -> None:
    url = f"https://lamp.example.org{PATH}"
    wanted = HttpIntegration("", url, {"Authorization": "Bearer our-webhook-token"})
    async with ChirpStackClient(settings(server).chirpstack.connection()) as client:
        theirs = {"Authorization": "Basic ZXJwOnNlY3JldA==", "X-Erp": "1"}
        erp = HttpIntegration("application-lights", "https://erp.example.org/hook", theirs)
        await client.create_http_integration(erp)
        due = await ensure_integration(client, "application-lights", wanted, dry_run=True)
        done = await ensure_integration(client, "application-lights", wanted)
        kept = await client.http_integration("application-lights")
        again = await ensure_integration(client, "application-lights", wanted)
    assert due == done
    assert again == []
    assert kept is not None
    assert kept.headers == {**theirs, TOKEN_HEADER: "our-webhook-token"}


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        (f"https://lamp.example.org{PATH}/", f"https://lamp.example.org{PATH}"),
        (f"https://lamp.example.org/lamp{PATH}//", f"https://lamp.example.org/lamp{PATH}"),
        (f"https://lamp.example.org{PATH}/?x=1", f"https://lamp.example.org{PATH}?x=1"),
        ("https://lamp.example.org/other/", "https://lamp.example.org/other/"),
    ],
)
def test_a_slash_behind_our_path_is_left_out(written: str, sent: str) -> None:
    assert without_slash(written) == sent


@pytest.mark.parametrize("verb", [["serve"], ["doctor"], ["setup", "--url", "https://a/b"]])
def test_a_settings_file_that_lies_there_unnamed_is_told(
    verb: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("LAMPLIGHTER_CONFIG", "LAMPLIGHTER_CHIRPSTACK__TARGET"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "lamplighter.toml").write_text('[chirpstack]\ntarget = "h:1"\napi_key = "k"\n')
    done = CliRunner().invoke(app, verb)
    assert done.exit_code in {1, 2}
    assert "--config lamplighter.toml" in done.output
    assert "chirpstack: is missing" in done.output


async def test_a_settings_file_whose_name_is_no_text_is_named_as_far_as_can_be(
    server: GrpcServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / os.fsdecode(b"\xff.toml")
    text = f'[chirpstack]\ntarget = "127.0.0.1:{server.port}"\napi_key = "k"\n'
    await trio.Path(config).write_text(text + '[store]\nurl = "memory:"\n')
    for as_json in (False, True):
        await trio.to_thread.run_sync(partial(run_doctor, config, {}, as_json=as_json))
        assert ".toml" in capsys.readouterr().out


async def test_a_dry_run_promises_nothing_for_an_application_that_is_not_there(
    server: GrpcServer, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"https://lamp.example.org{PATH}"
    for application, code in (("application-none", 1), ("application-lights", 0)):
        for dry_run in (True, False):
            setup = partial(run_setup, settings(server), url, [application], dry_run=dry_run)
            assert await trio.to_thread.run_sync(setup) == code
    told = capsys.readouterr()
    assert told.err.count("no application application-none") == 2
    assert told.out.count("send events to") == 2, "the dry run says what the real one then does"
