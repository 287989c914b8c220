"""Lamplighter without its web: the parts that are asked from outside, and the life of the whole."""

import trio

from actors.queries import Queries
from actors.readiness import ReadinessCheck
from actors.refusal import Refusal
from actors.scraped import sources_of
from actors.start_order import root_supervisor
from actors.startup import restore
from actors.supervision import ChildSpec
from actors.supervision.tree import ActorTree
from actors.wiring import Parts


class Application:
    """What HTTP, websockets and the command line may use; each part says itself what it answers.

    Expected outcomes are values; nothing here waits without a deadline.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        parts.metrics.watch(sources_of(parts))
        self.clock = parts.environment.clock
        self.board = parts.board
        self.fleet = parts.fleet
        self.commands = parts.commands
        self.rollouts = parts.rollouts
        self.initializer = parts.initializer
        self.removals = parts.removals
        self.flusher = parts.flusher
        self.alerter = parts.alerter
        self.restored_store = parts.restored_store
        self.calibrator = parts.calibrator
        self.timekeeper = parts.timekeeper
        self.metrics = parts.metrics
        self.dead_letters = parts.dead_letters
        self.unreadable = parts.unreadable
        self.quality = parts.quality
        self.supervisor = ActorTree(parts.lights, self.clock)
        self.queries = Queries(
            parts.environment.store,
            parts.board,
            parts.fleet,
            self.clock,
            parts.quality,
            watched=parts.watched.running,
        )
        self.readiness = ReadinessCheck(
            self.supervisor,
            parts.store_writer,
            parts.watcher,
            parts.fleet,
            parts.device_discovery,
            parts.board,
            parts.webhooks,
        )

    async def run(
        self,
        web: ChildSpec | None = None,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Restore everything from the (opened) store, then run all parts until cancelled.

        Raises StoreError when the store cannot be read, SupervisorGaveUp when a part cannot be
        kept alive.
        """
        await restore(self._parts)
        self.supervisor.root = root = root_supervisor(self._parts, web)
        self._parts.garbage.install()
        try:
            await root.run(task_status)
        finally:
            self._parts.fleet.stop()
            self._parts.garbage.remove()
            self._parts.board.close_all("the service stopped")

    def cause_of(self, refusal: Refusal) -> Refusal:
        """What a caller is told: there was no reply in time because the store fails, if it does."""
        if refusal is Refusal.NO_REPLY and not self._parts.store_writer.healthy:
            return Refusal.STORE_FAILING
        return refusal
