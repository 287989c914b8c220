"""What is shown of a service that serves its fleet alone, with a store of its own."""

import socket
from collections.abc import Callable, Iterable, Sequence

from prometheus_client.core import Metric

from actors.alerts.finding import Finding
from actors.board.board import Board
from actors.clocks.clock import Clock
from actors.cluster.keeper.view import MemberSign
from actors.cluster.release import installed_version
from actors.cluster.shown import (
    ClusterMode,
    ClusterShown,
    MemberShown,
    StoreShown,
)
from actors.storage.store_writer import StoreWriter
from store.engine.shards import ALL_SHARDS, LIGHT_SHARDS
from store.port import Store


class EmbeddedSight:
    """One member, which owns everything for ever."""

    def __init__(
        self,
        board: Board,
        clock: Clock,
        store_writer: StoreWriter,
        store: Store,
        *,
        sees_network: Callable[[], bool],
    ) -> None:
        self._board = board
        self._clock = clock
        self._store_writer = store_writer
        self._store = store
        self._sees_network = sees_network

    def shown(self, store_kind: str) -> ClusterShown:
        """As it is now."""
        now, writer = self._clock.now(), self._store_writer
        member = MemberShown(
            boot=self._board.boot,
            name=socket.gethostname(),
            version=installed_version(),
            state=MemberSign.ALIVE,
            answering=True,
            shards=len(LIGHT_SHARDS),
            fleet=True,
            lights=len(self._board.devices),
            sees_network=self._sees_network(),
            clock_ahead_s=0.0,
            heard_at=now,
        )
        failing = writer.failing_since is not None
        return ClusterShown(
            mode=ClusterMode.EMBEDDED,
            at=now,
            looked_at=now,
            answering=member.boot,
            shards_total=len(ALL_SHARDS),
            shards_unowned=0,
            behind_s=0.0,
            lease_s=None,
            store=StoreShown(
                kind=store_kind,
                need=None,
                problem=writer.problem if failing else None,
                warnings=list(self._store.durability_warnings),
            ),
            members=[member],
            shards=[],
            moves=[],
        )

    def findings(self) -> Sequence[Finding]:
        """Nothing: what may be wrong with its store has alerts of its own."""
        return ()

    def metrics(self) -> Iterable[Metric]:
        """Nothing: there is one process, which answers."""
        return ()
