"""Lamplighter as one of the processes that serve a fleet together, without its web."""

from contextlib import suppress

import trio

from actors.application import Application
from actors.clustered import ClusterParts
from actors.refusal import Refusal
from actors.start_order import ROOT_BUDGET, event_stream, fleet, foundation, root_over
from actors.supervision import ChildSpec, Supervisor
from store.errors import StoreError

KEEPER_SHUTDOWN_S = 1.0
"""Whoever leaves in order gave everything before (`leave`); else the leases run out."""
LOOK_S = 0.25
SILENT_S = 3.0
"""One look that fails is no outage, and a shard that is not given is dark for 6 s."""
LAST_LOOK_S = 2.0
"""The engine has answered just now; else nobody waits for it."""
KEEPER_START_S = 300.0
"""To read the whole fleet at the start: 20,000 lights take a second, a slow engine longer."""


class ClusterApplication(Application):
    """What HTTP, websockets and the command line may use of such a process."""

    def __init__(self, parts: ClusterParts) -> None:
        super().__init__(parts)
        self._cluster = parts
        self.event_door = parts.flow.intake
        self.carrier = parts.flow.carrier

    async def leave(self) -> None:
        """Give every shard to the others, within some seconds; `run` must be running. Where the
        engine does not answer nothing can be given: the leases run out."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._until_silent, nursery.cancel_scope)
            await self._cluster.keeper.leave()
            with trio.move_on_after(LAST_LOOK_S), suppress(StoreError):
                await self._cluster.store.check()  # what a fail-over took is in no other memory
            nursery.cancel_scope.cancel(reason="everything is given")

    async def _until_silent(self, leaving: trio.CancelScope) -> None:
        keeper = self._cluster.keeper
        patience_s = 0.0 if keeper.is_alone else SILENT_S  # nobody waits for what it has
        answered_at = trio.current_time()
        while trio.current_time() <= answered_at + patience_s:
            await trio.sleep(LOOK_S)
            if keeper.view().reachable:
                answered_at = trio.current_time()
        leaving.cancel(reason="the engine does not answer")

    def cause_of(self, refusal: Refusal) -> Refusal:
        """As it is: a command that nobody answered for may be in the engine."""
        return refusal

    async def _restore(self) -> None:
        """Nothing: what belongs to a shard is restored when it is taken."""

    def _root(self, web: ChildSpec | None) -> Supervisor:
        self._cluster.root = root = root_over(self._cluster, children_of(self._cluster, web))
        return root


def children_of(parts: ClusterParts, web: ChildSpec | None = None) -> list[ChildSpec]:
    """The root's children, in the order in which they start; what runs once for the fleet comes and
    goes beside them."""
    children = [
        *foundation(parts),
        ChildSpec("inquirer", parts.inquirer.run, budget=ROOT_BUDGET),
        *parts.flow.children(),
        *fleet(parts),
        parts.lights.as_child(),
        ChildSpec("network sight", parts.network_sight.run, budget=ROOT_BUDGET),
        ChildSpec("events told", parts.events_told.run, budget=ROOT_BUDGET),
        ChildSpec("sweeper", parts.sweeper.run, budget=ROOT_BUDGET),
        *event_stream(parts),
        ChildSpec(
            "keeper",
            parts.keep,
            budget=ROOT_BUDGET,
            shutdown_s=KEEPER_SHUTDOWN_S,
            start_timeout_s=KEEPER_START_S,
        ),
    ]
    return children if web is None else [*children, web]
