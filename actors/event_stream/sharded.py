"""ChirpStack's stream in a cluster: every process reads all of it and keeps what is its own.

No process hands such an event on to another. The position up to which a shard was dealt with is
stored with its commits, so whoever takes the shard over reads on from there.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from actors.clocks.clock import Clock
from actors.device.events import Message
from actors.event_stream.handing_out import Audience
from actors.event_stream.reader import EventStream, StreamPorts
from actors.fleet.delivery import Delivery
from actors.fleet.event_memory import EventMemory
from actors.fleet.translate import for_light
from actors.messaging.mailbox import Mailbox
from lorawan.events.model import Event
from lorawan.stream.entries import EntryId, Whose
from lorawan.stream.source import EventSource
from store.engine.shards import FLEET, shard_of


class HasMailbox(Protocol):
    """What is needed of a light's actor."""

    mailbox: Mailbox[Message]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardedPorts:
    """What is in this process. Nothing here waits or raises."""

    here: Callable[[str], bool]
    """Whether a shard runs in this process."""
    is_ours: Callable[[str, str], bool]
    """Whether the device of this DevEUI and profile is a light of the fleet."""
    actors: Callable[[], Mapping[str, HasMailbox]]
    """The lights of this process."""
    light: Callable[[Event, bool], Delivery]
    """To the light whose shard is here, with whether it is past."""
    fleet: Callable[[Event, bool], None]
    """Likewise to what runs once for the fleet."""
    memory: EventMemory
    """Of the events that the lights were told."""
    stopped: Callable[[], bool]
    """Whether nothing at all can be stored now."""


class ShardedStream:
    """One for each process; `stream` is the actor."""

    def __init__(
        self, source: EventSource, ports: ShardedPorts, clock: Clock, rng: random.Random
    ) -> None:
        self._ports = ports
        self._behind: dict[str, str] = {}
        """Shards that are not caught up yet, and the marks that they came with."""
        self._caught_up: set[str] = set()
        """Those of which all was dealt with up to where the stream was."""
        audience = Audience(self._deliver, self._wants, lambda: list(ports.actors()))
        stream_ports = StreamPorts(
            audience,
            self._mailbox,
            parts=lambda whose: (shard_of(whose.dev_eui), FLEET),
            repeated=lambda: ports.memory.repeated,
            stopped=ports.stopped,
        )
        self.stream = EventStream(source, stream_ports, clock, rng)

    def taking(self, shard: str, mark: str) -> None:
        """It is ours; its owner before had dealt with all up to `mark`."""
        self._behind[shard] = mark
        self._forget(shard)

    def taken(self, shard: str) -> None:
        """Its actors run here from now on: read again what was for them."""
        mark = self._behind[shard]
        self._ports.memory.forget(lambda dev_eui: shard_of(dev_eui) == shard)
        if shard == FLEET:
            audience = Audience(self._to_fleet, self._of_fleet, tuple, to_lights=False)
        else:
            audience = Audience(
                self._to_light,
                self._of_fleet,
                lambda: [one for one in self._ports.actors() if shard_of(one) == shard],
            )
        at = EntryId.parse(mark) if mark else None
        self.stream.catch_up(shard, audience, at, lambda: self._caught_up.add(shard))

    def leave(self, shard: str) -> None:
        """It is about to be given: what is not dealt with now is left to the next owner."""
        self._behind[shard] = self.mark(shard)
        self._forget(shard)

    def mark(self, shard: str) -> str:
        """Up to where this shard was dealt with: to be stored with its commits.

        Not behind what its lights are owed (at most 1,000 are, see `OWED_MOST`), for that is known
        here only: whoever takes the shard over reads it again for all of its lights.
        """
        mark = self.stream.mark
        if shard not in self._caught_up or mark is None:
            return self._behind.get(shard, "")
        owed = self.stream.owed().items()
        return str(min([mark, *(since for one, since in owed if shard_of(one) == shard)]))

    def _forget(self, shard: str) -> None:
        self._caught_up.discard(shard)
        self.stream.leave(shard)

    def _wants(self, whose: Whose) -> bool:
        ports = self._ports
        if not ports.here(FLEET) and not ports.here(shard_of(whose.dev_eui)):
            return False
        return ports.is_ours(whose.dev_eui, whose.profile_name)

    def _deliver(self, event: Event, past: bool) -> Delivery:
        self._to_fleet(event, past)
        return self._to_light(event, past)

    def _of_fleet(self, whose: Whose) -> bool:
        return self._ports.is_ours(whose.dev_eui, whose.profile_name)

    def _to_fleet(self, event: Event, past: bool) -> Delivery:
        if not self._ports.here(FLEET):
            return Delivery.UNKNOWN
        self._ports.fleet(event, past)
        return Delivery.DELIVERED

    def _to_light(self, event: Event, past: bool) -> Delivery:
        if not self._ports.here(shard_of(event.device.dev_eui)):
            return Delivery.UNKNOWN  # it must not be registered here
        if not for_light(event):
            return Delivery.DELIVERED
        return self._ports.light(event, past)

    def _mailbox(self, dev_eui: str) -> Mailbox[Message] | None:
        actor = self._ports.actors().get(dev_eui)
        return None if actor is None else actor.mailbox
