"""The parts that the web asks, for its tests: a real board, and outcomes that the test chooses.

They keep commands as the real ones do, but nothing happens to them until the test says so.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import msgspec
import trio

from actors.board.board import Board
from actors.board.changes import AlertView, DeviceRemoved, GatewayView
from actors.board.plan import PlanRemoved
from actors.board.rollout import Rollout
from actors.calibration.calibrator import CalibrationPorts, Calibrator
from actors.clocks.timekeeper import ClockStatistics
from actors.commands import Accepted, CommandOrder, Ended
from actors.device.command import Command, CommandStatus, Step, StepKind
from actors.device.model import Device, Hearing, Phase, Report, Session, Wanted
from actors.device.verdict import Verdict
from actors.downlink.policy import DispatchPolicy
from actors.downlink.state import DispatchState
from actors.downlink.statistics import statistics_of
from actors.fleet.delivery import Delivery
from actors.fleet.fleet import Wrap
from actors.fleet.initialization import InitializationRun
from actors.gateways import observed
from actors.gateways.observed import Outage, Span
from actors.gateways.outages import GatewayPast
from actors.link.forwarders import Forwarders
from actors.messaging.dead_letters import DeadLetter
from actors.messaging.mailbox import Offer
from actors.metrics.downlinks import DownlinkMetrics
from actors.metrics.reliability import Reliability, assess
from actors.outgoing import edits as hook_edits
from actors.outgoing.edits import Refused as HookRefused
from actors.outgoing.model import Hook, Position, Try
from actors.plans.decisions import decided
from actors.plans.model import (
    Create,
    Edit,
    Edited,
    Plan,
    PlanRefusal,
    Take,
    contents,
)
from actors.plans.records import writes as plan_writes
from actors.plans.uploads import Uploads
from actors.queries import DeviceInspection, Sees
from actors.readiness import Readiness
from actors.refusal import Refusal
from actors.restored_store import RestoredStore
from actors.rollouts import decisions
from actors.rollouts.model import Conflict, Order, Part, RolloutInspection, Wish
from actors.scenes import edits
from actors.scenes.edits import Kit, Refused
from actors.scenes.model import Scene, Schedule
from actors.storage.audit import AuditEntry, AuditLog, AuditPage, of_command
from actors.storage.history import HistoryEntry, Lines
from actors.storage.signal_history import Points, SignalPoint
from actors.storage.unreadable_records import Unreadable
from actors.supervision import ChildReport, ChildState
from lorawan.events.model import Event
from lorawan.kuando.light_state import LightState
from store.port import Delete, Put, Table, Write
from tests.support.fake_cluster import FakeCluster
from tests.support.fake_quality import FakeQuality

DEV_EUI = "2020203907290902"
GATEWAY = "0016c001f153a14c"
NOW = 1_760_000_000.0
SECRET = "a secret that must not leave"


class FakeClock:
    """Stands still until moved."""

    def __init__(self, at: float = NOW) -> None:
        self.at = at

    def now(self) -> float:
        """The time it stands at."""
        return self.at

    def steady(self) -> float:
        """It is never set."""
        return self.at

    @property
    def stepped_s(self) -> float:
        """Never."""
        return 0.0


def a_light(dev_eui: str = DEV_EUI, **changes: Any) -> Device:
    """A light that was heard a minute ago and shows green, as wanted."""
    green = LightState(red=0, green=255, blue=0)
    device = Device(
        dev_eui=dev_eui,
        name=f"Desk {dev_eui[-2:]}",
        application_id="app-1",
        application_name="Office",
        profile_name="Kuando Busylight",
        tags={"floor": "2"},
        phase=Phase.IDLE,
        since=NOW - 600,
        session=Session("01abcdef", NOW - 3600, f_cnt=7, heard_at=NOW - 60, set_up=True),
        report=Report(NOW - 60, "01abcdef", 7, green, 4, 8, 56, 14, -97, 28),
        hearings=(Hearing(GATEWAY, NOW - 60, -97, 7.0, 20.0, latest=True),),
        wanted=Wanted(green, "cmd-0", NOW - 700),
    )
    return msgspec.structs.replace(device, **changes)


class FakeBoard(Board):
    """The real one, until the test breaks it."""

    breaks = False

    @property
    def devices(self) -> Mapping[str, Device]:
        """The board's."""
        if self.breaks:
            raise RuntimeError(SECRET)
        return super().devices


class FakeApplication:
    """The parts of `actors.application.Application`; what the test chooses is chosen here."""

    def __init__(self, lights: int = 1) -> None:
        self.clock = FakeClock()
        self.board = FakeBoard(self.clock, "boot-1")
        for n in range(lights):
            self.board.publish(a_light(DEV_EUI if n == 0 else f"20202000{n:08x}"))
        self.board.publish(GatewayView(GATEWAY, "Roof", since=NOW - 9000, airtime_budget_s=360.0))
        self.fleet = self.event_door = FakeFleet(self)
        self.commands = FakeCommands(self)
        self.rollouts = FakeRollouts(self)
        self.plans = FakePlans(self)
        self.scenes = FakeScenes(self)
        self.outgoing = FakeOutgoing(self)
        self.initializer = FakeInitializer(self)
        self.removals = FakeRemovals(self)
        self.flusher = FakeFlusher(self)
        self.alerter = FakeAlerter(self)
        self.restored_store = FakeRestoredStore(self)
        self.timekeeper = FakeTimekeeper()
        self.metrics = FakeMetrics()
        self.dead_letters = FakeDeadLetters()
        self.unreadable = FakeUnreadable()
        self.audited: list[AuditEntry] = []
        self.audit = AuditLog(self.audited.append, self.clock, lambda: f"a{len(self.audited)}")
        self.supervisor = FakeTree()
        self.queries = FakeQueries(self)
        self.readiness = FakeReadiness()
        self.quality = FakeQuality()
        self.cluster = FakeCluster()
        self.calibrator = idle_calibrator(self.board, self.clock)
        self.carrier = None
        self.fleetwide_is_here = True
        self.refusal: Refusal | None = None
        """What every part that may refuse answers."""

    def cause_of(self, refusal: Refusal) -> Refusal:
        """The store works."""
        return refusal

    def break_down(self) -> None:
        """Every call that the edge makes for devices raises from now on, as if there were a bug."""
        self.fleet.breaks = self.board.breaks = True


class FakePart:
    """One part of the whole."""

    def __init__(self, application: FakeApplication) -> None:
        self._application = application


class FakeFleet(FakePart):
    """`delivered` has what was brought, `delivery` is the answer."""

    def __init__(self, application: FakeApplication) -> None:
        super().__init__(application)
        self.delivered: list[Event] = []
        self.delivery = Delivery.DELIVERED
        self.breaks = False

    def deliver(self, event: Event, *, past: bool = False, wrap: Wrap | None = None) -> Delivery:
        """Keep the event; answer what the test chose."""
        if self.breaks:
            raise RuntimeError(SECRET)
        self.delivered.append(event)
        return self.delivery


class FakeCommands(FakePart):
    """`given` has every command by id, and nothing happens to one until `step` says so."""

    def __init__(self, application: FakeApplication) -> None:
        super().__init__(application)
        self.given: dict[str, Command] = {}
        self.keys: dict[str, tuple[str, str]] = {}
        self.correlation_ids: list[str] = []
        self.status_answer = "asked"
        self.awaited = trio.Event()
        """Set once somebody waits for a verdict, and `released` once nobody does any more."""
        self.released = trio.Event()

    def step(self, command_id: str, status: CommandStatus, **changes: Any) -> None:
        """The command comes to this status."""
        command, now = self.given[command_id], self._application.clock.now()
        steps = (*command.timeline, Step(now, StepKind(status.value)))
        ended_at = now if status.final else None
        command = msgspec.structs.replace(
            command, status=status, timeline=steps, ended_at=ended_at, **changes
        )
        self.given[command_id] = command
        self._application.board.publish(command)

    async def withdraw(
        self, command_id: str, *, want_nothing: bool = False, by: str = ""
    ) -> Command | Ended | Refusal | None:
        """Take it back, unless the test chose a refusal."""
        await trio.lowlevel.checkpoint()
        if self._application.refusal is not None:
            return self._application.refusal
        command = self.given.get(command_id)
        if command is None:
            return None
        if not command.status.final:
            why = "nothing is wanted" if want_nothing else "nothing of it was sent"
            self.step(command_id, CommandStatus.WITHDRAWN, reason=why, withdrawn_by=by)
        command = self.given[command_id]
        return command if command.status is CommandStatus.WITHDRAWN else Ended(command)

    async def want_nothing(self, dev_eui: str, by: str = "") -> Command | Refusal | None:
        """The open command of the light is taken back."""
        if dev_eui not in self._application.board.devices:
            return Refusal.UNKNOWN_DEVICE
        found = [one for one in self.given.values() if one.dev_eui == dev_eui]
        still = [one.id for one in found if not one.status.final]
        for command_id in still:
            await self.withdraw(command_id, want_nothing=True, by=by)
        return self.given[still[-1]] if still else None

    async def give(self, order: CommandOrder) -> Accepted | Refusal:
        """Accept a command, unless the test chose a refusal."""
        if self._application.refusal is not None:
            return self._application.refusal
        if order.dev_eui not in self._application.board.devices:
            return Refusal.UNKNOWN_DEVICE
        if order.idempotency_key in self.keys:
            known, made_by = self.keys[order.idempotency_key]
            if made_by != order.fingerprint:
                return Refusal.KEY_REUSED
            return Accepted(self.given[known], repeated=True)
        now = self._application.clock.now()
        command = Command(
            id=f"cmd-{len(self.given) + 1}",
            dev_eui=order.dev_eui,
            light=order.light,
            keep=order.keep,
            accepted_at=now,
            expires_at=now + (order.ttl_s or 86_400.0),
            correlation_id=order.correlation_id,
            timeline=(Step(now, StepKind.ACCEPTED),),
            by=order.by,
        )
        self.given[command.id] = command
        audit = of_command(order.audit, command.id)
        if audit is not None:
            self._application.audited.append(audit)
        self.correlation_ids.append(order.correlation_id)
        if order.idempotency_key is not None:
            self.keys[order.idempotency_key] = (command.id, order.fingerprint)
        self._application.board.publish(command)
        return Accepted(command)

    async def find(self, command_id: str) -> Command | None:
        """Among those accepted."""
        return self.given.get(command_id)

    async def wait_settled(self, command_id: str, timeout_s: float) -> Command | None:
        """Wait as the real one does."""
        self.awaited.set()
        try:
            return await self._application.board.wait_command(
                command_id,
                lambda c: c.status.final or c.overdue or c.status is CommandStatus.HELD,
                timeout_s,
            )
        finally:
            self.released.set()

    async def of_device(self, dev_eui: str, most: int) -> Sequence[Command]:
        """Those accepted, the newest first."""
        mine = [one for one in self.given.values() if one.dev_eui == dev_eui]
        return mine[::-1][:most]

    async def ask_status(self, dev_eui: str) -> str | Refusal:
        """As the test chose."""
        return self._application.refusal or self.status_answer


class FakeRollouts(FakePart):
    """`rolled` has every rollout with its lights; nothing happens to one by itself."""

    def __init__(self, application: FakeApplication) -> None:
        super().__init__(application)
        self.rolled: dict[str, tuple[Rollout, tuple[Part, ...]]] = {}
        self.orders: list[Order] = []
        self.repository = FakeRolloutRepository(self.rolled)

    async def create(self, order: Order) -> Rollout | Refusal:
        """Begin it, unless the test chose a refusal."""
        if self._application.refusal is not None:
            return self._application.refusal
        self.orders.append(order)
        rollout, parts = decisions.begun(
            f"roll-{len(self.orders)}", order, self._application.clock.now()
        )
        self.rolled[rollout.id] = rollout, parts
        self._application.board.publish(rollout)
        return rollout

    async def change(self, rollout_id: str, wish: Wish) -> Rollout | Conflict | Refusal | None:
        """As the real one decides."""
        if rollout_id not in self.rolled:
            return None
        rollout, parts = self.rolled[rollout_id]
        changed = decisions.steered(rollout, wish, self._application.clock.now())
        if isinstance(changed, Rollout):
            self.rolled[rollout_id] = changed, parts
            self._application.board.publish(changed)
        return changed


class FakeScenes(FakePart):
    """As the real ones decide; nothing is due by itself. The site is in Berlin."""

    def __init__(self, application: FakeApplication) -> None:
        super().__init__(application)
        self.kit = Kit()
        self.time_zone = "Europe/Berlin"
        self._ids = count(1)

    @property
    def scenes(self) -> Mapping[str, Scene]:
        """By id."""
        return self.kit.scenes

    @property
    def schedules(self) -> Mapping[str, Schedule]:
        """By id."""
        return self.kit.schedules

    @property
    def date(self) -> float:
        """That of the clock."""
        return self._application.clock.now()

    def new_id(self) -> str:
        """For a new one."""
        return f"kept-{next(self._ids)}"

    async def save(
        self, asked: Scene | Schedule, revision: int | None
    ) -> Scene | Schedule | Refused | Refusal:
        """As the real one decides."""
        await trio.lowlevel.checkpoint()
        if self._application.refusal is not None:
            return self._application.refusal
        kit = self.kit
        if isinstance(asked, Scene):
            made: Scene | Schedule | Refused = edits.scene_saved(kit, asked, revision)
        else:
            made = edits.schedule_saved(kit, asked, revision, self.date)
        if isinstance(made, Scene):
            self.kit = Kit({**kit.scenes, made.id: made}, kit.schedules)
        elif isinstance(made, Schedule):
            self.kit = Kit(kit.scenes, {**kit.schedules, made.id: made})
        return made

    async def remove(
        self, kind: type[Scene] | type[Schedule], id_: str, revision: int | None
    ) -> Scene | Schedule | Refused | Refusal:
        """Likewise."""
        await trio.lowlevel.checkpoint()
        scenes, schedules = dict(self.kit.scenes), dict(self.kit.schedules)
        gone: Scene | Schedule | Refused
        if kind is Scene:
            gone = edits.scene_removed(self.kit, id_, revision)
        else:
            gone = edits.schedule_removed(self.kit, id_, revision)
        if not isinstance(gone, Refused):
            scenes.pop(id_, None)
            schedules.pop(id_, None)
            self.kit = Kit(scenes, schedules)
        return gone


class FakeOutgoing(FakePart):
    """As the real one decides; nothing is posted, and a test is always taken."""

    def __init__(self, application: FakeApplication) -> None:
        super().__init__(application)
        self.hooks: dict[str, Hook] = {}
        self.log: list[Try] = []
        self.replayed: list[tuple[str, float]] = []
        self._ids = count(1)

    def new_id(self) -> str:
        """For a new one."""
        return f"hook-{next(self._ids)}"

    def position(self, hook_id: str) -> Position:
        """Some were delivered."""
        return Position(delivered=3, last_ok_at=NOW - 5)

    def waiting(self, hook_id: str) -> int:
        """Two wait."""
        return 2

    def tries(self, hook_id: str) -> list[Try]:
        """Newest first."""
        return list(reversed(self.log))

    async def save(self, asked: Hook, revision: int | None) -> Hook | HookRefused | Refusal:
        """As the real one decides."""
        await trio.lowlevel.checkpoint()
        if self._application.refusal is not None:
            return self._application.refusal
        made = hook_edits.saved(self.hooks, asked, revision, 0.0)
        if isinstance(made, Hook):
            self.hooks[made.id] = made
        return made

    async def set_secret(self, hook_id: str, secret: str) -> Hook | HookRefused | Refusal:
        """Likewise."""
        await trio.lowlevel.checkpoint()
        made = hook_edits.with_secret(self.hooks[hook_id], secret, self._application.clock.now())
        self.hooks[hook_id] = made
        return made

    async def remove(self, hook_id: str, revision: int | None) -> Hook | HookRefused | Refusal:
        """It goes."""
        await trio.lowlevel.checkpoint()
        return self.hooks.pop(hook_id)

    async def replay(self, hook_id: str, since: float) -> Hook | HookRefused | Refusal:
        """Noted."""
        await trio.lowlevel.checkpoint()
        self.replayed.append((hook_id, since))
        return self.hooks[hook_id]

    async def test(self, hook_id: str) -> Try | Refusal | None:
        """Taken."""
        await trio.lowlevel.checkpoint()
        if self._application.refusal is not None:
            return self._application.refusal
        number = len(self.log) + 1
        line = Try(
            number=number,
            at=NOW,
            event_id=f"test-{number}",
            type="hook.test",
            attempt=1,
            status=200,
            error=None,
            took_s=0.1,
        )
        self.log.append(line)
        return line


class FakeRolloutRepository:
    """Reads what the rollouts are."""

    def __init__(self, rolled: dict[str, tuple[Rollout, tuple[Part, ...]]]) -> None:
        self._rolled = rolled

    def listed(self, most: int) -> list[Rollout]:
        """The newest first."""
        return [rollout for rollout, _ in reversed(self._rolled.values())][:most]

    def inspect(self, rollout_id: str) -> RolloutInspection | None:
        """One with its lights."""
        found = self._rolled.get(rollout_id)
        return None if found is None else RolloutInspection(*found)


class FakeInitializer(FakePart):
    """`runs` has every run with what was asked for."""

    def __init__(self, application: FakeApplication) -> None:
        super().__init__(application)
        self.runs: list[tuple[InitializationRun, Sequence[str] | None, bool]] = []

    def start(
        self, dev_euis: Sequence[str] | None, *, force: bool, by: str = ""
    ) -> InitializationRun | Refusal:
        """Note the run, unless the test chose a refusal."""
        if self._application.refusal is not None:
            return self._application.refusal
        total = len(self._application.board.devices) if dev_euis is None else len(dev_euis)
        run = InitializationRun(f"run-{len(self.runs) + 1}", NOW, total, 0, 0, 0, 0, by=by)
        self.runs.append((run, dev_euis, force))
        return run

    def progress(
        self, run_id: str | None = None, by: str | None = None
    ) -> InitializationRun | None:
        """A noted run."""
        runs = (run for run, _, _ in self.runs)
        found = [run for run in runs if run_id in (None, run.id) and by in (None, run.by)]
        return found[-1] if found else None


class FakeRemovals(FakePart):
    """A light that is taken off leaves the board."""

    async def by_hand(self, dev_eui: str, by: str = "") -> Refusal | None:
        """It is gone, unless the test chose a refusal."""
        device = self._application.board.devices.get(dev_eui)
        if self._application.refusal is not None or device is None:
            return self._application.refusal or Refusal.UNKNOWN_DEVICE
        self._application.board.publish(DeviceRemoved(dev_eui, device.name, "by hand"))
        return None


class FakeFlusher(FakePart):
    """`flushed` has the lights whose queue was emptied."""

    def __init__(self, application: FakeApplication) -> None:
        super().__init__(application)
        self.flushed: list[str] = []

    async def flush(self, dev_eui: str, by: str = "") -> Refusal | None:
        """It is noted."""
        if self._application.refusal is not None or dev_eui not in self._application.board.devices:
            return self._application.refusal or Refusal.UNKNOWN_DEVICE
        self.flushed.append(dev_eui)
        return None


class FakeAlerter(FakePart):
    """Alerts are those that the test put on the board."""

    async def acknowledge(self, alert_id: str, by: str | None) -> AlertView | Refusal | None:
        """Only what is open."""
        if self._application.refusal is not None:
            return self._application.refusal
        open_alerts = (one for one in self._application.board.alerts() if one.closed_at is None)
        found = next((one for one in open_alerts if one.id == alert_id), None)
        if found is None:
            return None
        known = msgspec.structs.replace(
            found, acknowledged_at=self._application.clock.now(), acknowledged_by=by
        )
        self._application.board.publish(known)
        return known


NOTHING_DISPATCHED = statistics_of(DispatchState(DispatchPolicy(), str, None), 0.0)


def idle_calibrator(board: Board, clock: FakeClock) -> Calibrator:
    """The real one, which nobody runs: what it begins stays begun."""
    ports = CalibrationPorts(
        board, NoWriter(), lambda dev_eui, event: None, lambda: NOTHING_DISPATCHED
    )
    return Calibrator(ports, Forwarders(), clock, lambda: "run-1", DispatchPolicy())


class NoWriter:
    """Nothing is stored."""

    healthy = True

    async def commit(self, writes: Sequence[Write]) -> None:
        """At once."""

    def offer(self, writes: Sequence[Write]) -> Offer:
        """Always."""
        return Offer.ACCEPTED


class FakeRestoredStore(FakePart):
    """`open` is what waits for a decision, `kept_shown` the decision."""

    def __init__(self, application: FakeApplication) -> None:
        super().__init__(application)
        self.open: RestoredStore | None = None
        self.kept_shown: bool | None = None

    def view(self) -> RestoredStore | None:
        """What the test says."""
        return self.open

    async def decide(self, *, keep_shown: bool, by: str = "") -> RestoredStore | Refusal | None:
        """It is over."""
        if self._application.refusal is not None:
            return self._application.refusal
        found, self.open = self.open, None
        self.kept_shown = keep_shown
        return found


class FakeTimekeeper:
    """Its clock was set once, and ChirpStack is two minutes ahead."""

    def statistics(self) -> ClockStatistics:
        """Always the same."""
        return ClockStatistics(1, -90.0, -90.0, NOW - 60, 0, None, None, 119.5, 119.5, 120.25)


class FakeMetrics:
    """One gauge."""

    def render(self) -> bytes:
        """In Prometheus' text format."""
        return b"lamplighter_fake 1.0\n"


class FakeUnreadable:
    """One record."""

    def listed(self) -> Sequence[Unreadable]:
        """Always the same."""
        return (Unreadable("device", "aa", "Invalid enum value 'later'"),)


class FakeDeadLetters:
    """`letters` are those that the test put in."""

    def __init__(self) -> None:
        self.letters: list[DeadLetter] = []

    def recent(self, most: int) -> list[DeadLetter]:
        """The first of them."""
        return self.letters[:most]


class FakeTree:
    """`tree` is what is shown, `parked` are the actors that may be given another life."""

    def __init__(self) -> None:
        self.parked = {"device 2020200000000099"}
        self.tree = ChildReport(
            "root",
            ChildState.RUNNING,
            NOW - 9000,
            children=(
                ChildReport("board", ChildState.RUNNING, NOW - 9000),
                ChildReport("journal", ChildState.PARKED, NOW - 5, 3, "StoreError: full", NOW - 5),
            ),
        )

    def report(self) -> ChildReport:
        """The tree that the test may change."""
        return self.tree

    def revive(self, actor_id: str) -> bool:
        """Only what is parked, and once."""
        if actor_id not in self.parked:
            return False
        self.parked.discard(actor_id)
        return True


class FakeReadiness:
    """`ready` is the answer."""

    def __init__(self) -> None:
        self.ready = Readiness(ready=True)

    def check(self) -> Readiness:
        """What the test chose."""
        return self.ready


class FakePlans(FakePart):
    """Edits are carried out at once; `refusal` answers them instead."""

    def __init__(self, application: FakeApplication) -> None:
        super().__init__(application)
        self.uploads = Uploads()
        self.plans: dict[str, Plan] = {}
        self.pictures: dict[str, bytes] = {}
        self.refusal: Refusal | None = None

    async def edit(
        self, edit: Edit, *, revision: int | None = None, by: str = ""
    ) -> Edited | PlanRefusal | Refusal:
        """As the real one decides and stores."""
        if isinstance(edit, Create):
            edit = replace(edit, id=f"plan-{len(self.plans) + 1}")
        made = await self._carried_out((edit,), revision, by)
        return made[0] if isinstance(made, tuple) else made

    async def take(
        self, takes: Sequence[Take], *, by: str = ""
    ) -> tuple[Edited, ...] | PlanRefusal | Refusal:
        """All or none, too."""
        return await self._carried_out(tuple(takes), None, by)

    async def _carried_out(
        self, edits: tuple[Edit | Take, ...], revision: int | None, by: str
    ) -> tuple[Edited, ...] | PlanRefusal | Refusal:
        await trio.lowlevel.checkpoint()
        if self.refusal is not None:
            return self.refusal
        made = decided(self.plans, edits, revision, NOW, by)
        if isinstance(made, PlanRefusal):
            return made
        for write in plan_writes(self.plans, made, contents(edits)):
            if isinstance(write, Put) and write.table is Table.PICTURE:
                self.pictures[write.key] = write.value
            elif isinstance(write, Delete) and write.table is Table.PICTURE:
                del self.pictures[write.key]
        board = self._application.board
        for one in made:
            if one.removed:
                del self.plans[one.plan.id]
                board.publish(PlanRemoved(one.plan.id, one.plan.name))
            else:
                self.plans[one.plan.id] = one.plan
                board.publish(one.plan.head())
        return made


class FakeQueries(FakePart):
    """`lines`, `points` and `away` are what the store has of the one light and the gateway."""

    def __init__(self, application: FakeApplication) -> None:
        super().__init__(application)
        self._plans = application.plans
        self.lines: list[HistoryEntry] = []
        self.lines_of = DEV_EUI
        self.points: list[SignalPoint] = []
        self.away: list[Outage] = []

    def device(self, dev_eui: str) -> DeviceInspection | None:
        """The board's, with an actor that runs."""
        device = self._application.board.devices.get(dev_eui)
        if device is None:
            return None
        actor = ChildReport(f"device {dev_eui}", ChildState.RUNNING, NOW - 100, restarts=1)
        reachability = self._application.board.reachability(device)
        risk, quality = self._application.board.risks.get(dev_eui), self._application.quality
        return DeviceInspection(
            device,
            actor,
            NOW + 30,
            reachability,
            risk,
            quality.light(dev_eui),
            quality.days(dev_eui),
        )

    async def plan(self, plan_id: str) -> Plan | None:
        """As it was stored."""
        await trio.lowlevel.checkpoint()
        return self._plans.plans.get(plan_id)

    async def picture(self, digest: str) -> bytes | None:
        """As it was stored."""
        await trio.lowlevel.checkpoint()
        return self._plans.pictures.get(digest)

    async def history(
        self,
        dev_eui: str,
        *,
        since: float,
        until: float,
        most: int,
        kinds: Collection[str] = (),
    ) -> Lines:
        """`lines` are those of the one light, known or removed; there are none of another."""
        lines = self.lines if dev_eui == self.lines_of else []
        found = [line for line in lines if since <= line.at < until]
        found = [line for line in found if not kinds or line.kind in kinds]
        return Lines(found[:most], found[most - 1].at if len(found) >= most else None)

    async def signal(self, dev_eui: str, *, since: float, until: float) -> Points:
        """Of `points`, whichever light they are of."""
        return Points([one for one in self.points if since <= one.at < until], complete=True)

    async def gateway_past(self, gateway_id: str, *, since: float, until: float) -> GatewayPast:
        """The outages of the test, in a time that was looked at since an hour."""
        watched = [Span(max(since, NOW - 3_600.0), until)]
        away = [one for one in self.away if one.until is None or one.until >= since]
        return GatewayPast(
            away, watched, watched[0].length_s, observed.away_s(watched, away, until)
        )

    async def audit(
        self, *, since: float, until: float, most: int, wanted: Callable[[AuditEntry], bool]
    ) -> AuditPage:
        """As they were written, by pages."""
        newest = [one for one in reversed(self._application.audited) if since <= one.at < until]
        found = [one for one in newest if wanted(one)]
        more = len(found) > most
        return AuditPage(found[:most], found[most - 1].at if more else None)

    async def downlinks(
        self, dev_eui: str | None, hours: float, sees: Sees | None = None
    ) -> DownlinkMetrics:
        """Fixed numbers."""
        return DownlinkMetrics(
            hours=hours,
            commands=10,
            open=1,
            verified=8,
            superseded=0,
            expired=1,
            rejected=0,
            withdrawn=0,
            judged=9,
            success_rate=8 / 9,
            frames=12,
            frames_per_verified=1.5,
            time_to_verify_p50_s=4.0,
            time_to_verify_p95_s=40.0,
            time_to_verify_p99_s=None,
            first_attempt_rate=0.75,
        )

    async def reliability(self, hours: float, sees: Sees | None = None) -> Reliability:
        """Made of one light's verdicts."""
        ends = [
            (CommandStatus.VERIFIED, 4.0, 1),
            (CommandStatus.VERIFIED, 95.0, 3),
            (CommandStatus.EXPIRED, 600.0, 3),
        ]
        return assess(
            [
                Verdict(DEV_EUI, status, NOW, NOW + s, tries, tries)
                for status, s, tries in ends
                if sees is None or sees(DEV_EUI)
            ],
            hours,
        )
