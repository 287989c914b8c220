"""Whether the service can do its work, and what people should know though it can.

A warning is nobody's fault here. Whoever took the service's traffic away for one would take away
the webhooks by which it learns that a gateway is back, and cure nothing; and where the webhooks
stopped, devices are still commanded, and proven by asking.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from actors.board.board import Board
from actors.board.changes import GatewayView
from actors.cluster.apart import Apart
from actors.failure_texts import brief
from actors.fleet.device_discovery import DeviceDiscovery
from actors.gateways import GatewayWatcher
from actors.storage.store_writer import StoreWriter
from actors.supervision import ChildState
from actors.supervision.tree import ActorTree
from actors.webhook_watch import WebhookWatch

VITAL = (
    "timekeeper",
    "journal",
    "board",
    "inquirer",
    "dispatcher",
    "fleet",
    "gateway watcher",
    "router",
    "follower",
    "inbox",
    "keeper",
)
"""Actors without which the service cannot do its work. The devices' supervisor is none of them: one
device that is given up is no reason to take the service's traffic away."""


class Readiness(msgspec.Struct, frozen=True):
    """Whether the service can do its work; `problems` in words, empty when ready. `warnings` are
    troubles outside that nobody cures by sending callers elsewhere."""

    ready: bool
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class ReadinessCheck:
    """Store writable, ChirpStack answering, actors alive."""

    def __init__(
        self,
        tree: ActorTree,
        store_writer: StoreWriter,
        watcher: Callable[[], GatewayWatcher | None],
        directory: Callable[[], DeviceDiscovery | None],
        board: Board,
        webhooks: WebhookWatch,
        event_warnings: Callable[[], Sequence[str]] = lambda: (),
        apart: Callable[[], Apart] = Apart,
    ) -> None:
        self._tree = tree
        self._store_writer = store_writer
        self._watcher = watcher
        self._directory = directory
        self._board = board
        self._webhooks = webhooks
        self._event_warnings = event_warnings
        self._apart = apart

    def check(self) -> Readiness:
        """As it is now."""
        apart = self._apart()
        problems = (*apart.problems, *self._problems())
        warnings = (
            *apart.warnings,
            *self._store_in_part(),
            *gateways_away(self._board.gateways.values()),
            *self._webhooks.warnings(),
            *self._event_warnings(),
        )
        return Readiness(not problems, problems, warnings)

    def _store_in_part(self) -> Iterator[str]:
        store = self._store_writer
        if store.failing_since is not None and store.stopped_since is None:
            yield f"a part of the store cannot be written: {store.problem}"

    def _problems(self) -> Iterator[str]:
        if self._store_writer.stopped_since is not None:
            yield f"the store cannot be written: {self._store_writer.problem}"
        watcher, directory = self._watcher(), self._directory()
        if watcher is not None and watcher.problem is not None:
            yield brief(watcher.problem)
        unlisted = directory is not None and not directory.statistics().readings
        if not self._board.devices and unlisted:
            yield "ChirpStack has not listed the lights yet"
        if self._tree.root is None:
            yield "the service is starting"
            return
        for report in map(self._tree.root.child, VITAL):
            if report is not None and report.state is not ChildState.RUNNING:
                yield f"{report.id} is {report.state.value}"


def gateways_away(views: Iterable[GatewayView]) -> list[str]:
    """That no light can be reached."""
    gateways = [one for one in views if one.known]
    if not gateways or any(one.online for one in gateways):
        return []
    if len(gateways) == 1:
        name = gateways[0].name or gateways[0].gateway_id
        return [f"the only gateway is offline ({name}): no light can be reached"]
    return [f"all {len(gateways)} gateways are offline: no light can be reached"]
