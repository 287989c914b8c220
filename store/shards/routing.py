"""In which shard a write lies, and where to look for what is read.

A request (the writes of one `commit`) lies in one shard as a whole: that of the light it names, by
its record, its history, its verdicts or one of its idempotency keys; else in that of the fleet. A
command does not name its light and goes where its siblings go; so does a stream of the fleet as a
whole (the verdicts), which is therefore in parts, and merged when it is read.
"""

import re
from collections.abc import Sequence

from store.engine.shards import ALL_SHARDS, FLEET, LIGHT_SHARDS, shard_of
from store.errors import StoreError
from store.port import Append, Table, Write

_LIGHT_STREAM = re.compile(r"(?:verdicts:)?([0-9a-fA-F]{16})")
"""A light's history, and its verdicts. A gateway's stream has its id behind another word."""
FLEET_STREAM = "fleet:"
"""How the names of streams begin that lie in the fleet's own shard alone."""
AIRTIME_STREAM = "air"
"""Of 0.1.0: no process of a cluster writes it, and what was moved to an engine lies there, too."""
_LIGHT_KEY = re.compile(r"([0-9a-fA-F]{16}):.*", re.DOTALL)
"""An idempotency key of a light's commands; a rollout's begins otherwise."""


class Misrouted(StoreError):
    """Writes that must be one commit, but belong to several shards: a mistake of the caller."""


def shard_of_request(writes: Sequence[Write]) -> str:
    """The shard of these writes. Raises Misrouted where they have not one shard."""
    found = {shard for write in writes if (shard := _shard_of_write(write)) is not None}
    match len(found):
        case 1:
            return found.pop()
        case 0 if not any(_is_command(write) for write in writes):
            return FLEET
        case 0:
            raise Misrouted("a command is stored without anything of its light")
        case _:
            raise Misrouted(f"one request for several shards: {', '.join(sorted(found))}")


def shards_of_key(table: Table, key: str) -> Sequence[str]:
    """The shards of which one may have this record."""
    match table:
        case Table.DEVICE:
            return (shard_of(key),)
        case Table.IDEMPOTENCY:
            return (_shard_of_idempotency_key(key),)
        case Table.COMMAND:
            return LIGHT_SHARDS
        case _:
            return (FLEET,)


def shards_of_table(table: Table) -> Sequence[str]:
    """The shards that hold parts of a table."""
    match table:
        case Table.DEVICE | Table.COMMAND:
            return LIGHT_SHARDS
        case Table.IDEMPOTENCY:
            return ALL_SHARDS
        case _:
            return (FLEET,)


def shards_of_stream(stream: str) -> Sequence[str]:
    """The shards that hold parts of a stream."""
    if stream.startswith(FLEET_STREAM) or stream == AIRTIME_STREAM:
        return (FLEET,)
    light = _LIGHT_STREAM.fullmatch(stream)
    return ALL_SHARDS if light is None else (shard_of(light[1]),)


def _shard_of_write(write: Write) -> str | None:
    """None for what lies where its siblings lie."""
    if isinstance(write, Append):
        if write.stream.startswith(FLEET_STREAM):
            return FLEET
        light = _LIGHT_STREAM.fullmatch(write.stream)
        return None if light is None else shard_of(light[1])
    if write.table is Table.COMMAND:
        return None
    return shards_of_key(write.table, write.key)[0]


def _shard_of_idempotency_key(key: str) -> str:
    light = _LIGHT_KEY.fullmatch(key)
    return FLEET if light is None else shard_of(light[1])


def _is_command(write: Write) -> bool:
    return not isinstance(write, Append) and write.table is Table.COMMAND
