"""Masters and their replicas: what a script changed reaches a replica later, or never.

Replication is as in Redis and Valkey: asynchronous and in order; a failover promotes one replica,
and all others, the old master included, copy everything from it. Until the old master is demoted it
goes on serving whoever is connected to it, without a replica. Nothing runs here by itself: what is
due is carried out when somebody looks next, in the order of its time.
"""

from binascii import crc_hqx
from collections.abc import Callable, Sequence
from typing import Any

import trio

from store.engine.memory.data import Data, Ring
from store.engine.port import FEED_BELL
from store.engine.shards import ALL_SHARDS

Script = Callable[[Data, int, Ring], Any]
"""Of the data, the server's clock in milliseconds, and the bell."""

LOG_MOST = 50_000
"""Scripts that a replica may be behind; beyond that it copies everything, as Redis does when its
backlog is over. A script holds some 2 kB: 100 MB at the very worst."""
WAIT_LOOK_S = 0.05
SLOTS = 16_384
META = "meta"
"""The hash tag of the list of members; messages to a process have that of `replies_to`."""
_PLACES = {shard: place for place, shard in enumerate(ALL_SHARDS)}


def replies_to(boot: str) -> str:
    """The hash tag of the messages to a process."""
    return f"to:{boot}"


def _silent(_name: str) -> None:
    """Nobody listens to a replica."""


def _untold(_master: "Master", _what: str, _shard: str, _asked: object, _answer: object) -> None:
    """Nobody looks on."""


class Replica:
    """A copy that is `lag_s` behind; while `held`, nothing reaches it."""

    def __init__(self, data: Data, upto: int, lag_s: float = 0.0) -> None:
        self.data = data
        self.upto = upto
        """How many scripts of its master's log it has carried out."""
        self.lag_s = lag_s
        self.held = False


class Master:
    """One server that takes writes, with its replicas: one line of history."""

    def __init__(self, data: Data, servers: "MemoryServers") -> None:
        self.data = data
        self.name = servers.new_name()
        """Of its line of history."""
        self.replicas: list[Replica] = []
        self._had: list[int] = []
        """How much each replica had of it when it was replaced."""
        self.answers = True
        """False while it is dead, or says that the cluster is down: whoever asks is refused."""
        self.hangs = False
        """Whoever asks waits in vain; what was written to it is carried out when it goes on."""
        self.lacks_replicas = False
        """It refuses writes and answers reads: too few of its replicas follow it."""
        self.read_only = False
        """True once it was demoted: whoever asks is told to go elsewhere."""
        self._servers = servers
        data.told = self._told
        self._log: list[tuple[float, int, Script]] = []
        self._dropped = 0
        self._later: list[tuple[float, int, Sequence[Script]]] = []
        self.lost_since_s: float | None = None
        """Once it was replaced: when the first was carried out that the new master lacks."""

    @property
    def written(self) -> int:
        """How many scripts it has carried out."""
        return self._dropped + len(self._log)

    def run(self, scripts: Sequence[Script]) -> list[Any]:
        """Carry out scripts now, one after the other; their answers."""
        self.catch_up()
        return self._run(scripts, trio.current_time())

    def read(self) -> Data:
        """What it holds now."""
        self.catch_up()
        return self.data

    def later(self, at_s: float, scripts: Sequence[Script]) -> None:
        """Scripts that are on their way, and arrive at this time."""
        self._later.append((at_s, len(self._later), scripts))

    def confirmed_by(self, upto: int) -> int:
        """How many replicas have carried out its first `upto` scripts."""
        self.catch_up()
        return sum(replica.upto >= upto for replica in self.replicas)

    def copied_to(self, upto: int) -> int:
        """How many replicas have its first `upto` scripts, or had them when it was replaced."""
        return self.confirmed_by(upto) + sum(had >= upto for had in self._had)

    def replaced(self, promoted: Replica) -> None:
        """One of its replicas is promoted: nobody copies from it any more."""
        self.catch_up()
        lost = self._log[max(0, promoted.upto - self._dropped) :]
        self.lost_since_s = lost[0][0] if lost else None
        self._had, self.replicas = [replica.upto for replica in self.replicas], []

    async def wait(self, upto: int, need: int, timeout_s: float) -> bool:
        """WAIT: until `need` replicas have that much; False after `timeout_s`."""
        with trio.move_on_after(timeout_s):
            while self.confirmed_by(upto) < need:
                lags = [one.lag_s for one in self.replicas if one.upto < upto and not one.held]
                await trio.sleep(min([WAIT_LOOK_S, *(lag_s for lag_s in lags if lag_s)]))
            return True
        return False

    def catch_up(self) -> None:
        """Carry out what has arrived meanwhile, here and at the replicas."""
        now_s = trio.current_time()
        if self._later:
            due = sorted(one for one in self._later if one[0] <= now_s)
            if due and self.answers and not (self.hangs or self.read_only):
                self._later = [one for one in self._later if one[0] > now_s]
                for at_s, _, scripts in due:
                    self._run(scripts, at_s)
        for replica in self.replicas:
            self._bring(replica, now_s)
        least = min((replica.upto for replica in self.replicas), default=self.written)
        del self._log[: least - self._dropped]
        self._dropped = least

    def _run(self, scripts: Sequence[Script], at_s: float) -> list[Any]:
        now_ms = int(self._servers.wall() * 1_000.0)
        self.data.master = self.name
        answers = []
        for script in scripts:
            answers.append(script(self.data, now_ms, self._ring))
            self._log.append((at_s, now_ms, script))
        return answers

    def _told(self, what: str, shard: str, asked: object, answer: object) -> None:
        self._servers.told(self, what, shard, asked, answer)

    def _ring(self, name: str) -> None:
        self._servers.ring(self, name)

    def _bring(self, replica: Replica, now_s: float) -> None:
        if replica.held:
            return
        if replica.upto < self._dropped or self.written - replica.upto > LOG_MOST:
            replica.data, replica.upto = self.data.copy(), self.written
            return
        replica.data.master = self.name  # what a script is told by its server is carried over
        for at_s, now_ms, script in self._log[replica.upto - self._dropped :]:
            if at_s + replica.lag_s > now_s:
                break
            script(replica.data, now_ms, _silent)
            replica.upto += 1


class MemoryServers:
    """The servers of one engine: `masters` of them share the shards, each with `replicas`.

    With a `prefix` all lies as in Redis Cluster under that prefix, each master with as many slots
    as the others; else the shards lie with one master after the other, and what is no shard with
    the first. `wall` is their clock (Unix seconds); by default it follows Trio's.
    """

    def __init__(
        self,
        *,
        replicas: int = 0,
        masters: int = 1,
        lag_s: float = 0.0,
        wall: Callable[[], float] | None = None,
        prefix: str = "",
    ) -> None:
        self.wall = wall or (lambda: 1_750_000_000.0 + trio.current_time())
        self._prefix = prefix
        self._parts: dict[str, int] = {}
        """By hash tag: one for each shard and process."""
        self._named = 0
        self.replicas = replicas
        self.lag_s = lag_s
        self.masters: list[Master | None] = []
        """The one that clients find, for each part of the shards; None while there is none."""
        self.told: Callable[[Master, str, str, object, object], None] = _untold
        """Who looks on at what the scripts of any master do."""
        self.listeners: list[Callable[[Master, str], None]] = []
        for _ in range(masters):
            self.masters.append(self._with_replicas(Master(Data(), self)))

    def part_of(self, tag: str) -> int:
        """Which master has a shard, or what else has this hash tag."""
        if len(self.masters) == 1:
            return 0
        part = self._parts.get(tag)
        if part is None:
            part = self._parts[tag] = self._part_of(tag)
        return part

    def _part_of(self, tag: str) -> int:
        masters = len(self.masters)
        if not self._prefix:
            return _PLACES.get(tag, 0) % masters
        slot = crc_hqx(f"{self._prefix}:{tag}".encode(), 0) % SLOTS
        return slot * masters // SLOTS

    def part_of_bell(self, name: str) -> int:
        """Which master rings the bell of a shard, of its commits, or of a process."""
        shard = name.removeprefix(FEED_BELL)
        return self.part_of(shard if shard in _PLACES else replies_to(name))

    def ring(self, master: Master, name: str) -> None:
        """Tell everybody who listens."""
        for listener in list(self.listeners):
            listener(master, name)

    def fail_over(self, part: int = 0, *, least: bool = False, old_lives: bool = False) -> Master:
        """Promote a replica: the one that has most, or the one that has least.

        What the old master had beyond it is gone. With `old_lives` the old one goes on serving
        those who are connected to it, until it is demoted. Returns the old master.
        """
        old = self.masters[part]
        if old is None or not old.replicas:
            raise ValueError("there is nobody to promote")
        old.catch_up()
        choose = min if least else max
        promoted = choose(old.replicas, key=lambda replica: replica.upto)
        old.replaced(promoted)
        old.answers, old.hangs = old_lives, old.hangs and not old_lives
        self.masters[part] = self._with_replicas(Master(promoted.data, self))
        return old

    def empty(self, part: int = 0) -> None:
        """It loses everything, and its replicas with it."""
        master = self.masters[part]
        if master is not None:
            master.run([lambda data, _now_ms, _ring: data.empty()])

    def new_name(self) -> str:
        """One that no master has had."""
        self._named += 1
        return f"{self._named:08x}"

    def stop(self, part: int = 0, *, hangs: bool = False) -> None:
        """It answers nobody any more; its disk and its replicas are kept. It refuses at once, or
        `hangs` and has whoever asks wait."""
        master = self.masters[part]
        if master is not None:
            master.hangs, master.answers = hangs, hangs

    def go_on(self, part: int = 0) -> None:
        """It answers again, and takes writes."""
        master = self.masters[part]
        if master is not None:
            master.answers, master.hangs, master.lacks_replicas = True, False, False

    def _with_replicas(self, master: Master) -> Master:
        for _ in range(self.replicas):
            master.replicas.append(Replica(master.data.copy(), master.written, self.lag_s))
        return master
