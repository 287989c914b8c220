"""Into how many parts a fleet is cut, and which light lies in which.

A part (shard) has one owner at a time. The number is fixed when a fleet is created: a light never
changes its shard. The 65th shard holds what concerns the fleet as a whole; whoever owns it runs the
dispatcher, the gateway watcher and the other actors of which there must be one.
"""

from typing import Final
from zlib import crc32

SHARDS: Final = 64
FLEET: Final = "fleet"
LIGHT_SHARDS: Final = tuple(f"{number:02d}" for number in range(SHARDS))
ALL_SHARDS: Final = (*LIGHT_SHARDS, FLEET)


def shard_of(dev_eui: str) -> str:
    """The shard of a light: CRC-32 (as in zlib) of its DevEUI in lower case, modulo 64."""
    return LIGHT_SHARDS[crc32(dev_eui.lower().encode()) % SHARDS]
