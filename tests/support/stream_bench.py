"""A reader of ChirpStack's stream over streams in memory, and lights that only count."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import trio

from actors.clocks.clock import RunClock
from actors.device.events import Message, Tick
from actors.event_stream.handing_out import Audience
from actors.event_stream.reader import EventStream, StreamPorts
from actors.fleet.delivery import Delivery
from actors.messaging.mailbox import Mailbox
from lorawan.events.model import Event, Uplink
from lorawan.stream.entries import EntryId, StreamEntry
from lorawan.stream.position import Page
from simulation.world.bodies import protobuf_body
from tests.bench import fleet
from tests.support.memory_streams import MemorySource, MemoryStreams

EPOCH_AT = 1_719_847_234.0


class FailingSource(MemorySource):
    """Fails once with each of `fails`, by what is asked."""

    def __init__(self, streams: MemoryStreams) -> None:
        super().__init__(streams)
        self.fails: dict[str, list[Exception]] = {}

    async def read(self, after: EntryId, known: EntryId | None, **how: Any) -> Page:
        """As the port says."""
        self._fail("read")
        return await super().read(after, known, **how)

    async def of_devices(
        self, dev_euis: Sequence[str], since: EntryId, until: EntryId | None, *, most: int
    ) -> Mapping[str, Sequence[StreamEntry]]:
        """As the port says."""
        self._fail("of_devices")
        return await super().of_devices(dev_euis, since, until, most=most)

    def _fail(self, what: str) -> None:
        if self.fails.get(what):
            raise self.fails[what].pop()


class BenchLight:
    """Has a mailbox, and takes from it unless it is `stuck`."""

    def __init__(self, dev_eui: str) -> None:
        self.mailbox: Mailbox[Message] = Mailbox(dev_eui, 2)
        self.stuck = False
        self.told: list[int] = []
        """Of what is told by `StreamBench.add`."""

    async def work(self) -> None:
        """Deal with all that waits."""
        while self.mailbox.waiting and not self.stuck:
            await self.mailbox.take()
            self.mailbox.handled()


class StreamBench:
    """So many lights, from number 0 on."""

    def __init__(self, lights: int = 2, *, history: int = 1_000, device_history: int = 100) -> None:
        self.clock = RunClock(EPOCH_AT)
        self.clock_set_s = 0.0
        """Of the server's clock."""
        self.streams = MemoryStreams(
            lambda: self.clock.now() + self.clock_set_s,
            history=history,
            device_history=device_history,
        )
        self.source = FailingSource(self.streams)
        self.lights = {fleet.dev_eui(n): BenchLight(fleet.dev_eui(n)) for n in range(lights)}
        self.stopped = False
        """Whether nothing can be stored."""
        self._added = 0

    def light(self, number: int) -> BenchLight:
        """One of them."""
        return self.lights[fleet.dev_eui(number)]

    def add(self, number: int) -> int:
        """ChirpStack writes a status of this light; its number, of all that were added."""
        self._added += 1
        kind, body = protobuf_body(fleet.status(number, self._added))
        self.streams.add(fleet.dev_eui(number), kind, body)
        return self._added

    def stream(self) -> EventStream:
        """The actor, for all of the lights."""
        ports = StreamPorts(self.audience(), self._mailbox, stopped=lambda: self.stopped)
        return EventStream(self.source, ports, self.clock, random.Random(1))

    def audience(self, which: Callable[[str], bool] = lambda dev_eui: True) -> Audience:
        """Those lights."""
        return Audience(
            self.deliver,
            lambda whose: which(whose.dev_eui),
            lambda: [dev_eui for dev_eui in self.lights if which(dev_eui)],
        )

    def deliver(self, event: Event, past: bool) -> Delivery:
        """To its light."""
        light = self.lights.get(event.device.dev_eui)
        if light is None:
            return Delivery.UNKNOWN
        if isinstance(event, Uplink):
            light.mailbox.offer(Tick())
            light.told.append(event.f_cnt - fleet.F_CNT)
        return Delivery.DELIVERED

    async def pass_s(self, seconds: float) -> None:
        """Let so much time pass, in which the lights work."""
        until = trio.current_time() + seconds
        while trio.current_time() < until:
            for light in self.lights.values():
                await light.work()
            await trio.sleep(0.1)

    def _mailbox(self, dev_eui: str) -> Mailbox[Message] | None:
        light = self.lights.get(dev_eui)
        return None if light is None else light.mailbox
