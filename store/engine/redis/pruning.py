"""Deletes what is too old from a shard, a little at a time.

Which streams are due is looked up first, because a script must be told all its keys; what in them
is old, the script finds out itself.
"""

from collections.abc import Sequence

from store.engine.redis.keys import Keys
from store.engine.redis.lanes import Lanes, Work
from store.engine.redis.node import only
from store.engine.redis.scripts import Call, script
from store.errors import StoreTaken
from store.port import ALL_STREAMS, Streams, Table

SCRIPT_MOST = 500
"""Of one script, some 2 us each: the server serves nobody else meanwhile."""
STREAMS_MOST = 100


async def prune(
    lanes: Lanes,
    keys: Keys,
    shard: str,
    token: str,
    tables: Sequence[Table],
    before: float,
    most: int,
    which: Streams = ALL_STREAMS,
) -> int:
    """Delete up to `most` entries and records of these tables with at < before; how many went.

    Raises StoreTaken where the token is not the shard's any more.
    """
    gone = 0
    while gone < most:
        streams = [name for name in which.only if which.has(name)]
        if not which.only:
            due = ("ZRANGE", keys.streams(shard), "-inf", f"({before!r}", "BYSCORE")
            limit = ("LIMIT", 0, STREAMS_MOST + len(which.but))  # those are due for ever
            named = only(await lanes.ask(Work.READ, [(shard, (*due, *limit))]))
            streams = [name for each in named if which.has(name := each.decode())]
        step = min(SCRIPT_MOST, most - gone)
        call = _call(keys, shard, token, tables, streams, before, step)
        count = only(await lanes.ask(Work.COMMIT, [(shard, call)]))
        if count < 0:
            raise StoreTaken(f"redis: shard {shard} has another owner")
        gone += count
        if count < step and (which.only or len(streams) < STREAMS_MOST):
            break
    return gone


def _call(
    keys: Keys,
    shard: str,
    token: str,
    tables: Sequence[Table],
    streams: Sequence[str],
    before: float,
    most: int,
) -> Call:
    names = [keys.lease(shard), keys.streams(shard)]
    for table in tables:
        names += (keys.table(shard, table), keys.table_at(shard, table))
    for stream in streams:
        names += (keys.stream(shard, stream), keys.stream_at(shard, stream))
    return Call(script("prune"), names, (token, repr(before), most, len(tables), *streams))
