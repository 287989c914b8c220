"""Tries in every master whether the user may do all that is to be done, and whether a command is
renamed: by doing it, in a shard beside the real ones that is deleted again."""

from collections.abc import Iterator, Sequence
from secrets import token_hex

from store.engine.port import Accept, Commit, Lease
from store.engine.redis.keys import LEASE_FIELDS, TRIAL, Keys
from store.engine.redis.node import Command, Node, only
from store.engine.redis.scripts import Call, script
from store.engine.redis.staging import accept_call, commit_call, post_call, result_of
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
    take = Call(script("take"), (keys.lease(shard),), ("", 0, 0, _LIGHT))
    commands: list[Command] = [take]
    try:
        [taken] = node.ask([take])
        commands = list(_everything(keys, shard, result_of(only([taken])).lease))
        for command in commands:  # one by one: what is not known is sent again, after the others
            only(node.ask([command]))
    finally:
        node.drop()  # it may be in the middle of a transaction
        _forget(node, commands)
    node.ask([("PING",)], confirm)
    [heard] = node.ask([("PSUBSCRIBE", keys.bell_pattern)])
    node.drop()
    only([heard])


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
    yield ("PUBLISH", bell, _LIGHT)
    yield ("XADD", keys.feed(shard), "MAXLEN", "~", 1, "*", "m", b"")
    yield ("XRANGE", keys.inbox(shard), "(0-0", "+", "COUNT", 1)
    yield ("HSET", name, "trial", b"")
    yield ("HDEL", name, "trial")
    yield ("HGET", name, "token")
    yield ("HSCAN", name, 0, "COUNT", 1)
    yield ("ZRANGE", keys.streams(shard), 0, -1)
    yield ("TIME",)
    yield ("MULTI",)
    yield ("HMGET", name, *LEASE_FIELDS)
    yield ("HGETALL", name)
    yield ("EXEC",)
    yield Call(script("give"), (name,), (lease.token, bell, shard))


def _forget(node: Node, commands: Sequence[Command]) -> None:
    """By a command that is needed anyway."""
    keys = {key for command in commands if isinstance(command, Call) for key in command.keys}
    for answer in node.ask([("EXPIRE", key, 0) for key in sorted(keys)]):
        only([answer])
