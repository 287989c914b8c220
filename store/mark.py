"""The mark in a store that was set back: by `restore`, or by a fail-over that lost commits.

It is an ordinary record: it survives a crash, is part of every backup, and is removed only by the
commit of the decision what to do.
"""

import msgspec

from store.port import Put, Record, Table

MARK_KEY = "set-back"


class SetBackMark(msgspec.Struct, frozen=True):
    """The store is older than what the service did with it. Times are Unix seconds UTC."""

    at: float
    """When it was set back: what was wanted before is not sent again until somebody confirms."""
    cause: str
    """In words for a person, to follow "the store"."""
    copied_at: float | None = None
    """When the copy was made; None for a fail-over, where that is not known."""
    keep_shown: bool = False
    """Somebody decided that each light keeps what it shows, as soon as it was heard."""
    by: str = ""
    """Who decided that."""


def mark_put(mark: SetBackMark) -> Put:
    """The write that stores it."""
    return Put(Table.META, MARK_KEY, msgspec.json.encode(mark), mark.at)


def read_mark(record: Record) -> SetBackMark:
    """The mark. Raises msgspec.MsgspecError for what is not one."""
    return msgspec.json.decode(record.value, type=SetBackMark)
