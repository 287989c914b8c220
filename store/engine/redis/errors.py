"""What the server or the connection to it says, in our own errors."""

import re

import redis
from redis import exceptions

from store.errors import StoreCorrupt, StoreError, StoreRefused, StoreUnavailable

ELSEWHERE = (
    exceptions.MovedError,
    exceptions.ClusterDownError,
    exceptions.MasterDownError,
    exceptions.ReadOnlyError,
)
"""Another node may be the one to ask."""


class Elsewhere(StoreUnavailable):
    """Nothing was done, because another node has the slot; it is known by now which."""


_CLOSED = re.compile(r"ACL failure in script|caused error: NOPERM|discarded because of: NOPERM")
_UNKNOWN = re.compile(r"^unknown (sub)?command|Unknown .*command called from script", re.IGNORECASE)
_RIGHTS = (
    redis.AuthenticationError,
    exceptions.AuthorizationError,
    exceptions.NoPermissionError,
)


def error_of(error: Exception) -> StoreError:
    """One error of redis-py or of the system, translated; the caller keeps it as the cause."""
    words = f"redis: {error}"
    match error:
        case StoreError():
            return error
        case exceptions.NoPermissionError():
            return StoreRefused(f"redis: the user lacks a right: {error}")
        case redis.ResponseError() if _CLOSED.search(str(error)):
            return StoreRefused(f"redis: the user lacks a right: {error}")
        case redis.AuthenticationError() | exceptions.AuthorizationError():
            return StoreRefused(f"redis: user or password are wrong: {error}")
        case exceptions.MovedError():
            return Elsewhere(f"redis: the slot lies on another node: {error}")
        case exceptions.TryAgainError() | exceptions.AskError():
            return StoreUnavailable("redis: the slot is being moved to another node")
        case exceptions.OutOfMemoryError():
            return StoreUnavailable(f"redis: its memory is full: {error}")
        case exceptions.ReadOnlyError():
            return StoreUnavailable("redis: this node is a read-only replica now")
        case exceptions.ClusterCrossSlotError():
            return StoreRefused(f"redis: keys of one shard lie in several slots: {error}")
        case redis.ResponseError() if str(error).startswith("WRONGTYPE"):
            return StoreCorrupt(f"redis: a key of ours has a foreign type: {error}")
        case redis.ResponseError() if _UNKNOWN.search(str(error)):
            words = str(error).partition(", with args")[0]
            return StoreRefused(f"redis: a command is renamed or missing: {words}")
        case redis.RedisError() | OSError():
            # NOREPLICAS, MISCONF (its disk failed), BUSY, CLUSTERDOWN, a lost connection, ...
            return StoreUnavailable(words)
        case _:
            return StoreError(words)


def is_refusal(error: Exception) -> bool:
    """Whether the connection was refused for who we are, not for what we asked."""
    return isinstance(error, _RIGHTS)
