"""ChirpStack's stream and the lights of a service that is alone, joined."""

import random
from collections.abc import Iterator

from actors.alerts.finding import Finding
from actors.clocks.clock import Clock
from actors.device.events import Message
from actors.event_stream.handing_out import Audience
from actors.event_stream.reader import EventStream, StreamPorts
from actors.fleet import Fleet
from actors.fleet.event_memory import EventMemory
from actors.messaging.mailbox import Mailbox
from actors.storage.store_writer import StoreWriter
from lorawan.stream.entries import Whose
from lorawan.stream.source import EventSource


class EventWays:
    """`stream` reads what webhooks bring as well, where it can."""

    def __init__(
        self,
        source: EventSource | None,
        name: str,
        fleet: Fleet,
        store_writer: StoreWriter,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._fleet = fleet
        self.stream: EventStream | None = None
        if source is not None:
            fleet.memory = memory = EventMemory(clock.steady)
            ports = StreamPorts(
                Audience(
                    deliver=lambda event, past: fleet.deliver(event, past=past),
                    wants=self._wants,
                    lights=lambda: list(fleet.actors),
                ),
                mailbox=self._mailbox,
                keep=store_writer.offer,
                repeated=lambda: memory.repeated,
                stopped=lambda: store_writer.stopped_since is not None,
            )
            self.stream = EventStream(source, ports, clock, rng, name=name)

    def findings(self) -> Iterator[Finding]:
        """What is wrong with the stream; nothing where none is read."""
        if self.stream is not None:
            yield from self.stream.findings()

    def warnings(self) -> list[str]:
        """The same in words."""
        return [one.text for one in self.findings() if one.holds]

    def _mailbox(self, dev_eui: str) -> Mailbox[Message] | None:
        actor = self._fleet.actors.get(dev_eui)
        return None if actor is None else actor.mailbox

    def _wants(self, whose: Whose) -> bool:
        return whose.dev_eui in self._fleet.actors or self._fleet.is_ours(whose.profile_name)
