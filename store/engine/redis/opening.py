"""What is found and made when an engine is opened."""

from store.engine.redis.keys import Keys
from store.engine.redis.lanes import Lanes, Work
from store.engine.redis.node import only
from store.engine.shards import SHARDS
from store.errors import StoreCorrupt, StoreRefused

LAYOUT = 3
"""Of the keys: 1 and 2 were those of a store of one process, which `lamplighter move` reads."""
_SHAPE = {"layout": str(LAYOUT), "shards": str(SHARDS), "hash": "crc32"}


async def make_shape(lanes: Lanes, keys: Keys) -> None:
    """Check that the layout is ours; make it where there is none.

    Raises StoreRefused for a newer layout, or for one of one process.
    """
    asked = ("HGETALL", keys.shape)
    flat = only(await lanes.ask(Work.READ, [("meta", asked)]))
    found = {key.decode(): value.decode() for key, value in zip(flat[::2], flat[1::2], strict=True)}
    if not found:
        pairs = [part for pair in _SHAPE.items() for part in pair]
        only(await lanes.ask(Work.COMMIT, [("meta", ("HSET", keys.shape, *pairs))]))
        return
    layout = found.get("layout", "")
    if not layout.isdigit():
        raise StoreCorrupt("redis: the layout number under our prefix is not a number")
    if int(layout) > LAYOUT:
        raise StoreRefused(
            f"redis: layout {layout} was written by a newer version; this one knows {LAYOUT}"
        )
    if found != _SHAPE:
        raise StoreCorrupt(f"redis: the fleet is cut otherwise than this version does it: {found}")
