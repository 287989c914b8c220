"""What every light and gateway is doing now, and who wants to know.

The rule it keeps: to publish never waits and never fails, whatever the readers do. Views share the
very objects that were published, so 20,000 lights cost the board their pointers only.

Theory. Publishing puts the change into one ring shared by all readers, and judges the conditions
of those who wait for that very thing. Readers are woken by the board's own task at most every
50 ms, because to wake a task costs 7 us: 100 readers woken for each of 500 changes a second would
take a third of the machine, woken 20 times a second they take 1.4 %. While that task is down
(between two incarnations) publishing wakes the readers itself.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import assert_never

import structlog
import trio

from actors.board.changes import ActorView, AlertView, DeviceRemoved, GatewayView, Subject
from actors.board.reachability import Reach, Reachability
from actors.board.reachability_index import SILENT_AFTER_S, ReachabilityIndex
from actors.board.ring import ChangeRing
from actors.board.subscription import CAPACITY, Snapshot, Subscription
from actors.board.waiters import Waiters
from actors.clocks.clock import Clock, Steps
from actors.device.model import Command, Device
from actors.rollouts.model import Rollout

log = structlog.get_logger()

# 20 s of the busiest fleet (500 changes a second). Most are devices of about 2 kB that nobody else
# holds any more: 20 MB.
CHANGES_KEPT = 10_000
# About 3 kB each with its timeline: 30 MB.
COMMANDS_KEPT = 10_000
ALERTS_KEPT = 1_000
GATHER_S = 0.05
GATHER_PER_READER_S = 0.0005
# Lights that became unreachable together, as by a gateway, are shown so 100 in 0.1 s: a reader of
# 1,000 changes keeps up, and 20,000 lights take 20 s.
REACHES_IN_A_ROUND = 100
REACHES_PAUSE_S = 0.1
# No longer between two looks at the agenda, so that a clock that was set does not hide a silence.
LOOK_AGAIN_S = 5.0
# Unix time in a double has steps of 0.24 us: a wait must not end just before what it waits for.
WAIT_SLACK_S = 1e-6
# Actor states in which there is nothing to show.
WELL = frozenset({"starting", "running", "stopped", "finished"})


@dataclass(frozen=True, slots=True)
class BoardStatistics:
    """One look at the board. `dropped` counts readers closed because they fell behind."""

    number: int
    devices: int
    gateways: int
    commands_open: int
    commands_ended: int
    alerts_open: int
    subscribers: int
    waiters: int
    dropped: int


class Board:
    """The newest of everything, by id. `boot` names this run of the service."""

    def __init__(
        self,
        clock: Clock,
        boot: str,
        *,
        changes_kept: int = CHANGES_KEPT,
        commands_kept: int = COMMANDS_KEPT,
        alerts_kept: int = ALERTS_KEPT,
        gather_s: float = GATHER_S,
        silent_after_s: float = SILENT_AFTER_S,
    ) -> None:
        self.boot = boot
        self._clock = clock
        self._ring = ChangeRing(changes_kept)
        self._commands_kept = commands_kept
        self._alerts_kept = alerts_kept
        self._gather_s = gather_s
        self._devices: dict[str, Device] = {}
        self._gateways: dict[str, GatewayView] = {}
        self._reaches = ReachabilityIndex(self._devices, self._gateways, silent_after_s, clock)
        self._steps = Steps(clock)
        self._actors: dict[str, ActorView] = {}
        self._rollouts: dict[str, Rollout] = {}  # oldest first; their actor bounds them
        # One open command per light: at most as many as there are lights.
        self._open: dict[str, Command] = {}
        self._ended: dict[str, Command] = {}  # oldest first
        self._alerts_open: dict[str, AlertView] = {}
        self._alerts_closed: dict[str, AlertView] = {}  # oldest first
        self._subscriptions: list[Subscription] = []
        self._dropped = 0
        self._command_waiters: Waiters[Command] = Waiters()
        self._device_waiters: Waiters[Device] = Waiters()
        self._news: trio.Event | None = None  # set by a change, awaited by `run`

    # What is.

    @property
    def number(self) -> int:
        """Of the newest change; 0 before the first."""
        return self._ring.number

    @property
    def devices(self) -> Mapping[str, Device]:
        """Every light by DevEUI: a live view, to be read before the next checkpoint."""
        return MappingProxyType(self._devices)

    @property
    def gateways(self) -> Mapping[str, GatewayView]:
        """Every gateway by id: a live view."""
        return MappingProxyType(self._gateways)

    def reachability(self, device: Device) -> Reachability:
        """Whether this light can be heard and reached now."""
        return self._reaches.of(device)

    def shift_s(self, dev_eui: str) -> float:
        """How far the date was set since the newest record of this light came: by so much its dates
        are behind."""
        return self._reaches.shift_s(dev_eui)

    def lights_heard(self, gateway_id: str) -> int:
        """How many lights this gateway heard lately: as many as a filter by it finds."""
        return self._reaches.lights_heard(gateway_id)

    def reachability_counts(self) -> Mapping[Reach, int]:
        """How many lights are in each state of reachability; every state is named."""
        return self._reaches.counts()

    @property
    def open_commands(self) -> Mapping[str, Command]:
        """Commands that are still pursued, by id: a live view."""
        return MappingProxyType(self._open)

    def alerts(self) -> Sequence[AlertView]:
        """Open and recent alerts, newest first."""
        alerts = [*self._alerts_open.values(), *self._alerts_closed.values()]
        return sorted(alerts, key=lambda alert: (alert.opened_at, alert.id), reverse=True)

    def command(self, command_id: str) -> Command | None:
        """An open command, or one of the newest 10,000 ended ones."""
        return self._open.get(command_id) or self._ended.get(command_id)

    def statistics(self) -> BoardStatistics:
        """Counters, now."""
        return BoardStatistics(
            number=self._ring.number,
            devices=len(self._devices),
            gateways=len(self._gateways),
            commands_open=len(self._open),
            commands_ended=len(self._ended),
            alerts_open=len(self._alerts_open),
            subscribers=len(self._subscriptions),
            waiters=len(self._command_waiters) + len(self._device_waiters),
            dropped=self._dropped,
        )

    # What changes.

    def publish(self, subject: Subject) -> None:
        """Show this from now on, and tell everybody. Never waits, never fails."""
        self._follow_clock()
        match subject:
            case Device():
                self._devices[subject.dev_eui] = subject
                self._reaches.published(subject, self._clock.now())
            case DeviceRemoved():
                self._devices.pop(subject.dev_eui, None)
                self._reaches.forget(subject.dev_eui)
            case Command():
                self._keep_command(subject)
            case GatewayView():
                self._keep_gateway(subject)
            case AlertView():
                self._keep_alert(subject)
            case ActorView():
                self._keep_actor(subject)
            case Rollout():
                self._rollouts[subject.id] = subject
            case _:
                assert_never(subject)
        self._tell(subject)
        if isinstance(subject, Device):
            self._device_waiters.tell(subject.dev_eui, subject)
        elif isinstance(subject, Command):
            self._command_waiters.tell(subject.id, subject)

    def look_again(self) -> int:
        """Show lights of which time, or a gateway, makes something else true; how many there were.

        `run` does this by itself; without it (a board that nobody runs) whoever moves the clock.
        """
        self._follow_clock()
        changed = self._reaches.due(self._clock.now(), REACHES_IN_A_ROUND)
        for device in changed:
            self._tell(device)
        return len(changed)

    def forget_rollout(self, rollout_id: str) -> None:
        """It is past its retention; nobody is told."""
        self._rollouts.pop(rollout_id, None)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Wake the readers after changes, in rounds, until cancelled."""
        try:
            self._news = trio.Event()
            self._wake_readers()
            task_status.started()
            while True:
                with trio.move_on_after(self._patience_s()):
                    await self._news.wait()
                self._news = trio.Event()
                shown = self.look_again()
                self._wake_readers()
                pause_s = min(self._gather_s, GATHER_PER_READER_S * len(self._subscriptions))
                if shown == REACHES_IN_A_ROUND:
                    pause_s = max(pause_s, REACHES_PAUSE_S)
                await trio.sleep(pause_s)
        finally:
            self._news = None
            self._wake_readers()

    # Who wants to know.

    def subscribe(self, capacity: int = CAPACITY, resume_from: int | None = None) -> Subscription:
        """Follow the board from this instant on.

        `resume_from` is the last number seen in this `boot`: while the changes since are kept they
        are in `missed`, otherwise (and without it) there is a `snapshot`. A reader more than
        `capacity` changes (at most as many as are kept) behind is closed.
        """
        resumed = resume_from is not None and self._ring.holds(resume_from)
        subscription = Subscription(
            self._ring,
            max(1, min(capacity, self._ring.capacity)),
            snapshot=None if resumed else self.snapshot(),
            missed=self._ring.since(resume_from, self._ring.capacity)
            if resumed and resume_from is not None
            else (),
            forget=self._forget,
        )
        self._subscriptions.append(subscription)
        return subscription

    def snapshot(self) -> Snapshot:
        """The whole board, now: pointers only, 0.2 ms for 20,000 lights."""
        return Snapshot(
            boot=self.boot,
            number=self._ring.number,
            at=self._clock.now(),
            devices=tuple(self._devices.values()),
            gateways=tuple(self._gateways.values()),
            alerts=tuple(self.alerts()),
            actors=tuple(self._actors.values()),
            rollouts=tuple(reversed(self._rollouts.values())),
        )

    def close_all(self, reason: str) -> None:
        """Close every subscription: the service goes down."""
        for subscription in list(self._subscriptions):
            subscription.close(reason)

    async def wait_command(
        self, command_id: str, until: Callable[[Command], bool], timeout_s: float
    ) -> Command | None:
        """The command once it satisfies `until`, or as it is after `timeout_s` seconds.

        None when it is unknown even then. Always a checkpoint.
        """
        known = self.command(command_id)
        if known is not None and until(known):
            await trio.lowlevel.checkpoint()
            return known
        found = await self._command_waiters.wait(command_id, until, timeout_s)
        return found or self.command(command_id)

    async def wait_device(
        self, dev_eui: str, until: Callable[[Device], bool], timeout_s: float
    ) -> Device | None:
        """Likewise for a light."""
        known = self._devices.get(dev_eui)
        if known is not None and until(known):
            await trio.lowlevel.checkpoint()
            return known
        found = await self._device_waiters.wait(dev_eui, until, timeout_s)
        return found or self._devices.get(dev_eui)

    def _tell(self, subject: Subject) -> None:
        self._ring.add(self._clock.now(), subject)
        self._drop_the_slow()
        if self._news is None:
            self._wake_readers()
        else:
            self._news.set()

    def _follow_clock(self) -> None:
        """The machine's clock was set: moments that were planned before move along."""
        if by_s := self._steps.take():
            self._reaches.moved(by_s)

    def _patience_s(self) -> float:
        """Until some light's moment comes; forever while there is none."""
        next_at = self._reaches.next_at()
        if next_at is None:
            return math.inf
        return max(0.0, min(next_at - self._clock.now(), LOOK_AGAIN_S)) + WAIT_SLACK_S

    def _keep_gateway(self, gateway: GatewayView) -> None:
        before = self._gateways.get(gateway.gateway_id)
        self._gateways[gateway.gateway_id] = gateway
        if before is None or before.online is not gateway.online:
            self._reaches.gateway_changed(gateway.gateway_id)
            while self._news is None and self.look_again():
                pass

    def _keep_command(self, command: Command) -> None:
        if not command.status.final:
            self._open[command.id] = command
            return
        self._open.pop(command.id, None)
        self._ended.pop(command.id, None)
        self._ended[command.id] = command
        if len(self._ended) > self._commands_kept:
            del self._ended[next(iter(self._ended))]

    def _keep_alert(self, alert: AlertView) -> None:
        self._alerts_closed.pop(alert.id, None)
        if alert.closed_at is None:
            self._alerts_open[alert.id] = alert
            return
        self._alerts_open.pop(alert.id, None)
        self._alerts_closed[alert.id] = alert
        if len(self._alerts_closed) > self._alerts_kept:
            del self._alerts_closed[next(iter(self._alerts_closed))]

    def _keep_actor(self, actor: ActorView) -> None:
        if actor.state in WELL:
            self._actors.pop(actor.id, None)
        else:
            self._actors[actor.id] = actor

    def _drop_the_slow(self) -> None:
        number = self._ring.number
        slow = [one for one in self._subscriptions if number - one.cursor > one.capacity]
        for subscription in slow:
            self._dropped += 1
            log.warning("subscriber dropped", behind=subscription.lag)
            subscription.close(f"too slow: more than {subscription.capacity} changes behind")

    def _wake_readers(self) -> None:
        for subscription in self._subscriptions:
            subscription.wake()

    def _forget(self, subscription: Subscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
