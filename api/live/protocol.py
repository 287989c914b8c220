"""The messages of the live websocket, version 1; docs/live.md says what each means.

What is sent to many clients is encoded once. Pure.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import assert_never

import msgspec

from actors.board.board import Board
from actors.board.changes import (
    ActorView,
    AlertView,
    Change,
    DeviceRemoved,
    GatewayView,
    Subject,
)
from actors.board.outlook import RiskTold
from actors.board.plan import PlanHead, PlanRemoved
from actors.board.reachability import Reachability
from actors.board.rollout import Rollout
from actors.board.subscription import Snapshot
from actors.device.command import Command
from actors.device.model import Device
from api.models import AlertShown, CommandSummary, DeviceSummary, RolloutView
from api.models.actors import ActorShown

SUBPROTOCOL = "lamplighter.v1"
KINDS = frozenset({"device", "command", "gateway", "alert", "actor", "rollout", "plan"})

# 200 lights of about 700 bytes are 140 kB a message, and 2 ms of work before other tasks run.
DEVICES_PER_PART = 200
# 100 changes of about 700 bytes: 70 kB a message.
CHANGES_PER_MESSAGE = 100
# What a client says is short: a token has at most 200 characters.
CLIENT_MESSAGE_BYTES = 4_096
# Four seconds of the busiest fleet (500 changes/s), about 800 bytes each: 1.6 MB.
ENCODED_KEPT = 2_000


_ASKED_AS = {"removed": "device", "plan_removed": "plan"}
"""Kinds of change that come with another kind."""


class Auth(msgspec.Struct, frozen=True, tag="auth", tag_field="type"):
    """From a client that cannot set headers: its first message."""

    token: str


class Ping(msgspec.Struct, frozen=True, tag="ping", tag_field="type"):
    """From a client: answer with `pong`, repeating `id`."""

    id: str | int | None = None


_from_client: msgspec.json.Decoder[Auth | Ping] = msgspec.json.Decoder(Auth | Ping)


def decode(text: str | bytes) -> Auth | Ping:
    """What a client said. Raises msgspec.DecodeError for anything else."""
    if len(text) > CLIENT_MESSAGE_BYTES:
        raise msgspec.DecodeError("the message is too long")
    return _from_client.decode(text)


class Filter(msgspec.Struct, frozen=True):
    """What a client wants to hear of; an empty set means all."""

    kinds: frozenset[str] = KINDS
    dev_euis: frozenset[str] = frozenset()
    gateways: frozenset[str] = frozenset()

    def admits(self, what: Subject, devices: Mapping[str, Device]) -> bool:
        """Whether this is wanted; `devices` tells which gateways hear a command's light."""
        kind = _ASKED_AS.get(kind_of(what), kind_of(what))
        if kind not in self.kinds:
            return False
        if not self.dev_euis and not self.gateways:
            return True
        match what:
            case Device():
                return self._light(what.dev_eui, what)
            case DeviceRemoved():
                # Which gateways heard it is not known any more: better one message too many.
                return what.dev_eui in self.dev_euis or bool(self.gateways)
            case Command():
                return self._light(what.dev_eui, devices.get(what.dev_eui))
            case GatewayView():
                return what.gateway_id in self.gateways
            case AlertView():
                return what.subject in self.dev_euis or what.subject in self.gateways
            case ActorView():
                return any(dev_eui in what.id for dev_eui in self.dev_euis)
            case Rollout():
                return False  # it is of no light and no gateway in particular
            case PlanHead() | PlanRemoved():
                return False  # likewise
            case _:
                assert_never(what)

    def _light(self, dev_eui: str, device: Device | None) -> bool:
        if dev_eui in self.dev_euis:
            return True
        heard = device.hearings if device is not None else ()
        return any(hearing.gateway_id in self.gateways for hearing in heard)


def kind_of(what: Subject) -> str:
    """Its `kind` in a message."""
    match what:
        case Device():
            return "device"
        case DeviceRemoved():
            return "removed"
        case Command():
            return "command"
        case GatewayView():
            return "gateway"
        case AlertView():
            return "alert"
        case ActorView():
            return "actor"
        case Rollout():
            return "rollout"
        case PlanHead():
            return "plan"
        case PlanRemoved():
            return "plan_removed"
        case _:
            assert_never(what)


class Encoder:
    """Encodes what is on the board, each once however many clients follow it."""

    def __init__(self, board: Board) -> None:
        self._board = board
        # As many as there are lights, about 1 kB each: 20 MB for 20,000.
        self._devices: dict[str, tuple[Device, Reachability, RiskTold | None, msgspec.Raw]] = {}
        self._changes: dict[int, tuple[Change, msgspec.Raw]] = {}

    def change(self, change: Change) -> msgspec.Raw:
        """One change as JSON."""
        kept = self._changes.get(change.number)
        if kept is not None and kept[0] is change:
            return kept[1]
        raw = self.fresh(change, change.what)
        self._changes[change.number] = (change, raw)
        if len(self._changes) > ENCODED_KEPT:
            del self._changes[next(iter(self._changes))]
        return raw

    def fresh(self, change: Change, what: Subject) -> msgspec.Raw:
        """The change of something as one client alone sees it."""
        return _raw(
            {
                "number": change.number,
                "at": change.at,
                "kind": kind_of(what),
                "what": self.subject(what),
            }
        )

    def subject(self, what: Subject) -> msgspec.Raw:
        """One light, command, gateway, alert or actor as JSON."""
        match what:
            case Device():
                reach, kept = self._board.reachability(what), self._devices.get(what.dev_eui)
                risk = self._board.risks.get(what.dev_eui)
                if kept is not None and kept[0] is what and kept[1:3] == (reach, risk):
                    return kept[3]
                raw = _raw(DeviceSummary.of(what, reach, risk))
                self._devices[what.dev_eui] = (what, reach, risk, raw)
                return raw
            case DeviceRemoved():
                self._devices.pop(what.dev_eui, None)
                return _raw(what)
            case Command():
                return _raw(CommandSummary.of(what))
            case GatewayView():
                return _raw(what)
            case AlertView():
                return _raw(AlertShown.of(what))
            case ActorView():
                return _raw(ActorShown.of(what))
            case Rollout():
                return _raw(RolloutView.of(what))
            case PlanHead() | PlanRemoved():
                return _raw(what)
            case _:
                assert_never(what)


def hello(boot: str, number: int, at: float, *, resumed: bool, beat_s: float) -> str:
    """The first message: which run of the service this is, and where its numbers are."""
    return _message(
        {
            "type": "hello",
            "protocol": 1,
            "boot": boot,
            "number": number,
            "at": at,
            "resumed": resumed,
            "beat_s": beat_s,
        }
    )


Told = Callable[[Subject], Subject | None]
"""What a client is told of something; None for nothing."""


def snapshot_parts(snapshot: Snapshot, told: Told, encoder: Encoder) -> Iterator[str]:
    """The snapshot in parts, made as they are sent; all but its lights are in the first."""
    lights = [device for device in map(told, snapshot.devices) if device is not None]
    parts = max(1, -(-len(lights) // DEVICES_PER_PART))
    for part in range(parts):
        chunk = lights[part * DEVICES_PER_PART : (part + 1) * DEVICES_PER_PART]
        rest: Iterable[tuple[str, Sequence[Subject]]] = (
            ("gateways", snapshot.gateways if part == 0 else ()),
            ("alerts", snapshot.alerts if part == 0 else ()),
            ("actors", snapshot.actors if part == 0 else ()),
            ("rollouts", snapshot.rollouts if part == 0 else ()),
            ("plans", snapshot.plans if part == 0 else ()),
        )
        message: dict[str, object] = {
            "type": "snapshot",
            "number": snapshot.number,
            "at": snapshot.at,
            "part": part + 1,
            "parts": parts,
            "devices": [encoder.subject(device) for device in chunk],
        }
        for name, subjects in rest:
            message[name] = [encoder.subject(s) for s in map(told, subjects) if s is not None]
        yield _message(message)


def changes_parts(batch: Sequence[Change], told: Told, encoder: Encoder) -> Iterator[str]:
    """The wanted ones of these changes; `number` is the newest looked at, wanted or not."""
    for start in range(0, len(batch), CHANGES_PER_MESSAGE):
        part = batch[start : start + CHANGES_PER_MESSAGE]
        raws = [
            encoder.change(one) if what is one.what else encoder.fresh(one, what)
            for one in part
            if (what := told(one.what)) is not None
        ]
        if raws:
            yield _message({"type": "changes", "number": part[-1].number, "changes": raws})


def beat(number: int, at: float) -> str:
    """A sign of life, and from where to resume."""
    return _message({"type": "beat", "number": number, "at": at})


def pong(ping: Ping) -> str:
    """The answer to a client's `ping`."""
    return _message({"type": "pong", "id": ping.id})


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def _message(message: dict[str, object]) -> str:
    return msgspec.json.encode(message).decode()
