"""What is used of hypercorn, wsproto and h11 without a promise is there, bounded, and unchanged."""

import tomllib
from importlib.metadata import version
from pathlib import Path

import h11
import hypercorn.protocol.ws_stream
import pytest
from packaging.requirements import Requirement

import api.server.web_actor
from api.server.hypercorn_internals import NEEDED, check
from api.server.protocol import asks_for_websocket

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"


def test_a_version_that_lacks_a_part_is_refused_with_its_name() -> None:
    check()
    for owner, names in NEEDED:
        with pytest.raises(ImportError, match=f"{type(owner).__name__} has no {names[0]}_gone"):
            check(((owner, (f"{names[0]}_gone",)),))


@pytest.mark.parametrize("name", ["hypercorn", "wsproto", "h11"])
def test_the_versions_are_bounded_on_both_sides(name: str) -> None:
    asked = tomllib.loads(PYPROJECT.read_text())["project"]["dependencies"]
    (found,) = [one for one in map(Requirement, asked) if one.name == name]
    assert {one.operator for one in found.specifier} == {">=", "<"}
    assert version(name) in found.specifier


def test_nothing_of_hypercorn_is_replaced() -> None:
    assert api.server.web_actor is not None  # imported: everything of ours is loaded
    theirs = hypercorn.protocol.ws_stream
    assert theirs.WebsocketBuffer.__module__ == theirs.__name__
    assert theirs.PerMessageDeflate.__module__ == "wsproto.extensions"  # type: ignore[attr-defined]
    assert hypercorn.protocol.h11.WSStream is theirs.WSStream


@pytest.mark.parametrize(
    ("method", "headers", "opens"),
    [
        ("GET", [("Upgrade", "websocket"), ("Connection", "Upgrade")], True),
        ("GET", [("upgrade", "WebSocket"), ("connection", "keep-alive, upgrade")], True),
        ("GET", [("Upgrade", "websocket"), ("Upgrade", "h2c"), ("Connection", "upgrade")], False),
        ("GET", [("Upgrade", "websocket"), ("Connection", "close")], False),
        ("GET", [("Connection", "Upgrade")], False),
        ("POST", [("Upgrade", "websocket"), ("Connection", "Upgrade")], False),
    ],
)
def test_what_asks_for_a_websocket(
    method: str, headers: list[tuple[str, str]], opens: bool
) -> None:
    request = h11.Request(method=method, target="/", headers=[("Host", "here"), *headers])
    assert asks_for_websocket(request) is opens
