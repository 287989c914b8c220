"""The mark in a store that was set back: by `restore`, or by a fail-over that lost commits.

The rule it keeps: it is an ordinary record, so it is there after a crash, in every backup, and gone
only by a commit of whoever confirmed.
"""

import msgspec

from store.port import Put, Record, Table

MARK_KEY = "set-back"


class Mark(msgspec.Struct, frozen=True):
    """The store is older than what was done. Times are Unix seconds UTC."""

    at: float
    """When it was set back: what was wanted before is not sent again until somebody confirms."""
    cause: str
    """In words for a person, to follow "the store"."""
    copied_at: float | None = None
    """When the copy was made; None for a fail-over, where nobody knows."""
    keep_shown: bool = False
    """Somebody decided that each light keeps what it shows, as soon as it was heard."""


def mark_put(mark: Mark) -> Put:
    """The write that leaves it."""
    return Put(Table.META, MARK_KEY, msgspec.json.encode(mark), mark.at)


def read_mark(record: Record) -> Mark:
    """The mark. Raises msgspec.MsgspecError for what is not one."""
    return msgspec.json.decode(record.value, type=Mark)
