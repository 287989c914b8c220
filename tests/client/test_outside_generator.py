"""A client that an outside generator makes of the description orders a colour, and reads the end.

Nothing of ours helps it: it is made of what a running service says of itself.
"""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trio
from openapi_python_client import generate
from openapi_python_client.config import Config, ConfigFile, MetaType

from actors.device.command import CommandStatus
from api.settings.model import ApiSettings, ChirpStack
from tests.support.fake_application import DEV_EUI, FakeApplication
from tests.support.web_server import Server

NAME = "made_of_the_description"
TOKEN = "operator-token-0123456789abcdef"
BYTES = "application/octet-stream"
FILES = {"image/*": BYTES, "application/zip": BYTES}
"""It knows bytes by one name only."""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Where the client is made; imported from there, and forgotten at the end."""
    sys.path.insert(0, str(tmp_path))
    yield tmp_path
    sys.path.remove(str(tmp_path))
    for name in [name for name in sys.modules if name.split(".")[0] == NAME]:
        del sys.modules[name]


def made(description: bytes, folder: Path) -> list[str]:
    """Make the client; what the generator could not do."""
    source = folder / "openapi.json"
    source.write_bytes(description)
    wanted = ConfigFile(package_name_override=NAME, content_type_overrides=FILES, post_hooks=[])
    config = Config.from_sources(wanted, MetaType.NONE, source, "utf-8", False, folder / NAME)
    return [f"{error.header}: {error.detail}" for error in generate(config=config)]


def part(name: str) -> Any:
    """A module of the client that was made."""
    return importlib.import_module(f"{NAME}.{name}" if name else NAME)


def ordered(at: str) -> tuple[Any, Any, Any]:
    """Order red and wait; then ask for the command; then one that is nowhere."""
    models = part("models")
    body = models.PostSetLightDownlinkRequest(red=255, green=0, blue=0)
    with part("").AuthenticatedClient(base_url=at, token=TOKEN) as client:
        verdict = part("api.lights.post_set_light").sync(
            DEV_EUI, client=client, body=body, idempotency_key="once", prefer="wait=20"
        )
        found = part("api.lights.get_get_command").sync(verdict.id, client=client)
        unknown = part("api.lights.get_get_command").sync("nowhere", client=client)
    return verdict, found, unknown


@pytest.mark.timeout(180)
async def test_a_generated_client_orders_a_colour_and_reads_its_verdict(folder: Path) -> None:
    application = FakeApplication()
    web = {"port": 0, "tokens": {"operator": [TOKEN], "webhook": ["w" * 32]}}
    chirpstack = ChirpStack(target="localhost:8080", api_key="unused")
    server = Server(application, ApiSettings(chirpstack=chirpstack, web=web))

    async def prove() -> None:
        await application.commands.awaited.wait()
        application.commands.step("cmd-1", CommandStatus.VERIFIED)

    async with trio.open_nursery() as nursery:
        await nursery.start(application.board.run)
        await nursery.start(server.run)
        at = f"http://127.0.0.1:{server.port}"
        async with httpx2.AsyncClient(trust_env=False) as asked:
            headers = {"Authorization": f"Bearer {TOKEN}"}
            description = (await asked.get(f"{at}/openapi.json", headers=headers)).content
        assert await trio.to_thread.run_sync(made, description, folder) == []
        nursery.start_soon(prove)
        verdict, found, unknown = await trio.to_thread.run_sync(ordered, at)
        nursery.cancel_scope.cancel(reason="the test is over")
    status = part("models").CommandStatus
    assert verdict.status is status.VERIFIED
    assert (verdict.light.red, [step.kind.value for step in verdict.timeline][-1]) == (
        255,
        "verified",
    )
    assert found == verdict
    assert (unknown.status, unknown.title) == (404, "There is no such command")
