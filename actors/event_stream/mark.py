"""Up to where the stream was dealt with, as stored: the next run of the service reads on there."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from urllib.parse import parse_qsl, urlsplit

import msgspec

from actors.storage.record_version import stamped
from lorawan.stream.entries import EntryId
from lorawan.stream.redis_source import addresses_of
from store.port import Put, Record, Table

KEY = "event-stream"
"""Of the record in `Table.META`."""


class StreamMark(msgspec.Struct, frozen=True):
    """`id`: every entry up to it was dealt with, but for those of the lights in `owed`, which begin
    with the id that stands there."""

    id: str
    stream: str = ""
    """Names the server and the key: a mark in another stream means nothing."""
    owed: dict[str, str] = {}


_decoder = msgspec.json.Decoder(StreamMark)


def name_of(url: str, prefix: str) -> str:
    """Names a stream by its address, however that is spelled, without showing it."""
    parts = urlsplit(url)
    servers = sorted(f"{host}:{port}" for host, port in addresses_of(url)) or [parts.path]
    in_path = "" if parts.scheme == "unix" else parts.path.strip("/")
    database = int(dict(parse_qsl(parts.query)).get("db") or in_path or 0)
    where = f"{','.join(servers)}/{database} {prefix}"
    return blake2b(where.encode(), digest_size=8).hexdigest()


def mark_put(mark: StreamMark, now: float) -> Put:
    """The write that stores it; `now` is Unix seconds."""
    return Put(Table.META, KEY, stamped(msgspec.json.encode(mark)), now)


def mark_in(records: Iterable[Record], stream: str) -> tuple[EntryId | None, Mapping[str, EntryId]]:
    """The mark of this stream and what is owed, of all records of `Table.META`. None where there is
    none or it cannot be read: then the reading begins a minute ago, and what is open is asked for.
    """
    for record in records:
        if record.key != KEY:
            continue
        try:
            mark = _decoder.decode(record.value)
            if mark.stream != stream:
                break
            owed = {dev_eui: EntryId.parse(text) for dev_eui, text in mark.owed.items()}
            return EntryId.parse(mark.id), owed
        except (msgspec.MsgspecError, ValueError):
            break
    return None, {}
