"""What each process of the service has, made and joined: the one place where its actors meet.

What runs once for the fleet is in `fleetwide.py`. Parts know each other by callables and small
protocols only, and data flows one way: network -> fleet -> device -> store writer -> board,
dispatcher, inquirer.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from actors.board.board import Board
from actors.board.changes import ActorView, Subject
from actors.clocks.clock import ClockNews
from actors.clocks.server_dates import ServerDates
from actors.clocks.timekeeper import Timekeeper
from actors.cluster.apart import Apart
from actors.cluster.embedded import EmbeddedSight
from actors.cluster.shown import ClusterSight
from actors.commands import Commands, OwnCommands
from actors.device.actor import DeviceActor, DevicePorts
from actors.device.command import Command
from actors.device.events import DispatcherStarted, Inquired, ItemDropped, Tick, Transmitted
from actors.device.firmware import Taught
from actors.device.model import Device
from actors.device.state_timeouts import StateTimeouts
from actors.device.verdict import verdict_of
from actors.environment import Environment, Policies
from actors.event_stream.joined import EventWays
from actors.event_stream.kept_events import Replay, kept_events
from actors.fleet import Fleet, FleetPorts, NetworkEars, translate
from actors.fleet.removal import Removals
from actors.fleetwide import Fleetwide, FleetwidePorts, NotHere
from actors.inquirer import Inquirer
from actors.messaging.dead_letters import DeadLetters
from actors.metrics import GarbageWatch, Metrics
from actors.storage.audit import AuditEntry, AuditLog, into
from actors.storage.idempotency import IdempotencyKeys
from actors.storage.store_writer import StoreWriter
from actors.storage.unreadable_records import UnreadableRecords
from actors.supervision import ChildReport, Supervisor
from actors.webhook_watch import WebhookWatch

__all__ = ["Environment", "Parts", "Policies", "ProcessParts"]

T = TypeVar("T")


class ProcessParts:
    """What each process has, made and not yet running, be it alone or one of many."""

    commands: Commands
    sight: ClusterSight
    """Who serves the fleet, as it is shown."""
    light_ports: DevicePorts

    ALONE = True
    """Whether all lights run in this process."""

    def __init__(
        self, environment: Environment, policies: Policies, ears: NetworkEars | None = None
    ) -> None:
        clock, rng = environment.clock, environment.rng
        self.environment = environment
        self.policies = policies
        self.fleetwide_here: Fleetwide | None = None
        """What runs once for the fleet, where that is this process."""
        self.dead_letters = DeadLetters()
        self.metrics = Metrics()
        self.keys = IdempotencyKeys()
        self.timeouts = StateTimeouts()
        self.unreadable = UnreadableRecords(self._records_unreadable)
        self.dates = ServerDates(clock, self._asked_at)
        self.timekeeper = Timekeeper(
            clock, self.dates.difference, [self._clock_changed], self._clock_trouble
        )
        self.webhooks = WebhookWatch(clock)
        self.board = Board(
            clock,
            environment.boot,
            silent_after_s=policies.device.silent_after_s,
            publishing=self._showing,
        )
        self.store_writer = StoreWriter(
            environment.store,
            clock,
            rng,
            observe=self.metrics.journal_committed,
            on_health=self._store_health,
        )
        self.inquirer = Inquirer(
            environment.network,
            self._inquired,
            lambda event: translate(self.dates.replayed(event)),
            replay=self._replay(environment),
            timeout_s=policies.device.inquiry_timeout_s,
        )
        self.taught = Taught(listening_since=clock.now())
        self.lights = Supervisor(
            "lights",
            clock=clock,
            rng=rng,
            dead_letters=self.dead_letters,
            on_change=self.actor_changed,
        )
        self.fleet = Fleet(
            self.light_actor,
            self.lights,
            FleetPorts(
                dated_past=self.dates.replayed,
                note=self.store_writer.offer,
                dated=self.dates.event,
                told=self.webhooks.told,
                ears=ears or NetworkEars(),
            ),
            clock,
            profile_contains=policies.profile_contains,
        )
        self.events = EventWays(
            environment.events if self.ALONE else None,
            environment.events_name,
            self.fleet,
            self.store_writer,
            clock,
            rng,
        )
        self.removals = Removals(
            self.fleet,
            self.board,
            self.store_writer,
            clock,
            ended=self._ended,
            forget=(self._light_removed,),
        )
        self.audit = AuditLog(self._audited, clock, environment.new_id)
        self.garbage = GarbageWatch(self.metrics.gc_paused)

    @property
    def fleetwide(self) -> Fleetwide:
        """What runs once for the fleet. Raises NotHere where that is another process."""
        if self.fleetwide_here is None:
            raise NotHere("another process runs this, or none")
        return self.fleetwide_here

    def if_here(self, read: Callable[[Fleetwide], T]) -> Callable[[], T | None]:
        """What reads something of that; None where it is another process."""
        return lambda: None if self.fleetwide_here is None else read(self.fleetwide_here)

    def apart(self) -> Apart:
        """What keeps this process from the others that serve the fleet with it."""
        return Apart()

    def light_actor(self, device: Device) -> DeviceActor:
        """The actor of one light, not yet running."""
        ports = self.environment.hooks.device_ports(device.dev_eui, self.light_ports)
        return DeviceActor(device, ports)

    # The parts made first know those made last by these.

    def _showing(self, subject: Subject) -> None:
        fleetwide = self.fleetwide_here
        if fleetwide is not None and isinstance(subject, Command):
            fleetwide.quality.shown(subject)
        elif fleetwide is not None and isinstance(subject, Device):
            before = self.board.devices.get(subject.dev_eui)
            if before is None or before.hearings != subject.hearings:
                gateways = self.board.gateways
                fleetwide.dispatcher.heard_by(subject.dev_eui, subject.hearings, gateways)
        if (looking_on := self.environment.hooks.publishing) is not None:
            looking_on(subject)

    # What differs between one process alone and one of many.

    def _light_removed(self, dev_eui: str) -> None:
        raise NotImplementedError

    def _audited(self, entry: AuditEntry) -> None:
        raise NotImplementedError

    def _inquired(self, dev_eui: str, answer: Inquired) -> None:
        raise NotImplementedError

    def _replay(self, environment: Environment) -> Replay:
        if environment.events is None:
            return environment.network.replay
        return kept_events(environment.events, self._stream_read, environment.network.replay)

    def _stream_read(self) -> bool:
        return self.events.stream is not None and self.events.stream.trustworthy

    def _records_unreadable(self, words: str | None) -> None:
        if self.fleetwide_here is not None:
            self.fleetwide_here.alerter.records_unreadable(words)

    def _clock_trouble(self, host: str | None, server: str | None) -> None:
        if self.fleetwide_here is not None:
            self.fleetwide_here.alerter.clock_trouble(host, server)

    def _asked_at(self, queue_item_id: str) -> float | None:
        fleetwide = self.fleetwide_here
        return None if fleetwide is None else fleetwide.dispatcher.asked_at(queue_item_id)

    def _clock_changed(self, news: ClockNews) -> None:
        """Whoever waits for a moment waits by Trio's clock, which stands while the host sleeps."""
        if self.fleetwide_here is not None:
            self.fleetwide_here.dispatcher.look()
        self.board.clock_changed()
        self.taught.listening_since += news.stepped_s
        if news.slept_s:
            self.fleet.broadcast(Tick())
            self.webhooks.slept()

    def _store_health(self, since: float | None) -> None:
        if self.fleetwide_here is not None:
            self.fleetwide_here.alerter.store_failing(since, self.store_writer.problem)

    def _ended(self, command: Command) -> None:
        verdict = verdict_of(command)
        if verdict is not None:
            self.metrics.verdict(verdict)

    def actor_changed(self, report: ChildReport) -> None:
        """An actor started, crashed, was parked or stopped."""
        self.metrics.actor_changed(report)
        self.board.publish(ActorView(report.id, report.state, report.restarts, report.last_error))
        self.environment.hooks.actor_changed(report)


class Parts(ProcessParts):
    """Every part of a service that serves its fleet alone; `start_order.py` has the order in which
    they start."""

    def __init__(self, environment: Environment, policies: Policies) -> None:
        ears = NetworkEars(
            transmitted=self._transmitted,
            transmitted_before=self._transmitted_before,
            heard=self._heard,
            dropped=self._dropped,
            refused=self._frame_refused,
            overheard=self._overheard,
            spoke=self._spoke,
        )
        super().__init__(environment, policies, ears)
        clock, rng = environment.clock, environment.rng
        self.commands = OwnCommands(
            self.fleet,
            self.board,
            self.keys,
            self.unreadable,
            environment.store,
            clock,
            new_id=environment.new_id,
            ttl_s=policies.device.command_ttl_s,
        )
        self.sight = EmbeddedSight(
            self.board,
            clock,
            self.store_writer,
            environment.store,
            sees_network=lambda: self.fleetwide.watcher.problem is None,
        )
        self.fleetwide_here = fleetwide = Fleetwide(
            FleetwidePorts(
                environment=environment,
                policies=policies,
                network=environment.network,
                metrics=self.metrics,
                board=self.board,
                store_writer=self.store_writer,
                dates=self.dates,
                webhooks=self.webhooks,
                taught=self.taught,
                keys=self.keys,
                commands=self.commands,
                lights=OwnLights(self.fleet, self.removals),
                audit=self.audit,
                show_gateway=self.board.publish,
                show_risk=self.board.tell_risk,
                show_plan=self.board.publish,
                conditions=lambda: [*self.sight.findings(), *self.events.findings()],
            )
        )
        self.fleet.on_provisional = lambda dev_eui: fleetwide.device_discovery.look_soon()
        self.light_ports = DevicePorts(
            clock=clock,
            rng=rng,
            policy=policies.device,
            store_writer=self.store_writer,
            board=self.board,
            dispatcher=fleetwide.restored_store,
            inquirer=self.inquirer,
            timeouts=self.timeouts,
            boot=environment.boot,
            ended=self._ended,
            gateway_online=fleetwide.watcher.is_online,
            missed=self.webhooks.missed,
            judged=fleetwide.learning.judged,
            taught=self.taught,
        )

    def _transmitted(self, dev_eui: str, event: Transmitted) -> None:
        self.fleetwide.transmitted(dev_eui, event)

    def _transmitted_before(self, dev_eui: str, event: Transmitted) -> None:
        self.fleetwide.dispatcher.transmitted_before(dev_eui, event)

    def _dropped(self, dev_eui: str, event: ItemDropped) -> None:
        self.fleetwide.dispatcher.dropped(dev_eui, event)

    def _frame_refused(self, dev_eui: str, problem: str) -> None:
        self.fleetwide.frame_refused(dev_eui, problem)

    def _overheard(self, dev_eui: str, message: object, server_at: float | None) -> None:
        self.fleetwide.listener.overheard(dev_eui, message, server_at)

    def _heard(self, gateway_id: str, at: float) -> None:
        self.fleetwide.watcher.heard(gateway_id, at)

    def _spoke(self, dev_eui: str) -> None:
        self.fleetwide.dispatcher.heard(dev_eui)

    def _light_removed(self, dev_eui: str) -> None:
        self.fleetwide.light_removed(dev_eui)

    def _audited(self, entry: AuditEntry) -> None:
        into(self.store_writer.offer)(entry)

    def _inquired(self, dev_eui: str, answer: Inquired) -> None:
        self.fleetwide.dispatcher.inquired(dev_eui, answer)


class OwnLights:
    """The lights, all of whose actors run in this process (see `fleet.lights.Lights`)."""

    def __init__(self, fleet: Fleet, removals: Removals) -> None:
        self._fleet = fleet
        self._removals = removals
        self.post = fleet.post
        self.register = fleet.register
        self.confirm = fleet.confirm
        self.is_ours = fleet.is_ours
        self.gateway_changed = fleet.gateway_changed
        self.gateway_returned = fleet.gateway_returned

    @property
    def known(self) -> Mapping[str, object]:
        """Every light by DevEUI."""
        return self._fleet.actors

    @property
    def provisional(self) -> Mapping[str, float]:
        """Lights known by their own events only, and since when."""
        return self._fleet.provisional

    async def remove(self, dev_eui: str, why: str, *, for_good: bool) -> bool:
        """Take a light off."""
        return await self._removals.remove(dev_eui, why, for_good=for_good)

    def dispatcher_started(self) -> None:
        """Each light submits what it has open again."""
        self._fleet.broadcast(DispatcherStarted())
