"""The slots of a cluster, and which master has each.

The map is learned anew in a thread of its own whenever a node is lost or names another one, never
on the way of a commit: the nodes that are well are asked meanwhile as before.
"""

import threading
from collections.abc import Hashable
from typing import Any

import redis
import structlog
from redis.crc import key_slot
from redis.exceptions import MovedError

from store.engine.redis.errors import Misfit, error_of, words_of
from store.engine.redis.node import Connection
from store.engine.redis.target import Address, Target
from store.errors import StoreError, StoreRefused, StoreUnavailable

log = structlog.get_logger()

SLOTS = 16_384
UNKNOWN = b"?"
"""In place of a host name that nodes prefer and one of them lacks."""
AGAIN_S = 0.1
"""Between two looks at the map: while a fail-over is under way, every failed call asks for one."""


class InCluster:
    """Finds the master of a shard's slot."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._masters: list[Address | None] = [None] * SLOTS
        self._known: tuple[Address, ...] = target.addresses
        """Every node, masters and replicas; whoever did not answer comes last."""
        self._slots: dict[str, int] = {}
        """By hash tag; one for each shard and process."""
        self._wanted = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def node_of(self, tag: str) -> Hashable:
        """The master of its slot. Raises StoreUnavailable where nobody has it."""
        slot = self._slots.get(tag)
        if slot is None:
            slot = self._slots[tag] = key_slot(f"{{{self._target.prefix}:{tag}}}".encode())
        master = self._masters[slot]
        if master is None:
            self._wanted.set()
            raise StoreUnavailable("redis: no node of the cluster has this slot")
        return master

    def nodes(self) -> list[Hashable]:
        """All masters."""
        return list({master for master in self._masters if master is not None})

    def dial(self, node: Hashable) -> Connection:
        """A connection to it; one that hangs is found out in half a second."""
        assert isinstance(node, tuple)  # noqa: S101 - what `node_of` gave
        self._target.asked(node, ("PING",))
        return self._target.connected(node)

    def lost(self, node: Hashable, error: Exception) -> None:
        """Learn the map anew; where another node was named, go there at once."""
        assert isinstance(node, tuple)  # noqa: S101 - what `node_of` gave
        if isinstance(error, MovedError):
            host = error.host if error.host not in {"", UNKNOWN.decode()} else node[0]
            self._masters[error.slot_id] = (host, error.port)
        self._last(node)
        self._wanted.set()

    def era(self) -> int:
        """A node that is a replica now names the master even to who would only read."""
        return 0

    def open(self) -> None:
        """Learn the map, and keep it. Raises StoreUnavailable, StoreRefused."""
        self._learn()
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep, name="redis-slots", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread; idempotent."""
        self._closed.set()
        self._wanted.set()

    def _keep(self) -> None:
        while not self._closed.is_set():
            self._wanted.wait()
            self._wanted.clear()
            try:
                self._learn()
            except StoreError:  # whoever asks next wants it again
                pass
            except Exception:  # without this thread no fail-over would be found any more
                log.exception("the map of the cluster cannot be read")
            self._closed.wait(AGAIN_S)

    def _learn(self) -> None:
        """The map of the first node for which the cluster is well, else of any that answers."""
        failures: list[Exception] = []
        second: list[tuple[Address, list[Any]]] = []
        for node in self._known:
            try:
                info, slots = self._target.asked(node, ("CLUSTER", "INFO"), ("CLUSTER", "SLOTS"))
            except (redis.RedisError, OSError) as error:
                failures.append(error)
                self._last(node)
                continue
            if not slots:  # it was set up anew, and knows of no other node
                failures.append(StoreUnavailable(f"{node[0]}:{node[1]} knows nobody who has slots"))
                self._last(node)
                continue
            if b"cluster_state:ok" in info:
                self._adopt(node, slots)
                return
            second.append((node, slots))
        if not second:
            raise self._failure(failures)
        self._adopt(*second[0])

    def _adopt(self, asked: Address, slots: list[Any]) -> None:
        masters: list[Address | None] = [None] * SLOTS
        found = dict.fromkeys(self._target.addresses)
        for first, last, *nodes in slots:
            addresses = [(_host(node) or asked[0], int(node[1])) for node in nodes]
            masters[first : last + 1] = [addresses[0]] * (last + 1 - first)
            found |= dict.fromkeys(addresses)
        self._masters = masters
        still = [node for node in self._known if node in found]
        self._known = tuple(dict.fromkeys((*still, *found)))

    def _last(self, node: Address) -> None:
        others = tuple(each for each in self._known if each != node)
        self._known = (*others, node)

    def _failure(self, failures: list[Exception]) -> StoreError:
        for error in failures:
            if "cluster support disabled" in str(error):
                return StoreRefused(
                    f"redis: {self._target.name} is no cluster; write redis:// or redis+sentinel://"
                )
            told = error_of(error)
            if isinstance(told, StoreRefused | Misfit):
                return told
        words = words_of(failures[0]) if failures else "none is named"
        return StoreUnavailable(f"redis: no node of {self._target.name} answers: {words}")


def _host(node: list[Any]) -> str:
    """Of a node in the map. Empty where it is to be reached as whoever told of it."""
    host: bytes | None = node[0]
    if host == UNKNOWN:
        more = node[3] if len(node) > 3 else []
        host = dict(zip(more[::2], more[1::2], strict=True)).get(b"ip")
    return "" if host is None else host.decode()
