"""Lamplighter without its web: the parts that are asked from outside, and the life of the whole."""

import trio

from actors.alerts import Alerter
from actors.calibration.calibrator import Calibrator
from actors.cluster.carried import Carrier
from actors.cluster.shown import ClusterSight
from actors.event_stream.door import AwaitedDoor, FleetDoor
from actors.fleet.initialization import Initializer
from actors.fleet.queue_flush import Flusher
from actors.outgoing.actor import Outgoing
from actors.plans.actor import Plans
from actors.quality.quality import Quality
from actors.queries import Queries
from actors.readiness import ReadinessCheck
from actors.refusal import Refusal
from actors.restored_store import RestoredStoreHold
from actors.rollouts.actor import Rollouts
from actors.scenes.actor import Scenes
from actors.scraped import sources_of
from actors.start_order import root_supervisor
from actors.startup import restore
from actors.supervision import ChildSpec, Supervisor
from actors.supervision.tree import ActorTree
from actors.wiring import ProcessParts


class Application:
    """What HTTP, websockets and the command line may use; each part says itself what it answers.

    Expected outcomes are values; nothing here waits without a deadline.
    """

    carrier: Carrier | None = None
    """Has requests answered by the owner of a shard; None of a process alone."""

    def __init__(self, parts: ProcessParts) -> None:
        self._parts = parts
        here = parts.if_here
        self.clock = parts.environment.clock
        self.board = parts.board
        self.fleet = parts.fleet
        self.event_door: FleetDoor | AwaitedDoor = parts.fleet
        self.commands = parts.commands
        self.removals = parts.removals
        self.timekeeper = parts.timekeeper
        self.metrics = parts.metrics
        self.dead_letters = parts.dead_letters
        self.unreadable = parts.unreadable
        self.audit = parts.audit
        self.supervisor = ActorTree(self.clock)
        self.queries = Queries(
            parts.environment.store,
            parts.board,
            parts.fleet,
            self.clock,
            here(lambda its: its.quality),
            watched=here(lambda its: its.watched.running()),
        )
        self.readiness = ReadinessCheck(
            self.supervisor,
            parts.store_writer,
            here(lambda its: its.watcher),
            here(lambda its: its.device_discovery),
            parts.board,
            parts.webhooks,
            parts.events.warnings,
            parts.apart,
        )
        parts.metrics.watch(sources_of(parts, ready=lambda: self.readiness.check().ready))

    @property
    def cluster(self) -> ClusterSight:
        """Who serves the fleet."""
        return self._parts.sight

    @property
    def fleetwide_is_here(self) -> bool:
        """Whether this process runs what there is once for the fleet."""
        return self._parts.fleetwide_here is not None

    # What runs once for the fleet. Each raises NotHere where another process runs it.

    @property
    def rollouts(self) -> Rollouts:
        """One colour for many lights."""
        return self._parts.fleetwide.rollouts

    @property
    def plans(self) -> Plans:
        """Floor plans, to be changed."""
        return self._parts.fleetwide.plans

    @property
    def scenes(self) -> Scenes:
        """Named sets of lights and colours, and when they are applied by themselves."""
        return self._parts.fleetwide.scenes

    @property
    def outgoing(self) -> Outgoing:
        """Hooks: who is told of what happens, and how far each one was told."""
        return self._parts.fleetwide.outgoing

    @property
    def initializer(self) -> Initializer:
        """Settings for many lights."""
        return self._parts.fleetwide.initializer

    @property
    def flusher(self) -> Flusher:
        """Emptying ChirpStack's queue of a light by hand."""
        return self._parts.fleetwide.flusher

    @property
    def alerter(self) -> Alerter:
        """Alerts, to be acknowledged."""
        return self._parts.fleetwide.alerter

    @property
    def restored_store(self) -> RestoredStoreHold:
        """What waits for a decision after a restore."""
        return self._parts.fleetwide.restored_store

    @property
    def calibrator(self) -> Calibrator:
        """Measuring lights and forwarders."""
        return self._parts.fleetwide.calibrator

    @property
    def quality(self) -> Quality:
        """What is to be expected of lights and gateways."""
        return self._parts.fleetwide.quality

    async def run(
        self,
        web: ChildSpec | None = None,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Restore everything from the (opened) store, then run all parts until cancelled.

        Raises StoreError when the store cannot be read, SupervisorGaveUp when a part cannot be
        kept alive.
        """
        await self._restore()
        self.supervisor.root = root = self._root(web)
        self._parts.garbage.install()
        try:
            await root.run(task_status)
        finally:
            self._parts.fleet.stop()
            self._parts.garbage.remove()
            self._parts.board.close_all("the service stopped")

    async def leave(self) -> None:
        """What is done before the end, while everything runs: nothing, of a process alone."""
        await trio.lowlevel.checkpoint()

    async def _restore(self) -> None:
        await restore(self._parts)

    def _root(self, web: ChildSpec | None) -> Supervisor:
        return root_supervisor(self._parts, web)

    def cause_of(self, refusal: Refusal) -> Refusal:
        """What a caller is told: there was no reply in time because the store fails, if it does."""
        if refusal is Refusal.NO_REPLY and not self._parts.store_writer.healthy:
            return Refusal.STORE_FAILING
        return refusal
