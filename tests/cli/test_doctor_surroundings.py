"""What the doctor sees around the service: its port, its files, and checks that break."""

import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import trio

from api.cli.doctor import examine, own_service, surroundings
from api.cli.doctor.examine import guarded
from api.cli.doctor.finding import Diagnosis, Level, ok
from api.settings.file import overlooked
from api.settings.model import ApiSettings
from lorawan.network import NetworkFault

CHIRPSTACK = {"target": "127.0.0.1:1", "api_key": "k"}


def settings(**web: object) -> ApiSettings:
    return ApiSettings(chirpstack=CHIRPSTACK, store={"url": "memory:"}, web=web)


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


async def test_a_port_that_something_else_holds(
    taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_service, "HTTP_S", 0.5)
    [finding] = await own_service.service(settings(port=taken))
    assert finding.level is Level.PROBLEM
    assert "taken" in finding.says


async def test_a_web_server_that_is_not_ours_on_our_port() -> None:
    async def answer(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")

    async with trio.open_nursery() as nursery:
        serving = partial(trio.serve_tcp, host="127.0.0.1")
        [listener] = await nursery.start(serving, answer, 0)
        port = listener.socket.getsockname()[1]
        [finding] = await own_service.service(settings(port=port))
        nursery.cancel_scope.cancel()
    assert finding.level is Level.PROBLEM
    assert "something else answers" in finding.says


@pytest.mark.parametrize("bind", ["127.0.0.1", "::1", "[::1]", "localhost"])
async def test_an_address_that_is_free(bind: str) -> None:
    [finding] = await own_service.service(settings(bind=bind, port=_free_port()))
    assert finding.level is Level.WARNING, finding
    assert "does not run" in finding.says


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.mark.parametrize(
    ("mode", "level"), [(0o600, Level.OK), (0o640, Level.OK), (0o644, Level.WARNING)]
)
async def test_a_settings_file_that_everybody_can_read(
    tmp_path: Path, mode: int, level: Level
) -> None:
    config = tmp_path / "lamplighter.toml"
    config.write_text("")
    config.chmod(mode)
    [finding] = await surroundings.secrets(settings(), config)
    assert finding.level is level
    assert ("chmod o=" in finding.remedy) is (level is Level.WARNING)


async def test_a_key_that_everybody_can_read(tmp_path: Path) -> None:
    pem = tmp_path / "key.pem"
    pem.write_text("-----BEGIN PRIVATE KEY-----\n")
    pem.chmod(0o644)
    url = f"rediss://h?ssl_certfile={pem}&ssl_keyfile={pem}"
    there = ApiSettings(chirpstack=CHIRPSTACK, store={"url": url})
    [finding] = await surroundings.secrets(there, None)
    assert finding.level is Level.WARNING
    assert str(pem) in finding.says


async def test_a_check_that_breaks_is_a_finding_and_ends_no_other() -> None:
    async def breaks() -> list[Diagnosis]:
        raise KeyError("sesame-open")

    async def breaks_together() -> list[Diagnosis]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(breaks)
        return []

    async def is_not_told() -> list[Diagnosis]:
        raise NetworkFault("the database is locked")

    async def works() -> list[Diagnosis]:
        return [ok("four", "it works")]

    found: list[Diagnosis] = []
    await guarded(found, "one", breaks)
    await guarded(found, "two", breaks_together)
    await guarded(found, "three", is_not_told)
    await guarded(found, "four", works)
    assert [each.check for each in found] == ["one", "two", "three", "four"]
    assert [each.level for each in found] == ["problem", "problem", "unknown", "ok"]
    assert "KeyError" in found[0].says
    assert "KeyError" in found[1].says
    assert "sesame-open" not in found[0].says + found[1].says


async def test_an_examination_goes_on_past_what_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*_: object) -> list[Diagnosis]:
        raise RuntimeError

    monkeypatch.setattr(own_service, "service", broken)
    found = await examine.examine(settings(), lambda: 0.0)
    assert {"store", "service", "ChirpStack"} <= {each.check for each in found}


def test_a_settings_file_that_was_not_named_is_pointed_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert overlooked(None) == ""
    (tmp_path / "lamplighter.toml").write_text("")
    assert "--config lamplighter.toml" in overlooked(None)
    assert overlooked(tmp_path / "other.toml") == ""


async def test_times_that_would_cry_wolf_are_told_and_not_refused() -> None:
    assert await surroundings.times(settings()) == []
    odd = ApiSettings(
        chirpstack=CHIRPSTACK,
        gateways={"poll_s": 600},
        policy={"status_interval_min": 60},
    )
    assert [each.level for each in await surroundings.times(odd)] == [Level.WARNING] * 2
