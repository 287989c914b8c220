"""The example of Caddy that operators copy, really run: TLS, a path, pages, API, live websocket.

No caddy is a failure, not a skip. It runs in a folder of its own on a free port of loopback, as
whoever runs the tests, with an authority of its own that no system trusts.
"""

import os
import re
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import msgspec
import trio
import trio_websocket

from api.settings.model import ApiSettings, ChirpStack
from tests.support.fake_application import DEV_EUI, FakeApplication, a_light
from tests.support.ports import free_port
from tests.support.programs import server_program
from tests.support.web_server import running

EXAMPLE = Path(__file__).parents[2] / "deploy" / "Caddyfile"
START_S = 15.0
"""It makes an authority and a certificate first, in some 100 ms; a busy machine is slower."""
OPTIONS = """{{
	admin off
	skip_install_trust
	auto_https disable_redirects
	storage file_system {folder}
}}
"""
NAME = "localhost"


def configured(port: int, upstream: int, folder: Path, *, below_a_path: bool) -> str:
    """The example with our ports and names, and certificates of Caddy's own."""
    text = EXAMPLE.read_text(encoding="utf-8")
    snippet, site, below = re.split(r"^(?=lights\.example\.org|# Below)", text, flags=re.MULTILINE)
    assert "127.0.0.1:8090" in snippet
    if below_a_path:
        lines = re.findall(r"^# ?(.*)$", below, re.MULTILINE)
        site = "\n".join(lines[lines.index("example.org {") :])
    site = re.sub(
        r"^(?:lights\.)?example\.org \{",
        f"https://{NAME}:{port} {{\n\tbind 127.0.0.1\n\ttls internal",
        site,
        flags=re.MULTILINE,
    )
    assert "tls internal" in site
    snippet = snippet.replace("127.0.0.1:8090", f"127.0.0.1:{upstream}")
    return OPTIONS.format(folder=folder) + snippet + site


@contextmanager
def caddy(configuration: str, port: int, folder: Path) -> Iterator[ssl.SSLContext]:
    """A running Caddy that has its certificate; whom to trust there."""
    program = server_program("caddy")
    file = folder / "Caddyfile"
    file.write_text(configuration, encoding="utf-8")
    formatted = subprocess.run(
        [program, "fmt", str(EXAMPLE)], capture_output=True, text=True, timeout=20, check=False
    )
    assert formatted.stdout == EXAMPLE.read_text(encoding="utf-8"), "caddy fmt writes it otherwise"
    root = folder / "pki" / "authorities" / "local" / "root.crt"
    with (folder / "caddy.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "run", "--config", str(file), "--adapter", "caddyfile"],
            stdout=log,
            stderr=log,
            env={**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)},
        )
    try:
        until = time.monotonic() + START_S
        while (trusted := greeted(root, port)) is None:
            assert process.poll() is None, said(folder)
            assert time.monotonic() < until, said(folder)
            time.sleep(0.05)
        yield trusted
    finally:
        process.terminate()
        process.wait(START_S)


def greeted(root: Path, port: int) -> ssl.SSLContext | None:
    """Whom to trust, once a handshake is made: the certificate comes a moment after the port."""
    try:
        context = ssl.create_default_context(cafile=str(root))
        with (
            socket.create_connection(("127.0.0.1", port), 1.0) as raw,
            context.wrap_socket(raw, server_hostname=NAME),
        ):
            return context
    except OSError:
        return None


def said(folder: Path) -> str:
    return (folder / "caddy.log").read_text(encoding="utf-8", errors="replace")


async def asks_and_watches(folder: Path, *, base_path: str) -> None:
    application = FakeApplication()
    settings = ApiSettings(
        chirpstack=ChirpStack(target="localhost:8080", api_key="unused"),
        web={
            "port": 0,
            "base_path": base_path,
            "trusted_proxies": ["127.0.0.1"],
            "hosts": [NAME],
        },
    )
    async with running(application, settings) as server:
        port = free_port()
        text = configured(port, server.port, folder, below_a_path=bool(base_path))
        beside = caddy(text, port, folder)
        trusted = await trio.to_thread.run_sync(beside.__enter__)
        try:
            site = f"https://{NAME}:{port}{base_path}"
            async with httpx2.AsyncClient(verify=trusted, trust_env=False) as http:
                page = await http.get(f"{site}/")
                assert (page.status_code, "<!doctype html>" in page.text.lower()) == (200, True)
                assert (await http.get(f"{site}/static/app/main.js")).status_code == 200
                listed = (await http.get(f"{site}/api/v1/devices")).json()
                assert [one["dev_eui"] for one in listed["devices"]] == [DEV_EUI]
                order = {"red": 255, "green": 0, "blue": 0, "wait_for_verification": False}
                own = {"Origin": f"https://{NAME}:{port}"}
                url = f"{site}/api/v1/downlink/{DEV_EUI}"
                given = await http.post(url, json=order, headers=own)
                assert given.status_code == 202, given.text
                foreign = await http.post(url, json=order, headers={"Origin": "https://x.example"})
                assert foreign.status_code == 403, foreign.text
                if base_path:
                    bare = await http.get(site)
                    assert (bare.status_code, bare.headers["location"]) == (308, f"{base_path}/")
            live = f"wss://{NAME}:{port}{base_path}/api/v1/live"
            async with trio_websocket.open_websocket_url(live, ssl_context=trusted) as socket:
                hello = msgspec.json.decode(await socket.get_message())
                assert hello["type"] == "hello", hello
                application.board.publish(a_light(DEV_EUI, name="Renamed"))
                with trio.fail_after(5):
                    while "Renamed" not in await socket.get_message():
                        pass
        finally:
            await trio.to_thread.run_sync(beside.__exit__, None, None, None)


async def test_a_site_of_its_own(tmp_path: Path) -> None:
    await asks_and_watches(tmp_path, base_path="")


async def test_below_a_path_of_another_site(tmp_path: Path) -> None:
    await asks_and_watches(tmp_path, base_path="/lamplighter")
