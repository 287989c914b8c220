"""Tells the fleet's owner, who alerts, what a fail-over took of the shards of this process."""

from collections.abc import Callable
from itertools import count

from actors.cluster.messages import FailoverTook, Message
from actors.replace import replace


class FailoverTold:
    """For `ShardStore.listen`. `owner` is the name of this process; `tell` neither waits nor
    raises."""

    def __init__(self, owner: str, boot: str, tell: Callable[[Message], None]) -> None:
        self._owner = owner
        self._asker = f"failovers of {boot}"
        self._numbers = count(1)
        self._tell = tell

    def replayed(self, shard: str, commits: int) -> None:
        """So many acknowledged commits were lost, and are stored again as they were."""
        self._took(FailoverTook(self._owner, shard, again=commits))

    def lost(self, shard: str, commits: int) -> None:
        """So many were lost that are kept no longer; the records in memory were put again."""
        self._took(FailoverTook(self._owner, shard, put=commits))

    def _took(self, message: FailoverTook) -> None:
        self._tell(replace(message, asker=self._asker, ask=next(self._numbers)))
