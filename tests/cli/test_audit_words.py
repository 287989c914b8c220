"""`lamplighter audit` and `lamplighter token`, without a service."""

import json
import tomllib

import pytest
from rich.console import Console
from typer.testing import CliRunner

from api.cli.app import app
from api.cli.doctor import surroundings
from api.cli.doctor.finding import Level
from api.cli.show import audit
from api.http.tokens import hash_of, is_made
from tests.api.conftest import OPERATOR, WEBHOOK, settings_with

ENTRY = {
    "at": 900.0,
    "by": "al\x1b[31mice",
    "scope": "operator",
    "what": "rollout_change",
    "on": "roll-1",
    "detail": {"state": "paused", "reason": None, "lights": 3},
    "peer": "203.0.113.9",
}


def test_an_entry_is_a_row_of_plain_text() -> None:
    console = Console(width=120, no_color=True)
    with console.capture() as captured:
        console.print(audit.entries([ENTRY, {**ENTRY, "by": "", "peer": ""}], 1_000.0))
    told = captured.get()
    assert "rollout change" in told
    assert "state paused, lights 3, from 203.0.113.9" in told
    assert "unknown" in told
    assert "\x1b" not in told


@pytest.mark.parametrize("scope", ["viewer", "operator"])
def test_a_token_is_shown_once_and_its_hash_goes_into_the_settings(scope: str) -> None:
    done = CliRunner().invoke(app, ["token", "new", "Ann B", "--scope", scope])
    token, lines = done.stdout.split("\n", 1)
    assert done.exit_code == 0
    assert is_made(token)
    table = tomllib.loads(lines)["web"]["tokens"][scope]
    assert table == {"Ann B": hash_of(token)}
    assert token not in lines


def test_a_webhooks_token_stands_in_clear_and_no_two_are_alike() -> None:
    words = ["token", "new", "chirpstack", "--scope", "webhook", "--json"]
    made = [json.loads(CliRunner().invoke(app, words).stdout) for _ in range(2)]
    assert made[0]["token"] != made[1]["token"]
    assert made[0]["line"] == f'chirpstack = "{made[0]["token"]}"'


@pytest.mark.parametrize("words", [["operator 2", "--scope", "viewer"], ["x", "--scope", "admin"]])
def test_a_name_that_misleads_and_a_scope_that_there_is_not_are_mistakes(words: list[str]) -> None:
    assert CliRunner().invoke(app, ["token", "new", *words]).exit_code == 2


async def test_doctor_warns_of_tokens_without_a_name_or_in_clear() -> None:
    async def told(operator: object) -> list[tuple[Level, str]]:
        tokens = {"operator": operator, "webhook": [WEBHOOK]}
        found = await surroundings.tokens(settings_with(tokens=tokens))
        return [(one.level, one.says) for one in found]

    [(level, says)] = await told([OPERATOR])
    assert level is Level.WARNING
    assert says.startswith("1 without a name")
    assert "1 in clear" in says
    [(level, says)] = await told({"alice": OPERATOR})
    assert "without a name" not in says
    [(level, says)] = await told({"alice": hash_of("lmp_" + "a" * 43)})
    assert level is Level.OK
    assert await surroundings.tokens(settings_with()) == []
