"""The names of our keys in Redis, and the bytes of their values.

All have one hash tag, hence lie on one node: a cluster adds nothing here and is not supported.

    {prefix}:schema           layout of these keys
    {prefix}:owner            number of the last opening
    {prefix}:holder           who opened last (JSON); deleted by an orderly end
    {prefix}:commits          raised by every transaction
    {prefix}:device           hash key -> at and value, one such hash per table
    {prefix}:device:at        zset key by at, for retention
    {prefix}:stream:NAME      hash entry -> at and value
    {prefix}:at:NAME          zset entry by at, for ranges; ties in order of the entry
    {prefix}:streams          zset stream by a lower bound of its oldest at, for retention
"""

import struct

from store.errors import StoreCorrupt, StoreRefused
from store.port import Entry, Record, Table

_AT = struct.Struct(">d")


class Keys:
    """The names of the keys under one prefix. Raises StoreRefused for a prefix with braces."""

    def __init__(self, prefix: str) -> None:
        if not prefix or set(prefix) & set("{}"):
            raise StoreRefused(f"redis: the prefix must be a word without braces, not {prefix!r}")
        self.prefix = prefix
        self.tag = "{" + prefix + "}"
        self.schema = f"{self.tag}:schema"
        self.owner = f"{self.tag}:owner"
        self.holder = f"{self.tag}:holder"
        self.commits = f"{self.tag}:commits"
        self.streams = f"{self.tag}:streams"

    def table(self, table: Table) -> str:
        """The records of a table."""
        return f"{self.tag}:{table}"

    def table_at(self, table: Table) -> str:
        """The keys of a table by their time."""
        return f"{self.tag}:{table}:at"

    def stream(self, name: str) -> str:
        """The entries of a stream."""
        return f"{self.tag}:stream:{name}"

    def stream_at(self, name: str) -> str:
        """The names of a stream's entries by their time."""
        return f"{self.tag}:at:{name}"


def pack(at: float, value: bytes) -> bytes:
    """Time and value in one, as they are stored."""
    return _AT.pack(at) + value


def unpack(packed: bytes) -> tuple[float, bytes]:
    """Time and value. Raises StoreCorrupt for what is too short to be ours."""
    if len(packed) < _AT.size:
        raise StoreCorrupt(f"redis: a value of {len(packed)} bytes is not ours")
    return _AT.unpack_from(packed)[0], packed[_AT.size :]


def record_of(key: bytes, packed: bytes) -> Record:
    """One record as read back."""
    at, value = unpack(packed)
    return Record(key.decode(), value, at)


def entry_of(name: bytes, packed: bytes) -> Entry:
    """One stream entry as read back."""
    at, value = unpack(packed)
    return Entry(name.decode(), at, value)
