"""`lamplighter doctor` against a pretend installation: right, and wrong in the usual ways."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from simulation.world.server import GrpcServer
from simulation.world.server.backend_calls import LightProfile
from tests.support.pretend_site import API_KEY, Site, pretend_site, until
from tests.support.processes import Running, run_meanwhile

pytestmark = pytest.mark.timeout(120)


async def examine(config: Path) -> tuple[int, dict[str, dict[str, Any]]]:
    """Exit code, and the findings by check (the last one of each)."""
    done = await run_meanwhile("doctor", "--config", str(config), "--json")
    assert "Traceback" not in done.stderr, done.stderr
    found = json.loads(done.stdout)
    assert found["ok"] == (done.returncode == 0)
    return done.returncode, {each["check"]: each for each in found["findings"]}


async def ready(site: Site) -> bool:
    async with httpx2.AsyncClient() as http:
        return (await http.get(f"{site.url}/readyz")).status_code == 200


async def test_a_right_installation_has_no_problem(tmp_path: Path) -> None:
    async with pretend_site() as site:
        config = site.config(tmp_path)
        url = f"{site.url}/api/v1/webhooks/chirpstack"
        done = await run_meanwhile("setup", "--url", url, "--config", str(config))
        assert done.returncode == 0, done.stderr
        with Running(tmp_path, "serve", "--config", str(config)):
            await until("ready", lambda: ready(site))
            code, found = await examine(config)
            words = await run_meanwhile("doctor", "--config", str(config))
    assert code == 0, found
    for check in ("settings", "store", "service", "ChirpStack", "API key", "profile", "lights"):
        assert found[check]["level"] == "ok", found[check]
    for check in ("Class C", "RX2", "integration", "webhook", "gateways", "clock"):
        assert found[check]["level"] == "ok", found[check]
    assert "4.12" in found["version"]["says"]
    assert words.returncode == 0
    assert "✓ ok" in words.stdout
    assert API_KEY not in words.stdout


async def test_nothing_set_up_is_told_with_remedies(tmp_path: Path) -> None:
    async with pretend_site() as site:
        code, found = await examine(site.config(tmp_path, radio={"rx2_dr": 0, "duty": 0.1}))
        queued = [await site.world.network.queue(each) for each in site.world.stations]
    assert code == 1
    assert found["integration"]["level"] == "problem"
    assert "lamplighter setup" in found["integration"]["remedy"]
    assert found["service"]["level"] == "warning"
    assert found["RX2"]["level"] == "warning"
    assert "rx2_dr = 3" in found["RX2"]["remedy"]
    assert not any(queued), "the probe of the right to write must leave nothing"
    assert not (tmp_path / "lamplighter.db").exists(), "the doctor creates nothing"


@pytest.mark.parametrize(
    ("key", "tenant_id", "check", "word"),
    [
        ("wrong", "", "API key", "refuses our API key"),
        ("look", "", "API key", "read-only"),
        ("tenant", "", "API key", "tenant's key"),
    ],
)
async def test_a_key_that_will_not_do(
    tmp_path: Path, key: str, tenant_id: str, check: str, word: str
) -> None:
    async with pretend_site() as site:
        keys = {"api_key": API_KEY, "read_only_key": "look", "tenant_key": "tenant"}
        async with GrpcServer(site.world.network, **keys) as server:
            target = {"target": f"127.0.0.1:{server.port}", "api_key": key}
            code, found = await examine(site.config(tmp_path, chirpstack=target))
    assert code == 1
    assert found[check]["level"] == "problem"
    assert word in found[check]["says"]


@pytest.mark.parametrize(
    ("profile", "word"),
    [
        (LightProfile(class_b=True), "Class B ticked as well"),
        (LightProfile(class_c=False), "does not have Class C"),
    ],
)
async def test_a_profile_with_wrong_boxes(tmp_path: Path, profile: LightProfile, word: str) -> None:
    async with (
        pretend_site() as site,
        GrpcServer(site.world.network, api_key=API_KEY, profile=profile) as server,
    ):
        target = {"target": f"127.0.0.1:{server.port}", "api_key": API_KEY}
        code, found = await examine(site.config(tmp_path, chirpstack=target))
    assert code == 1
    assert word in found["profile"]["says"]
    assert found["Class C"]["level"] == "problem"


async def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    async with pretend_site() as site:
        config = site.config(tmp_path, chirpstack={"target": "127.0.0.1:1"})
        code, found = await examine(config)
    assert code == 1
    assert "not reached" in found["ChirpStack"]["says"]


async def test_settings_that_cannot_be_read(tmp_path: Path) -> None:
    config = tmp_path / "wrong.toml"
    config.write_text('[web]\nport = "x"\n')
    done = await run_meanwhile("doctor", "--config", str(config))
    assert done.returncode == 1
    assert "web.port" in done.stdout
    assert "chirpstack" in done.stdout
