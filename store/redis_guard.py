"""What makes a commit to Redis safe: only the owner may write, and commits stay in order.

Every transaction is conditioned on three keys that it WATCHes: the owner's number, the holder's
token and the number of commits so far, which every transaction raises. So

- a commit whose bytes were held on the way, and which arrives after its own repetition and a newer
  commit, is refused by the server: the number has changed since its WATCH;
- of two processes only the one that took the prefix last can write;
- a fail-over to a replica that lacks acknowledged commits is seen: the number went back.

WATCH and not a script: EXEC is all or nothing also where a command would run out of memory, it
needs no right to run scripts, and it costs 0.2 ms more. Nothing is repeated by redis-py: its silent
retries would count one INCR twice. The caller repeats a commit, under the same conditions.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import redis

from store.errors import (
    StoreClosed,
    StoreCorrupt,
    StoreError,
    StoreRefused,
    StoreRewound,
    StoreTaken,
    StoreUnavailable,
)
from store.holder import Holder, decode_holder, encode_holder, this_process
from store.mark import SetBackMark, mark_put
from store.port import Put, Table
from store.redis_keys import Keys, pack

SCHEMA = 2
"""Layout of the keys: 2 since every commit raises {prefix}:commits. A program that knows only 1
does not, and so refuses."""
RESTORING = b"restoring"
"""In place of the layout's number while a restore is under way, or was cut off."""

HolderState = tuple[bytes | None, bytes | None]
"""A foreign holder and the number of commits: while neither changes, nobody is alive."""


class Guard:
    """Ownership of one prefix. All methods block and belong in the writer's thread.

    `now` dates a mark, in Unix seconds.
    """

    def __init__(self, client: Any, keys: Keys, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._client = client
        self._keys = keys
        self._me = this_process()
        self._owner: int | None = None
        self._commits = 0
        """As the newest acknowledged transaction left it."""
        self._unsure = 0
        """Transactions since whose answer did not come: each may have been carried out."""
        self._lost: StoreRefused | None = None

    @property
    def taken(self) -> bool:
        """True once the prefix is ours."""
        return self._owner is not None

    def take(
        self, seen: HolderState | None, *, schema: bytes = b"%d" % SCHEMA
    ) -> HolderState | None:
        """Become the owner and return None, unless another holder may be alive: then its state.

        A holder whose state is the same some seconds later is dead: pass that first state.
        """
        if self._owner is not None:
            return None
        keys = self._keys
        with translated(), self._client.pipeline(transaction=True) as pipe:
            pipe.watch(keys.schema, keys.owner, keys.commits, keys.holder)
            found, owner, commits, held = pipe.mget(
                keys.schema, keys.owner, keys.commits, keys.holder
            )
            if schema != RESTORING:  # a restore may begin again what another left half done
                check_schema(found)
            holder = decode_holder(held)
            if holder is not None and holder.token == self._me.token:  # taken, by a lost answer
                self._owner, self._commits = _number(owner), _number(commits)
                return None
            state: HolderState = (held, commits)
            if holder is not None and not holder.certainly_dead and state != seen:
                return state
            number = _number(owner) + 1
            pipe.multi()
            pipe.set(keys.schema, schema)
            pipe.set(keys.owner, number)
            pipe.set(keys.holder, encode_holder(self._me))
            pipe.incr(keys.commits)
            self._owner, self._commits = number, pipe.execute()[-1]
            return None

    def holder_state(self) -> HolderState | None:
        """The state of a holder that may be alive; None where there is none."""
        with translated():
            held, commits = self._client.mget(self._keys.holder, self._keys.commits)
        holder = decode_holder(held)
        return None if holder is None or holder.certainly_dead else (held, commits)

    def release(self) -> None:
        """Let the next owner take the prefix without waiting; best effort."""
        if self._owner is None or self._lost is not None:
            return
        with suppress(StoreError):  # then the next owner waits, as after a crash
            self.transaction(lambda pipe: (pipe.multi(), pipe.delete(self._keys.holder)))
        self._owner = None

    def transaction(self, prepare: Callable[[Any], object]) -> None:
        """Execute what `prepare` stages, all or none, if this is still ours and in order.

        `prepare` may read first; what it read is then as guarded as the rest. It calls `multi`.
        """
        if self._lost is not None:
            raise self._lost
        if self._owner is None:
            raise StoreClosed("redis: the store is not open")
        keys = self._keys
        with translated(), self._client.pipeline(transaction=True) as pipe:
            pipe.watch(keys.owner, keys.commits, keys.holder)
            self._check_position(pipe, *pipe.mget(keys.owner, keys.commits, keys.holder))
            prepare(pipe)
            pipe.incr(keys.commits)
            self._execute(pipe)

    def _execute(self, pipe: Any) -> None:
        self._unsure += 1  # also past a WatchError: redis-py calls a lost connection one
        results = pipe.execute()
        self._commits, self._unsure = results[-1], 0

    def _check_position(
        self, pipe: Any, owner: bytes | None, commits: bytes | None, held: bytes | None
    ) -> None:
        """Raise unless owner, holder and commits are as we left them."""
        number, count = _number(owner), _number(commits)
        assert self._owner is not None  # noqa: S101 - asked before
        holder = decode_holder(held)
        ours = holder is not None and holder.token == self._me.token
        if not ours and number > self._owner:
            self._lost = StoreTaken(f"redis: {_somebody(holder)} took this prefix over")
        elif number < self._owner or count < self._commits or not ours:
            self._set_back(pipe, number, count)
        elif count > self._commits + self._unsure:
            self._lost = StoreTaken("redis: another process writes under this prefix")
        if self._lost is not None:
            raise self._lost

    def _set_back(self, pipe: Any, number: int, count: int) -> None:
        """Store the mark where commits are lost, so that the next start asks first."""
        assert self._owner is not None  # noqa: S101 - asked before
        gone = self._commits - count
        newest = "newest commit" if gone == 1 else f"{gone} newest commits"
        cause = (
            f"lost its {newest} in a fail-over of Redis" if count else "lost all its data in Redis"
        )
        put = mark_put(SetBackMark(at=self._now(), cause=cause))
        keys = self._keys
        pipe.multi()
        pipe.set(keys.schema, SCHEMA)
        pipe.set(keys.owner, max(number, self._owner) + 1)
        pipe.set(keys.holder, encode_holder(self._me))
        stage_put(pipe, keys, put)
        pipe.set(keys.commits, self._commits + self._unsure + 1)
        pipe.execute()
        self._lost = StoreRewound(
            f"redis: the store {cause}; started again, the service asks before it commands "
            "anything that was wanted before"
        )


def stage_put(pipe: Any, keys: Keys, put: Put) -> None:
    """One record into a transaction."""
    pipe.hset(keys.table(Table(put.table)), put.key, pack(put.at, put.value))
    pipe.zadd(keys.table_at(Table(put.table)), {put.key: put.at})


def holder_text(state: HolderState) -> str:
    """Which process it is, for people."""
    return _somebody(decode_holder(state[0]))


def check_schema(found: bytes | None) -> None:
    """Raise for a layout that is not ours to use; an older one is brought up by `take`."""
    if found is None:
        return
    if found == RESTORING:
        raise StoreRefused(
            "redis: a restore into this prefix did not come to its end: run it again"
        )
    if not found.isdigit():
        raise StoreCorrupt("redis: the layout number under our prefix is not a number")
    if int(found) > SCHEMA:
        raise StoreRefused(
            f"redis: layout {int(found)} was written by a newer version; "
            f"this one knows layouts up to {SCHEMA}"
        )


def _somebody(holder: Holder | None) -> str:
    return "another process" if holder is None else f"another process ({holder.description})"


def _number(found: bytes | None) -> int:
    return int(found) if found and found.isdigit() else 0


_REFUSED = (
    redis.AuthenticationError,
    redis.exceptions.AuthorizationError,
    redis.exceptions.NoPermissionError,
)
_REFUSALS = ("NOAUTH", "WRONGPASS", "NOPERM", "MOVED", "CROSSSLOT", "CLUSTERDOWN")


@contextmanager
def translated() -> Iterator[None]:
    """Turn redis-py's exceptions into ours, once."""
    try:
        yield
    except _REFUSED as error:
        raise StoreRefused(f"redis: {error}") from error
    except (redis.ConnectionError, redis.TimeoutError, redis.WatchError) as error:
        # A WatchError is a connection lost after WATCH, or somebody else's write just now; the
        # repeated commit finds out which.
        raise StoreUnavailable(f"redis: {error}") from error
    except redis.ResponseError as error:
        # redis-py puts the command before the words of the server when it was part of a pipeline.
        words = str(error).rpartition("caused error: ")[2]
        if words.startswith("WRONGTYPE"):
            raise StoreCorrupt(f"redis: a key of ours has a foreign type: {words}") from error
        if words.startswith(_REFUSALS):
            raise StoreRefused(f"redis: {words}") from error
        # OOM, MISCONF (its disk failed), READONLY (failing over), MASTERDOWN, NOREPLICAS, ...
        raise StoreUnavailable(f"redis: {words}") from error
    except redis.RedisError as error:
        raise StoreError(f"redis: {error}") from error
