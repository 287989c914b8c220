"""Hooks as people use them: `lamplighter serve`, a receiver, verdicts through restarts of both."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
import trio

from tests.support.pretend_site import Site, pretend_site, until
from tests.support.processes import Running
from tests.support.receiver import Receiver

HOOKS = {"allow_networks": ["127.0.0.0/8"], "allow_http": True}


async def command(http: httpx2.AsyncClient, dev_eui: str, red: int) -> str:
    body = {"red": red, "green": 0, "blue": 0, "wait_for_verification": False}
    answer = await http.post(f"/api/v1/downlink/{dev_eui}", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


@pytest.mark.timeout(200)
async def test_a_verdict_is_posted_signed_and_survives_a_killed_service_and_an_absent_receiver(
    tmp_path: Path,
) -> None:
    async with pretend_site() as site:
        config = site.config(tmp_path, hooks=HOOKS)
        site.connect()
        first = next(iter(site.world.stations))
        receiver = Receiver()
        with receiver:
            with Running(tmp_path, "serve", "--config", str(config)) as service:
                async with client(site) as http:
                    await ready(http)
                    made = await http.post(
                        "/api/v1/hooks", json={"name": "Board", "url": receiver.url}
                    )
                    assert made.status_code == 201, made.text
                    secret = made.json()["secret"]
                    tested = await http.post("/api/v1/hooks/board/test")
                    assert tested.json()["status"] == 200, tested.text
                    one = await command(http, first, 10)
                    await until_told(receiver, one)
                    told = receiver.received[-1]
                    assert told.signed_by(secret)
                    assert not told.signed_by("whsec_" + "A" * 44)
                    assert told.type == "command.ended"
                    assert told.data["status"] == "verified"
                    receiver.stop()
                    two = await command(http, first, 20)
                    await ended(http, two)
                    service.kill()
            receiver.start()
            with Running(tmp_path, "serve", "--config", str(config)):
                await until_told(receiver, two)
        verdicts = [one.data["command_id"] for one in receiver.taken if one.type != "hook.test"]
        assert list(dict.fromkeys(verdicts)) == [one, two]


def client(site: Site) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=site.url, timeout=30.0)


async def ready(http: httpx2.AsyncClient) -> None:
    async def is_ready() -> bool:
        return (await http.get("/readyz")).status_code == 200

    await until("ready", is_ready)


async def until_told(receiver: Receiver, command_id: str) -> None:
    async def told() -> bool:
        await trio.lowlevel.checkpoint()
        return any(one.data.get("command_id") == command_id for one in receiver.taken)

    await until("told", told, 60.0)


async def ended(http: httpx2.AsyncClient, command_id: str) -> Any:
    async def final() -> bool:
        found = (await http.get(f"/api/v1/commands/{command_id}")).json()
        return found["status"] in {"verified", "superseded", "expired"}

    await until("ended", final, 60.0)
