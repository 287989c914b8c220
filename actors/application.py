"""Lamplighter without its web: what the edge may ask of the actors, and the life of the whole.

The rule it keeps: it holds no state of its own; it asks the parts, waits with a deadline, and turns
what comes back into the outcomes of `surface.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

import structlog
import trio

from actors.board.changes import AlertView, GatewayView
from actors.board.reachability import Reachability
from actors.board.subscription import Subscription
from actors.clocks.timekeeper import ClockStatistics
from actors.commands import ACCEPT_TIMEOUT_S, refusal_of
from actors.device.events import StatusRequested
from actors.device.model import Command, CommandStatus, Device
from actors.failure_texts import brief
from actors.gateways import outages
from actors.messaging.dead_letters import DeadLetter
from actors.messaging.reply import ActorError, Reply
from actors.metrics import device_stream, downlink_metrics, reliability
from actors.readiness_warnings import warnings
from actors.rollouts.model import Conflict, Order, Rollout, RolloutInspection, Wish
from actors.service_api import (
    Accepted,
    Delivery,
    DeviceInspection,
    DownlinkMetrics,
    GatewayPast,
    HistoryEntry,
    InitializationRun,
    Points,
    Readiness,
    Refusal,
    Reliability,
    RestoredStore,
)
from actors.startup import restore
from actors.storage import history, signal_history
from actors.storage.unreadable_records import Unreadable, UnreadableRecord
from actors.supervision import ChildReport, ChildSpec, ChildState, Supervisor
from actors.wiring import Parts
from lorawan.events import Event
from lorawan.kuando.light_state import LightState
from store.errors import StoreUnavailable
from store.port import Table

log = structlog.get_logger()

T = TypeVar("T")

VITAL = (
    "timekeeper",
    "journal",
    "board",
    "inquirer",
    "dispatcher",
    "fleet",
    "gateway watcher",
)
"""Parts without which the service cannot do its work."""
FAR_FUTURE = 1e12
"""Past every time of any clock, in Unix seconds: ChirpStack's may be ahead of ours."""
STORE_ANSWER_S = 8.0
"""For all that one request asks of the store; whoever asked is told within 10 s."""


class Application:
    """The service. `run` lives until cancelled or until a part cannot be kept alive."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._root: Supervisor | None = None

    # ---------------------------------------------------------------- its life

    async def run(
        self,
        web: ChildSpec | None = None,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Restore everything from the (opened) store, then run all parts.

        Raises StoreError when the store cannot be read, SupervisorGaveUp when a part cannot be
        kept alive.
        """
        await restore(self._parts)
        self._root = self._parts.root(web)
        self._parts.garbage.install()
        try:
            await self._root.run(task_status)
        finally:
            self._parts.fleet.stop()
            self._parts.garbage.remove()
            self._parts.board.close_all("the service stopped")

    # ---------------------------------------------------------------- events and commands

    def deliver(self, event: Event) -> Delivery:
        """Put a network event in its device's mailbox; never waits."""
        return self._parts.fleet.deliver(event)

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
        """Accept a colour command; returns after it is in the store (at most about 10 s)."""
        if self._parts.unreadable.holds(Table.DEVICE, dev_eui):
            return Refusal.UNREADABLE
        with _in_time(ACCEPT_TIMEOUT_S + 1.0):
            outcome = await self._parts.commands.give(
                dev_eui,
                light,
                command_id=self._parts.environment.new_id(),
                keep=keep,
                ttl_s=ttl_s,
                correlation_id=correlation_id,
                idempotency_key=idempotency_key,
                fingerprint=fingerprint,
            )
        return self._why(outcome)

    async def verdict(self, command_id: str, timeout_s: float) -> Command | None:
        """Wait until the command is final, overdue or held, or the time is over."""
        known = self._parts.board.command(command_id)
        if known is None:
            return await self.find_command(command_id)
        return await self._parts.board.wait_command(command_id, _settled, timeout_s)

    async def find_command(self, command_id: str) -> Command | None:
        """One command, open or ended."""
        with _in_time():
            return await self._parts.commands.find(command_id)

    # ---------------------------------------------------------------- lights

    def devices(self) -> Mapping[str, Device]:
        """Every light, by DevEUI, as last published."""
        return self._parts.board.devices

    def reachability(self, device: Device) -> Reachability:
        """Whether one of these lights can be heard and reached now."""
        return self._parts.board.reachability(device)

    def inspect(self, dev_eui: str) -> DeviceInspection | None:
        """One light with its actor."""
        device = self._parts.board.devices.get(dev_eui)
        if device is None:
            return None
        return DeviceInspection(
            device=device,
            actor=self._parts.fleet.report(dev_eui),
            next_timer_at=self._parts.fleet.due_at(dev_eui),
            reachability=self.reachability(device),
        )

    async def history(
        self, dev_eui: str, *, since: float, until: float, most: int
    ) -> Sequence[HistoryEntry]:
        """Its history, newest first. Raises StoreError."""
        store = self._parts.environment.store
        with _in_time():
            return await history.read(store, dev_eui, since=since, until=until, most=most)

    async def commands_of(self, dev_eui: str, most: int) -> Sequence[Command]:
        """Its commands with their timelines, newest first. Raises StoreError.

        The stream of its verdicts is the index of the ended ones; there is one open at most.
        """
        with _in_time():
            device = self._parts.board.devices.get(dev_eui)
            found = [] if device is None or device.command is None else [device.command]
            ended = await self._parts.environment.store.entries(
                device_stream(dev_eui), since=0.0, until=FAR_FUTURE, most=most
            )
            for entry in ended:
                try:
                    command = await self.find_command(entry.entry)
                except UnreadableRecord:
                    continue  # asked for by itself, it is told
                if command is not None and command.id not in {one.id for one in found}:
                    found.append(command)
        return found[:most]

    async def signal(self, dev_eui: str, *, since: float, until: float) -> Points:
        """How the gateways heard it, oldest first. Raises StoreError."""
        with _in_time():
            return await signal_history.read(
                self._parts.environment.store, dev_eui, since=since, until=until
            )

    async def ask_status(self, dev_eui: str) -> str | Refusal:
        """Make the light speak: `asked`, or `busy` where a frame is on its way anyway."""
        reply: Reply[str] = Reply()
        refusal = refusal_of(self._parts.fleet.post(dev_eui, StatusRequested("by hand", reply)))
        if refusal is not None:
            return refusal
        try:
            return await reply.wait(ACCEPT_TIMEOUT_S)
        except ActorError:
            return self._why(Refusal.NO_REPLY)

    async def initialize(
        self, dev_euis: Sequence[str] | None, *, force: bool
    ) -> InitializationRun | Refusal:
        """Start an initialisation of these lights, or of all of the Kuando profiles."""
        await trio.lowlevel.checkpoint()
        if not self._parts.store_writer.healthy:
            return Refusal.STORE_FAILING
        run = self._parts.initializer.start(dev_euis, force=force)
        return Refusal.MAILBOX_FULL if run is None else run

    def initialization(self, run_id: str | None = None) -> InitializationRun | None:
        """A run by id, or the newest."""
        return self._parts.initializer.progress(run_id)

    # ---------------------------------------------------------------- rollouts

    async def create_rollout(self, order: Order) -> Rollout | Refusal:
        """Begin a rollout; returns after it is in the store (at most about 10 s)."""
        return self._why(await self._parts.rollouts.create(order))

    async def change_rollout(
        self, rollout_id: str, wish: Wish
    ) -> Rollout | Conflict | Refusal | None:
        """Steer a rollout; None for one that is not known."""
        return self._why(await self._parts.rollouts.change(rollout_id, wish))

    def rollouts(self, most: int) -> Sequence[Rollout]:
        """The newest first."""
        return self._parts.rollouts.repository.listed(most)

    def rollout(self, rollout_id: str) -> RolloutInspection | None:
        """One with its lights."""
        return self._parts.rollouts.repository.inspect(rollout_id)

    # ---------------------------------------------------------------- the rest of the view

    def gateways(self) -> Mapping[str, GatewayView]:
        """Every gateway, by id."""
        return self._parts.board.gateways

    def lights_heard(self, gateway_id: str) -> int:
        """How many lights this gateway heard lately: as many as a filter by it finds."""
        return self._parts.board.lights_heard(gateway_id)

    async def gateway_past(self, gateway_id: str, *, since: float, until: float) -> GatewayPast:
        """When the gateway was away, and when anybody looked. Raises StoreError."""
        gateway = self._parts.board.gateways.get(gateway_id)
        running = self._parts.watched.running()
        with _in_time():
            return await outages.read(
                self._parts.environment.store,
                gateway_id,
                gateway,
                running,
                since=since,
                until=until,
            )

    async def remove_device(self, dev_eui: str) -> Refusal | None:
        """Take a light off, by hand; its history stays. None when it is done."""
        refusal = await self._parts.removals.by_hand(dev_eui)
        return self._why(refusal) if refusal is Refusal.NO_REPLY else refusal

    async def flush_queue(self, dev_eui: str) -> Refusal | None:
        """Drop all that ChirpStack's queue of this light holds. None when it is done."""
        return await self._parts.flusher.flush(dev_eui)

    async def acknowledge(self, alert_id: str, by: str | None) -> AlertView | Refusal | None:
        """Somebody knows of this open alert; None when no such alert is open."""
        try:
            return await self._parts.alerter.acknowledge(alert_id, by)
        except ActorError:
            return self._why(Refusal.NO_REPLY)

    def alerts(self) -> Sequence[AlertView]:
        """Open and recent alerts, newest first."""
        return self._parts.board.alerts()

    async def metrics(self, dev_eui: str | None, hours: float) -> DownlinkMetrics:
        """Success of downlinks, fleet-wide or of one light. Raises StoreError."""
        pursued = self._parts.board.open_commands.values()
        count = sum(dev_eui is None or command.dev_eui == dev_eui for command in pursued)
        store = self._parts.environment.store
        with _in_time():
            return await downlink_metrics(store, dev_eui, hours, self.now(), count)

    async def reliability(self, hours: float) -> Reliability:
        """Spread of times and attempts, and the worst lights. Raises StoreError."""
        with _in_time():
            return await reliability(self._parts.environment.store, hours, self.now())

    def prometheus(self) -> bytes:
        """Everything countable, in Prometheus' text format."""
        return self._parts.metrics.render()

    def supervisor(self) -> ChildReport:
        """The tree of actors."""
        if self._root is None:
            return ChildReport("root", ChildState.STARTING, self.now())
        return self._root.report()

    def dead_letters(self, most: int) -> Sequence[DeadLetter]:
        """Newest first."""
        return self._parts.dead_letters.recent(most)

    def revive(self, actor_id: str) -> bool:
        """Give a parked actor another life; False when there is no such parked actor."""
        if self._root is not None and self._root.revive(actor_id):
            return True
        return self._parts.lights.revive(actor_id)

    def subscribe(self, *, capacity: int, resume_from: int | None) -> Subscription:
        """Follow the board: a snapshot (or what was missed since `resume_from`), then changes."""
        return self._parts.board.subscribe(capacity, resume_from)

    def clocks(self) -> ClockStatistics:
        """What became of this machine's clock, and how far ChirpStack's is from it."""
        return self._parts.timekeeper.statistics()

    def restored_store(self) -> RestoredStore | None:
        """What waits for a decision since the store was set back; None when nothing does."""
        return self._parts.restored_store.view()

    async def decide_restored_store(self, *, keep_shown: bool) -> RestoredStore | Refusal | None:
        """Send what was wanted before, or keep what is shown; None when nothing is open."""
        return self._why(await self._parts.restored_store.decide(keep_shown=keep_shown))

    def unreadable(self) -> Sequence[Unreadable]:
        """Records that are kept though they cannot be read, at most 1,000."""
        return self._parts.unreadable.listed()

    def readiness(self) -> Readiness:
        """Store writable, ChirpStack answering, actors alive."""
        problems = []
        if self._parts.store_writer.failing_since is not None:
            problems.append(f"the store cannot be written: {self._parts.store_writer.problem}")
        if self._parts.watcher.problem is not None:
            problems.append(brief(self._parts.watcher.problem))
        if not self._parts.fleet.actors and not self._parts.device_discovery.statistics().readings:
            problems.append("ChirpStack has not listed the lights yet")
        if self._root is None:
            problems.append("the service is starting")
        else:
            problems.extend(self._troubled())
        said = warnings(self._parts.board, self._parts.webhooks)
        return Readiness(not problems, tuple(problems), tuple(said))

    def _troubled(self) -> list[str]:
        """Parts that are not running. The lights' supervisor is: one light is no reason."""
        reports = [self._root.child(name) for name in VITAL] if self._root is not None else []
        return [
            f"{report.id} is {report.state.value}"
            for report in reports
            if report is not None and report.state is not ChildState.RUNNING
        ]

    def _why(self, outcome: T | Refusal) -> T | Refusal:
        """No reply in time, and the store fails: that is why."""
        if outcome is Refusal.NO_REPLY and not self._parts.store_writer.healthy:
            return Refusal.STORE_FAILING
        return outcome

    def now(self) -> float:
        """The service's clock, Unix seconds."""
        return self._parts.environment.clock.now()


@contextmanager
def _in_time(limit_s: float = STORE_ANSWER_S) -> Iterator[None]:
    """Whoever asks the store is told in time that it does not answer. Raises StoreUnavailable."""
    try:
        with trio.fail_after(limit_s):
            yield
    except trio.TooSlowError as slow:
        raise StoreUnavailable(f"the store has not answered for {limit_s:g} s") from slow


def _settled(command: Command) -> bool:
    return command.status.final or command.overdue or command.status is CommandStatus.HELD
