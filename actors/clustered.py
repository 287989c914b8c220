"""The parts of one of the processes that serve a fleet together, made and joined.

Each has the board of the whole fleet, takes any request and any event, and runs the lights of the
shards that it owns; whoever owns the fleet's own shard also runs what there is once, made anew at
each take (`fleetwide.py`). They tell each other by the engine only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import trio

from actors.board.changes import ActorView, DeviceRemoved, Subject
from actors.cluster.apart import Apart, apart
from actors.cluster.commands import ClusterCommands, marked_again
from actors.cluster.desk import ByTheRecord
from actors.cluster.events_told import EventsTold
from actors.cluster.failover_told import FailoverTold
from actors.cluster.flow import Flow, FlowPorts
from actors.cluster.intake import for_fleet
from actors.cluster.keeper import Keeper, KeeperPorts, KeeperTimes
from actors.cluster.keeper.view import Owned
from actors.cluster.lost_ends import LostEnds
from actors.cluster.messages import (
    ActorTold,
    AuditTold,
    InquiryAnswered,
    Judged,
    LightForgotten,
    LightHeardUnlisted,
)
from actors.cluster.network_sight import NetworkSight
from actors.cluster.release import installed_version
from actors.cluster.shard_home import FleetwidePart, ShardHome
from actors.cluster.sight import ClusterWatch, SightPorts, after_failovers
from actors.device.actor import DevicePorts
from actors.device.events import Inquired
from actors.device.model import Device
from actors.device.records import device_put, light_puts
from actors.environment import Environment, Policies
from actors.event_stream.sharded import ShardedPorts, ShardedStream
from actors.fleet import actor_id
from actors.fleet.event_memory import EventMemory
from actors.link.judgement import AttemptJudged
from actors.link.learner import KEY as LEARNED
from actors.link.learner import Learner
from actors.once import FLEETWIDE, Once
from actors.storage import record_version
from actors.storage.audit import AuditEntry
from actors.storage.store_writer import SHARED_RETRY
from actors.supervision import ChildReport, ChildState, Supervisor
from actors.sweeper import Sweeper
from actors.wiring import ProcessParts
from lorawan.events import Event
from store.engine.port import Lease, Member, Snapshot
from store.engine.shards import FLEET, shard_of
from store.port import Put, Record, Table
from store.shards import ShardStore

FRESH_S = 15.0
"""For the newest of all lights: the dispatcher has to know what may be in flight. A part of the
engine that is away longer than a fail-over takes holds up its own lights only."""
LIGHT_ACTOR = actor_id("")
"""How the ids of lights' actors begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterOptions:
    """How this process takes part."""

    name: str
    """Of this process, for people."""
    expected: int = 0
    """Processes that there should be; 0: any number."""
    need: int = 0
    """Replicas that confirm each commit, as shown."""
    clock_ahead_s: float = 0.0
    """Of the machine's clock before the engine's, at the start."""
    times: KeeperTimes = field(default_factory=KeeperTimes)


class ClusterParts(ProcessParts):
    """`environment.store` is `store`; its engine is the cluster's."""

    ALONE = False

    def __init__(
        self,
        environment: Environment,
        policies: Policies,
        store: ShardStore,
        options: ClusterOptions,
    ) -> None:
        super().__init__(environment, policies)
        self.store_writer.retry = SHARED_RETRY
        clock, rng, engine = environment.clock, environment.rng, store.engine
        self.store = store
        self.root: Supervisor | None = None
        """Under which it runs, once it does."""
        self._once: Once | None = None
        self._knowledge: dict[str, Record] = {}
        self.flow = Flow(
            FlowPorts(
                engine=engine,
                need=options.need,
                boot=environment.boot,
                clock=clock,
                rng=rng,
                board=self.board,
                dead_letters=self.dead_letters,
                lights=self.fleet,
                deliver=self.fleet.deliver,
                ours=self._is_ours,
                store_writer=self.store_writer,
                remove=lambda dev_eui, why, ever: self.removals.remove(dev_eui, why, for_good=ever),
                owner=self._owner,
                ended=self._ended,
                profile_contains=policies.profile_contains,
                rang=lambda shard: self.keeper.rang(shard),  # noqa: PLW0108 - made after this
                meta=self._learned,
                known_s=lambda shard: self.keeper.known_s(shard),  # noqa: PLW0108 - likewise
            )
        )
        self.fleet.on_provisional = self._heard_unlisted
        self.fleet.on_new = self._store_new
        self._sharded = self._sharded_stream(environment)
        self.home = ShardHome(
            store,
            self.store_writer,
            self.fleet,
            self.flow,
            self.unreadable,
            FleetwidePart(
                begin=self._begin_fleetwide, rest=self._rest_fleetwide, end=self._end_fleetwide
            ),
            odd=lambda: self.sweeper.spare(Table.COMMAND),
            began=self._well_again,
            events=self._sharded,
        )
        self.keeper = Keeper(
            engine,
            Member(
                environment.boot,
                options.name,
                installed_version(),
                0,
                clock_ahead_s=options.clock_ahead_s,
                records=record_version.VERSION,
            ),
            KeeperPorts(
                taken=self.home.taken,
                set_back=self.home.set_back,
                leave=self.home.leave,
                fenced=self.home.fenced,
                looking=self.flow.looking,
                looked=self._looked,
                failed=store.doubt,
                sees_network=lambda: self.network_sight.sees,
                can_serve=self._can_serve,
            ),
            clock,
            options.times,
        )
        self._lost_ends = LostEnds(
            engine, self.board, clock, self.home.knows, store.announce, store.read
        )
        failovers = FailoverTold(options.name, environment.boot, self.flow.router.to_fleet)
        store.listen(
            marks=lambda shard: (self.flow.inbox.place(shard), self._source_mark(shard)),
            fenced=self.keeper.told_fenced,
            retaken=self._retaken,
            lost=failovers.lost,
            replayed=failovers.replayed,
            records=self._records,
            lost_ends=self._lost_ends.of,
            accepted_again=marked_again,
            accepted=self.flow.inbox.accepted,
            doubted=self.flow.inbox.step_back,
            alone=lambda: self.keeper.is_alone,
            known_s=self.keeper.known_s,
        )
        self.commands = ClusterCommands(
            self.board,
            self.unreadable,
            store,
            clock,
            post=self.flow.router.to_light,
            post_in_order=self.flow.router.to_light_in_order,
            flush=lambda dev_eui: self.store_writer.flush(shard_of(dev_eui)),
            new_id=environment.new_id,
            ttl_s=policies.device.command_ttl_s,
        )
        self.sight = self._watch = ClusterWatch(
            self.board,
            clock,
            SightPorts(
                view=self.keeper.view,
                followed=self.flow.follower,
                problem=lambda: self.store_writer.problem,
                warnings=lambda: store.durability_warnings,
                need=options.need,
                expected=options.expected,
                lease_s=self.keeper.times.ttl_s,
                after_failovers=lambda: after_failovers(store.statistics()),
                counted=self.flow.counted,
            ),
        )
        self.network_sight = NetworkSight(environment.network, self._watched)
        self.events_told = EventsTold(
            options.name,
            self.events.findings,
            self.flow.router.to_fleet,
            here=lambda: self._once is not None,
        )
        self.sweeper = Sweeper(
            lambda: {one: actor.device for one, actor in self.fleet.actors.items()},
            self.fleet.post,
            self.store_writer.offer,
            store,
            environment.network,
            clock,
            policies.sweep,
            server_date=self.dates.earliest,
            reads_queues=False,
        )
        self.light_ports = DevicePorts(
            clock=clock,
            rng=rng,
            policy=policies.device,
            store_writer=self.store_writer,
            board=self.board,
            dispatcher=ByTheRecord(),
            inquirer=self.inquirer,
            timeouts=self.timeouts,
            boot=environment.boot,
            ended=self._ended,
            gateway_online=self._gateway_online,
            missed=self.webhooks.missed,
            judged=self._judged,
            taught=self.taught,
            ended_as=self._lost_ends.shown,
        )

    def _sharded_stream(self, environment: Environment) -> ShardedStream | None:
        """ChirpStack's stream for the shards of this process, where it can be read."""
        if environment.events is None:
            return None
        fleet = self.fleet
        fleet.memory = memory = EventMemory(environment.clock.steady)
        ports = ShardedPorts(
            here=self.flow.inbox.reads,
            is_ours=lambda dev_eui, profile: (
                dev_eui in self.board.devices or fleet.is_ours(profile)
            ),
            actors=lambda: fleet.actors,
            light=lambda event, past: fleet.deliver(event, past=past),
            fleet=self._stream_fleet,
            memory=memory,
            stopped=lambda: not self._can_serve(),
        )
        sharded = ShardedStream(environment.events, ports, environment.clock, environment.rng)
        self.events.stream = sharded.stream
        return sharded

    def _stream_fleet(self, event: Event, past: bool) -> None:
        if for_fleet(event):
            self.flow.fleet_event(event, past)

    def _source_mark(self, shard: str) -> str:
        return "" if self._sharded is None else self._sharded.mark(shard)

    async def keep(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Take part, once the board shows the whole fleet; until cancelled."""
        await self.flow.follower.wait_fresh(FRESH_S)
        await self.keeper.run(task_status)

    def apart(self) -> Apart:
        """What keeps this process from the others."""
        now = self.environment.clock.now()
        return apart(self.keeper.view(), now, self.flow.follower)

    # ---------------------------------------------------------------- what runs once for the fleet

    async def _begin_fleetwide(self, snapshot: Snapshot) -> None:
        assert self.root is not None  # noqa: S101 - the keeper runs under it
        await self.flow.follower.wait_fresh(FRESH_S)
        once = Once(self, self.flow, lambda: self.keeper.may_begin(FLEET), self._watch.failover)
        await once.restore(snapshot)
        self._once, self.fleetwide_here = once, once.its
        await once.start(self.root)
        self.flow.fleet_here(once.side, once.desk)

    async def _rest_fleetwide(self) -> None:
        if self._once is not None:
            await self._once.network.rest()

    async def _end_fleetwide(self) -> None:
        self.flow.fleet_gone()
        once, self._once, self.fleetwide_here = self._once, None, None
        if once is not None and self.root is not None:
            try:
                await self.root.stop_child(FLEETWIDE, "the fleet's shard is left")
            finally:
                once.left()

    # ---------------------------------------------------------------- how its parts hear of others

    def _audited(self, entry: AuditEntry) -> None:
        self.flow.router.to_fleet(AuditTold(entry))

    def _light_removed(self, dev_eui: str) -> None:
        self.flow.router.to_fleet(LightForgotten(dev_eui))

    def _inquired(self, dev_eui: str, answer: Inquired) -> None:
        self.flow.router.to_fleet(InquiryAnswered(dev_eui, answer))

    def _judged(self, dev_eui: str, judgement: AttemptJudged) -> None:
        self.flow.router.to_fleet(Judged(dev_eui, judgement))

    def _heard_unlisted(self, dev_eui: str) -> None:
        self.flow.router.to_fleet(LightHeardUnlisted(dev_eui))

    def _store_new(self, device: Device) -> None:
        """Others know it by its record only; a command for it is refused until there is one."""
        self.store_writer.offer([device_put(device, self.environment.clock.now())])

    def _is_ours(self, event: Event) -> bool:
        device = event.device
        known = device.dev_eui in self.board.devices
        return known or self.fleet.is_ours(device.device_profile_name)

    def _gateway_online(self, gateway_id: str) -> bool | None:
        view = self.board.gateways.get(gateway_id)
        return None if view is None else view.online

    def _owner(self, shard: str) -> str:
        found = next((one for one in self.keeper.view().shards if one.shard == shard), None)
        return found.owner if found is not None and found.owned is Owned.OWNED else ""

    def _watched(self) -> bool | None:
        return None if self._once is None else self._once.its.watcher.problem is None

    def _well_again(self, dev_euis: Sequence[str]) -> None:
        """Their actors begin anew here, whatever was told of them where they ran before."""
        for dev_eui in dev_euis:
            view = self.board.actors.get(actor_id(dev_eui))
            if view is not None:
                self.flow.router.to_fleet(
                    ActorTold(msgspec.structs.replace(view, state=ChildState.RUNNING))
                )

    def actor_changed(self, report: ChildReport) -> None:
        """An actor started, crashed, was parked or stopped; that of a light is told to whoever
        alerts, for one that is parked lives nowhere else."""
        troubled = report.id in self.board.actors
        super().actor_changed(report)
        if report.id.startswith(LIGHT_ACTOR) and (troubled or report.id in self.board.actors):
            view = ActorView(report.id, report.state, report.restarts, report.last_error)
            self.flow.router.to_fleet(ActorTold(view))

    def _retaken(self, shard: str, lease: Lease) -> None:
        self.keeper.told_retaken(shard, lease)
        self.flow.stepped_back([shard])
        self.flow.light_side.begin(lambda: self._lost_ends.show(shard))

    def _looked(self, leases: Mapping[str, Lease]) -> None:
        self.store.observed(leases)
        self.flow.looked(leases)

    def _can_serve(self) -> bool:
        return self.store_writer.stopped_since is None

    def _records(self, shard: str) -> Sequence[Put]:
        """The lights of a shard as they are in memory, which is newer than what is stored; none
        before they were read: what is shown until then may be older."""
        if not self.home.knows(shard):
            return ()
        now, devices = self.environment.clock.now(), self.board.devices
        here = (devices[dev_eui] for dev_eui in self.board.lights_in(shard))
        return [put for one in here for put in light_puts(one, now)]

    def _learned(self, put: Put) -> None:
        """What the fleet's owner learned of the air, for the lights of this process."""
        if self.fleetwide_here is None and put.key.startswith(LEARNED):
            self._knowledge[put.key] = Record(put.key, put.value, put.at)
            learner = Learner()
            learner.restore(self._knowledge.values())
            self.taught.learned(learner.knowledge)

    def _showing(self, subject: Subject) -> None:
        super()._showing(subject)
        self.flow.showing(subject)
        if self._once is not None and isinstance(subject, DeviceRemoved):
            self._once.light_forgotten(subject.dev_eui)
