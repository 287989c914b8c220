"""What runs once for a fleet, however many processes serve it: made and joined here.

Embedded it is made once, beside everything else. In a cluster it is made anew each time that this
process takes the fleet's own shard, and runs only where that shard lives; the lights' actors are
reached through `Lights`, wherever they run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from actors.alerts import Alerter
from actors.alerts.expected_rules import poor_gateways
from actors.alerts.finding import Finding
from actors.alerts.rules import network_finding, store_finding
from actors.board.board import Board
from actors.board.changes import GatewayView
from actors.board.outlook import RiskTold
from actors.board.plan import PlanHead, PlanRemoved
from actors.calibration.calibrator import CalibrationPorts, Calibrator
from actors.calibration.listening import AirListener
from actors.clocks.server_dates import ServerDates
from actors.commands import Commands
from actors.device.events import DeviceEvent, Transmitted
from actors.device.firmware import Taught
from actors.downlink import Dispatcher, Suspect
from actors.downlink.airtime_budget import AirtimeCharge
from actors.downlink.airtime_log import AirtimeLog
from actors.environment import Environment, IntegrationPorts, Policies
from actors.fleet.device_discovery import DeviceDiscovery, DeviceDiscoveryPorts
from actors.fleet.initialization import Initializer
from actors.fleet.learning import Learning
from actors.fleet.lights import Lights
from actors.fleet.queue_flush import Flusher
from actors.gateways import GatewayWatcher
from actors.gateways.observed import WatchLog
from actors.gateways.outages import OutageLog
from actors.link.air_facts import JoinedFacts
from actors.link.forwarders import Forwarders
from actors.metrics import Metrics
from actors.outgoing.actor import Outgoing, OutgoingPorts
from actors.plans.actor import Plans
from actors.quality.announcer import RiskAnnouncer, grade_told
from actors.quality.quality import Quality
from actors.restored_store import RestoredStoreHold
from actors.rollouts.actor import Rollouts
from actors.rollouts.ports import RolloutPorts
from actors.scenes import told
from actors.scenes.actor import ScenePorts, Scenes
from actors.storage.audit import AuditLog
from actors.storage.idempotency import IdempotencyKeys
from actors.storage.store_writer import StoreWriter
from actors.sweeper import Sweeper
from actors.webhook_watch import WebhookWatch
from lorawan.network import NetworkServer
from store.engine.shards import FLEET


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetwidePorts:
    """What the process gives to what runs once for the fleet."""

    environment: Environment
    policies: Policies
    network: NetworkServer
    """ChirpStack; in a cluster nothing goes out through it unless the fleet's lease is valid."""
    metrics: Metrics
    board: Board
    store_writer: StoreWriter
    dates: ServerDates
    webhooks: WebhookWatch
    taught: Taught
    keys: IdempotencyKeys
    commands: Commands
    lights: Lights
    audit: AuditLog
    show_gateway: Callable[[GatewayView], None]
    show_risk: Callable[[str, RiskTold], None]
    show_plan: Callable[[PlanHead | PlanRemoved], None]
    alone: bool = True
    """Whether this process alone serves the fleet; else each process sweeps its own lights."""
    may_hand_over: Callable[[], bool] = lambda: True
    """Whether downlinks may be begun now: whether the fleet's lease surely holds."""
    conditions: Callable[[], Sequence[Finding]] = tuple
    """What else may be worth an alert: of a cluster, say."""


class Fleetwide:
    """Every such part, made and not yet running; `start_order.py` has their order."""

    def __init__(self, ports: FleetwidePorts) -> None:
        self.ports = ports
        environment, policies, board = ports.environment, ports.policies, ports.board
        clock, rng, network = environment.clock, environment.rng, ports.network
        store_writer, lights = ports.store_writer, ports.lights
        self.airtime_log = AirtimeLog(clock.host)
        heartbeat_s = policies.device.status_interval_min * 60.0
        self.learning = Learning(
            board, store_writer, clock, heartbeat_s=heartbeat_s, taught=ports.taught
        )
        self.forwarders = Forwarders()
        self.dispatcher = Dispatcher(
            network,
            self._post,
            clock,
            rng,
            policies.dispatch,
            on_started=lights.dispatcher_started,
            on_charged=self._air_charged,
            on_suspect=self._suspected,
            on_unproven=self._unproven,
            name_of=self._gateway_name,
            key_refused=lambda: self.watcher.key_refused,
            server_ahead_s=ports.dates.ahead_s,
            server_slack_s=lambda: ports.dates.slack_s(policies.dispatch.clock_slack_s),
            facts=JoinedFacts(self.learning.learner, self.forwarders),
            may_hand_over=ports.may_hand_over,
        )
        self.outages = OutageLog(store_writer.offer, clock)
        self.watched = WatchLog(store_writer.offer, clock)
        self.watcher = GatewayWatcher(
            network,
            self._gateway_seen,
            clock,
            policies.watch,
            on_change=(
                self.dispatcher.gateway_changed,
                lights.gateway_changed,
                self.outages.changed,
            ),
            on_return=self._gateway_returned,
            airtime=self.dispatcher.airtime,
            on_network=self._network_health,
            on_list=self._gateways_listed,
            shown=board.gateways.values,
            lights_heard=board.lights_heard,
            takes_nothing_since=self.dispatcher.takes_nothing_since,
            grade=lambda gateway_id: grade_told(self.quality.gateway(gateway_id)),
            pace=self.dispatcher.pace,
        )
        self.restored_store = RestoredStoreHold(
            board,
            self.dispatcher,
            store_writer,
            self._post,
            clock,
            told=self._set_back,
        )
        self.restored_store.give = ports.commands.give
        self.quality = Quality(
            board,
            clock,
            note=store_writer.offer,
            policy=lambda: ports.taught.known_to(policies.device),
            watching=lambda: self.watcher.asked and self.watcher.problem is None,
            tick_s=policies.dispatch.tick_s,
        )
        self.learning.listeners.append(lambda dev_eui, attempt: self.quality.judged(attempt))
        self.learning.listeners.append(self.dispatcher.judged)
        self.listener = AirListener(
            self.forwarders, lambda: board.devices, self.dispatcher.asked_at, clock.steady
        )
        self.flusher = Flusher(
            network,
            clock,
            lambda: lights.known,
            store_writer.offer,
            self.dispatcher.queue_flushed,
        )
        self.device_discovery = DeviceDiscovery(
            network,
            lambda: lights.known,
            lights.register,
            clock,
            profile_contains=policies.profile_contains,
            chance=rng.random,
            ports=DeviceDiscoveryPorts(
                remove=lambda eui, why, ever: lights.remove(eui, why, for_good=ever),
                confirm=lights.confirm,
                provisional=lambda: lights.provisional,
                devices=lambda: board.devices,
                post=lights.post,
            ),
        )
        self.initializer = Initializer(
            board,
            lights.post,
            clock,
            new_id=environment.new_id,
            is_ours=lambda device: lights.is_ours(device.profile_name),
            store_healthy=lambda: store_writer.healthy,
        )
        self.rollouts = Rollouts(
            RolloutPorts(
                board=board,
                store_writer=store_writer,
                clock=clock,
                keys=ports.keys,
                give=ports.commands.give,
                find=ports.commands.find,
                new_id=environment.new_id,
            ),
            retention_s=policies.sweep.retention_s,
        )
        self.plans = Plans(
            store_writer, clock, ports.show_plan, lambda: board.plans, environment.new_id
        )
        self.scenes = Scenes(
            ScenePorts(
                board=board,
                store_writer=store_writer,
                clock=clock,
                begin=self.rollouts.create,
                difference=ports.dates.difference,
                time_zone=policies.time_zone,
                new_id=environment.new_id,
                dealt_with=told.into(ports.audit),
            )
        )
        self.outgoing = Outgoing(
            OutgoingPorts(
                board=board,
                store=environment.store,
                store_writer=store_writer,
                clock=clock,
                rng=rng,
                sender=environment.sender,
                new_id=environment.new_id,
                alone=ports.alone,
            )
        )
        held, waits = lambda: self.restored_store.mark is not None, self.dispatcher.statistics
        self.calibrator = Calibrator(
            CalibrationPorts(board, store_writer, lights.post, waits, held),
            self.forwarders,
            clock,
            environment.new_id,
            policies.dispatch,
            policies.calibration,
        )
        self.listener.also = self.calibrator.overheard
        self.sweeper = Sweeper(
            lambda: board.devices,
            lights.post,
            store_writer.offer,
            environment.store,
            network,
            clock,
            policies.sweep,
            server_date=ports.dates.earliest,
            nudges=ports.alone,
        )
        self.alerter = Alerter(
            board,
            store_writer,
            clock,
            new_id=environment.new_id,
            notifiers=environment.notifiers,
            policy=policies.alerts,
            conditions=self._conditions,
            gateways_listed=self._gateways_were_listed,
        )
        self.risk_announcer = RiskAnnouncer(board, self.quality, ports.show_risk)
        ours = IntegrationPorts(board, ports.commands, clock, ports.audit, ports.alone)
        self.integrations = {name: make(ours) for name, make in environment.integrations.items()}

    # What a process tells of the network and of its lights.

    def transmitted(self, dev_eui: str, event: Transmitted) -> None:
        """A txack, before its light hears of it."""
        self.ports.metrics.frame()
        asked_at = self.dispatcher.asked_at(event.queue_item_id)
        self.quality.transmitted(dev_eui, event.gateway_id, asked_at)
        self.dispatcher.transmitted(dev_eui, event)
        self.watcher.acknowledged(event.gateway_id, event.at)

    def frame_refused(self, dev_eui: str, problem: str) -> None:
        """A gateway would not send a frame for this light."""
        self.dispatcher.refused(dev_eui, problem)
        self.quality.not_taken(dev_eui, problem)

    def light_removed(self, dev_eui: str) -> None:
        """A light is known no longer."""
        self.dispatcher.withdraw(dev_eui)
        self.forwarders.forget_light(dev_eui)

    # How its parts hear of each other.

    def _post(self, dev_eui: str, event: DeviceEvent) -> None:
        self.quality.dispatched(dev_eui, event)
        self.ports.lights.post(dev_eui, event)

    def _gateway_seen(self, view: GatewayView) -> None:
        if view.last_seen_at is not None:
            self.ports.dates.told(view.last_seen_at)
        self.ports.show_gateway(view)

    def _air_charged(self, charges: list[AirtimeCharge]) -> None:
        clock = self.ports.environment.clock
        since_boot = [one._replace(at=clock.elapsed_s(one.at)) for one in charges]
        elapsed_s = clock.elapsed_s(clock.steady())
        self.ports.store_writer.offer(self.airtime_log.charged(since_boot, elapsed_s, clock.now()))

    def _set_back(self, words: str | None) -> None:
        self.alerter.store_set_back(words)

    def _network_health(self, problem: str | None) -> None:
        if problem is None:
            self.dispatcher.network_returned()
        self.alerter.network_problem(problem)

    def _conditions(self) -> list[Finding]:
        """Conditions as they are now, for whoever missed their change."""
        writer = self.ports.store_writer
        found = [store_finding(writer.failing_since, writer.problem)]
        if self.watcher.asked:
            found.append(network_finding(self.watcher.problem))
        poor = poor_gateways(self.quality.gateways(), self.ports.board)
        more = self.ports.conditions()
        told = [*self.scenes.findings(), *self.outgoing.findings()]
        for integration in self.integrations.values():
            told += integration.findings()
        return [*found, *self.ports.webhooks.findings(), *poor, *told, *more]

    def _gateways_were_listed(self) -> bool:
        return self.watcher.statistics().polled_at is not None

    def _gateways_listed(self, listed: bool) -> None:
        if listed:
            self.watched.listed()
            self.outages.still(self.watcher.is_online)
        else:
            self.watched.failed()

    def _gateway_name(self, gateway_id: str) -> str:
        return self.watcher.name_of(gateway_id)

    def _suspected(self, gateway_id: str, suspect: Suspect | None) -> None:
        self.watcher.suspected(gateway_id)
        if suspect is None:  # what its lights were not given meanwhile is worth a try at once
            self.ports.lights.gateway_returned(gateway_id)

    def _unproven(self, gateway_id: str, unproven: bool) -> None:
        if not unproven:
            self.ports.lights.gateway_returned(gateway_id, answered=True)

    def _gateway_returned(self, gateway_id: str) -> None:
        self.dispatcher.gateway_changed(gateway_id, True)
        self.ports.lights.gateway_returned(gateway_id)


class NotHere(Exception):
    """What was asked for runs in another process, or nowhere just now: where `shard` lives."""

    def __init__(self, words: str, shard: str = FLEET) -> None:
        super().__init__(words)
        self.shard = shard
