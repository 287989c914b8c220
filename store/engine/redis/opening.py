"""What is found and made when an engine is opened."""

from enum import Enum

from store.engine.redis.keys import Keys
from store.engine.redis.lanes import Lanes, Work
from store.engine.redis.node import only
from store.engine.shards import SHARDS
from store.errors import StoreCorrupt, StoreRefused

LAYOUT = 3
"""Of the keys: 1 and 2 were those of a store of one process, which `lamplighter move` reads."""
_MOVING = "moving"
_SHAPE = {"layout": str(LAYOUT), "shards": str(SHARDS), "hash": "crc32"}


class Content(Enum):
    """What lies under a prefix; a store of one process (an older layout) is not seen."""

    NOTHING = "nothing"
    FLEET = "a fleet"
    HALF = "half of a fleet"
    """Something was being moved or restored into it, and did not get there whole."""


async def content_of(lanes: Lanes, keys: Keys) -> Content:
    """Look, and change nothing."""
    flat = only(await lanes.ask(Work.READ, [("meta", ("HGETALL", keys.shape))]))
    if not flat:
        return Content.NOTHING
    return Content.HALF if _MOVING.encode() in flat[::2] else Content.FLEET


async def check_shape(
    lanes: Lanes, keys: Keys, *, is_moving: bool = False, may_be_older: bool = True
) -> bool:
    """Check that the layout is ours; False where there is none yet.

    Raises StoreRefused for a newer layout, for one of one process, and for one that something is
    being moved into, unless that is what we do. No older one ever lay in a cluster.
    """
    flat = only(await lanes.ask(Work.READ, [("meta", ("HGETALL", keys.shape))]))
    found = {key.decode(): value.decode() for key, value in zip(flat[::2], flat[1::2], strict=True)}
    if not found:
        asked = ("EXISTS", keys.older_layout)
        if may_be_older and only(await lanes.ask(Work.READ, [("meta", asked)])):
            raise StoreRefused(
                f"redis: the store under {keys.prefix!r} has the layout of one process; move it "
                "with `lamplighter move` (docs/operations.md)"
            )
        return False
    if found.pop(_MOVING, None) is not None and not is_moving:
        raise StoreRefused(
            f"redis: what was being moved or restored into {keys.prefix!r} did not get there "
            "whole: do it again"
        )
    layout = found.get("layout", "")
    if not layout.isdigit():
        raise StoreCorrupt("redis: the layout number under our prefix is not a number")
    if int(layout) > LAYOUT:
        raise StoreRefused(
            f"redis: layout {layout} was written by a newer version; this one knows {LAYOUT}"
        )
    if found != _SHAPE:
        raise StoreCorrupt(f"redis: the fleet is cut otherwise than this version does it: {found}")
    return True


async def make_shape(lanes: Lanes, keys: Keys, *, confirm: int, is_moving: bool) -> None:
    """Write the layout, and whether something is on its way into it."""
    pairs = [part for pair in _SHAPE.items() for part in pair]
    if is_moving:
        pairs += (_MOVING, "yes")
    asked = ("HSET", keys.shape, *pairs)
    only(await lanes.ask(Work.COMMIT, [("meta", asked)], confirm=confirm))


async def end_move(lanes: Lanes, keys: Keys, *, confirm: int) -> None:
    """All of it is there: from now on the engine can be opened."""
    only(await lanes.ask(Work.COMMIT, [("meta", ("HDEL", keys.shape, _MOVING))], confirm=confirm))
