"""What every light and gateway is doing now, and who wants to know.

To publish never waits and never fails, whatever the readers do. Views share the very objects that
were published, so 20,000 lights cost the board their pointers only.

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
from actors.board.contents import ALERTS_KEPT, COMMANDS_KEPT, BoardContents
from actors.board.outlook import RiskTold
from actors.board.plan import PlanHead, PlanRemoved
from actors.board.reachability import Reach, Reachability
from actors.board.reachability_index import SILENT_AFTER_S, ReachabilityIndex
from actors.board.ring import ChangeRing
from actors.board.rollout import Rollout
from actors.board.subscription import CAPACITY, Snapshot, Subscription
from actors.board.waiters import Waiters
from actors.clocks.clock import Clock, Steps
from actors.device.command import Command
from actors.device.model import Device

log = structlog.get_logger()

# 20 s of the busiest fleet (500 changes a second); most are old devices of about 2 kB: 20 MB.
CHANGES_KEPT = 10_000
GATHER_S = 0.05
GATHER_PER_READER_S = 0.0005
# Lights that became unreachable together, as by a gateway, are shown so 100 in 0.1 s: a reader of
# 1,000 changes keeps up, and 20,000 lights take 20 s.
LIGHTS_AT_ONCE = 100
LIGHTS_PAUSE_S = 0.1
# Unix time in a double has steps of 0.24 us: a wait must not end just before what it waits for.
WAIT_SLACK_S = 1e-6


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
    """The newest of everything, by id, and its readers. `boot` names this run of the service.

    `publishing` is told of each change before it is shown."""

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
        publishing: Callable[[Subject], None] | None = None,
    ) -> None:
        self.boot = boot
        self._publishing = publishing
        self._clock = clock
        self._ring = ChangeRing(changes_kept)
        self._gather_s = gather_s
        self._contents = contents = BoardContents(commands_kept, alerts_kept)
        self.lights_in = contents.by_shard.of
        """The DevEUIs of the lights of one shard (`store.engine.shards`)."""
        self._reachability = ReachabilityIndex(
            contents.devices, contents.gateways, silent_after_s, clock
        )
        self._steps = Steps(clock)
        self._subscriptions: list[Subscription] = []
        self._dropped = 0
        self._command_waiters: Waiters[Command] = Waiters()
        self._device_waiters: Waiters[Device] = Waiters()
        self._changed: trio.Event | None = None  # set by a change, awaited by `run`

    # ---------------------------------------------------------------- what it shows

    @property
    def number(self) -> int:
        """Of the newest change; 0 before the first."""
        return self._ring.number

    @property
    def devices(self) -> Mapping[str, Device]:
        """Every light by DevEUI: a live view, to be read before the next checkpoint."""
        return MappingProxyType(self._contents.devices)

    @property
    def gateways(self) -> Mapping[str, GatewayView]:
        """Every gateway by id: a live view."""
        return MappingProxyType(self._contents.gateways)

    def reachability(self, device: Device) -> Reachability:
        """Whether this light can be heard and reached now."""
        return self._reachability.of(device)

    @property
    def risks(self) -> Mapping[str, RiskTold]:
        """What is expected of each light, by DevEUI, as told last: a live view. A light of which
        nothing was told is not in it."""
        return MappingProxyType(self._contents.risks)

    def shift_s(self, dev_eui: str) -> float:
        """How far the date was set since the newest record of this light came: by so much its dates
        are behind."""
        return self._reachability.shift_s(dev_eui)

    def lights_heard(self, gateway_id: str) -> int:
        """How many lights this gateway heard lately: as many as a filter by it finds."""
        return self._reachability.lights_heard(gateway_id)

    def lights_of(self, gateway_id: str) -> tuple[str, ...]:
        """The DevEUIs of the lights that this gateway heard lately."""
        return self._reachability.lights_of(gateway_id)

    def reachability_counts(self) -> Mapping[Reach, int]:
        """How many lights are in each state of reachability; every state is named."""
        return self._reachability.counts()

    @property
    def actors(self) -> Mapping[str, ActorView]:
        """Actors that are not well, by id: a live view."""
        return MappingProxyType(self._contents.actors)

    @property
    def open_commands(self) -> Mapping[str, Command]:
        """Commands that are still pursued, by id: a live view."""
        return MappingProxyType(self._contents.commands_open)

    @property
    def rollouts(self) -> Mapping[str, Rollout]:
        """The rollouts that are kept, by id: a live view."""
        return MappingProxyType(self._contents.rollouts)

    def alert(self, alert_id: str) -> AlertView | None:
        """An open alert, or one of the newest 1,000 closed ones."""
        return self._contents.alert(alert_id)

    def alerts(self) -> Sequence[AlertView]:
        """Open and recent alerts, newest first."""
        return self._contents.alerts()

    def command(self, command_id: str) -> Command | None:
        """An open command, or one of the newest 10,000 ended ones."""
        return self._contents.command(command_id)

    @property
    def plans(self) -> Sequence[PlanHead]:
        """The floor plans in their order."""
        plans = self._contents.plans.values()
        return sorted(plans, key=lambda plan: (plan.order, plan.name, plan.id))

    def ended_lately(self, for_s: float) -> Sequence[Command]:
        """Commands that ended within so many seconds."""
        since = self._clock.now() - for_s
        ended = self._contents.commands_ended.values()
        return [one for one in ended if one.ended_at is None or one.ended_at >= since]

    def statistics(self) -> BoardStatistics:
        """Counters, now."""
        contents = self._contents
        return BoardStatistics(
            number=self._ring.number,
            devices=len(contents.devices),
            gateways=len(contents.gateways),
            commands_open=len(contents.commands_open),
            commands_ended=len(contents.commands_ended),
            alerts_open=len(contents.alerts_open),
            subscribers=len(self._subscriptions),
            waiters=len(self._command_waiters) + len(self._device_waiters),
            dropped=self._dropped,
        )

    # ---------------------------------------------------------------- what changes

    def publish(self, subject: Subject) -> None:
        """Show this from now on, and tell everybody. Never waits, never fails."""
        if self._publishing is not None:
            self._publishing(subject)
        self._follow_clock()
        contents = self._contents
        match subject:
            case Device():
                contents.keep_device(subject)
                self._reachability.published(subject, self._clock.now())
            case DeviceRemoved():
                contents.forget_device(subject.dev_eui)
                self._reachability.forget(subject.dev_eui)
            case Command():
                contents.keep_command(subject)
            case GatewayView():
                if contents.keep_gateway(subject):
                    self._gateway_changed(subject.gateway_id)
            case AlertView():
                contents.keep_alert(subject)
            case ActorView():
                contents.keep_actor(subject)
            case Rollout():
                contents.rollouts[subject.id] = subject
            case PlanHead():
                contents.plans[subject.id] = subject
            case PlanRemoved():
                contents.plans.pop(subject.id, None)
            case _:
                assert_never(subject)
        self._tell(subject)
        if isinstance(subject, Device):
            self._device_waiters.tell(subject.dev_eui, subject)
        elif isinstance(subject, Command):
            self._command_waiters.tell(subject.id, subject)

    def tell_risk(self, dev_eui: str, risk: RiskTold) -> None:
        """Show this risk with the light from now on, and the light again; nothing for one that is
        not known. Whoever calls it paces its calls."""
        device = self._contents.devices.get(dev_eui)
        if device is not None:
            self._contents.risks[dev_eui] = risk
            self._tell(device)

    def look_again(self) -> int:
        """Show the lights that time, or a gateway, changed the reachability of; returns how many.

        `run` does this by itself; where the board is not run (in a test), whoever moves the clock
        calls it."""
        self._follow_clock()
        changed = self._reachability.due(self._clock.now(), LIGHTS_AT_ONCE)
        for device in changed:
            self._tell(device)
        return len(changed)

    def clock_changed(self) -> None:
        """The machine's clock was set, or the host slept: what is due may be due sooner, and Trio's
        clock, by which `run` waits, does not know."""
        self._follow_clock()
        if self._changed is not None:
            self._changed.set()

    def forget_command(self, command_id: str) -> None:
        """It is not stored any more: a failover took it; readers are not told."""
        self._contents.commands_open.pop(command_id, None)
        self._contents.commands_ended.pop(command_id, None)

    def forget_rollout(self, rollout_id: str) -> None:
        """It is past its retention; readers are not told."""
        self._contents.rollouts.pop(rollout_id, None)

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Wake the readers after changes, many changes at once, until cancelled."""
        try:
            self._changed = trio.Event()
            self._wake_readers()
            task_status.started()
            while True:
                with trio.move_on_after(self._idle_s()):
                    await self._changed.wait()
                shown = self.look_again()
                if not self._changed.is_set():
                    continue  # nothing is new to readers
                self._changed = trio.Event()
                self._wake_readers()
                pause_s = min(self._gather_s, GATHER_PER_READER_S * len(self._subscriptions))
                if shown == LIGHTS_AT_ONCE:
                    pause_s = max(pause_s, LIGHTS_PAUSE_S)
                await trio.sleep(pause_s)
        finally:
            self._changed = None
            self._wake_readers()

    # ---------------------------------------------------------------- who follows it

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
        contents = self._contents
        return Snapshot(
            boot=self.boot,
            number=self._ring.number,
            at=self._clock.now(),
            devices=tuple(contents.devices.values()),
            gateways=tuple(contents.gateways.values()),
            alerts=tuple(contents.alerts()),
            actors=tuple(contents.actors.values()),
            rollouts=tuple(reversed(contents.rollouts.values())),
            plans=tuple(self.plans),
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
        known = self._contents.devices.get(dev_eui)
        if known is not None and until(known):
            await trio.lowlevel.checkpoint()
            return known
        found = await self._device_waiters.wait(dev_eui, until, timeout_s)
        return found or self._contents.devices.get(dev_eui)

    def _tell(self, subject: Subject) -> None:
        self._ring.add(self._clock.now(), subject)
        self._drop_the_slow()
        if self._changed is None:
            self._wake_readers()
        else:
            self._changed.set()

    def _follow_clock(self) -> None:
        """The machine's clock was set: the times that were planned before move by as much."""
        if by_s := self._steps.take():
            self._reachability.moved(by_s)

    def _idle_s(self) -> float:
        """Until a light is to be judged again; infinite while none is."""
        next_at = self._reachability.next_at()
        if next_at is None:
            return math.inf
        return max(0.0, next_at - self._clock.now()) + WAIT_SLACK_S

    def _gateway_changed(self, gateway_id: str) -> None:
        self._reachability.gateway_changed(gateway_id)
        while self._changed is None and self.look_again():
            pass

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
