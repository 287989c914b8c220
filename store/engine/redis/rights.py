"""Tries in every master whether the user may do all that is to be done, and whether a command is
renamed: by doing it, in a shard beside the real ones that is deleted again."""

from collections.abc import Iterable, Iterator
from secrets import token_hex

from store.engine.port import Accept, Commit, Lease
from store.engine.redis.keys import LEASE_FIELDS, TRIAL, Keys
from store.engine.redis.node import Command, Node, only
from store.engine.redis.scripts import Argument, Call, script
from store.engine.redis.staging import accept_call, commit_call, post_call, result_of, take_call
from store.port import Append, Delete, Put, Table, outcome

_LIGHT = "trial"
_WRITES = (
    Put(Table.DEVICE, _LIGHT, b"", 0.0),
    Delete(Table.META, _LIGHT),
    Append(_LIGHT, "1", 0.0, b""),
)


class _Beside(Keys):
    """The keys of a shard beside a real one, in the same slot."""

    def __init__(self, prefix: str) -> None:
        self._trial = f"trial-{token_hex(8)}"
        super().__init__(prefix)

    def of(self, shard: str) -> str:
        """Never a key of the real shard."""
        return f"{super().of(shard)}:{self._trial}"

    def bell(self, name: str) -> str:
        """One that nobody listens to."""
        return super().bell(TRIAL)


def try_rights(node: Node, prefix: str, shard: str, confirm: int) -> None:
    """Do everything once. Raises StoreRefused for what may not be done, StoreUnavailable."""
    keys = _Beside(prefix)
    take = take_call(keys, shard, Lease(), _LIGHT, 0)
    try:
        for each in by_itself(keys, shard):
            only(node.ask([each]))
        [taken] = node.ask([take])
        # One by one: what is not known is sent again, after the others.
        for command in _everything(keys, shard, result_of(only([taken])).lease):
            only(node.ask([command]))
    finally:
        node.drop()  # it may be in the middle of a transaction
        _forget(node, _everything(keys, shard, Lease()))
    node.ask([("PING",)], confirm)
    [heard] = node.ask([("PSUBSCRIBE", keys.bell_pattern)])
    node.drop()
    only([heard])


def by_itself(keys: Keys, shard: str) -> Iterator[tuple[Argument, ...]]:
    """Every command of the scripts: Redis 7.0 does not say which of a script's it refused."""
    name, inbox, streams = keys.lease(shard), keys.inbox(shard), keys.streams(shard)
    yield ("HSET", name, "trial", b"")
    yield ("HSETNX", name, "trial", b"")
    yield ("HINCRBY", name, "trials", 1)
    yield ("HGET", name, "token")
    yield ("HMGET", name, *LEASE_FIELDS)
    yield ("HEXISTS", name, "trial")
    yield ("HDEL", name, "trial", "trials")
    yield ("ZADD", streams, 0, _LIGHT)
    yield ("ZRANGE", streams, 0, -1)
    yield ("ZREM", streams, _LIGHT)
    yield ("XADD", inbox, "MAXLEN", "~", 1, "*", "m", b"")
    yield ("XLEN", inbox)
    yield ("XREVRANGE", inbox, "+", "-", "COUNT", 1)
    yield ("XDEL", inbox, "0-1")
    yield ("XTRIM", inbox, "MINID", "0-1")
    yield ("PUBLISH", keys.bell(shard), _LIGHT)
    yield ("TIME",)


def _everything(keys: Keys, shard: str, lease: Lease) -> Iterator[Command]:
    name = keys.lease(shard)
    bell = keys.bell(shard)
    commit = Commit(shard, lease.token, 1, outcome(_WRITES), b"", "0-1", "0-1")
    yield commit_call(keys, commit)
    yield Call(script("renew"), (name,), (lease.token,))
    yield Call(script("confirm"), (name,), ())
    yield accept_call(keys, Accept(shard, _LIGHT, _LIGHT, b"", b"", 0.0, _LIGHT, "", b"{}"))
    yield post_call(keys, shard, [b""])
    streams = (keys.streams(shard), keys.stream(shard, _LIGHT), keys.stream_at(shard, _LIGHT))
    yield Call(script("prune"), (name, *streams), (lease.token, "1.0", 10, 0, _LIGHT))
    yield ("XRANGE", keys.inbox(shard), "(0-0", "+", "COUNT", 1)
    yield ("MULTI",)
    yield ("HMGET", name, *LEASE_FIELDS)
    yield ("HGETALL", name)
    yield ("EXEC",)
    yield Call(script("give"), (name,), (lease.token, bell, shard))


def _forget(node: Node, commands: Iterable[Command]) -> None:
    """By a command that is needed anyway."""
    keys = {key for command in commands if isinstance(command, Call) for key in command.keys}
    for answer in node.ask([("EXPIRE", key, 0) for key in sorted(keys)]):
        only([answer])
