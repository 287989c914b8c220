"""Several Redis or Valkey servers that belong together: a master with replicas and Sentinels, or a
cluster. All on free loopback ports, durable to the last commit, ended by process id."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle, islice
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import redis

from tests.support.machines import Machine
from tests.support.redis_server import RedisServer, Tls

WAIT_S = 30.0


class ReplicatedServers:
    """A master, replicas, and three Sentinels that watch it under the name `fleet`; in turn on the
    machines, where there are some."""

    def __init__(
        self,
        replicas: int = 2,
        sentinels: int = 3,
        down_after_s: float = 2.0,
        tls: Tls | None = None,
        machines: Sequence[Machine] = (),
    ) -> None:
        places: Iterable[Machine | None] = cycle(machines or [None])
        self.servers = [
            RedisServer(tls=tls, machine=where) for where in islice(places, 1 + replicas)
        ]
        places = cycle(machines or [None])
        self.sentinels = [
            RedisServer(sentinel=True, tls=tls, machine=where)
            for where in islice(places, sentinels)
        ]
        self._tls = tls
        self._down_after_ms = int(down_after_s * 1_000)
        self._stack = ExitStack()

    @property
    def master(self) -> RedisServer:
        """The first master."""
        return self.servers[0]

    @property
    def replicas(self) -> list[RedisServer]:
        """The first replicas."""
        return self.servers[1:]

    @property
    def url(self) -> str:
        """By way of the Sentinels."""
        hosts = ",".join(f"{each.host}:{each.port}" for each in self.sentinels)
        return url_of("redis+sentinel", f"{hosts}/fleet", self._tls)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            start(stack, *self.servers, *self.sentinels)
            for replica in self.replicas:
                client_of(replica).replicaof(self.master.host, self.master.port)
            self.wait_until_in_step()
            quorum = len(self.sentinels) // 2 + 1
            for sentinel in self.sentinels:
                client = client_of(sentinel)
                client.execute_command(
                    *("SENTINEL", "MONITOR", "fleet", self.master.host, self.master.port, quorum)
                )
                for name, value in (
                    ("down-after-milliseconds", self._down_after_ms),
                    ("failover-timeout", 5_000),
                ):
                    client.execute_command("SENTINEL", "SET", "fleet", name, value)
            wait_until(self._all_known)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def wait_until_in_step(self) -> None:
        """Until every replica follows the first master and has all that it has. A replica counts as
        connected while it still reads the whole copy; it confirms nothing and answers nothing."""
        wait_until(lambda: replicas_of(self.master) == len(self.replicas))
        wait_until(lambda: all(map(_follows, self.replicas)))

    def new_master(self) -> RedisServer:
        """Whoever was promoted in place of the first master; waits for it."""
        found: list[RedisServer] = []

        def promoted() -> bool:
            found[:] = [each for each in self.replicas if role_of(each) == "master"]
            return bool(found)

        wait_until(promoted)
        return found[0]

    def named_master(self) -> RedisServer | None:
        """The master by the newest word of a majority of the Sentinels, and of those as new whom
        most name; None where too few answer. One that was cut off still names the one before."""
        told: list[tuple[int, tuple[str, int]]] = []
        for sentinel in self.sentinels:
            try:
                view = client_of(sentinel).sentinel_master("fleet")
            except redis.RedisError:
                continue
            told.append((int(view["config-epoch"]), (str(view["ip"]), int(view["port"]))))
        if 2 * len(told) <= len(self.sentinels):
            return None
        newest = max(told)[0]
        [(where, _)] = Counter(where for epoch, where in told if epoch == newest).most_common(1)
        return next((each for each in self.servers if (each.host, each.port) == where), None)

    def _all_known(self) -> bool:
        for sentinel in self.sentinels:
            told = client_of(sentinel).sentinel_master("fleet")
            if told["num-slaves"] < len(self.replicas):
                return False
            if told["num-other-sentinels"] < len(self.sentinels) - 1:
                return False
        return True


class ClusterServers:
    """A cluster of three masters with one replica each."""

    def __init__(
        self, masters: int = 3, node_timeout_s: float = 2.0, tls: Tls | None = None
    ) -> None:
        timeout_ms = int(node_timeout_s * 1_000)
        self.servers = [
            RedisServer(cluster_timeout_ms=timeout_ms, tls=tls) for _ in range(2 * masters)
        ]
        self._tls = tls
        self._stack = ExitStack()

    @property
    def masters(self) -> list[RedisServer]:
        """The first masters."""
        return self.servers[: len(self.servers) // 2]

    @property
    def replicas(self) -> list[RedisServer]:
        """The first replicas, in the order of their masters."""
        return self.servers[len(self.servers) // 2 :]

    @property
    def url(self) -> str:
        """By way of all nodes."""
        hosts = ",".join(f"127.0.0.1:{each.port}" for each in self.servers)
        return url_of("redis+cluster", hosts, self._tls)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            start(stack, *self.servers)
            first = client_of(self.servers[0])
            for each in self.servers[1:]:
                first.execute_command("CLUSTER", "MEET", "127.0.0.1", each.port, each.cluster_port)
            for number, each in enumerate(self.masters):
                count = len(self.masters)
                low, high = 16_384 * number // count, 16_384 * (number + 1) // count - 1
                client_of(each).execute_command("CLUSTER", "ADDSLOTSRANGE", low, high)
            wait_until(lambda: all(self._nodes_known(each) for each in self.servers))
            for master, replica in zip(self.masters, self.replicas, strict=True):
                node_id = client_of(master).execute_command("CLUSTER", "MYID")
                client_of(replica).execute_command("CLUSTER", "REPLICATE", node_id)
            wait_until(lambda: all(replicas_of(each) == 1 for each in self.masters))
            wait_until(lambda: all(self._is_well(each) for each in self.servers))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _nodes_known(self, server: RedisServer) -> bool:
        nodes = client_of(server).execute_command("CLUSTER", "NODES").splitlines()
        return len(nodes) == len(self.servers) and not any("handshake" in node for node in nodes)

    def _is_well(self, server: RedisServer) -> bool:
        info = client_of(server).execute_command("CLUSTER", "INFO")
        nodes = client_of(server).execute_command("CLUSTER", "NODES").splitlines()
        return "cluster_state:ok" in info and sum("slave" in node for node in nodes) == len(
            self.replicas
        )


def start(stack: ExitStack, *servers: RedisServer) -> None:
    """Start all of them at a time; the stack ends each, also where one did not start."""
    for each in servers:
        stack.push(each.__exit__)
    with ThreadPoolExecutor() as threads:
        list(threads.map(RedisServer.start, servers))


def client_of(server: RedisServer) -> Any:
    """A client of one server alone, for tests."""
    options: dict[str, Any] = {} if server.tls is None else {"ssl": True, **server.tls.options}
    return redis.Redis(
        host=server.host, port=server.port, socket_timeout=5, decode_responses=True, **options
    )


def url_of(scheme: str, rest: str, tls: Tls | None) -> str:
    """With the files of TLS, where that is spoken."""
    if tls is None:
        return f"{scheme}://{rest}"
    return f"{scheme.replace('redis', 'rediss')}://{rest}?{urlencode(tls.options)}"


def replicas_of(server: RedisServer) -> int:
    """How many replicas follow a server, and are up to date with it."""
    told = client_of(server).info("replication")
    states = [
        each["state"]
        for name, each in told.items()
        if name.startswith("slave") and isinstance(each, dict)
    ]
    return states.count("online")


def _follows(replica: RedisServer) -> bool:
    told = client_of(replica).info("replication")
    return bool(told.get("master_link_status") == "up")


def role_of(server: RedisServer) -> str:
    """What a server says that it is; empty where it does not answer."""
    try:
        return str(client_of(server).role()[0])
    except redis.RedisError:
        return ""


def wait_until(condition: Callable[[], bool], wait_s: float = WAIT_S) -> None:
    """Look at the real servers until they are so far."""
    deadline = time.monotonic() + wait_s
    while True:
        try:
            if condition():
                return
        except redis.RedisError:
            pass
        assert time.monotonic() < deadline, "the servers did not get there"
        time.sleep(0.05)
