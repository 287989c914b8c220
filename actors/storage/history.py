"""A device's history: how one line of it is stored, and how it is read back.

An entry's id is given by whoever writes it and follows from what happened, so
that a commit repeated after an ambiguous failure, or a webhook that came twice, adds no second
line. The stream of a device bears its DevEUI as name.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from actors.storage.event_lines import decoded
from store.port import Append, Entry, Store

ENTRIES_MOST = 1_000
"""Of one reading of the store: at about 200 bytes a line 200 kB."""
LINES_MOST = 10_000
"""Of one answer: ten readings, some 50 ms, 2 MB."""
LOOKED_AT_MOST = 20_000
"""For one answer of some kinds only: a light that is well writes some 50 lines a day."""
STEP_LINES = 50
"""More than any step of a light writes, all with one time."""


class HistoryEntry(msgspec.Struct, frozen=True):
    """One line of a device's history."""

    entry: str
    at: float
    kind: str
    detail: dict[str, Any]


class _Line(msgspec.Struct, frozen=True):
    kind: str
    detail: dict[str, Any] = {}


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Line)


def line(
    dev_eui: str, entry: str, at: float, kind: str, detail: Mapping[str, str | float | None]
) -> Append:
    """One line for the history of `dev_eui`, to be committed; `at` is Unix seconds UTC."""
    return Append(dev_eui, entry, at, _encoder.encode(_Line(kind, dict(detail))))


def read_line(entry: Entry) -> HistoryEntry:
    """One stored entry as it is shown.

    What cannot be read is shown as such: one odd line must not hide the others.
    """
    try:
        stored = _decoder.decode(entry.value)
    except msgspec.MsgspecError as error:
        return HistoryEntry(entry.entry, entry.at, "unreadable", {"error": str(error)})
    return HistoryEntry(entry.entry, entry.at, stored.kind, decoded(stored.kind, stored.detail))


class Lines(msgspec.Struct, frozen=True):
    """Some lines, newest first. `next_until` is `until` of those before them; None where there are
    none."""

    lines: Sequence[HistoryEntry]
    next_until: float | None


async def read(
    store: Store,
    dev_eui: str,
    *,
    since: float,
    until: float,
    most: int,
    kinds: Collection[str] = (),
) -> Lines:
    """At most `most` (and at most `LINES_MOST`) lines with since <= at < until, newest first, of
    these kinds, if any are named.

    Lines of the same time are never parted: a step of a light writes several, and a page that ends
    between two would lose the other. At most `LOOKED_AT_MOST` are looked at; an answer may then
    hold fewer, even none, and goes on from `next_until`. Raises StoreError.
    """
    most = max(0, min(most, LINES_MOST))
    found: list[HistoryEntry] = []
    for _ in range(LOOKED_AT_MOST // ENTRIES_MOST if most else 0):
        size = ENTRIES_MOST if kinds else min(ENTRIES_MOST, most - len(found) + STEP_LINES)
        stored = await store.entries(dev_eui, since=since, until=until, most=size)
        more = len(stored) == size
        if more and stored[-1].at != stored[0].at:  # the last time may go on behind this reading
            stored = [entry for entry in stored if entry.at != stored[-1].at]
        for entry in stored:
            line = read_line(entry)
            if kinds and line.kind not in kinds:
                continue
            if len(found) >= most and entry.at != found[-1].at:
                return Lines(found, found[-1].at)
            found.append(line)
        if not more:
            return Lines(found, None)
        until = stored[-1].at
    return Lines(found, until if most else None)
