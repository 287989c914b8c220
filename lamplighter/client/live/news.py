"""The messages of the live feed as what a program wants to know, typed. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

from lamplighter.client.errors import Unanswered
from lamplighter.client.live.follow import Came, Follower, Following, Lost, Message, Tell
from lamplighter.client.models import (
    ActorShown,
    AlertShown,
    CommandSummary,
    DeviceRemoved,
    DeviceSummary,
    GatewayShown,
    PlanHead,
    PlanRemoved,
    RolloutView,
)

Subject: TypeAlias = (
    DeviceSummary
    | DeviceRemoved
    | CommandSummary
    | GatewayShown
    | AlertShown
    | ActorShown
    | RolloutView
    | PlanHead
    | PlanRemoved
)
KINDS: Mapping[str, type[msgspec.Struct]] = {
    "device": DeviceSummary,
    "removed": DeviceRemoved,
    "command": CommandSummary,
    "gateway": GatewayShown,
    "alert": AlertShown,
    "actor": ActorShown,
    "rollout": RolloutView,
    "plan": PlanHead,
    "plan_removed": PlanRemoved,
}


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All that is now; it replaces whatever was known. `number` is the last change before it.

    With `after_gap` the feed was followed before, and changes between may have been missed: the
    service restarted, or does not have them any more.
    """

    number: int
    at: float
    after_gap: bool
    devices: list[DeviceSummary]
    gateways: list[GatewayShown]
    alerts: list[AlertShown]
    actors: list[ActorShown]
    """Those in trouble."""
    rollouts: list[RolloutView]
    plans: list[PlanHead]


class Change(msgspec.Struct, frozen=True):
    """`what` takes the place of what was known of the same id."""

    number: int
    at: float
    what: Subject


class Resumed(msgspec.Struct, frozen=True):
    """The feed is followed again, and nothing was missed."""

    number: int


News: TypeAlias = Snapshot | Change | Lost | Resumed


def news(follower: Follower) -> Following[News]:
    """What a follower hears, as news. Raises what it raises, and Unanswered for a service that
    speaks otherwise."""
    reader = Reader()
    following = follower.messages()
    came: Came = None
    while True:
        step = following.send(came)
        came = None
        if isinstance(step, Tell):
            for one in reader.take(step.what):
                yield Tell(one)
        else:
            came = yield step


class Reader:
    """Puts parts together, and knows whether what comes is a beginning or follows a gap."""

    def __init__(self) -> None:
        self._seen = False
        self._parts: list[_Part] = []

    def take(self, message: Message | Lost) -> Iterator[News]:
        """What this message tells. Raises Unanswered."""
        if isinstance(message, Lost):
            self._parts = []
            yield message
            return
        try:
            yield from self._read(message)
        except (msgspec.ValidationError, KeyError) as error:
            raise Unanswered(
                f"what comes is of another version of Lamplighter ({error})"
            ) from error

    def _read(self, message: Message) -> Iterator[News]:
        match message.kind:
            case "hello" if message.body["resumed"]:
                yield Resumed(int(message.body["number"]))
            case "snapshot":
                part = msgspec.convert(message.body, _Part)
                self._parts.append(part)
                if part.part == part.parts:
                    yield self._snapshot()
            case "changes":
                yield from self._changes(message.body)
            case _:
                pass

    def _snapshot(self) -> Snapshot:
        parts, self._parts = self._parts, []
        after_gap, self._seen = self._seen, True
        first = parts[0]
        return Snapshot(
            number=first.number,
            at=first.at,
            after_gap=after_gap,
            devices=[light for part in parts for light in part.devices],
            gateways=first.gateways,
            alerts=first.alerts,
            actors=first.actors,
            rollouts=first.rollouts,
            plans=first.plans,
        )

    @staticmethod
    def _changes(body: Mapping[str, Any]) -> Iterator[Change]:
        for one in body["changes"]:
            model = KINDS.get(one["kind"])
            if model is not None:  # a newer service tells of what this client does not know
                what: Any = msgspec.convert(one["what"], model)
                yield Change(int(one["number"]), float(one["at"]), what)


class _Part(msgspec.Struct, frozen=True):
    number: int
    at: float
    part: int
    parts: int
    devices: list[DeviceSummary]
    gateways: list[GatewayShown]
    alerts: list[AlertShown]
    actors: list[ActorShown]
    rollouts: list[RolloutView]
    plans: list[PlanHead]
