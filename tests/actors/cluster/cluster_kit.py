"""What the tests of a cluster's messages share: an engine in virtual time, messages, a light."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from actors.clocks.clock import RunClock
from actors.cluster.inbox import InboxPorts, InboxReader
from actors.cluster.inbox_shard import PARKED_S, Place, Taken
from actors.cluster.messages import CommandTaken, ForLight, Message, encode
from actors.device.events import CommandRequested, StatusRequested
from actors.messaging.dead_letters import DeadLetters
from actors.messaging.reply import ActorCrashed, ActorStopped
from lorawan.kuando import LightState
from store.engine.memory import MemoryEngine, MemoryServers
from store.engine.port import Post
from store.engine.shards import shard_of
from store.errors import StoreUnavailable

START = 1_750_000_000.0
RED = LightState(255, 0, 0)


def dev_euis(shard: str, most: int) -> list[str]:
    """So many lights of a shard."""
    found = []
    number = 0
    while len(found) < most:
        dev_eui = f"20202000{number:08x}"
        if shard_of(dev_eui) == shard:
            found.append(dev_eui)
        number += 1
    return found


def command(dev_eui: str, command_id: str, *, again: bool = False) -> CommandTaken:
    return CommandTaken(
        dev_eui, CommandRequested(command_id, RED, True, 600.0, accepted_at=START, again=again)
    )


def asked(dev_eui: str, why: str = "by hand", *, ask: int = 0) -> ForLight:
    """A question of the sweeper; with `ask` of a process that waits for the answer."""
    return ForLight(dev_eui, StatusRequested(why), "asker" if ask else "", ask)


async def post(engine: MemoryEngine, shard: str, *messages: Message) -> list[str]:
    """Write into an inbox; the ids."""
    await engine.post([Post(shard, encode(one)) for one in messages])
    entries = (await engine.read_inboxes({shard: "0-0"}, 10_000))[shard]
    return [entry.id for entry in entries[-len(messages) :]] if messages else []


class Lights:
    """Takes what the reader of inboxes hands on, and deals with it when the test says so."""

    def __init__(self) -> None:
        self.taken: list[tuple[Message, Place]] = []
        self.full: set[str] = set()
        self.parked: set[str] = set()
        self.at_once = False
        self.stored: set[str] = set()
        self.poison: set[str] = set()
        """What `said` tells of messages over which this one raises."""
        self.looked_up: list[str] = []
        self.refused: list[int] = []
        """Questions that were not handed on."""
        self.unknown: set[str] = set()
        """Shards whose stored commands cannot be read."""

    def take(self, message: Message, place: Place) -> Taken:
        dev_eui = getattr(message, "dev_eui", "")
        if place.refused:
            assert isinstance(message, ForLight)
            self.refused.append(message.ask)
            return Taken.DONE
        if dev_eui in self.full:
            return Taken.NO_ROOM
        ends = isinstance(message, CommandTaken) and place.waits_s >= PARKED_S
        if dev_eui in self.parked and not ends:
            return Taken.NO_ROOM
        self.taken.append((message, place))
        if self.said[-1] in self.poison:
            raise RuntimeError("such a light is there already")
        return Taken.DONE if self.at_once else Taken.LATER

    async def known(self, shard: str, ids: object) -> set[str]:
        await trio.lowlevel.checkpoint()
        assert isinstance(ids, list)
        if shard in self.unknown:
            raise StoreUnavailable("its part of the engine is away")
        self.looked_up += ids
        return self.stored & set(ids)

    def deal(self, *indices: int) -> None:
        for index in indices:
            self.taken[index][1].reply.begun = True
            self.taken[index][1].reply.resolve(None)

    def crash(self, index: int) -> None:
        reply = self.taken[index][1].reply
        reply.begun = True
        reply.fail(ActorCrashed("a light", "poison"))

    def stop(self, index: int) -> None:
        self.taken[index][1].reply.fail(ActorStopped("a light", "parked"))

    @property
    def said(self) -> list[str]:
        """Ids of commands and reasons of questions, in the order in which they were handed on."""
        return [
            message.request.command_id
            if isinstance(message, CommandTaken)
            else getattr(getattr(message, "event", None), "reason", "?")
            for message, _ in self.taken
        ]


class Reading:
    """A reader of inboxes over an engine in memory."""

    def __init__(self, servers: MemoryServers | None = None, need: int = 0) -> None:
        self.engine = MemoryEngine(servers or MemoryServers(), need=need)
        self.lights = Lights()
        self.dead_letters = DeadLetters()
        self.reader = InboxReader(
            self.engine,
            InboxPorts(take=self.lights.take, known=self.lights.known),
            RunClock(START),
            self.dead_letters,
            confirm=self.engine.confirm if need else None,
        )


@asynccontextmanager
async def reading(servers: MemoryServers | None = None, need: int = 0) -> AsyncIterator[Reading]:
    """A running one, that hears the engine's bells."""
    kit = Reading(servers, need)
    await kit.engine.open()
    async with trio.open_nursery() as nursery:
        await nursery.start(kit.reader.run)
        await nursery.start(kit.engine.hear, kit.reader.ring)
        yield kit
        nursery.cancel_scope.cancel()
