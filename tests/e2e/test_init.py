"""`lamplighter init` as an operator uses it: from nothing to a light that shows its colour."""

import stat
import tomllib
from pathlib import Path

import httpx2
import pytest
import trio

from tests.support.ports import free_port
from tests.support.pretend_site import API_KEY, Site, pretend_site, until
from tests.support.processes import Running, run_meanwhile
from tests.support.terminal import Terminal

pytestmark = pytest.mark.timeout(120)
LIGHT = "2020204100000000"
KEY = r"API key \(not shown\): "
"""With the blank that comes once nothing is shown any more; what is typed before is thrown away."""
PROMPT = {
    "LAMPLIGHTER_GATEWAYS__POLL_S": "0.5",
    "LAMPLIGHTER_RADIO__RX2_DR": "3",
    "LAMPLIGHTER_RADIO__DUTY": "1.0",
    "LAMPLIGHTER_POLICY__SPACING_S": "2.0",
    "LAMPLIGHTER_POLICY__WINDOW_S": "3.0",
    "LAMPLIGHTER_POLICY__BACKOFF_FIRST_S": "1.0",
    "LAMPLIGHTER_POLICY__ITEM_TTL_S": "5.0",
    "LAMPLIGHTER_POLICY__ITEM_GRACE_S": "1.0",
}
"""As the settings of a pretend site have it: what `init` wrote is for lights on a real radio."""


async def ready(site: Site) -> bool:
    async with httpx2.AsyncClient() as http:
        return (await http.get(f"{site.url}/readyz")).status_code == 200


def talk(site: Site, config: Path) -> tuple[int, str, str]:
    """A person who is wrong first in everything. Exit code, screen and results."""
    with Terminal(config.parent, "init", "--operator", "alice", env=at(config)) as person:
        person.asked("gRPC API")
        person.types("http://chirpstack:8080")
        person.asked("without a scheme[\\s\\S]*gRPC API")
        person.types(f"127.0.0.1:{free_port()}")
        person.asked(KEY)
        person.types("wrong")
        person.asked("is not reached[\\s\\S]*gRPC API")
        person.types(f"127.0.0.1:{site.server.port}")
        person.asked("refuses our API key")
        person.asked(KEY)
        person.types(API_KEY)
        person.asked(
            "2 lights in .*2 gateways[\\s\\S]*reaches Lamplighter \\[http://127.0.0.1:8090\\]"
        )
        person.types("lights")
        person.asked("Use it all the same")
        person.types("n")
        person.asked("reaches Lamplighter")
        person.types(site.url)
        person.asked("arrives at this machine[\\s\\S]*Have ChirpStack send")
        person.types("")
        code = person.ended()
        return code, person.screen, person.results


def names_in(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()}


def at(config: Path) -> dict[str, str]:
    return {"LAMPLIGHTER_CONFIG": str(config)}


async def test_a_person_is_led_from_nothing_to_a_verified_colour(tmp_path: Path) -> None:
    config = tmp_path / "lamplighter.toml"
    async with pretend_site() as site:
        code, screen, results = await trio.to_thread.run_sync(talk, site, config)
        assert code == 0, screen + results
        assert API_KEY not in screen + results
        assert stat.S_IMODE(config.stat().st_mode) == 0o600
        assert names_in(tmp_path) == {config.name, "results.out"}
        [token] = [
            line.split(": ")[1] for line in results.splitlines() if "shown this once" in line
        ]
        written = config.read_text(encoding="utf-8")
        assert token not in written
        assert list(tomllib.loads(written)["web"]["tokens"]["operator"]) == ["alice"]
        assert "problem" not in results
        assert f"{site.url} arrives at this machine; nothing runs there yet" in results
        assert site.poster.integration is not None, "the events come to us"
        with Running(tmp_path, "serve", "--config", str(config), env=PROMPT):
            await until("ready", lambda: ready(site))
            words = ("send", LIGHT, "red", "--at", site.url)
            sent = await run_meanwhile(*words, env={"LAMPLIGHTER_TOKEN": token})
            assert sent.returncode == 0, sent.stdout + sent.stderr
            refused = await run_meanwhile(*words)
            assert refused.returncode == 2, "nobody commands without a token"


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    config = tmp_path / "lamplighter.toml"
    with Terminal(tmp_path, "init", "--chirpstack", "127.0.0.1:1", env=at(config)) as person:
        person.asked(KEY)
        person.interrupt()
        assert person.ended() == 130
        assert "Traceback" not in person.screen
    assert names_in(tmp_path) == {"results.out"}
