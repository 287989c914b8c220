"""A device's history: how one line of it is stored, and how it is read back.

An entry's id is given by whoever writes it and follows from what happened, so
that a commit repeated after an ambiguous failure, or a webhook that came twice, adds no second
line. The stream of a device bears its DevEUI as name.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from store.port import Append, Entry, Store

ENTRIES_MOST = 1_000
"""Of one reading: at about 200 bytes a line 200 kB, which is a long page already."""


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
    return HistoryEntry(entry.entry, entry.at, stored.kind, stored.detail)


async def read(
    store: Store, dev_eui: str, *, since: float, until: float, most: int
) -> Sequence[HistoryEntry]:
    """At most `most` (and at most 1,000) lines with since <= at < until, newest first.

    Raises StoreError.
    """
    most = max(0, min(most, ENTRIES_MOST))
    entries = await store.entries(dev_eui, since=since, until=until, most=most)
    return [read_line(entry) for entry in entries]
