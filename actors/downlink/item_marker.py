"""The mark of an attempt on its queue item: the microseconds of the item's expiry.

By this alone, and with the same tolerance everywhere, an item of ours is recognised after an
enqueue whose outcome was never learned.
"""

TOLERANCE_US = 2.0
"""A double holds Unix seconds to 0.24 us, a server's timestamp to 1 us."""


def bears(expires_at: float | None, marker_us: int) -> bool:
    """Whether an item that expires at `expires_at` (Unix seconds; None: never) bears the mark.

    Microseconds run in a circle: 999,999.9 is next to 0.
    """
    if expires_at is None:
        return False
    off_us = abs((expires_at % 1.0) * 1e6 - marker_us)
    return min(off_us, 1e6 - off_us) < TOLERANCE_US
