"""Every name that callers of 0.1.0 used is still served or accepted, with the same type.

What is new is no matter. What was changed on purpose stands in `CHANGED`, with its reason.
"""

import json
from pathlib import Path
from typing import Any

import certifi
import pytest
import typer
from pydantic import SecretStr
from quart.typing import TestClientProtocol as Client
from typer.testing import CliRunner

from api.cli.app import app as command_line
from api.cli.exits import Exit
from api.http.app import create_app
from api.http.problems import KINDS, TYPE_PREFIX
from api.settings.file import load_settings
from api.settings.model import ApiSettings, ChirpStack
from tests.compatibility import surface
from tests.compatibility.conftest import DATA
from tests.support.fake_application import FakeApplication

OLD: dict[str, Any] = json.loads((DATA / "surface-0.1.0.json").read_text(encoding="utf-8"))

CHANGED = {
    r"GET /api/v1/devices/\{dev_eui\} 200 attempt\.number": "null for the frame of a setting",
}
"""Places whose type or presence was changed on purpose since 0.1.0, and why."""


def broken(old: surface.Flat, new: surface.Flat, where: str) -> list[str]:
    """Names of `old` that are missing in `new` or of another type."""
    return surface.broken(old, new, where, CHANGED)


@pytest.fixture
def client() -> Client:
    chirpstack = ChirpStack(target="localhost:8080", api_key="unused")
    return create_app(FakeApplication(), ApiSettings(chirpstack=chirpstack)).test_client()


async def test_every_route_parameter_and_field_is_still_there(client: Client) -> None:
    new = surface.http(await (await client.get("/openapi.json")).get_json())
    assert len(OLD["http"]) > 30
    found = []
    for operation, flat in OLD["http"].items():
        if operation not in new:
            found.append(f"{operation} is missing")
            continue
        found += broken(flat, new[operation], operation)
        found += [
            f"{operation} {name} is required now"
            for name in new[operation]
            if name.endswith("!") and name not in flat
        ]
    assert found == []


def test_every_kind_of_problem_is_still_known_and_has_its_status() -> None:
    new = {f"{TYPE_PREFIX}{kind.slug}": str(kind.status) for kind in KINDS}
    assert broken(OLD["problems"], new, "problem") == []


def test_every_verb_and_option_is_still_there() -> None:
    new = surface.commands(typer.main.get_command(command_line))
    found = []
    for verb, flat in OLD["commands"].items():
        found += broken(flat, new.get(verb, {}), verb)
        found += [
            f"{verb} {name} is required now"
            for name, shape in new.get(verb, {}).items()
            if name not in flat and "required" in shape
        ]
    assert found == []


@pytest.mark.parametrize("verb", OLD["commands"])
def test_every_verb_tells_of_its_options(verb: str) -> None:
    shown = CliRunner().invoke(command_line, [*verb.split()[1:], "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    for name in OLD["commands"][verb]:
        if name.startswith("--"):
            assert name in shown.output


def test_exit_codes_mean_what_they_meant() -> None:
    new = {one.name: str(one.value) for one in Exit}
    assert broken(OLD["exits"], new, "exit") == []


NAMED = {
    "chirpstack.target": "chirpstack:8080",
    "chirpstack.api_key": "key",
    "chirpstack.tls": True,
    "chirpstack.ca_file": certifi.where(),
    "chirpstack.tenant_id": "52f14cd4-c6f1-4fbd-8f87-4025e1d49242",
    "chirpstack.profile_contains": "kuando",
    "store.url": "sqlite:///store.db",
    "web.bind": "127.0.0.1",
    "web.tokens.viewer": ["viewer-token-0123456789abcdef"],
    "web.tokens.operator": ["operator-token-0123456789abcdef"],
    "web.tokens.webhook": ["webhook-token-0123456789abcdef"],
    "web.origins": ["https://lights.example"],
    "web.hosts": ["lights.example"],
    "radio.region": "EU868",
    "radio.rx2_dr": 3,
    "radio.duty": 0.1,
    "policy.reply_policy": "auto",
    "alerts.urls": ["json://localhost"],
    "logs.level": "info",
    "logs.format": "auto",
}
"""Values for the settings that are no numbers, or whose default was none."""


VALUES = {
    name: NAMED[name] if name in NAMED else json.loads(text.lower())
    for name, text in OLD["settings"].items()
}
"""Every setting of 0.1.0 with its default there, or some value."""


def test_every_setting_in_a_file_is_still_accepted(tmp_path: Path) -> None:
    path = tmp_path / "lamplighter.toml"
    path.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in VALUES.items()))
    check(load_settings(path, {}))


def test_every_setting_in_the_environment_is_still_accepted() -> None:
    environ = {
        f"LAMPLIGHTER_{name.replace('.', '__').upper()}": (
            ",".join(value) if isinstance(value, list) else str(value)
        )
        for name, value in VALUES.items()
    }
    assert "LAMPLIGHTER_WEB__TOKENS__OPERATOR" in environ
    check(load_settings(None, environ))


def check(settings: ApiSettings) -> None:
    """Each value has arrived in its place."""
    for name, value in VALUES.items():
        found: Any = settings
        for part in name.split("."):
            found = getattr(found, part)
        if isinstance(found, tuple):
            found = list(found)
        shown = [revealed(one) for one in found] if isinstance(found, list) else revealed(found)
        assert shown == value, name


def revealed(value: Any) -> Any:
    """A secret, or a token, which may have a name since."""
    value = getattr(value, "secret", value)
    return value.get_secret_value() if isinstance(value, SecretStr) else value
