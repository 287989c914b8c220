"""What a commit, a command and a message cost in the engine, with a real server.

Half of the writes are device records of 1.8 kB, half are lines of their history; of one shard. The
server is alone, or a replica on the same disk confirms. How long a script takes is what the
server's slow log says: with whatever else the machine did meanwhile.
"""

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from store.engine.open import engine_from_url
from store.engine.port import (
    COMMIT_WRITES_MOST,
    INBOX_MOST,
    Accept,
    Accepted,
    AcceptResult,
    Commit,
    Engine,
    Lease,
    Post,
)
from store.engine.shards import FLEET, LIGHT_SHARDS
from store.errors import StoreError
from store.port import Append, Put, Table, Write, outcome
from tests.bench.figures import Figure, latencies
from tests.support.redis_server import RedisServer
from tests.support.redis_sites import client_of, replicas_of, wait_until

SHARD = FLEET
SIZES = (1, 16, COMMIT_WRITES_MOST, 512)
BATCHES = (1, 20)
SPAN_S = 1.0
SCRIPTS = 200
LOGGED_US = 200
"""Less than any such script takes; more than most commands in it, which are logged, too."""
LOGGED_MOST = 4_000
SCRIPT_MOST_MS = 2.0
WRITE_MOST_US = 30.0
LIGHT = f"{0:016x}"
RECORD = b"x" * 1_800
LINE = b"y" * 200


@contextmanager
def server(*, replica: bool) -> Iterator[tuple[RedisServer, str]]:
    """A server, with a replica that confirms or alone, and its URL."""
    with ExitStack() as stack:
        master = stack.enter_context(RedisServer())
        url = master.url
        if replica:
            follower = stack.enter_context(RedisServer())
            client_of(follower).replicaof("127.0.0.1", master.port)
            wait_until(lambda: replicas_of(master) == 1)
            url += "?need=1"
        yield master, url


def writes(count: int, seq: int) -> list[Write]:
    """Half records, half lines of history; of 300 lights."""
    made: list[Write] = []
    for number in range(count):
        light = f"{(seq * count + number) % 300:016x}"
        if number % 2:
            made.append(Append(light, f"{seq:08d}{number:04d}", float(seq), LINE))
        else:
            made.append(Put(Table.DEVICE, light, RECORD, float(seq)))
    return made


class Journal:
    """Commits of one shard, one after the other."""

    def __init__(self, engine: Engine, lease: Lease) -> None:
        self._engine = engine
        self._lease = lease
        self._seq = 0

    async def commit(self, count: int) -> None:
        """So many writes, in as many scripts as they need, in one go."""
        left, commits = count, []
        while left > 0:
            self._seq += 1
            made = writes(min(left, COMMIT_WRITES_MOST), self._seq)
            left -= len(made)
            body = b"".join(put.value for put in made if isinstance(put, Put))
            commits.append(Commit(SHARD, self._lease.token, self._seq, outcome(made), body))
        for result in await self._engine.commit(commits):
            assert not isinstance(result, StoreError), result


class Meter:
    """Times calls, and what they cost both sides in CPU."""

    def __init__(self, master: RedisServer, name: str) -> None:
        self._master = master
        self._name = name
        self.figures: list[Figure] = []

    async def measure(
        self,
        what: str,
        count: int,
        call: Callable[[], Awaitable[object]],
        most_us: float | None = None,
    ) -> None:
        """For some time; `count` is how many things one call is about. Of the server's CPU each
        should take `most_us`."""
        for _ in range(10):
            await call()
        took: list[float] = []
        server_s, client_s = server_cpu_s(self._master), time.process_time()
        end = time.perf_counter() + SPAN_S
        while time.perf_counter() < end:
            began = time.perf_counter()
            await call()
            took.append(time.perf_counter() - began)
        server_s, client_s = server_cpu_s(self._master) - server_s, time.process_time() - client_s
        bench, title = "engine", f"{what} {count}, {self._name}"
        each_us = 1e6 / len(took) / count
        self.figures += [
            *latencies(bench, title, took),
            Figure(bench, f"{title}, server CPU each", server_s * each_us, "us", most_us),
            Figure(bench, f"{title}, client CPU each", client_s * each_us, "us"),
        ]

    async def measure_scripts(self, journal: Journal) -> None:
        """How long the largest commit keeps the server from everybody else, by its own log."""
        client = client_of(self._master)
        before = client.config_get("slowlog-*")
        client.config_set("slowlog-max-len", LOGGED_MOST)
        client.config_set("slowlog-log-slower-than", LOGGED_US)
        for _ in range(SCRIPTS):
            await journal.commit(COMMIT_WRITES_MOST)
        told = client.slowlog_get(LOGGED_MOST)
        for name, value in before.items():
            client.config_set(name, value)
        took_s = [one["duration"] / 1e6 for one in told if one["command"].startswith(b"EVALSHA")]
        what = f"script of {COMMIT_WRITES_MOST} writes, in the server, {self._name}"
        median, last = latencies("engine", what, took_s, f"{len(took_s)} scripts")
        self.figures += [replace(median, aim=SCRIPT_MOST_MS), last]


def server_cpu_s(master: RedisServer) -> float:
    """Of the server's main thread, since it started."""
    told = client_of(master).info("cpu")
    return float(told["used_cpu_user_main_thread"] + told["used_cpu_sys_main_thread"])


async def measure_engine(master: RedisServer, url: str, name: str) -> list[Figure]:
    """Commits, commands and messages."""
    engine = engine_from_url(url)
    await engine.open()
    try:
        lease = await engine.take(SHARD, Lease(), "bench")
        assert lease is not None
        journal, inbox, meter = Journal(engine, lease), Inboxes(engine), Meter(master, name)
        await inbox.open()
        for count in SIZES:
            most_us = WRITE_MOST_US if count >= COMMIT_WRITES_MOST else None
            await meter.measure("commit of", count, partial(journal.commit, count), most_us)
        await meter.measure_scripts(journal)
        for count in BATCHES:
            await meter.measure("accept", count, partial(inbox.accept, count))
            await meter.measure("post", count, partial(inbox.post, count))
        return meter.figures
    finally:
        await engine.close()


class Inboxes:
    """Commands and messages; into one inbox after the other, because nobody empties them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._number = 0

    async def open(self) -> None:
        """One light in every shard."""
        commits = []
        for shard in LIGHT_SHARDS:
            lease = await self._engine.take(shard, Lease(), "bench")
            assert lease is not None
            put = Put(Table.DEVICE, LIGHT, RECORD, 1.0)
            commits.append(Commit(shard, lease.token, 1, outcome([put])))
        await self._engine.commit(commits)

    async def accept(self, count: int) -> None:
        """So many new commands."""
        accepts = [
            Accept(shard, LIGHT, f"{number:026d}", LINE * 4, LINE * 2, 1.0)
            for shard, number in self._next(count)
        ]
        for result in await self._engine.accept(accepts):
            assert isinstance(result, AcceptResult), result
            assert result.accepted is Accepted.STORED

    async def post(self, count: int) -> None:
        """So many events."""
        posts = [Post(shard, LINE * 3) for shard, _ in self._next(count)]
        assert all(await self._engine.post(posts))

    def _next(self, count: int) -> list[tuple[str, int]]:
        first, self._number = self._number, self._number + count
        return [
            (LIGHT_SHARDS[number // INBOX_MOST], number) for number in range(first, self._number)
        ]


async def measure(_folder: Path) -> list[Figure]:
    """With a server alone, and with a replica that confirms."""
    figures: list[Figure] = []
    for name, replica in (("always", False), ("always and WAIT 1", True)):
        with server(replica=replica) as (master, url):
            figures += await measure_engine(master, url, name)
    return figures
