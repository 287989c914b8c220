"""What is found and made when an engine is opened."""

from enum import Enum

import trio

from store.engine.epochs import DATA_LOST
from store.engine.redis.keys import Keys
from store.engine.redis.lanes import Lanes, Work
from store.engine.redis.node import only
from store.engine.redis.scripts import Call, script
from store.engine.shards import SHARDS
from store.errors import StoreCorrupt, StoreRefused

LAYOUT = 3
"""Of the keys: 1 and 2 were those of a store of one process, which `lamplighter move` reads."""
KEPT = "; what was there before is kept beside the copy (.before-...)"
"""Of a restore that was cut off."""
LIFE_S = 5.0
"""Whoever lives shows himself every 2 s (`KeeperTimes.renew_s`)."""
_MOVING = "moving"
_SHAPE = {"layout": str(LAYOUT), "shards": str(SHARDS), "hash": "crc32"}
_PAIRS = [part for pair in _SHAPE.items() for part in pair]


class Content(Enum):
    """What lies under a prefix; a store of one process (an older layout) is not seen."""

    NOTHING = "nothing"
    FLEET = "a fleet"
    HALF = "half of a fleet"
    """Something is being moved or restored into it, or did not get there whole."""


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
    mark = found.pop(_MOVING, None)
    if mark is not None and not is_moving:
        is_move = mark.startswith("move")
        raise StoreRefused(
            f"redis: what was being {'moved' if is_move else 'restored'} into {keys.prefix!r} did "
            "not get there whole: do it again" + ("" if is_move else KEPT)
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


async def check_nobody_lives(lanes: Lanes, keys: Keys) -> None:
    """Raises StoreRefused where there is no layout and processes of this fleet run.

    They wrote one before they showed themselves: it is gone with all that was there, and whoever
    made it anew would take the fleet from those who still know it. Takes LIFE_S where anybody was
    shown; one that does not move any more is dead.
    """
    asked = ("HGETALL", keys.members)
    before = only(await lanes.ask(Work.READ, [("meta", asked)]))
    if not before:
        return
    await trio.sleep(LIFE_S)
    after = only(await lanes.ask(Work.READ, [("meta", asked)]))
    moved = _pairs(after) - _pairs(before)
    if moved and not only(await lanes.ask(Work.READ, [("meta", ("EXISTS", keys.shape))])):
        raise StoreRefused(
            f"redis: {DATA_LOST} under {keys.prefix!r}, and {len(moved)} of the processes that "
            "serve this fleet run: restore it, or stop them all (docs/cluster.md)"
        )


def _pairs(flat: list[bytes]) -> set[tuple[bytes, bytes]]:
    return set(zip(flat[::2], flat[1::2], strict=True))


async def make_shape(lanes: Lanes, keys: Keys, *, confirm: int) -> None:
    """Write the layout."""
    asked = ("HSET", keys.shape, *_PAIRS)
    only(await lanes.ask(Work.COMMIT, [("meta", asked)], confirm=confirm))


async def found_mark(lanes: Lanes, keys: Keys) -> str:
    """What closes the engine to whoever would open it; empty where it is open."""
    asked = ("HGET", keys.shape, _MOVING)
    mark: bytes | None = only(await lanes.ask(Work.READ, [("meta", asked)]))
    return (mark or b"").decode()


async def change_mark(lanes: Lanes, keys: Keys, seen: str, new: str, *, confirm: int) -> bool:
    """Put another mark in its place (empty for none), and the layout with it; False where it is
    neither of the two any more."""
    asked = Call(script("close"), (keys.shape,), (seen, new, *_PAIRS))
    return bool(only(await lanes.ask(Work.COMMIT, [("meta", asked)], confirm=confirm)))
