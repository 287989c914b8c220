"""One fleet in an engine that many processes share, used as if it were one store."""

from store.shards.feed import Change, decode_feed, encode_feed
from store.shards.routing import Misrouted, shard_of_request, shards_of_key, shards_of_stream
from store.shards.shard_store import Marks, ShardStatistics, ShardStore

__all__ = [
    "Change",
    "Marks",
    "Misrouted",
    "ShardStatistics",
    "ShardStore",
    "decode_feed",
    "encode_feed",
    "shard_of_request",
    "shards_of_key",
    "shards_of_stream",
]
