"""What can be seen of ChirpStack's streams and of the Redis that holds them. Blocks; reads only."""

from collections.abc import Sequence
from typing import Any

import msgspec
import redis
import redis.exceptions

from lorawan.events.errors import UnknownEventKind
from lorawan.stream.entries import EntryId, whose
from lorawan.stream.redis_source import (
    ALL_EVENTS,
    client_of,
    entry_of,
    key_of,
    node_of,
    translated,
)

LOOKED_AT = 50
"""Of the newest entries: some may be of kinds that are not known, as `integration` before 4.15."""


class Kept(msgspec.Struct, frozen=True):
    """One stream: how much is in it, and of which time. Times are Unix seconds."""

    entries: int
    first_at: float
    newest_at: float
    forgot: bool | None
    """Whether entries were pushed out already; None where the server is too old to tell (below 7).
    """

    @property
    def spans_s(self) -> float:
        """From the first entry to the newest."""
        return self.newest_at - self.first_at


class StreamFacts(msgspec.Struct, frozen=True):
    """What was found."""

    key: str
    now_at: float
    """By the server's clock, Unix seconds."""
    all_events: Kept | None
    """None where there is no such key."""
    of_one_device: Kept | None
    """Of the device of the newest entry of which that can be read."""
    appendonly: bool | None
    """None where CONFIG is not permitted."""
    saves: bool | None
    """Whether it writes all of its memory to disk now and then."""
    evicts: bool | None


def inspect(url: str, prefix: str) -> StreamFacts:
    """Look at the streams. Raises StreamError."""
    return translated(_inspect, url, prefix)


def _inspect(url: str, prefix: str) -> StreamFacts:
    whole = client_of(url)
    try:
        key = prefix + ALL_EVENTS
        client = node_of(whole, key)
        newest = client.execute_command("XREVRANGE", key, "+", "-", "COUNT", LOOKED_AT)
        of_one = None
        dev_eui = next(filter(None, (_dev_eui(*one) for one in newest)), None)
        if dev_eui is not None:
            of_one_key = key_of(prefix, dev_eui)
            of_one = _kept(node_of(whole, of_one_key), of_one_key)
        seconds, micros = client.time()
        settings = _settings(client)
        return StreamFacts(
            key=key,
            now_at=seconds + micros / 1e6,
            all_events=_kept(client, key) if newest else None,
            of_one_device=of_one,
            appendonly=None if settings is None else settings.get("appendonly") == "yes",
            saves=None if settings is None else bool(settings.get("save")),
            evicts=None
            if settings is None
            else settings.get("maxmemory", "0") != "0"
            and settings.get("maxmemory-policy", "").startswith("allkeys"),
        )
    finally:
        whole.close()


def _dev_eui(entry_id: bytes, fields: Sequence[bytes]) -> str | None:
    """Whose an entry is; None where that cannot be read."""
    try:
        found = whose(entry_of(entry_id, fields))
    except UnknownEventKind:
        return None
    return None if found is None else found.dev_eui


def _kept(client: Any, key: str) -> Kept | None:
    try:
        told = client.xinfo_stream(key)
    except redis.exceptions.NoPermissionError:
        raise
    except redis.ResponseError:  # no such key
        return None
    if not told.get("first-entry") or not told.get("last-entry"):
        return None
    added = told.get("entries-added")
    return Kept(
        entries=told["length"],
        first_at=EntryId.parse(told["first-entry"][0]).at,
        newest_at=EntryId.parse(told["last-entry"][0]).at,
        forgot=None if added is None else added > told["length"],
    )


def _settings(client: Any) -> dict[str, str] | None:
    found: dict[str, str] = {}
    try:
        for name in ("appendonly", "save", "maxmemory", "maxmemory-policy"):
            found |= client.config_get(name)
    except redis.RedisError:
        return None
    return found
