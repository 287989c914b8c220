"""What stands between the machine and its world: events go in, effects are carried out, and each
step of a command is held against the truth as it is told.
"""

from typing import NamedTuple

from hypothesis.stateful import RuleBasedStateMachine

from actors.device import events as ev
from actors.device.effects import CommandChanged, Effect, Inquire, Submit, Withdraw
from actors.device.machine import step
from actors.device.model import Attempt, Command, CommandStatus, Device
from actors.device.policy import Policy
from lorawan.kuando import SetLight
from tests.model.world import World

POLICY = Policy()


class Enqueued(NamedTuple):
    """When a frame of a command entered the server's queue, and what was known then."""

    order: int
    dev_addr: str
    known_received: int


class Between(RuleBasedStateMachine):
    """`bag` holds what the world said and the machine may yet be told."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.device = Device(dev_eui="2020200000000001")
        self.commands: dict[str, Command] = {}
        self.bag: list[ev.DeviceEvent] = []
        self.pending: Attempt | None = None  # what the dispatcher holds
        self.asked: int | None = None
        self.enqueued: dict[str, list[Enqueued]] = {}  # per command, in order
        self.known: dict[int, tuple[str, int]] = {}  # per attempt: session, downlinks it had
        self.on_air: dict[str, int] = {}
        self.owner: dict[int, str] = {}
        self.foreign = 0

    # ------------------------------------------------------------ the door to the machine

    def tell(self, event: ev.DeviceEvent, chance: float = 0.5) -> None:
        before = self.device
        self.device, effects = step(before, event, self.world.now, chance, POLICY)
        for effect in effects:
            self._carry_out(effect)

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Submit(attempt):
                self.pending = attempt
                self.known.setdefault(attempt.number, self._known_received())
                if isinstance(attempt.frame, SetLight) and self.device.pursuit is not None:
                    self.owner.setdefault(attempt.number, self.device.pursuit.command_id)
            case Withdraw():
                self.pending = None
            case Inquire(number):
                self.asked = number
            case CommandChanged(command):
                self._check_step(self.commands.get(command.id), command)
                self.commands[command.id] = command
            case _:
                pass

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
