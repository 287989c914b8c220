"""Every part of the service, made and joined: the one place where actors learn of each other.

Parts know each other by callables and small protocols only, and data flows one way: network ->
fleet -> device -> store writer -> board, dispatcher, inquirer.
"""

from actors.alerts import Alerter
from actors.alerts.expected_rules import poor_gateways
from actors.alerts.finding import Finding
from actors.alerts.rules import network_finding, store_finding
from actors.board.board import Board
from actors.board.changes import ActorView, GatewayView, Subject
from actors.calibration.calibrator import CalibrationPorts, Calibrator
from actors.calibration.listening import AirListener
from actors.clocks.clock import ClockNews
from actors.clocks.server_dates import ServerDates
from actors.clocks.timekeeper import Timekeeper
from actors.commands import Commands
from actors.device.actor import DeviceActor, DevicePorts
from actors.device.command import Command
from actors.device.events import DeviceEvent, DispatcherStarted, Inquired, Tick, Transmitted
from actors.device.model import Device
from actors.device.state_timeouts import StateTimeouts
from actors.device.verdict import verdict_of
from actors.downlink import Dispatcher, Suspect
from actors.downlink.airtime_budget import AirtimeCharge
from actors.downlink.airtime_log import AirtimeLog
from actors.environment import Environment, Policies
from actors.fleet import Fleet, FleetPorts, translate
from actors.fleet.device_discovery import DeviceDiscovery, DeviceDiscoveryPorts
from actors.fleet.initialization import Initializer
from actors.fleet.learning import Learning
from actors.fleet.queue_flush import Flusher
from actors.fleet.removal import Removals
from actors.gateways import GatewayWatcher
from actors.gateways.observed import WatchLog
from actors.gateways.outages import OutageLog
from actors.inquirer import Inquirer
from actors.link.air_facts import JoinedFacts
from actors.link.forwarders import Forwarders
from actors.messaging.dead_letters import DeadLetters
from actors.metrics import GarbageWatch, Metrics
from actors.quality.announcer import RiskAnnouncer, grade_told
from actors.quality.quality import Quality
from actors.restored_store import RestoredStoreHold
from actors.rollouts.actor import Rollouts
from actors.rollouts.ports import RolloutPorts
from actors.storage.idempotency import IdempotencyKeys
from actors.storage.store_writer import StoreWriter
from actors.storage.unreadable_records import UnreadableRecords
from actors.supervision import ChildReport, Supervisor
from actors.sweeper import Sweeper
from actors.webhook_watch import WebhookWatch

__all__ = ["Environment", "Parts", "Policies"]


class Parts:
    """Every part, made and not yet running; `start_order.py` has the order in which they start."""

    def __init__(self, environment: Environment, policies: Policies) -> None:
        clock, rng = environment.clock, environment.rng
        self.environment = environment
        self.policies = policies
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
            timeout_s=policies.device.inquiry_timeout_s,
        )
        self.airtime_log = AirtimeLog(clock.host)
        heartbeat_s = policies.device.status_interval_min * 60.0
        self.learning = Learning(self.board, self.store_writer, clock, heartbeat_s=heartbeat_s)
        self.forwarders = Forwarders()
        self.dispatcher = Dispatcher(
            environment.network,
            self._post,
            clock,
            rng,
            policies.dispatch,
            on_started=self._dispatcher_lost_all,
            on_charged=self._air_charged,
            on_suspect=self._suspected,
            on_unproven=self._unproven,
            name_of=self._gateway_name,
            key_refused=lambda: self.watcher.key_refused,
            server_ahead_s=self.dates.ahead_s,
            server_slack_s=lambda: self.dates.slack_s(policies.dispatch.clock_slack_s),
            facts=JoinedFacts(self.learning.learner, self.forwarders),
        )
        self.outages = OutageLog(self.store_writer.offer, clock)
        self.watched = WatchLog(self.store_writer.offer, clock)
        self.watcher = GatewayWatcher(
            environment.network,
            self._gateway_seen,
            clock,
            policies.watch,
            on_change=(self.dispatcher.gateway_changed, self._gateway_news, self.outages.changed),
            on_return=self._gateway_returned,
            airtime=self.dispatcher.airtime,
            on_network=self._network_health,
            on_list=self._gateways_listed,
            lights_heard=self.board.lights_heard,
            takes_nothing_since=self.dispatcher.takes_nothing_since,
            grade=lambda gateway_id: grade_told(self.quality.gateway(gateway_id)),
            pace=self.dispatcher.pace,
        )
        self.lights = Supervisor(
            "lights",
            clock=clock,
            rng=rng,
            dead_letters=self.dead_letters,
            on_change=self.actor_changed,
        )
        self.restored_store = RestoredStoreHold(
            self.board,
            self.dispatcher,
            self.store_writer,
            self._post,
            clock,
            told=self._set_back,
        )
        self.quality = Quality(
            self.board,
            clock,
            note=self.store_writer.offer,
            policy=lambda: self.learning.taught.known_to(policies.device),
            watching=lambda: self.watcher.asked and self.watcher.problem is None,
            tick_s=policies.dispatch.tick_s,
        )
        self.learning.listeners.append(lambda dev_eui, attempt: self.quality.judged(attempt))
        self.learning.listeners.append(self.dispatcher.judged)
        self.light_ports = DevicePorts(
            clock=clock,
            rng=rng,
            policy=policies.device,
            store_writer=self.store_writer,
            board=self.board,
            dispatcher=self.restored_store,
            inquirer=self.inquirer,
            timeouts=self.timeouts,
            boot=environment.boot,
            ended=self._ended,
            gateway_online=self.watcher.is_online,
            missed=self.webhooks.missed,
            judged=self.learning.judged,
            taught=self.learning.taught,
        )
        self.listener = AirListener(
            self.forwarders, lambda: self.board.devices, self.dispatcher.asked_at, clock.steady
        )
        self.fleet = Fleet(
            self.light_actor,
            self.lights,
            FleetPorts(
                transmitted=self._transmitted,
                heard=self.watcher.heard,
                note=self.store_writer.offer,
                dated=self.dates.event,
                dropped=self.dispatcher.dropped,
                refused=self._frame_refused,
                told=self.webhooks.told,
                overheard=self.listener.overheard,
                spoke=self.dispatcher.heard,
            ),
            clock,
            profile_contains=policies.profile_contains,
        )
        self.removals = Removals(
            self.fleet,
            self.board,
            self.store_writer,
            clock,
            forget=(self.dispatcher.withdraw, self.forwarders.forget_light),
        )
        note, flushed = self.store_writer.offer, self.dispatcher.queue_flushed
        self.flusher = Flusher(environment.network, clock, lambda: self.fleet.actors, note, flushed)
        self.device_discovery = DeviceDiscovery(
            environment.network,
            lambda: self.fleet.actors,
            self.fleet.register,
            clock,
            profile_contains=policies.profile_contains,
            chance=rng.random,
            ports=DeviceDiscoveryPorts(
                remove=lambda eui, why, ever: self.removals.remove(eui, why, for_good=ever),
                confirm=self.fleet.confirm,
                provisional=lambda: self.fleet.provisional,
                devices=lambda: self.board.devices,
                post=self.fleet.post,
            ),
        )
        self.fleet.on_provisional = self.device_discovery.look_soon
        self.initializer = Initializer(
            self.board,
            self.fleet.post,
            clock,
            new_id=environment.new_id,
            is_ours=lambda device: self.fleet.is_ours(device.profile_name),
            store_healthy=lambda: self.store_writer.healthy,
        )
        self.commands = Commands(
            self.fleet,
            self.board,
            self.keys,
            self.unreadable,
            environment.store,
            clock,
            new_id=environment.new_id,
            ttl_s=policies.device.command_ttl_s,
        )
        self.restored_store.give = self.commands.give
        self.rollouts = Rollouts(
            RolloutPorts(
                board=self.board,
                store_writer=self.store_writer,
                clock=clock,
                keys=self.keys,
                give=self.commands.give,
                find=self.commands.find,
                new_id=environment.new_id,
            ),
            retention_s=policies.sweep.retention_s,
        )
        held, waits = lambda: self.restored_store.mark is not None, self.dispatcher.statistics
        ports = CalibrationPorts(self.board, self.store_writer, self.fleet.post, waits, held)
        numbers = (policies.dispatch, policies.calibration)
        self.calibrator = Calibrator(ports, self.forwarders, clock, environment.new_id, *numbers)
        self.listener.also = self.calibrator.overheard
        self.sweeper = Sweeper(
            lambda: self.board.devices,
            self.fleet.post,
            self.store_writer.offer,
            environment.store,
            environment.network,
            clock,
            policies.sweep,
            server_date=self.dates.earliest,
        )
        self.alerter = Alerter(
            self.board,
            self.store_writer,
            environment.store,
            clock,
            new_id=environment.new_id,
            notifiers=environment.notifiers,
            policy=policies.alerts,
            conditions=self._conditions,
            gateways_listed=self._gateways_were_listed,
        )
        self.risk_announcer = RiskAnnouncer(self.board, self.quality)
        self.garbage = GarbageWatch(self.metrics.gc_paused)

    def light_actor(self, device: Device) -> DeviceActor:
        """The actor of one light, not yet running."""
        ports = self.environment.hooks.device_ports(device.dev_eui, self.light_ports)
        return DeviceActor(device, ports)

    # The parts made first know those made last by these.

    def _post(self, dev_eui: str, event: DeviceEvent) -> None:
        self.quality.dispatched(dev_eui, event)
        self.fleet.post(dev_eui, event)

    def _showing(self, subject: Subject) -> None:
        if isinstance(subject, Command):
            self.quality.shown(subject)
        if (looking_on := self.environment.hooks.publishing) is not None:
            looking_on(subject)

    def _frame_refused(self, dev_eui: str, problem: str) -> None:
        self.dispatcher.refused(dev_eui, problem)
        self.quality.not_taken(dev_eui, problem)

    def _inquired(self, dev_eui: str, answer: Inquired) -> None:
        self.dispatcher.inquired(dev_eui, answer)

    def _records_unreadable(self, words: str | None) -> None:
        self.alerter.records_unreadable(words)

    def _clock_trouble(self, host: str | None, server: str | None) -> None:
        self.alerter.clock_trouble(host, server)

    def _gateway_seen(self, view: GatewayView) -> None:
        if view.last_seen_at is not None:
            self.dates.told(view.last_seen_at)
        self.board.publish(view)

    def _asked_at(self, queue_item_id: str) -> float | None:
        return self.dispatcher.asked_at(queue_item_id)

    def _clock_changed(self, news: ClockNews) -> None:
        """Whoever waits for a moment waits by Trio's clock, which stands while the host sleeps."""
        self.dispatcher.look()
        self.learning.taught.listening_since += news.stepped_s
        if news.slept_s:
            self.fleet.broadcast(Tick())
            self.webhooks.slept()

    def _dispatcher_lost_all(self) -> None:
        self.fleet.broadcast(DispatcherStarted())

    def _air_charged(self, charges: list[AirtimeCharge]) -> None:
        clock = self.environment.clock
        since_boot = [one._replace(at=clock.elapsed_s(one.at)) for one in charges]
        elapsed_s = clock.elapsed_s(clock.steady())
        self.store_writer.offer(self.airtime_log.charged(since_boot, elapsed_s, clock.now()))

    def _set_back(self, words: str | None) -> None:
        self.alerter.store_set_back(words)

    def _store_health(self, since: float | None) -> None:
        self.alerter.store_failing(since, self.store_writer.problem)

    def _network_health(self, problem: str | None) -> None:
        if problem is None:
            self.dispatcher.network_returned()
        self.alerter.network_problem(problem)

    def _conditions(self) -> list[Finding]:
        """Conditions as they are now, for whoever missed their change."""
        found = [store_finding(self.store_writer.failing_since, self.store_writer.problem)]
        if self.watcher.asked:
            found.append(network_finding(self.watcher.problem))
        poor = poor_gateways(self.quality.gateways(), self.board)
        return [*found, *self.webhooks.findings(), *poor]

    def _gateways_were_listed(self) -> bool:
        return self.watcher.statistics().polled_at is not None

    def _gateways_listed(self, listed: bool) -> None:
        if listed:
            self.watched.listed()
            self.outages.still(self.watcher.is_online)
        else:
            self.watched.failed()

    def _transmitted(self, dev_eui: str, event: Transmitted) -> None:
        self.metrics.frame()
        asked_at = self.dispatcher.asked_at(event.queue_item_id)
        self.quality.transmitted(dev_eui, event.gateway_id, asked_at)
        self.dispatcher.transmitted(dev_eui, event)
        self.watcher.acknowledged(event.gateway_id, event.at)

    def _ended(self, command: Command) -> None:
        verdict = verdict_of(command)
        if verdict is not None:
            self.metrics.verdict(verdict)

    def _gateway_news(self, gateway_id: str, online: bool) -> None:
        self.fleet.gateway_changed(gateway_id, online)

    def _gateway_name(self, gateway_id: str) -> str:
        return self.watcher.name_of(gateway_id)

    def _suspected(self, gateway_id: str, suspect: Suspect | None) -> None:
        self.watcher.suspected(gateway_id)
        if suspect is None:  # what its lights were not given meanwhile is worth a try at once
            self.fleet.gateway_returned(gateway_id)

    def _unproven(self, gateway_id: str, unproven: bool) -> None:
        if not unproven:
            self.fleet.gateway_returned(gateway_id, answered=True)

    def _gateway_returned(self, gateway_id: str) -> None:
        self.dispatcher.gateway_changed(gateway_id, True)
        self.fleet.gateway_returned(gateway_id)

    def actor_changed(self, report: ChildReport) -> None:
        """An actor started, crashed, was parked or stopped."""
        self.metrics.actor_changed(report)
        self.board.publish(ActorView(report.id, report.state, report.restarts, report.last_error))
        self.environment.hooks.actor_changed(report)
