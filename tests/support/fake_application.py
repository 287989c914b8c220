"""A house in memory for the tests of its edge: a real board, and outcomes that the test chooses.

It keeps commands as the real one does, but nothing happens to them until the test says so.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import trio

from actors.board.board import Board
from actors.board.changes import AlertView, DeviceRemoved, GatewayView
from actors.board.reachability import Reachability
from actors.board.subscription import Subscription
from actors.clocks.timekeeper import ClockStatistics
from actors.device.model import (
    Command,
    CommandStatus,
    Device,
    Hearing,
    Phase,
    Report,
    Session,
    Step,
    StepKind,
    Wanted,
)
from actors.gateways import observed
from actors.messaging.dead_letters import DeadLetter
from actors.metrics.reliability import assess
from actors.metrics.verdict import Verdict
from actors.rollouts import decisions
from actors.rollouts.model import Conflict, Order, Part, Rollout, RolloutInspection, Wish
from actors.service_api import (
    Accepted,
    Delivery,
    DeviceInspection,
    DownlinkMetrics,
    GatewayPast,
    HistoryEntry,
    InitializationRun,
    Outage,
    Points,
    Readiness,
    Refusal,
    Reliability,
    RestoredStore,
    SignalPoint,
    Span,
)
from actors.storage.unreadable_records import Unreadable
from actors.supervision import ChildReport, ChildState
from lorawan.events.model import Event
from lorawan.kuando.light_state import LightState

DEV_EUI = "2020203907290902"
GATEWAY = "0016c001f153a14c"
NOW = 1_760_000_000.0


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


class FakeApplication:
    """Implements `actors.service_api.House`."""

    def __init__(self, lights: int = 1) -> None:
        self.clock = FakeClock()
        self.board = Board(self.clock, "boot-1")
        for n in range(lights):
            self.board.publish(a_light(DEV_EUI if n == 0 else f"20202000{n:08x}"))
        self.board.publish(GatewayView(GATEWAY, "Roof", since=NOW - 9000, airtime_budget_s=360.0))
        self.delivered: list[Event] = []
        self.delivery = Delivery.DELIVERED
        self.refusal: Refusal | None = None
        self.set_back: RestoredStore | None = None
        self.kept_shown: bool | None = None
        self.flushed: list[str] = []
        self.ready = Readiness(ready=True)
        self.commands: dict[str, Command] = {}
        self.keys: dict[str, tuple[str, str]] = {}
        self.correlation_ids: list[str] = []
        self.lines: list[HistoryEntry] = []
        self.runs: list[tuple[InitializationRun, Sequence[str] | None, bool]] = []
        self.rolled: dict[str, tuple[Rollout, tuple[Part, ...]]] = {}
        self.orders: list[Order] = []
        self.points: list[SignalPoint] = []
        self.away: list[Outage] = []
        self.status_answer = "asked"
        self.parked = {"device 2020200000000099"}
        self.letters: list[DeadLetter] = []
        self.tree = ChildReport(
            "root",
            ChildState.RUNNING,
            NOW - 9000,
            children=(
                ChildReport("board", ChildState.RUNNING, NOW - 9000),
                ChildReport("journal", ChildState.PARKED, NOW - 5, 3, "StoreError: full", NOW - 5),
            ),
        )
        self.awaited = trio.Event()
        """Set once somebody waits for a verdict, and `released` once nobody does any more."""
        self.released = trio.Event()
        self.breaks = False
        """Every call that the edge makes for devices then raises, as if there were a bug."""

    # What the test makes happen.

    def step(self, command_id: str, status: CommandStatus, **changes: Any) -> None:
        """The command comes to this status."""
        command = self.commands[command_id]
        steps = (*command.timeline, Step(self.clock.now(), StepKind(status.value)))
        ended_at = self.clock.now() if status.final else None
        command = msgspec.structs.replace(
            command, status=status, timeline=steps, ended_at=ended_at, **changes
        )
        self.commands[command_id] = command
        self.board.publish(command)

    # The protocol.

    def deliver(self, event: Event) -> Delivery:
        """Keep the event; answer what the test chose."""
        if self.breaks:
            raise RuntimeError("a secret that must not leave")
        self.delivered.append(event)
        return self.delivery

    async def command(
        self,
        dev_eui: str,
        light: LightState,
        *,
        keep: bool,
        ttl_s: float | None,
        correlation_id: str,
        idempotency_key: str | None,
        fingerprint: str,
    ) -> Accepted | Refusal:
        """Accept a command, unless the test chose a refusal."""
        if self.refusal is not None:
            return self.refusal
        if dev_eui not in self.board.devices:
            return Refusal.UNKNOWN_DEVICE
        if idempotency_key in self.keys:
            known, made_by = self.keys[idempotency_key]
            if made_by != fingerprint:
                return Refusal.KEY_REUSED
            return Accepted(self.commands[known], repeated=True)
        now = self.clock.now()
        command = Command(
            id=f"cmd-{len(self.commands) + 1}",
            dev_eui=dev_eui,
            light=light,
            keep=keep,
            accepted_at=now,
            expires_at=now + (ttl_s or 86_400.0),
            correlation_id=correlation_id,
            timeline=(Step(now, StepKind.ACCEPTED),),
        )
        self.commands[command.id] = command
        self.correlation_ids.append(correlation_id)
        if idempotency_key is not None:
            self.keys[idempotency_key] = (command.id, fingerprint)
        self.board.publish(command)
        return Accepted(command)

    async def verdict(self, command_id: str, timeout_s: float) -> Command | None:
        """Wait as the real one does."""
        self.awaited.set()
        try:
            return await self.board.wait_command(
                command_id,
                lambda c: c.status.final or c.overdue or c.status is CommandStatus.HELD,
                timeout_s,
            )
        finally:
            self.released.set()

    async def find_command(self, command_id: str) -> Command | None:
        """Among those accepted."""
        return self.commands.get(command_id)

    def devices(self) -> Mapping[str, Device]:
        """The board's."""
        if self.breaks:
            raise RuntimeError("a secret that must not leave")
        return self.board.devices

    def reachability(self, device: Device) -> Reachability:
        """The board's."""
        return self.board.reachability(device)

    def inspect(self, dev_eui: str) -> DeviceInspection | None:
        """The board's, with an actor that runs."""
        device = self.board.devices.get(dev_eui)
        if device is None:
            return None
        actor = ChildReport(f"device {dev_eui}", ChildState.RUNNING, NOW - 100, restarts=1)
        return DeviceInspection(device, actor, NOW + 30, self.reachability(device))

    async def history(
        self, dev_eui: str, *, since: float, until: float, most: int
    ) -> Sequence[HistoryEntry]:
        """`lines` are those of the one light, known or removed; there are none of another."""
        lines = self.lines if dev_eui == DEV_EUI else []
        return [line for line in lines if since <= line.at < until][:most]

    async def commands_of(self, dev_eui: str, most: int) -> Sequence[Command]:
        """Those accepted, the newest first."""
        mine = [one for one in self.commands.values() if one.dev_eui == dev_eui]
        return mine[::-1][:most]

    async def signal(self, dev_eui: str, *, since: float, until: float) -> Points:
        """Of `points`, whichever light they are of."""
        return Points([one for one in self.points if since <= one.at < until], complete=True)

    async def ask_status(self, dev_eui: str) -> str | Refusal:
        """As the test chose."""
        return self.refusal if self.refusal is not None else self.status_answer

    async def initialize(
        self, dev_euis: Sequence[str] | None, *, force: bool
    ) -> InitializationRun | Refusal:
        """Note the run, unless the test chose a refusal."""
        if self.refusal is not None:
            return self.refusal
        total = len(self.board.devices) if dev_euis is None else len(dev_euis)
        run = InitializationRun(f"run-{len(self.runs) + 1}", NOW, total, 0, 0, 0, 0)
        self.runs.append((run, dev_euis, force))
        return run

    def initialization(self, run_id: str | None = None) -> InitializationRun | None:
        """A noted run."""
        found = [run for run, _, _ in self.runs if run_id in (None, run.id)]
        return found[-1] if found else None

    async def create_rollout(self, order: Order) -> Rollout | Refusal:
        """Begin it, unless the test chose a refusal; nothing happens to it by itself."""
        if self.refusal is not None:
            return self.refusal
        self.orders.append(order)
        rollout, parts = decisions.begun(f"roll-{len(self.orders)}", order, self.clock.now())
        self.rolled[rollout.id] = rollout, parts
        self.board.publish(rollout)
        return rollout

    async def change_rollout(
        self, rollout_id: str, wish: Wish
    ) -> Rollout | Conflict | Refusal | None:
        """As the real one decides."""
        if rollout_id not in self.rolled:
            return None
        rollout, parts = self.rolled[rollout_id]
        changed = decisions.steered(rollout, wish, self.clock.now())
        if isinstance(changed, Rollout):
            self.rolled[rollout_id] = changed, parts
            self.board.publish(changed)
        return changed

    def rollouts(self, most: int) -> Sequence[Rollout]:
        """The newest first."""
        return [rollout for rollout, _ in reversed(self.rolled.values())][:most]

    def rollout(self, rollout_id: str) -> RolloutInspection | None:
        """One with its lights."""
        found = self.rolled.get(rollout_id)
        return None if found is None else RolloutInspection(*found)

    def gateways(self) -> Mapping[str, GatewayView]:
        """The board's."""
        return self.board.gateways

    def lights_heard(self, gateway_id: str) -> int:
        """The board's."""
        return self.board.lights_heard(gateway_id)

    async def gateway_past(self, gateway_id: str, *, since: float, until: float) -> GatewayPast:
        """The outages of the test, in a time that was looked at since an hour."""
        watched = [Span(max(since, NOW - 3_600.0), until)]
        away = [one for one in self.away if one.until is None or one.until >= since]
        return GatewayPast(
            away, watched, watched[0].length_s, observed.away_s(watched, away, until)
        )

    async def acknowledge(self, alert_id: str, by: str | None) -> AlertView | Refusal | None:
        """Only what is open."""
        if self.refusal is not None:
            return self.refusal
        found = [one for one in self.alerts() if one.id == alert_id and one.closed_at is None]
        if not found:
            return None
        known = msgspec.structs.replace(
            found[0], acknowledged_at=self.clock.now(), acknowledged_by=by
        )
        self.board.publish(known)
        return known

    def unreadable(self) -> Sequence[Unreadable]:
        """One of each kind of reason."""
        return (Unreadable("device", "aa", "Invalid enum value 'later'"),)

    def restored_store(self) -> RestoredStore | None:
        """What the test says."""
        return self.set_back

    async def decide_restored_store(self, *, keep_shown: bool) -> RestoredStore | Refusal | None:
        """It is over."""
        if self.refusal is not None:
            return self.refusal
        found, self.set_back = self.set_back, None
        self.kept_shown = keep_shown
        return found

    async def remove_device(self, dev_eui: str) -> Refusal | None:
        """It leaves the board."""
        device = self.board.devices.get(dev_eui)
        if self.refusal is not None or device is None:
            return self.refusal or Refusal.UNKNOWN_DEVICE
        self.board.publish(DeviceRemoved(dev_eui, device.name, "by hand"))
        return None

    async def flush_queue(self, dev_eui: str) -> Refusal | None:
        """It is noted."""
        if self.refusal is not None or dev_eui not in self.board.devices:
            return self.refusal or Refusal.UNKNOWN_DEVICE
        self.flushed.append(dev_eui)
        return None

    def alerts(self) -> Sequence[AlertView]:
        """The board's."""
        return self.board.alerts()

    async def metrics(self, dev_eui: str | None, hours: float) -> DownlinkMetrics:
        """Fixed numbers."""
        return DownlinkMetrics(
            hours=hours,
            commands=10,
            open=1,
            verified=8,
            superseded=0,
            expired=1,
            rejected=0,
            judged=9,
            success_rate=8 / 9,
            frames=12,
            frames_per_verified=1.5,
            time_to_verify_p50_s=4.0,
            time_to_verify_p95_s=40.0,
            time_to_verify_p99_s=None,
            first_attempt_rate=0.75,
        )

    async def reliability(self, hours: float) -> Reliability:
        """Made of one light's verdicts."""
        ends = [
            (CommandStatus.VERIFIED, 4.0, 1),
            (CommandStatus.VERIFIED, 95.0, 3),
            (CommandStatus.EXPIRED, 600.0, 3),
        ]
        return assess(
            [Verdict(DEV_EUI, status, NOW, NOW + s, tries, tries) for status, s, tries in ends],
            hours,
        )

    def prometheus(self) -> bytes:
        """One gauge."""
        return b"lamplighter_fake 1.0\n"

    def supervisor(self) -> ChildReport:
        """The tree that the test may change."""
        return self.tree

    def dead_letters(self, most: int) -> Sequence[DeadLetter]:
        """Those that the test put in."""
        return self.letters[:most]

    def revive(self, actor_id: str) -> bool:
        """Only what is parked, and once."""
        if actor_id not in self.parked:
            return False
        self.parked.discard(actor_id)
        return True

    def subscribe(self, *, capacity: int, resume_from: int | None) -> Subscription:
        """The board's own."""
        return self.board.subscribe(capacity, resume_from)

    def clocks(self) -> ClockStatistics:
        """It was set once, and ChirpStack is two minutes ahead."""
        return ClockStatistics(1, -90.0, -90.0, NOW - 60, 0, None, None, 119.5, 119.5, 120.25)

    def readiness(self) -> Readiness:
        """What the test chose."""
        return self.ready

    def now(self) -> float:
        """The clock's time."""
        return self.clock.now()
