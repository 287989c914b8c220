"""What runs once for the fleet, where this process runs it, joined to the other processes.

It is made anew at each take of the fleet's own shard.
"""

from collections.abc import Callable
from dataclasses import replace

import structlog
import trio

from actors.board.changes import ActorView, GatewayView
from actors.board.outlook import RiskTold
from actors.board.plan import PlanHead, PlanRemoved
from actors.cluster import views
from actors.cluster.confirmed_desk import ConfirmedDesk
from actors.cluster.desk import LOOK_S, Desk
from actors.cluster.events_told import EventsElsewhere
from actors.cluster.fleet_side import FleetSide, FleetSidePorts
from actors.cluster.flow import Flow
from actors.cluster.guarded_network import GuardedNetwork
from actors.cluster.messages import FailoverTook
from actors.fleet import NetworkEars
from actors.fleet.event_memory import EventMemory
from actors.fleetwide import Fleetwide, FleetwidePorts
from actors.start_order import after_lights, before_lights
from actors.startup import read_keys, restore_fleetwide
from actors.storage.audit import into
from actors.storage.idempotency import IdempotencyKeys
from actors.supervision import ChildState, Supervisor
from actors.wiring import ProcessParts
from store.engine.port import Snapshot
from store.port import Table

log = structlog.get_logger()

FLEETWIDE = "fleetwide"
"""The supervisor of what runs once for the fleet, where it runs."""


class Once:
    """What runs once for the fleet, with what stands between it and the other processes."""

    def __init__(
        self,
        parts: ProcessParts,
        flow: Flow,
        may_begin: Callable[[], bool],
        failover: Callable[[FailoverTook], None],
    ) -> None:
        self._parts = parts
        self._flow = flow
        environment, clock = parts.environment, parts.environment.clock
        self._clock = clock
        self.network = GuardedNetwork(environment.network, may_begin)
        self._keys = IdempotencyKeys()
        events = EventsElsewhere(clock)
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
                lights=flow.lights,
                audit=parts.audit,
                show_gateway=self._show_gateway,
                show_risk=self._show_risk,
                show_plan=self._show_plan,
                alone=False,
                may_hand_over=may_begin,
                conditions=lambda: [
                    *parts.sight.findings(),
                    *parts.events.findings(),
                    *events.findings(),
                ],
            )
        )
        self._given = Desk(its.restored_store, waits=its.dispatcher.holds, owes=self._owes)
        self.desk = ConfirmedDesk(
            self._given,
            flow.confirm,
            environment.rng,
            is_sure=flow.is_confirmed,
            shown=flow.shown,
            now=clock.now,
        )
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
                told=parts.webhooks.told,
                dated_past=parts.dates.replayed,
                memory=None if parts.events.stream is None else EventMemory(clock.steady),
                inquired=its.dispatcher.inquired,
                judged=its.learning.judged,
                unlisted=self._unlisted,
                flushed=its.dispatcher.queue_flushed,
                forgotten=self.light_forgotten,
                carried=lambda request: flow.carrier.take(request, fleetwide=True),
                actor=self._show_actor,
                audited=into(parts.store_writer.offer),
                failover=failover,
                events=events.told,
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
        self._flow.carrier.restore(snapshot.tables[Table.META])
        devices = list(parts.board.devices.values())
        await restore_fleetwide(self.its, parts.unreadable, snapshot.tables[Table.META], devices)

    async def start(self, root: Supervisor) -> None:
        """Run it under the root, and hand the dispatcher what is open."""
        started = trio.Event()

        async def run(task_status: trio.TaskStatus[None]) -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._look)
                nursery.start_soon(self.desk.run)
                await nursery.start(self.supervisor.run)
                started.set()
                task_status.started()

        root.start_child(replace(self.supervisor.as_child(), start=run))
        await started.wait()

    def left(self) -> None:
        """It has ended here. Whoever was given up is begun anew where the fleet's shard is taken,
        and tells nobody of that: an ordinary first start is not told."""
        for child in self.supervisor.report().children:
            if child.state is ChildState.PARKED:
                self._parts.actor_changed(replace(child, state=ChildState.STOPPED))

    def light_forgotten(self, dev_eui: str) -> None:
        """A light is known no longer, or was told to be taken off."""
        self.its.light_removed(dev_eui)
        self._parts.store_writer.offer(views.light_deletes(dev_eui))

    async def _look(self) -> None:
        while True:
            await trio.sleep(LOOK_S)
            if again := self._given.look(self._parts.board.devices):
                log.info("told again what became of attempts", attempts=again)

    def _owes(self, dev_eui: str, number: int, queued: bool) -> bool:
        its = self.its
        held_back = its.restored_store.holds_back(dev_eui)
        return not held_back and its.dispatcher.owes(dev_eui, number, queued=queued)

    def _unlisted(self, dev_eui: str) -> None:
        self._flow.lights.heard_unlisted(dev_eui)
        self.its.device_discovery.look_soon()

    def _show_gateway(self, view: GatewayView) -> None:
        parts = self._parts
        parts.board.publish(view)
        if view == view.forgotten():
            parts.store_writer.offer([views.gateway_delete(view.gateway_id)])
        else:
            parts.store_writer.offer([views.gateway_put(view, self._clock.now())])

    def _show_actor(self, view: ActorView) -> None:
        parts = self._parts
        parts.board.publish(view)
        parts.store_writer.offer([views.actor_put(view, self._clock.now())])

    def _show_risk(self, dev_eui: str, risk: RiskTold) -> None:
        parts = self._parts
        if dev_eui not in parts.board.devices:  # it was taken off since
            return
        parts.board.tell_risk(dev_eui, risk)
        parts.store_writer.offer([views.risk_put(dev_eui, risk, self._clock.now())])

    def _show_plan(self, plan: PlanHead | PlanRemoved) -> None:
        parts = self._parts
        parts.board.publish(plan)
        if isinstance(plan, PlanRemoved):
            parts.store_writer.offer([views.plan_delete(plan.id)])
        else:
            parts.store_writer.offer([views.plan_put(plan, self._clock.now())])
