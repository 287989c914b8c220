"""docs/live.md against the protocol: each message, field, kind, parameter and closing code."""

import json
import re
from typing import Any

import msgspec

from actors.board.board import Board
from actors.board.changes import ActorView, Change, DeviceRemoved, Subject
from actors.board.subscription import Snapshot
from actors.supervision import ChildState
from api.live import client, protocol, socket
from docs.generate.parts import ROOT
from tests.support.fake_application import FakeClock

TEXT = (ROOT / "docs" / "live.md").read_text(encoding="utf-8")
EXAMPLES: dict[str, dict[str, Any]] = {}
for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL):
    shown = json.loads(block)
    EXAMPLES.setdefault(shown["type"], shown)


def sent() -> dict[str, dict[str, Any]]:
    """One message of each kind that the service sends."""
    nobody = protocol.Encoder(Board(FakeClock(), "5f0c"))

    def every(what: Subject) -> Subject:
        return what

    snapshot = Snapshot("5f0c", 1, 0.0, devices=(), gateways=(), alerts=())
    change = Change(1, 0.0, ActorView("board", ChildState.RUNNING, 0, None))
    texts = [
        protocol.hello("5f0c", 1, 0.0, resumed=False, beat_s=20.0),
        *protocol.snapshot_parts(snapshot, every, nobody),
        *protocol.changes_parts([change], every, nobody),
        protocol.beat(1, 0.0),
        protocol.pong(protocol.Ping(7)),
    ]
    messages = [json.loads(text) for text in texts]
    return {message["type"]: message for message in messages}


def test_every_message_of_the_service_is_shown_with_all_its_fields() -> None:
    for kind, message in sent().items():
        assert f"`{kind}`" in TEXT
        if kind != "pong":
            assert list(EXAMPLES[kind]) == list(message)
    (change,) = sent()["changes"]["changes"]
    assert list(EXAMPLES["changes"]["changes"][0]) == list(change)


def test_every_message_of_a_client_that_is_shown_is_understood() -> None:
    for kind in ("auth", "ping"):
        message = protocol.decode(json.dumps(EXAMPLES[kind]))
        assert msgspec.to_builtins(message) == EXAMPLES[kind]


def test_every_kind_of_change_is_named() -> None:
    row = next(line for line in TEXT.splitlines() if line.startswith("| `kind=...`"))
    assert set(re.findall(r"`([a-z]+)`", row)) == protocol.KINDS
    removed = DeviceRemoved("2020203907290902", "Desk 02", "gone")
    assert f"`{protocol.kind_of(removed)}`" in TEXT
    assert set(msgspec.to_builtins(removed)) == {"dev_eui", "name", "why"}


def test_every_parameter_is_named() -> None:
    assert set(re.findall(r"^\| `([a-z_]+)=", TEXT, re.MULTILINE)) == socket._PARAMETERS


def test_every_closing_code_is_named() -> None:
    ours = {
        client.RESTARTING,
        client.TOO_SLOW,
        client.POLICY,
        client.UNSUPPORTED,
        client.INTERNAL,
        socket.UNAUTHENTICATED_CODE,
        socket.FORBIDDEN_CODE,
    }
    told = {int(code) for code in re.findall(r"^\| (\d{4}) \|", TEXT, re.MULTILINE)}
    assert told == ours | {1009, 1006}, "1009 is the server's own, 1006 is what a client sees"
