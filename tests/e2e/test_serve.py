"""`lamplighter serve` and `lamplighter setup` against a pretend ChirpStack, from the outside."""

import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trio

from lorawan.kuando import LightState
from lorawan.network import HttpIntegration
from simulation.world.server.grpc_server import GrpcServer
from tests.support.ports import free_port
from tests.support.pretend_site import API_KEY, Site, pretend_site, until
from tests.support.processes import Running, run, run_meanwhile
from tests.support.redis_server import RedisServer

RED, GREEN = {"red": 255, "green": 0, "blue": 0}, {"red": 0, "green": 255, "blue": 0}
WEBHOOK, OPERATOR = "webhook-token-0123456789abcdef", "operator-token-0123456789abcdef"
# What a stop may take: a caller is answered, the store writer written, the file closed.
STOP_S = 8.0


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with pretend_site() as site:
        yield site


@pytest.fixture
async def http(site: Site) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=site.url, timeout=30.0) as client:
        yield client


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


async def readiness(http: httpx2.AsyncClient) -> dict[str, Any]:
    response = await http.get("/readyz")
    found: dict[str, Any] = response.json()
    assert found["ready"] is (response.status_code == 200)
    return found


async def ready(http: httpx2.AsyncClient) -> bool:
    return bool((await readiness(http))["ready"])


def integration(site: Site) -> HttpIntegration | None:
    """What was set up at the pretend ChirpStack by now."""
    return site.poster.integration


async def devices(http: httpx2.AsyncClient) -> dict[str, Any]:
    response = await http.get("/api/v1/devices")
    return {device["dev_eui"]: device for device in response.json()["devices"]}


async def all_known(site: Site, http: httpx2.AsyncClient) -> bool:
    """Whether every light is on the board: they come one after the other."""
    return (await devices(http)).keys() >= site.world.stations.keys()


async def test_a_colour_is_verified_and_a_stop_answers_who_waits(
    site: Site, http: httpx2.AsyncClient, tmp_path: Path
) -> None:
    site.connect()
    first, second = site.world.stations
    with Running(tmp_path, "serve", "--config", str(site.config(tmp_path))) as service:
        await until("ready", lambda: ready(http))
        await until("lights known", lambda: all_known(site, http))
        response = await http.post(f"/api/v1/downlink/{first}", json=RED)
        assert response.status_code == 200, response.text
        assert response.json()["status"] == "verified"
        assert site.world.showing(first) == LightState(255, 0, 0)

        site.world.set_loss(downlink=1.0, dev_eui=second)
        async with trio.open_nursery() as nursery:
            answers: list[httpx2.Response] = []

            async def wait_for_verdict() -> None:
                answers.append(await http.post(f"/api/v1/downlink/{second}", json=GREEN))

            async def accepted() -> bool:
                return (await devices(http))[second]["command_id"] is not None

            nursery.start_soon(wait_for_verdict)
            await until("accepted", accepted)
            service.send(signal.SIGTERM)
            site.world.set_loss(downlink=0.0, dev_eui=second)
            assert await service.until_ended(STOP_S) == 0
        assert answers[0].status_code == 202
        command_id = answers[0].json()["id"]
        assert "Traceback" not in service.errors

    with Running(tmp_path, "serve", "--config", str(site.config(tmp_path))) as service:

        async def verified() -> bool:
            response = await http.get(f"/api/v1/commands/{command_id}")
            return bool(response.json()["status"] == "verified")

        # What was lost in the air is sent again when no echo has come: up to half a minute.
        await until("verified after the restart", verified, 90.0)
        assert site.world.showing(second) == LightState(0, 255, 0)
        service.send(signal.SIGINT)
        assert await service.until_ended(STOP_S) == 0


async def test_it_waits_for_a_chirpstack_that_cannot_be_reached(
    site: Site, http: httpx2.AsyncClient, tmp_path: Path
) -> None:
    port = free_port()
    config = site.config(tmp_path, chirpstack={"target": f"127.0.0.1:{port}", "api_key": API_KEY})
    with Running(tmp_path, "serve", "--config", str(config)) as service:

        async def answers() -> dict[str, Any]:
            return await readiness(http)

        await until("it listens", answers)
        told = await readiness(http)
        assert told["ready"] is False
        assert any("ChirpStack" in problem for problem in told["problems"])
        assert (await http.get("/healthz")).status_code == 204
        async with GrpcServer(site.world.network, api_key=API_KEY, port=port):
            await until("ready", lambda: ready(http))
            await until("lights known", lambda: all_known(site, http))
        service.send(signal.SIGTERM)
        assert await service.until_ended(STOP_S) == 0


async def test_a_wrong_key_is_told_and_does_not_end_it(
    site: Site, http: httpx2.AsyncClient, tmp_path: Path
) -> None:
    config = site.config(tmp_path, chirpstack={"api_key": "another-key"})
    with Running(tmp_path, "serve", "--config", str(config)) as service:

        async def answers() -> dict[str, Any]:
            return await readiness(http)

        await until("it listens", answers)
        assert (await readiness(http))["ready"] is False
        assert "another-key" not in service.errors


async def test_it_stops_at_once_while_it_starts(site: Site, tmp_path: Path) -> None:
    """Also where ChirpStack hangs: connections are taken, nothing is answered."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        target = f"127.0.0.1:{deaf.getsockname()[1]}"
        config = site.config(tmp_path, chirpstack={"target": target})
        with Running(tmp_path, "serve", "--config", str(config)) as service:

            async def restored() -> bool:
                return '"restored"' in service.errors

            await until("it has begun", restored)
            service.send(signal.SIGTERM)
            assert await service.until_ended(STOP_S) == 0


async def test_a_hangup_reads_the_tokens_again(
    site: Site, http: httpx2.AsyncClient, tmp_path: Path
) -> None:
    old, new = "old-operator-0123456789abcdef", "new-operator-0123456789abcdef"
    config = site.config(tmp_path, tokens={"operator": [old], "webhook": [WEBHOOK]})

    async def status(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return (await http.get("/api/v1/devices", headers=headers)).status_code

    with Running(tmp_path, "serve", "--config", str(config)) as service:

        async def serving() -> bool:
            return await status(old) == 200

        async def told(words: str) -> None:
            async def there() -> bool:
                return words in service.errors

            await until(words, there)

        await until("it listens", serving)
        good = config.read_text(encoding="utf-8")
        config.write_text(good + "\n[nonsense]\n", encoding="utf-8")
        service.send(signal.SIGHUP)
        await told("settings not read again")
        assert await status(old) == 200
        config.write_text(good.replace(old, new), encoding="utf-8")
        service.send(signal.SIGHUP)
        await told("tokens read again")
        assert [await status(old), await status(new)] == [401, 200]
        assert old not in service.errors
        assert new not in service.errors
        service.send(signal.SIGTERM)
        assert await service.until_ended(STOP_S) == 0


async def test_a_stop_ends_in_time_while_the_store_hangs(
    site: Site, http: httpx2.AsyncClient, tmp_path: Path
) -> None:
    """A store that takes connections and answers nothing any more, and callers who wait for it."""
    with RedisServer() as server:
        config = site.config(tmp_path, server.url)
        site.connect()
        with Running(tmp_path, "serve", "--config", str(config)) as service:
            await until("ready", lambda: ready(http))
            await until("lights known", lambda: all_known(site, http))
            server.freeze()
            try:
                async with trio.open_nursery() as nursery:
                    path = f"/api/v1/downlink/{next(iter(site.world.stations))}"

                    async def order() -> None:
                        with suppress(httpx2.HTTPError):
                            await http.post(path, json=RED)

                    nursery.start_soon(order)
                    await trio.sleep(0.3)
                    service.send(signal.SIGTERM)
                    await service.until_ended(10.5)
            finally:
                server.thaw()
        assert "Traceback" not in service.errors


def test_all_mistakes_in_the_settings_are_told_at_once(tmp_path: Path) -> None:
    config = tmp_path / "wrong.toml"
    config.write_text(
        '[chirpstack]\ntarget = "nonsense"\napi_key = "sesame-open"\n'
        '[web]\nport = 70000\nbind = "0.0.0.0"\ncolour = "red"\n'
        '[store]\nurl = "postgres://user:sesame-open@host"\n'
        "[gateways]\npoll_s = -1\n"
        "[lights]\nmany = true\n",
    )
    env = {"LAMPLIGHTER_WEB__RATE_BURST": "many", "LAMPLIGHTER_WEBPORT": "1"}
    done = run("serve", "--config", str(config), env=env)
    assert done.returncode == 2
    for field in (
        "chirpstack.target",
        "web",
        "web.port",
        "web.colour",
        "web.rate_burst",
        "store.url",
        "gateways.poll_s",
        "lights",
        "LAMPLIGHTER_WEBPORT",
    ):
        assert f"  {field}: " in done.stderr, done.stderr
    assert "9 mistakes in the settings" in done.stderr
    assert "sesame-open" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_without_any_setting_the_missing_ones_are_named() -> None:
    done = run("serve")
    assert done.returncode == 2
    assert "chirpstack: is missing" in done.stderr


def test_a_settings_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = run("serve", "--config", str(tmp_path / "none.toml"))
    assert done.returncode == 2
    assert "none.toml: cannot be read: No such file or directory" in done.stderr


def failing_config(folder: Path, port: int, store_url: str) -> Path:
    config = folder / "failing.toml"
    config.write_text(
        '[chirpstack]\ntarget = "127.0.0.1:1"\napi_key = "key"\n'
        f'[web]\nport = {port}\n[store]\nurl = "{store_url}"\n'
    )
    return config


def test_a_taken_port_is_told_before_anything_is_opened(tmp_path: Path, taken_port: int) -> None:
    store = tmp_path / "lamplighter.db"
    config = failing_config(tmp_path, taken_port, f"sqlite:///{store}")
    done = run("serve", "--config", str(config))
    assert done.returncode == 1
    assert done.stderr == f"lamplighter: port {taken_port} of 127.0.0.1 is taken\n"
    assert not store.exists()


def test_an_unreachable_redis_is_told(tmp_path: Path) -> None:
    config = failing_config(tmp_path, 0, "redis://user:secret@127.0.0.1:1/0")
    done = run("serve", "--config", str(config))
    assert done.returncode == 1
    assert "lamplighter: redis" in done.stderr
    assert "secret" not in done.stderr
    assert "Traceback" not in done.stderr


async def test_a_store_in_use_is_told(site: Site, http: httpx2.AsyncClient, tmp_path: Path) -> None:
    with Running(tmp_path, "serve", "--config", str(site.config(tmp_path))):
        await until("ready", lambda: ready(http))
        other = site.config(tmp_path, web={"port": 0})
        done = await run_meanwhile("serve", "--config", str(other))
        assert done.returncode == 10
        assert "lamplighter.db" in done.stderr
        assert "another process" in done.stderr
        assert "Traceback" not in done.stderr
        assert await ready(http)


async def test_setup_shows_then_does_then_has_nothing_to_do(site: Site, tmp_path: Path) -> None:
    config = site.config(tmp_path, tokens={"operator": [OPERATOR], "webhook": [WEBHOOK]})
    url = f"{site.url}/api/v1/webhooks/chirpstack"
    words = ("setup", "--config", str(config), "--url", url)
    application = next(iter(site.world.rules.devices.values())).info.application_id

    shown = await run_meanwhile(*words, "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert f"application {application}: send events to {url} as" in shown.stdout
    assert "Nothing was changed (dry run)." in shown.stdout
    assert integration(site) is None

    done = await run_meanwhile(*words)
    assert done.returncode == 0, done.stderr
    assert f"application {application}: send events to {url} as" in done.stdout
    assert "dry run" not in done.stdout
    made = integration(site)
    assert made is not None
    assert made.event_endpoint_url == url
    assert made.headers == {"Authorization": f"Bearer {WEBHOOK}"}

    again = await run_meanwhile(*words)
    assert again.returncode == 0
    assert again.stdout == "Nothing to change: the integration is as it should be.\n"
    assert integration(site) == made
    assert WEBHOOK not in shown.stdout + done.stdout + again.stdout


async def test_setup_tells_what_cannot_be(site: Site, tmp_path: Path) -> None:
    url = f"{site.url}/api/v1/webhooks/chirpstack"
    config = site.config(tmp_path)

    nonsense = await run_meanwhile("setup", "--config", str(config), "--url", "lamplighter:8090")
    assert nonsense.returncode == 2
    assert "is no absolute http or https URL" in nonsense.stderr

    elsewhere = await run_meanwhile(
        "setup", "--config", str(config), "--url", site.url, "--dry-run"
    )
    assert elsewhere.returncode == 0
    assert "the path must be /api/v1/webhooks/chirpstack" in elsewhere.stderr

    stranger = site.config(tmp_path, chirpstack={"api_key": "another-key"})
    refused = await run_meanwhile("setup", "--config", str(stranger), "--url", url)
    assert refused.returncode == 1
    assert refused.stderr.startswith("ChirpStack: ")
    assert "another-key" not in refused.stderr
    assert "Traceback" not in refused.stderr

    empty = site.config(tmp_path, chirpstack={"profile_contains": "lantern"})
    nothing = await run_meanwhile("setup", "--config", str(empty), "--url", url)
    assert nothing.returncode == 1
    assert "no device with 'lantern' in its profile's name" in nothing.stderr
    assert integration(site) is None


def test_without_words_it_shows_its_help() -> None:
    done = run()
    assert done.returncode == 2  # as typer has it
    assert "serve" in done.stdout + done.stderr
    assert "demo" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("serve",),
        ("setup",),
        ("demo",),
        ("demo", "stop-gateway"),
        ("demo", "start-gateway"),
        ("demo", "restart-light"),
    ],
)
def test_every_verb_explains_itself(words: tuple[str, ...]) -> None:
    done = run(*words, "--help")
    assert done.returncode == 0
    assert f"Usage: {' '.join(('lamplighter', *words))} " in done.stdout
    assert done.stderr == ""
