"""The parts of one of the processes that serve a fleet together, made and joined.

Each has the board of the whole fleet, takes any request and any event, and runs the lights of the
shards that it owns; whoever owns the fleet's own shard also runs what there is once, made anew at
each take (`fleetwide.py`). They tell each other by the engine only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog
import trio

from actors.board.changes import DeviceRemoved, GatewayView, Subject
from actors.board.outlook import RiskTold
from actors.cluster import views
from actors.cluster.commands import ClusterCommands
from actors.cluster.desk import Desk
from actors.cluster.fleet_side import FleetSide, FleetSidePorts
from actors.cluster.flow import Flow, FlowPorts
from actors.cluster.guarded_network import GuardedNetwork
from actors.cluster.keeper import Keeper, KeeperPorts, KeeperTimes
from actors.cluster.keeper.view import Owned
from actors.cluster.messages import (
    InquiryAnswered,
    Judged,
    LightForgotten,
    LightHeardUnlisted,
)
from actors.cluster.release import installed_version
from actors.cluster.shard_home import FleetwidePart, ShardHome
from actors.cluster.sight import ClusterWatch, SightPorts
from actors.device.actor import DevicePorts
from actors.device.events import Inquired
from actors.device.model import Attempt, Hearing
from actors.device.records import command_record, device_put
from actors.environment import Environment, Policies
from actors.fleet import NetworkEars
from actors.fleetwide import Fleetwide, FleetwidePorts
from actors.link.judgement import AttemptJudged
from actors.link.learner import KEY as LEARNED
from actors.link.learner import Learner
from actors.start_order import after_lights, before_lights
from actors.startup import read_keys, restore_fleetwide
from actors.storage.idempotency import IdempotencyKeys
from actors.supervision import Supervisor
from actors.sweeper import Sweeper
from actors.wiring import ProcessParts
from lorawan.events import Event
from store.engine.port import Lease, Member, Snapshot
from store.engine.shards import FLEET, shard_of
from store.port import Put, Record, Table
from store.shards import ShardStore

log = structlog.get_logger()

FLEETWIDE = "fleetwide"
"""The supervisor of what runs once for the fleet, where it runs."""
RECORDS = 1
"""The form of records that this version reads (`record_version.py`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterOptions:
    """How this process takes part."""

    name: str
    """Of this process, for people."""
    need: int = 0
    """Replicas that confirm each commit, as shown."""
    clock_ahead_s: float = 0.0
    """Of the machine's clock before the engine's, at the start."""
    times: KeeperTimes = field(default_factory=KeeperTimes)


class ByTheRecord:
    """The dispatcher, to a light of a cluster: its stored record is what is submitted."""

    def submit(self, dev_eui: str, attempt: Attempt, hearings: tuple[Hearing, ...]) -> None:
        """Nothing: see `Desk`."""

    def withdraw(self, dev_eui: str) -> None:
        """Nothing: see `Desk`."""


class ClusterParts(ProcessParts):
    """`environment.store` is `store`; its engine is the cluster's."""

    def __init__(
        self,
        environment: Environment,
        policies: Policies,
        store: ShardStore,
        options: ClusterOptions,
    ) -> None:
        super().__init__(replace(environment, events=None), policies)
        clock, rng, engine = environment.clock, environment.rng, store.engine
        self.store = store
        self.root: Supervisor | None = None
        """Under which it runs, once it does."""
        self._once: Once | None = None
        self._knowledge: dict[str, Record] = {}
        self.flow = Flow(
            FlowPorts(
                engine=engine,
                boot=environment.boot,
                clock=clock,
                rng=rng,
                board=self.board,
                dead_letters=self.dead_letters,
                lights=self.fleet,
                deliver=self.fleet.deliver,
                ours=self._is_ours,
                note=self.store_writer.offer,
                remove=lambda dev_eui, why, ever: self.removals.remove(dev_eui, why, for_good=ever),
                owner=self._owner,
                profile_contains=policies.profile_contains,
                rang=lambda shard: self.keeper.rang(shard),  # noqa: PLW0108 - made after this
                meta=self._learned,
            )
        )
        self.fleet.on_provisional = self._heard_unlisted
        self.home = ShardHome(
            store,
            self.store_writer,
            self.fleet,
            self.flow,
            self.unreadable,
            FleetwidePart(
                begin=self._begin_fleetwide, rest=self._rest_fleetwide, end=self._end_fleetwide
            ),
        )
        self.keeper = Keeper(
            engine,
            Member(
                environment.boot,
                options.name,
                installed_version(),
                0,
                clock_ahead_s=options.clock_ahead_s,
                records=RECORDS,
            ),
            KeeperPorts(
                taken=self.home.taken,
                set_back=self.home.set_back,
                leave=self.home.leave,
                fenced=self.home.fenced,
                looked=self._looked,
                sees_network=self._sees_network,
                can_serve=self._can_serve,
            ),
            clock,
            options.times,
        )
        store.listen(
            marks=lambda shard: (self.flow.inbox.mark(shard), ""),
            fenced=self.keeper.told_fenced,
            retaken=self.keeper.told_retaken,
            records=self._records,
        )
        self.commands = ClusterCommands(
            self.board,
            self.unreadable,
            store,
            clock,
            post=self.flow.router.to_light,
            new_id=environment.new_id,
            ttl_s=policies.device.command_ttl_s,
        )
        self.sight = ClusterWatch(
            self.board,
            clock,
            SightPorts(
                view=self.keeper.view,
                followed=self.flow.follower,
                problem=lambda: self.store_writer.problem,
                warnings=lambda: store.durability_warnings,
                need=options.need,
                lease_s=self.keeper.times.ttl_s,
            ),
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
        )

    async def keep(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Take part, once the board shows the whole fleet; until cancelled."""
        task_status.started()
        await self.flow.follower.wait_fresh()
        await self.keeper.run(trio.TASK_STATUS_IGNORED)

    # ---------------------------------------------------------------- what runs once for the fleet

    async def _begin_fleetwide(self, snapshot: Snapshot) -> None:
        assert self.root is not None  # noqa: S101 - the keeper runs under it
        await self.flow.follower.wait_fresh()
        once = Once(self)
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
            await self.root.stop_child(FLEETWIDE, "the fleet's shard is left")

    # ---------------------------------------------------------------- how its parts hear of others

    def _light_removed(self, dev_eui: str) -> None:
        self.flow.router.to_fleet(LightForgotten(dev_eui))

    def _inquired(self, dev_eui: str, answer: Inquired) -> None:
        self.flow.router.to_fleet(InquiryAnswered(dev_eui, answer))

    def _judged(self, dev_eui: str, judgement: AttemptJudged) -> None:
        self.flow.router.to_fleet(Judged(dev_eui, judgement))

    def _heard_unlisted(self, dev_eui: str) -> None:
        self.flow.router.to_fleet(LightHeardUnlisted(dev_eui))

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

    def _sees_network(self) -> bool:
        once = self._once
        return once is None or once.its.watcher.problem is None

    def _looked(self, leases: Mapping[str, Lease]) -> None:
        self.store.observed(leases)
        self.flow.looked(leases)

    def _can_serve(self) -> bool:
        return self.store_writer.stopped_since is None

    def _records(self, shard: str) -> Sequence[Put]:
        """The lights of a shard as they are in memory, which is newer than what is stored."""
        now, board = self.environment.clock.now(), self.board
        lights = [one for one in board.devices.values() if shard_of(one.dev_eui) == shard]
        puts = [device_put(one, now) for one in lights]
        for light in lights:
            if light.command is not None:
                record = command_record(light.command)
                puts.append(Put(Table.COMMAND, light.command.id, record, now))
        return puts

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
            self._once.its.light_removed(subject.dev_eui)


class Once:
    """What runs once for the fleet, with what stands between it and the other processes."""

    def __init__(self, parts: ClusterParts) -> None:
        self._parts = parts
        environment, clock = parts.environment, parts.environment.clock
        self._clock = clock
        self.network = GuardedNetwork(environment.network, lambda: parts.keeper.may_begin(FLEET))
        self._keys = IdempotencyKeys()
        self.its = its = Fleetwide(
            FleetwidePorts(
                environment=environment,
                policies=parts.policies,
                network=self.network,
                metrics=parts.metrics,
                board=parts.board,
                store_writer=parts.store_writer,
                dates=parts.dates,
                webhooks=parts.webhooks,
                taught=parts.taught,
                keys=self._keys,
                commands=parts.commands,
                lights=parts.flow.lights,
                show_gateway=self._show_gateway,
                show_risk=self._show_risk,
                alone=False,
                conditions=parts.sight.findings,
            )
        )
        self.desk = Desk(its.restored_store)
        self.side = FleetSide(
            FleetSidePorts(
                ears=NetworkEars(
                    transmitted=its.transmitted,
                    transmitted_before=its.dispatcher.transmitted_before,
                    heard=its.watcher.heard,
                    dropped=its.dispatcher.dropped,
                    refused=its.frame_refused,
                    overheard=its.listener.overheard,
                    spoke=its.dispatcher.heard,
                ),
                is_ours=lambda dev_eui, profile: (
                    dev_eui in parts.board.devices or parts.fleet.is_ours(profile)
                ),
                dated=parts.dates.event,
                inquired=its.dispatcher.inquired,
                judged=its.learning.judged,
                unlisted=self._unlisted,
                flushed=its.dispatcher.queue_flushed,
                forgotten=its.light_removed,
                carried=parts.flow.carrier.take,
            ),
            clock,
        )
        self.supervisor = Supervisor(
            FLEETWIDE,
            [*before_lights(its), *after_lights(its)],
            clock=clock,
            rng=environment.rng,
            dead_letters=parts.dead_letters,
            on_change=parts.actor_changed,
        )

    async def restore(self, snapshot: Snapshot) -> None:
        """Put back what the store knows. Raises StoreError."""
        parts = self._parts
        keys = read_keys(self._keys, parts.unreadable, snapshot.tables[Table.IDEMPOTENCY])
        self._keys.restore(keys, self._clock.now())
        devices = list(parts.board.devices.values())
        await restore_fleetwide(self.its, parts.unreadable, snapshot.tables[Table.META], devices)

    async def start(self, root: Supervisor) -> None:
        """Run it under the root, and hand the dispatcher what is open."""
        started = trio.Event()

        async def run(task_status: trio.TaskStatus[None]) -> None:
            async with trio.open_nursery() as nursery:
                await nursery.start(self.supervisor.run)
                started.set()
                task_status.started()

        root.start_child(replace(self.supervisor.as_child(), start=run))
        await started.wait()

    def _unlisted(self, dev_eui: str) -> None:
        self._parts.flow.lights.heard_unlisted(dev_eui)
        self.its.device_discovery.look_soon()

    def _show_gateway(self, view: GatewayView) -> None:
        parts = self._parts
        parts.board.publish(view)
        parts.store_writer.offer([views.gateway_put(view, self._clock.now())])

    def _show_risk(self, dev_eui: str, risk: RiskTold) -> None:
        parts = self._parts
        parts.board.tell_risk(dev_eui, risk)
        parts.store_writer.offer([views.risk_put(dev_eui, risk, self._clock.now())])
