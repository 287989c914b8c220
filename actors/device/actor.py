"""The shell of one light: receives, asks the machine, stores, and only then lets effects out.

Nothing that can be seen from outside happens before the new state is durable. The
actor holds no state but the last stored record, so a restart goes on where the store stands; and
where a crash left open whether a step was stored, the store is asked, and what that step had to
tell is told by the next incarnation.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog
import trio

from actors.clocks.clock import Clock, Steps
from actors.device import events as ev
from actors.device.clock_step import moved
from actors.device.command import Command
from actors.device.deduplication import newly_told
from actors.device.effects import (
    AnswerCaller,
    CommandChanged,
    Effect,
    Heard,
    Inquire,
    Note,
    Submit,
    Withdraw,
)
from actors.device.firmware import Taught
from actors.device.machine import next_due, step
from actors.device.model import Attempt, Device, Hearing
from actors.device.policy import Policy
from actors.device.records import command_writes, record_in, writes_of
from actors.device.state_timeouts import StateTimeouts
from actors.link.judgement import AttemptJudged
from actors.messaging.mailbox import Mailbox
from actors.replace import replace
from lorawan.shared_text import shared
from store.engine.places import id_order, is_older, place_of
from store.errors import StoreTaken
from store.port import Record, Table, Write

log = structlog.get_logger()

MAILBOX_CAPACITY = 32
"""A light is heard at most every few seconds, each uplink by one webhook, plus txacks, timer and
people: 32 is minutes of that. 20,000 lights of 32 messages of about 1 kB are 640 MB at the very
worst, and nothing while they are empty. (A message that is made as large as can be has 1.6 kB of
names, 2 kB of tags and 3 kB of gateways, see lorawan/events/translate.py: 14 kB as objects, so
that one light's mailbox full of them is 450 kB.)"""


class StoreWriterPort(Protocol):
    """The store's only writer."""

    async def commit(self, writes: list[Write]) -> None:
        """Return when the writes are durable."""
        ...

    async def read(self, table: Table, key: str) -> Record | None:
        """One record, after all that was handed in before is durable."""
        ...


class BoardPort(Protocol):
    """Where the newest state is shown."""

    def publish(self, subject: Device | Command) -> None:
        """Show this; never waits."""
        ...


class DispatcherPort(Protocol):
    """Who hands frames to ChirpStack."""

    def submit(self, dev_eui: str, attempt: Attempt, hearings: tuple[Hearing, ...]) -> None:
        """Take this attempt, in place of one not yet queued."""
        ...

    def withdraw(self, dev_eui: str) -> None:
        """Forget what is not yet queued."""
        ...


class InquirerPort(Protocol):
    """Who asks ChirpStack what it still knows."""

    def ask(self, dev_eui: str, number: int, known: Heard | None = None) -> None:
        """Answer with `Inquired(number)` in the device's mailbox; what was retained is left out
        where the server has heard no more than `known`."""
        ...


@dataclass(frozen=True, slots=True)
class DevicePorts:
    """What all device actors share. `boot` names this run of the service."""

    clock: Clock
    rng: random.Random
    policy: Policy
    store_writer: StoreWriterPort
    board: BoardPort
    dispatcher: DispatcherPort
    inquirer: InquirerPort
    timeouts: StateTimeouts
    boot: str
    ended: Callable[[Command], None]
    """Told of each command that became final, for the figures; must not wait."""
    gateway_online: Callable[[str], bool | None]
    """The watcher's view of a gateway; None while it has none."""
    missed: Callable[[Device, Sequence[float]], None] = lambda device, happened_at: None
    """Told of events that an inquiry found and no webhook told, by their dates; must not wait."""
    judged: Callable[[str, AttemptJudged], None] = lambda dev_eui, judgement: None
    """Told of what became of each attempt, for those who learn from many; must not wait."""
    taught: Taught = field(default_factory=Taught)
    """What the lights taught about their software and the air."""
    ended_as: Callable[[str], Command | None] = lambda command_id: None
    """A command as it ended, where it did and that is known; of lights that run here."""


@dataclass(slots=True)
class _Unfinished:
    """A step on its way to the store, or stored and not yet told to everybody."""

    device: Device
    effects: list[Effect]
    value: bytes
    """The record as it is stored, to know it again."""
    stored: bool = False
    """It is known to be stored, and is not asked for again."""


class DeviceActor:
    """One light. `device` is the newest stored record, `mailbox` outlives the incarnations."""

    __slots__ = ("_clock_steps", "_ports", "_steps", "_unfinished", "device", "mailbox")

    def __init__(self, device: Device, ports: DevicePorts) -> None:
        self.device = device
        self.mailbox: Mailbox[ev.Message] = Mailbox(device.dev_eui, MAILBOX_CAPACITY)
        self._ports = ports
        self._steps = 0
        self._clock_steps = Steps(ports.clock)
        self._unfinished: _Unfinished | None = None

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve the mailbox, and what is due in time, until cancelled.

        What is due comes first: no flood of messages keeps a light from what it has to do.
        """
        timeouts = self._ports.timeouts
        task_status.started()
        await self._finish_step()
        self._ports.taught.note(self.device)
        self._ports.board.publish(self.device)
        if self.device.command is not None:
            self._ports.board.publish(self.device.command)
        await self._deal_with(ev.Restored())
        await self._catch_up()
        while True:
            wait_s = self._due_in_s()
            message: ev.Message | None = None
            if wait_s is None:
                message = await self.mailbox.take()
            else:
                wake_at = timeouts.reserve(wait_s)
                try:
                    with trio.move_on_at(wake_at):  # the waiting only
                        message = await self.mailbox.take()
                finally:
                    timeouts.release(wake_at)
            if message is not None:
                if isinstance(message, ev.Entry):
                    await self._deal_with_entry(message)
                else:
                    await self._deal_with(message)
                self.mailbox.handled()
                continue
            wait_s = self._due_in_s()
            if wait_s is not None and wait_s <= 0:  # else it woke by a rounding error too early
                await timeouts.act(-wait_s, self._time_out)

    @property
    def due_at(self) -> float | None:
        """When the light's state times out (Unix seconds), or None."""
        due_at = next_due(self.device, self._ports.policy)
        return None if due_at is None else due_at + self._clock_steps.pending_s

    async def _deal_with_entry(self, entry: ev.Entry) -> None:
        """What was read again after its step was stored is left out, but for commands: these are
        known by their own ids, which an engine that was set back cannot give to others. One that
        has ended stays as it ended, whatever the light was told since; where a fail-over took it,
        its end is stored again."""
        entry.reply.begun = True
        if isinstance(entry.event, ev.CommandRequested):
            ended = self._ports.ended_as(entry.event.command_id)
            if ended is None:
                await self._deal_with(entry.event, entry.inbox, shared(entry.line))
            elif entry.event.again:
                await self._commit(command_writes(ended, self._ports.clock.now()))
        elif not self._has_dealt_with(entry):
            await self._deal_with(entry.event, entry.inbox, shared(entry.line))
        entry.reply.resolve(None)

    async def _commit(self, writes: list[Write]) -> None:
        try:
            await self._ports.store_writer.commit(writes)
        except StoreTaken:  # another process owns the light: who runs this actor stops it
            await trio.sleep_forever()

    def _has_dealt_with(self, entry: ev.Entry) -> bool:
        """Whether its step was stored. Ids of one line of history are not compared with those of
        another, which may be below them: all that it told would be left out."""
        device = self.device
        if not entry.inbox or not device.inbox:
            return False
        if entry.line and device.inbox_line:
            newest = place_of(device.inbox_line, device.inbox)
            return not is_older(newest, place_of(entry.line, entry.inbox), entry.line)
        return id_order(entry.inbox) <= id_order(device.inbox)

    async def _deal_with(self, event: ev.DeviceEvent, inbox: str = "", line: str = "") -> None:
        ports, before = self._ports, self.device
        now = ports.clock.now()
        moves: list[Effect] = []
        if set_s := self._clock_steps.take():
            before = moved(before, set_s)
            if before.command is not None:
                moves.append(CommandChanged(before.command))
        policy = ports.taught.known_to(ports.policy)
        device, effects = step(before, event, now, ports.rng.random(), policy)
        effects = [*moves, *effects]
        if device is not self.device or effects:
            self._steps += 1
            if inbox:
                device = replace(device, inbox=inbox, inbox_line=line)
            entry = f"{ports.boot}-{self._steps}"
            writes = writes_of(device, effects, event, now, entry)
            self._unfinished = _Unfinished(device, effects, record_in(writes))
            await self._commit(writes)
            self._unfinished.stored = True
            self.device = device
            ports.taught.note(device)
            self._show(effects)
            self._let_out(effects)
            self._unfinished = None
            if isinstance(event, ev.Inquired) and device.missed > before.missed:
                found = newly_told(before, device, event.events)
                ports.missed(device, [now if one.at is None else one.at for one in found])
        reply = getattr(event, "reply", None)
        if reply is not None:
            reply.resolve(next((e.text for e in effects if isinstance(e, AnswerCaller)), ""))

    async def _finish_step(self) -> None:
        """A crash cut the last step off: where it was stored it goes on, where not it never was.

        What it stored is shown, however often that takes: an ended command must not stay open on
        the board. All else is tried once: an effect that crashes the actor must not do so again and
        again.
        """
        left = self._unfinished
        if left is None:
            return
        if not left.stored:
            found = await self._ports.store_writer.read(Table.DEVICE, self.device.dev_eui)
            left.stored = found is not None and found.value == left.value
        if left.stored:
            self.device = left.device
            self._show(left.effects)
        self._unfinished = None
        if left.stored:
            self._let_out(left.effects)

    async def _catch_up(self) -> None:
        """News of a gateway is lost to an actor that crashed over it, or was parked: it looks."""
        for hearing in self.device.hearings:
            online = self._ports.gateway_online(hearing.gateway_id)
            if online is not None and online is not hearing.online:
                await self._deal_with(ev.GatewayHealthChanged(hearing.gateway_id, online))

    def _show(self, effects: list[Effect]) -> None:
        """What is stored is shown first: whoever waits for a verdict hears of it, and no ended
        command stays open on the board, whatever crashes after it."""
        self._ports.board.publish(self.device)
        for command in _newest(effects):
            self._ports.board.publish(command)

    def _let_out(self, effects: list[Effect]) -> None:
        """All that follows from what is stored and shown."""
        ports, device = self._ports, self.device
        for effect in effects:
            match effect:
                case Submit(attempt):
                    ports.dispatcher.submit(device.dev_eui, attempt, device.hearings)
                case Withdraw():
                    ports.dispatcher.withdraw(device.dev_eui)
                case Inquire(number, known):
                    ports.inquirer.ask(device.dev_eui, number, known)
                case AttemptJudged():
                    ports.judged(device.dev_eui, effect)
                case Note() | AnswerCaller() | CommandChanged():
                    pass
        for command in _newest(effects):
            if command.status.final:
                ports.ended(command)
                log.info(
                    "command ended",
                    correlation_id=command.correlation_id,
                    command_id=command.id,
                    dev_eui=command.dev_eui,
                    status=command.status.value,
                    attempts=command.attempts,
                )

    async def _time_out(self) -> None:
        await self._deal_with(ev.Tick())

    def _due_in_s(self) -> float | None:
        due_at = self.due_at
        return None if due_at is None else due_at - self._ports.clock.now()


def _newest(effects: list[Effect]) -> list[Command]:
    """Each command of a step as it is after it."""
    changed = [one.command for one in effects if isinstance(one, CommandChanged)]
    return list({command.id: command for command in changed}.values())
