"""The examples of docs/client.md are run, as they stand there, against a real server."""

import re

import pytest
import trio

import lamplighter.client
from actors.device.command import CommandStatus
from api.settings.model import ApiSettings, ChirpStack
from docs.generate.parts import ROOT
from lamplighter.client import LamplighterError
from tests.support.fake_application import FakeApplication
from tests.support.web_server import Server

TEXT = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
AT = "http://127.0.0.1:8090"
TOKEN = "operator-token-0123456789abcdef"


async def prove_all(application: FakeApplication) -> None:
    """Every command is verified soon after it was given."""
    while True:
        await trio.sleep(0.05)
        for command in list(application.commands.given.values()):
            if not command.status.final:
                application.commands.step(command.id, CommandStatus.VERIFIED)


@pytest.mark.timeout(120)
async def test_every_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    application = FakeApplication()
    web = {"port": 0, "tokens": {"operator": [TOKEN], "webhook": ["w" * 32]}}
    chirpstack = ChirpStack(target="localhost:8080", api_key="unused")
    server = Server(application, ApiSettings(chirpstack=chirpstack, web=web))
    async with trio.open_nursery() as nursery:
        await nursery.start(application.board.run)
        await nursery.start(server.run)
        nursery.start_soon(prove_all, application)
        for example in EXAMPLES:
            assert AT in example
            here = example.replace(AT, f"http://127.0.0.1:{server.port}")
            await trio.to_thread.run_sync(exec, compile(here, "docs/client.md", "exec"), {})
        nursery.cancel_scope.cancel(reason="the test is over")
    told = capsys.readouterr().out
    assert len(EXAMPLES) == 3
    assert "proven by the light after 0 frames" in told
    assert "1 lights; what was known before is replaced" in told
    assert re.search(r"2020203907290902 (accepted|verified)", told)
    assert "1 lights; 0 were not as wanted before" in told


def test_every_error_that_the_page_names_is_one() -> None:
    table = TEXT.split("| error | when |\n")[1].split("\n\n")[0]
    cells = [line.split(" | ")[0] for line in table.splitlines()[1:]]
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    for name in named:
        assert issubclass(getattr(lamplighter.client, name), LamplighterError), name
    every = {
        name
        for name in lamplighter.client.__all__
        if isinstance(kind := getattr(lamplighter.client, name), type)
        and issubclass(kind, LamplighterError)
    }
    told = set(re.findall(r"`(\w+)`", TEXT))
    assert every - told == set()
