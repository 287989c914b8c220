"""`hook ...` as processes against the real server."""

import json

import pytest

from actors.outgoing.model import Kind
from tests.cli.test_verbs import served
from tests.support.fake_application import DEV_EUI


@pytest.mark.timeout(120)
async def test_a_hook_is_added_tested_paused_logged_and_removed() -> None:
    async with served() as here:
        none = await here.do("hook", "list")
        assert none.stdout == "No hooks.\n", none.stderr
        url = "https://board.example/hook"
        made = await here.do("hook", "add", "board", url, DEV_EUI, "--kind", "alerts")
        [hook] = here.application.outgoing.hooks.values()
        assert hook.secret in made.stdout, made.stderr
        assert (hook.kinds, hook.wanted.dev_euis) == ((Kind.ALERTS,), (DEV_EUI,))
        tested = await here.do("hook", "test", "board")
        assert (tested.returncode, tested.stdout) == (0, "Taken: 200, after 0.10 s.\n")
        log = await here.do("hook", "log", "board", "--json")
        assert json.loads(log.stdout)["deliveries"][0]["event_id"] == "test-1"
        paused = await here.do("hook", "pause", "board")
        assert paused.stdout == "Hook board: paused.\n", paused.stderr
        listed = await here.do("hook", "list")
        assert "alerts" in listed.stdout
        assert hook.secret not in listed.stdout
        gone = await here.do("hook", "remove", "board")
        assert gone.stdout == "Hook board removed.\n"
        wrong = await here.do("hook", "add", "x", "http://127.0.0.1/")
        assert (wrong.returncode, "https" in wrong.stderr) == (2, True)
