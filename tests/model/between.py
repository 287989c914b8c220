"""What stands between the machine and its world: events go in, effects are carried out, and each
step of a command is held against the truth as it is told.

It plays the dispatcher, too: of the items it follows the newest, tells what becomes of it, and says
of each txack whose frame it was.
"""

from dataclasses import dataclass
from typing import NamedTuple

import msgspec
from hypothesis.stateful import RuleBasedStateMachine

from actors.device import events as ev
from actors.device.command import Command, CommandStatus
from actors.device.effects import CommandChanged, Effect, Inquire, Submit, Withdraw
from actors.device.machine import step
from actors.device.model import Attempt, Device, Stage
from actors.device.policy import Policy
from lorawan.kuando import SetLight
from lorawan.network import Activation
from tests.model.world import World


class Enqueued(NamedTuple):
    """When a frame of a command entered the server's queue, and what was known then."""

    order: int
    dev_addr: str
    known_received: int


@dataclass
class Followed:
    """The newest item, as the dispatcher follows it."""

    queued: ev.AttemptQueued
    told: bool = False
    """The enqueue was answered, and so was the light."""
    early: ev.Transmitted | None = None
    """Its txack, which came before that."""
    ended: ev.DeviceEvent | None = None


class Between(RuleBasedStateMachine):
    """`bag` holds what the world said and the machine may yet be told."""

    policy = Policy()

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.device = Device(dev_eui="2020200000000001")
        self.commands: dict[str, Command] = {}
        self.bag: list[ev.DeviceEvent] = []
        self.pending: Attempt | None = None  # what the dispatcher holds
        self.followed: Followed | None = None
        self.owed: list[ev.DeviceEvent] = []  # what it tells next
        self.asked: Inquire | None = None
        self.enqueued: dict[str, list[Enqueued]] = {}  # per command, in order
        self.known: dict[int, tuple[str, int]] = {}  # per attempt: session, downlinks it had
        self.on_air: dict[str, int] = {}
        self.owner: dict[int, str] = {}
        self.foreign = 0

    # ------------------------------------------------------------ the door to the machine

    def tell(self, event: ev.DeviceEvent, chance: float = 0.5) -> None:
        before = self.device
        self.device, effects = step(before, event, self.world.now, chance, self.policy)
        for effect in effects:
            self._carry_out(effect)
        while self.owed:
            self.tell(self.owed.pop(0), chance)

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Submit(attempt):
                self._submitted(attempt)
                self.known.setdefault(attempt.number, self._known_received())
                if isinstance(attempt.frame, SetLight) and self.device.pursuit is not None:
                    self.owner.setdefault(attempt.number, self.device.pursuit.command_id)
            case Withdraw():
                self.pending = None
            case Inquire():
                self.asked = effect
            case CommandChanged(command):
                self._check_step(self.commands.get(command.id), command)
                self.commands[command.id] = command
            case _:
                pass

    # ------------------------------------------------------------ the dispatcher

    def _submitted(self, attempt: Attempt) -> None:
        item = self.followed
        if item is not None and item.queued.number == attempt.number:
            if item.told:
                self.owed += [item.queued, *([item.ended] if item.ended is not None else [])]
        elif attempt.stage is Stage.QUEUED:  # of an earlier life
            assert attempt.item_expires_at is not None
            read = Activation(attempt.dev_addr, attempt.fence, attempt.f_cnt_down or 0)
            name, expires_at = attempt.queue_item_id or "", attempt.item_expires_at
            queued = ev.AttemptQueued(attempt.number, name, expires_at, read)
            self.followed, self.pending = Followed(queued, told=True), None
        else:
            self.pending = attempt

    def enqueue_answered(self, *, lost: bool = False) -> None:
        """The light is told that its attempt is queued, and what overtook that."""
        item = self.followed
        assert item is not None
        item.told = True
        if item.early is not None:
            item.ended = item.early
        if not lost:
            self.tell(item.queued)
            if item.early is not None:
                self.tell(item.early)

    def named(self, event: ev.Transmitted) -> ev.Transmitted | None:
        """A txack with its attempt; None where it is kept until the enqueue is answered."""
        item = self.followed
        if item is None or event.queue_item_id != item.queued.queue_item_id:
            return event
        event = msgspec.structs.replace(event, number=item.queued.number)
        if item.told:
            item.ended = event
            return event
        item.early = event
        return None

    def hear(self, event: ev.DeviceEvent) -> None:
        """A webhook arrives: what is of frames is the dispatcher's first."""
        if isinstance(event, ev.Transmitted):
            named = self.named(event)
            if named is not None:
                self.tell(named)
            return
        self.tell(event)
        if isinstance(event, ev.ItemDropped):
            self.thrown_away(event)

    def thrown_away(self, event: ev.ItemDropped) -> None:
        """Ours, if its name says so."""
        item = self.followed
        ours = item is not None and item.queued.queue_item_id == event.queue_item_id
        if item is not None and ours and item.told and item.ended is None:
            item.ended = ev.AttemptNotSent(item.queued.number, "it expired")
            self.tell(item.ended)

    def look(self, *, lost: bool = False) -> None:
        """The dispatcher looks for an item of which it has not heard."""
        item, world = self.followed, self.world
        if item is None or not item.told or item.ended is not None:
            return
        queued, now = item.queued, world.activation()
        if any(one.id == queued.queue_item_id for one in world.queue):
            return
        moved = now.f_cnt_down > queued.activation.f_cnt_down
        if moved and now.dev_addr == queued.activation.dev_addr:
            item.ended = ev.AttemptTransmitted(queued.number)
        else:
            item.ended = ev.AttemptNotSent(queued.number, "no gateway took it")
        if not lost:
            self.tell(item.ended)

    # ------------------------------------------------------------ what is told of a command

    def _known_received(self) -> tuple[str, int]:
        report = self.device.report
        return ("", 0) if report is None else (report.dev_addr, report.downlinks_received)

    def _check_step(self, old: Command | None, new: Command) -> None:
        if old is None:
            assert new.status is CommandStatus.ACCEPTED
            return
        assert not old.status.final, f"{old.status} was final, then {new.status}"
        assert new.attempts >= old.attempts
        assert not old.overdue or new.overdue
        if new.status is CommandStatus.SUPERSEDED:
            assert new.superseded_by == f"c{len(self.commands)}", "not superseded by the newest"
        if new.status is CommandStatus.WITHDRAWN:
            assert new.id == f"c{len(self.commands) - 1}", "only the newest can be taken back"
        if new.status is CommandStatus.EXPIRED:
            assert self.world.now >= new.expires_at
        if new.status is CommandStatus.HELD:
            assert new.attempts == old.attempts, "counted while held"
        if new.status is CommandStatus.TRANSMITTED:
            assert old.status in {CommandStatus.QUEUED, CommandStatus.TRANSMITTED}
        if new.status is CommandStatus.VERIFIED:
            session = self.device.session
            assert session is not None
            of_it = [e for e in self.enqueued.get(new.id, []) if e.dev_addr == session.dev_addr]
            assert of_it, "verified before anything of it was queued in this session"
            first = of_it[0]
            assert self.world.said_after(
                first.order, session.dev_addr, new.light, first.known_received
            ), "a false verified"
        # last, for a false verdict may count a frame as well: it is to be called what it is
        assert new.attempts <= self.on_air.get(new.id, 0) + self.foreign, "never on air"
