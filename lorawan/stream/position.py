"""Up to where a stream was read, and where something may have been missed. Pure.

Reading goes on behind the newest entry that was read. Two things break that:

- The stream forgot it: newer entries pushed it out before they were read, so between it and the
  oldest entry kept there may have been others. That is a *gap*.
- The server is another one now (a fail-over), or its clock was set back: then an entry can have an
  id below one that was read already. So after each connection the reading begins `STEP_BACK_S`
  earlier, and what was read before is left out by its id.

A stream that was lost with the server's clock set back further begins with ids far below all that
were read; while there is nothing, the reading begins no later than the server's clock less that.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from lorawan.stream.entries import BEGINNING, EntryId, StreamEntry

STEP_BACK_S = 60.0
SEEN_MOST = 200_000
"""Ids of the entries read within `STEP_BACK_S`, 0.15 kB each: 30 MB at 3,300 events a second, and
1,111 are a million lights that report every 15 minutes."""


class Gap(NamedTuple):
    """What may have been missed: entries of after `since` and before `until`, for `known` is not
    in the stream any more."""

    known: EntryId
    since: EntryId
    until: EntryId | None
    """None where the stream holds nothing newer."""


class Look(NamedTuple):
    """What a stream is like at the start of a connection."""

    now_ms: int
    """The server's clock."""
    newest: EntryId | None
    """None where there is no entry."""


class Page(NamedTuple):
    """One look into a stream."""

    entries: Sequence[StreamEntry]
    now_ms: int
    """The server's clock, after the entries were read."""
    kept: bool
    """Whether the stream still holds the entry that was asked for (`Position.known`)."""


class Position:
    """Where we are in one stream. `mark`: everything up to it was dealt with by an earlier run; it
    is an entry, or `BEGINNING` where the stream was empty then, or was lost since."""

    def __init__(self, mark: EntryId | None = None) -> None:
        self.mark = mark
        self.after: EntryId = BEGINNING
        """Read on behind this; to be asked once `connected`."""
        self.known: EntryId | None = None if mark == BEGINNING else mark
        """The newest entry that is known to have been in the stream."""
        self.newest: EntryId = BEGINNING
        """Nothing behind this was read, since the stream began; `after` steps back from it."""
        self.begins_anew = False
        """Whether the stream was lost, and nothing was read of it since."""
        self._seen: OrderedDict[EntryId, None] = OrderedDict()

    def connected(self, now_ms: int, newest: EntryId | None) -> None:
        """A connection was made, at this time of the server's clock; `newest` as in `Look`."""
        if self.known is not None:
            self.after = self.known.earlier(STEP_BACK_S)
        elif newest is None or self.mark == BEGINNING:
            self.after = BEGINNING
        else:
            self.after = min(newest, EntryId(now_ms).earlier(STEP_BACK_S))

    def gap(self, page: Page) -> Gap | None:
        """What may have been missed before this page; to be asked before `take`."""
        if self.known is None or page.kept:
            return None
        until = page.entries[0].id if page.entries else None
        return Gap(self.known, self.known.earlier(STEP_BACK_S), until)

    def take(self, page: Page) -> list[StreamEntry]:
        """The entries that were not read before; the reading goes on behind them."""
        fresh = [entry for entry in page.entries if entry.id not in self._seen]
        for entry in fresh:
            self._seen[entry.id] = None
        if not page.entries:
            if not page.kept:  # the gap was told; the ids of before may come again
                self.known, self.mark = None, BEGINNING
                self.begins_anew = True
                self.newest = BEGINNING
                self._seen.clear()
            if self.known is None:
                self.after = min(self.after, EntryId(page.now_ms).earlier(STEP_BACK_S))
            return fresh
        self.begins_anew = False
        self.after = page.entries[-1].id
        self.newest = max(self.newest, self.after)
        if self.known is None or not page.kept or self.after > self.known:
            self.known = self.after
        self._forget(self.known)
        return fresh

    def dealt_with_before(self, entry_id: EntryId) -> bool:
        """Whether an earlier run had dealt with this entry."""
        return self.mark is not None and entry_id <= self.mark

    def _forget(self, newest: EntryId) -> None:
        oldest = newest.earlier(STEP_BACK_S + 1.0)
        while self._seen:
            first = next(iter(self._seen))
            if first >= oldest and len(self._seen) <= SEEN_MOST:
                return
            del self._seen[first]
