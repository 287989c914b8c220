"""Which of the lights on the board lie in which shard.

Of a fleet of many processes one shard is looked at by itself whenever it has a new owner: to go
through all lights for it, 1 us each, would stop the loop for a second where there are a million.
"""

from collections.abc import Sequence

from store.engine.shards import LIGHT_SHARDS, shard_of


class LightsByShard:
    """Bounds: one entry for each light, some 60 bytes."""

    def __init__(self) -> None:
        self._shards: dict[str, dict[str, None]] = {shard: {} for shard in LIGHT_SHARDS}
        """In the order in which they came, which does not depend on hashes."""

    def add(self, dev_eui: str) -> None:
        """It is on the board from now on."""
        self._shards[shard_of(dev_eui)][dev_eui] = None

    def forget(self, dev_eui: str) -> None:
        """It is not any more; nothing for one that is not known."""
        self._shards[shard_of(dev_eui)].pop(dev_eui, None)

    def of(self, shard: str) -> Sequence[str]:
        """The lights of a shard; none of the fleet's own."""
        return tuple(self._shards.get(shard, ()))
