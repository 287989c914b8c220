"""Writes and readings that the tests of every store share."""

import math
from typing import TypedDict

from store.port import Append, Put, Store, Table

NOW = 1_795_000_000.123456  # needs all 17 digits of a double


class Range(TypedDict):
    since: float
    until: float


ALWAYS = Range(since=-math.inf, until=math.inf)


def put(key: str, value: bytes = b"v", at: float = NOW, table: Table = Table.DEVICE) -> Put:
    return Put(table=table, key=key, value=value, at=at)


def add(entry: str, at: float, stream: str = "s", value: bytes = b"v") -> Append:
    return Append(stream=stream, entry=entry, at=at, value=value)


async def names(store: Store, stream: str = "s", most: int = 1_000) -> list[str]:
    found = await store.entries(stream, **ALWAYS, most=most, newest_first=False)
    return [entry.entry for entry in found]
